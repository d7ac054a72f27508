"""What can be read of a person from a model's embedding, beside connectivity, covariates and knowing nothing.

Everything learns from other people than are asked, each person once (the first recording), and chooses its penalty
among those it learns from.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainlm_engine.api.errors import BadInput
from brainlm_engine.baselines.readout import read_group, read_number
from brainlm_engine.cohort import load_recording, open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.network_maps import connectivity, untrained
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.recording import window_starts

Doubles = NDArray[np.float64]
TAUGHT, FEWEST = 150, 20
_RESAMPLES = 2000
_NUMBERS = ("age",)
_GROUPS = ("sex", "dx", "diagnosis", "group")
_COVARIATES = ("site", "mean_fd", "tr")
TITLES = {
    "embedding": "Embedding of the model", "connectivity": "Functional connectivity", "untrained":
    "Embedding of the untrained model", "covariates": "Site, head motion and TR", "nothing": "Knowing nothing",
}  # fmt: skip


class TraitRow(BaseModel):
    """One source. Intervals are 95 %, from resampling people."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    figure: float = Field(description="R2 of a number, area under the ROC curve of a group")
    low: float
    high: float
    minus_embedding_low: float = Field(description="this minus the embedding, 2.5th percentile")
    minus_embedding_high: float
    other: float = Field(description="mean absolute error of a number, balanced accuracy of a group")


class Trait(BaseModel):
    """One column of the table of participants."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: str = Field(description="'number' or 'group'")
    levels: tuple[str, ...] = Field(default=(), description="of a group; the second is what is told")
    taught: int = Field(description="people learned from")
    people: int = Field(description="people asked")
    rows: tuple[TraitRow, ...]
    verdict: str


class EmbeddingEvaluation(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: str
    data: str
    traits: tuple[Trait, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _People:
    """Who is taught and asked: facts by column, and how to read the recordings of a person."""

    taught: list[str]
    asked: list[str]
    facts: dict[str, dict[str, str]]
    recordings: Callable[[str], Sequence[Recording]]
    data: str


def evaluate_embeddings(
    model: MaskedModel, data: Path, *, people: int | None = None, taught: int = TAUGHT, progress: Progress = SILENT
) -> EmbeddingEvaluation:
    """Learn age and groups from the 'train' people and ask of the 'test' people (ABIDE: half of the sites each).

    Parameters
    ----------
    people, taught : asked and learned from, at most

    Raises
    ------
    BadInput
        When the model cannot embed, or no column of the table can be told.
    """
    if not hasattr(model, "embed") or model.scaling is not None:
        raise BadInput(
            f"The model {model_id(model)} gives no embedding of z-scored recordings.", "Choose another model."
        )
    chosen = (_abide if is_abide(data) else _cohort)(data, people, taught)
    everybody = [*chosen.taught, *chosen.asked]
    fresh = untrained(model)
    rows: dict[str, list[Doubles]] = {"embedding": [], "connectivity": [], "untrained": []}
    for done, person in enumerate(everybody):
        progress(done / len(everybody), f"Embedding {done + 1} of {len(everybody)}")
        read = chosen.recordings(person)
        for name, made in (
            ("embedding", [_embedding(model, recording) for recording in read]),
            ("connectivity", [_profile(recording) for recording in read]),
            ("untrained", [_embedding(fresh, recording) for recording in read]),
        ):
            rows[name].append(np.mean(made, 0))
    features = {name: np.stack(each) for name, each in rows.items()}
    features["covariates"] = _covariates(everybody, chosen.facts)
    progress(1.0, "Reading traits")
    traits = [
        trait for name in (*_NUMBERS, *_GROUPS)
        if (trait := _trait(name, chosen, features)) is not None
    ]  # fmt: skip
    if not traits:
        raise BadInput(
            f"{data.name} has no age, sex or diagnosis of enough people to read from the embedding.",
            f"Add such a column to participants.tsv, with at least {FEWEST} people to learn from and {FEWEST} to ask.",
        )
    told = {trait.name for trait in traits}
    notes = tuple(note for name in _GROUPS if name not in told and (note := _why_not(name, chosen)))
    return EmbeddingEvaluation(model_id=model_id(model), data=chosen.data, traits=tuple(traits), notes=notes)


def _embedding(model: MaskedModel, recording: Recording) -> Doubles:
    """Summary token and mean parcel token, (2 * width,), mean over the first and the last window."""
    import torch

    _, length, _ = plan_window(model, recording, None)
    series, device = zscored(recording), next(model.parameters()).device
    xyz = torch.from_numpy(np.array(recording.xyz, np.float32))[None].to(device)
    found = []
    starts = window_starts(recording.n_frames, length)
    for start in (starts[0], starts[-1])[: len(starts)]:
        signal = torch.from_numpy(np.ascontiguousarray(series[:, start : start + length]))[None].to(device)
        with torch.inference_mode():
            latent, ids = model.embed(signal, xyz, recording.tr_s)  # type: ignore[operator]
        tokens = latent[0, 1:][ids[0] >= 0]
        found.append(torch.cat([latent[0, 0], tokens.mean(0)]).double().cpu().numpy())
    return np.asarray(np.mean(found, 0), np.float64)


def _profile(recording: Recording) -> Doubles:
    """Fisher-transformed correlations above the diagonal."""
    map_ = connectivity(recording)
    upper = map_[np.triu_indices(len(map_), 1)].astype(np.float64)
    return np.asarray(np.arctanh(np.clip(upper, -0.999, 0.999)), np.float64)


def _covariates(people: Sequence[str], facts: dict[str, dict[str, str]]) -> Doubles:
    columns = []
    for name in _COVARIATES:
        said = [facts.get(person, {}).get(name, "") for person in people]
        numbers = [_number(each) for each in said]
        if all(value is None for value in numbers):
            levels = sorted(set(said) - {"", "n/a"})
            columns += [[float(each == level) for each in said] for level in levels]
        else:
            columns.append([np.nan if value is None else value for value in numbers])
    return np.array(columns, np.float64).T if columns else np.zeros((len(people), 1))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _levels(name: str, chosen: _People) -> tuple[str, ...]:
    """Return the groups of a column, in the order of their names."""
    said = (chosen.facts.get(person, {}).get(name, "") for person in (*chosen.taught, *chosen.asked))
    return tuple(sorted({str(each) for each in said} - {"", "n/a"}))


def _why_not(name: str, chosen: _People) -> str:
    """Return why a column that is there is left out, '' when it is not there."""
    levels = _levels(name, chosen)
    if len(levels) > 2:
        return f"The column {name} has {len(levels)} groups and is left out: two are told apart at a time."
    return f"The column {name} is left out: too few people of each group are known." if levels else ""


def _trait(name: str, chosen: _People, features: dict[str, Doubles]) -> Trait | None:
    """Read one column; None when there are too few people, or the column is none of the kind."""
    everybody = [*chosen.taught, *chosen.asked]
    said = np.array([chosen.facts.get(person, {}).get(name, "") for person in everybody])
    learns = np.arange(len(everybody)) < len(chosen.taught)
    levels: tuple[str, ...] = ()
    if name in _NUMBERS:
        numbers = [_number(each) for each in said]
        known = np.array([value is not None for value in numbers])
        wanted = np.array([np.nan if value is None else value for value in numbers])
    else:
        levels = _levels(name, chosen)
        if len(levels) != 2:
            return None
        known, wanted = np.isin(said, levels), (said == levels[1]).astype(np.float64)
    first, second = known & learns, known & ~learns
    if first.sum() < FEWEST or second.sum() < FEWEST:
        return None
    if levels and min(len(set(wanted[first])), len(set(wanted[second]))) < 2:
        return None
    truth = wanted[second]
    told = {
        method: read_group(rows[first], wanted[first] > 0.5, rows[second])
        if levels else read_number(rows[first], wanted[first], rows[second])
        for method, rows in features.items()
    }  # fmt: skip
    told["nothing"] = np.full(len(truth), wanted[first].mean())
    figures, other = (_auc, _balanced) if levels else (_r2, _absolute)
    table = _rows(told, truth, figures, other)
    return Trait(
        name=name, kind="group" if levels else "number", levels=levels, taught=int(first.sum()),
        people=int(second.sum()), rows=table, verdict=verdict_of(name, table, int(second.sum()), group=bool(levels)),
    )  # fmt: skip


def _r2(truth: Doubles, told: Doubles) -> float:
    return float(1 - ((truth - told) ** 2).sum() / max(((truth - truth.mean()) ** 2).sum(), 1e-12))


def _absolute(truth: Doubles, told: Doubles) -> float:
    return float(np.abs(truth - told).mean())


def _auc(truth: Doubles, told: Doubles) -> float:
    from scipy.stats import rankdata

    yes = truth > 0.5
    if yes.all() or not yes.any():
        return float("nan")
    ranks = rankdata(told)
    return float((ranks[yes].sum() - yes.sum() * (yes.sum() + 1) / 2) / (yes.sum() * (~yes).sum()))


def _balanced(truth: Doubles, told: Doubles) -> float:
    yes, said = truth > 0.5, told > 0.5
    return float(((said & yes).sum() / max(yes.sum(), 1) + (~said & ~yes).sum() / max((~yes).sum(), 1)) / 2)


def _rows(
    told: dict[str, Doubles], truth: Doubles, figure: Callable[[Doubles, Doubles], float],
    other: Callable[[Doubles, Doubles], float],
) -> tuple[TraitRow, ...]:  # fmt: skip
    draws = np.random.default_rng(0).integers(len(truth), size=(_RESAMPLES, len(truth)))
    drawn = {method: np.array([figure(truth[draw], said[draw]) for draw in draws]) for method, said in told.items()}
    rows = []
    for method, title in TITLES.items():
        low, high = np.nanpercentile(drawn[method], (2.5, 97.5))
        less, more = np.nanpercentile(drawn[method] - drawn["embedding"], (2.5, 97.5))
        rows.append(
            TraitRow(
                method=method, title=title, figure=round(figure(truth, told[method]), 4), low=round(float(low), 4),
                high=round(float(high), 4), minus_embedding_low=round(float(less), 4),
                minus_embedding_high=round(float(more), 4), other=round(other(truth, told[method]), 4),
            )
        )  # fmt: skip
    return tuple(rows)


def verdict_of(name: str, rows: tuple[TraitRow, ...], people: int, *, group: bool) -> str:
    """Say in a sentence whether the embedding beats the best other source, or nothing tells the trait at all."""
    best = max(rows[1:], key=lambda row: row.figure)
    if all(row.low <= 0.5 * group for row in rows):
        return f"Neither the embedding nor anything else tells {name} of these {people} people better than chance."
    against = f"{best.title[0].lower()}{best.title[1:]}"
    if best.minus_embedding_high < 0:
        return f"The embedding tells {name} better than {against} on these {people} people."
    if best.minus_embedding_low > 0:
        return f"The embedding does not beat {against} for {name} on these {people} people."
    return f"The embedding and {against} tell {name} alike on these {people} people, as far as chance allows to say."


def _table(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {
            str(row.get("participant_id", "")): {key: (value or "").strip() for key, value in row.items() if key}
            for row in csv.DictReader(file, delimiter="\t")
        }


def _cohort(folder: Path, people: int | None, taught: int) -> _People:
    cohort = open_cohort(folder)
    asked, learns = cohort.people("test")[:people], cohort.people("train")[:taught]
    for split, named in (("train", learns), ("test", asked)):
        if len(named) < FEWEST:
            raise BadInput(
                f"The cohort {folder.name} has {len(named)} people in its split “{split}”; "
                f"what an embedding tells needs {FEWEST}.",
                "Choose a larger cohort.",
            )
    kind = "simulated people" if cohort.simulated else "people"
    return _People(
        learns, asked, _table(folder / "participants.tsv"),
        lambda person: [load_recording(place) for place in cohort.files[person][:1]],
        f"held-out {kind} of {folder.name}",
    )  # fmt: skip


def _abide(path: Path, people: int | None, taught: int) -> _People:
    file = open_abide(path)
    sites = list(file.sites)

    def of(some: Sequence[str], most: int | None) -> list[str]:
        named = [person for site in some for person in file.sites[site]]
        count = len(named) if most is None else min(most, len(named))
        return [named[place] for place in np.unique(np.linspace(0, len(named) - 1, count).astype(int))]

    return _People(
        of(sites[::2], taught), of(sites[1::2], people), _table(path.parent / "participants.tsv"),
        lambda person: list(file.recordings([person])),
        f"ABIDE, real people of {len(sites[1::2])} sites, learned from {len(sites[::2])} others",
    )  # fmt: skip
