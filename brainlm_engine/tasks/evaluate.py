"""Reconstruction scored on people the model has never seen, beside the simple methods, with intervals over people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.baselines import covariance_of_people
from brainlm_engine.cohort import load_recording, load_series, open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.card import Card
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.evaluate_embeddings import EmbeddingEvaluation
from brainlm_engine.tasks.evaluate_forecasts import ForecastEvaluation
from brainlm_engine.tasks.evaluate_networks import NetworkEvaluation
from brainlm_engine.tasks.masking import build_mask
from brainlm_engine.tasks.reconstruct import model_id, plan_window, predict
from brainlm_engine.tasks.scoring import TITLES, Sums, baseline_guesses, sums, window_mean

Floats = NDArray[np.float32]
_RESAMPLES = 2000


class Row(BaseModel):
    """One method. Intervals are 95 %, from resampling people; None where there is one person only."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    r2: float = Field(description="pooled over people: 1 - SSE / SST about each parcel's window mean")
    low: float | None
    high: float | None
    model_minus_this: float
    difference_low: float | None
    difference_high: float | None


class Evaluation(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: str
    data: str
    mask_ratio: float
    people: int
    hidden_frames: int
    rows: tuple[Row, ...]
    by_site: dict[str, dict[str, float]] = Field(default_factory=dict, description="site -> method -> R2")
    notes: tuple[str, ...] = ()
    forecasts: ForecastEvaluation | None = Field(default=None, description="of the same people, where asked for")
    networks: NetworkEvaluation | None = Field(default=None, description="of some of them, where asked for")
    embeddings: EmbeddingEvaluation | None = Field(default=None, description="what they tell, where asked for")
    about: dict[str, str] = Field(default_factory=dict, description="program, weights, date, seed")


@dataclass(frozen=True)
class Person:
    """One recording to be scored, and what the simple methods may know of other people."""

    recording: Recording
    covariance: Floats | None
    site: str = ""


def evaluate(
    model: MaskedModel,
    data: Path,
    *,
    ratio: float = 0.75,
    people: int | None = None,
    frames: int = 200,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Evaluation:
    """Score ``model`` on the 'test' people of a cohort folder, or on an ABIDE HDF5 file.

    One window per recording, at a place that differs between recordings; masks are random and the same for all methods.
    In a cohort, ridge learns from its 'train' people; in ABIDE, from the people of all other sites.

    Parameters
    ----------
    people : about so many (ABIDE: the same share of every site)
    """
    persons, count, name = persons_of(data, people, progress)
    pooled: list[dict[str, Sums]] = []
    sites: list[str] = []
    for done, person in enumerate(persons):
        progress(done / count, f"Scoring {done + 1} of {count}")
        parts = score_person(model, person.recording, person.covariance, ratio=ratio, frames=frames, seed=seed + done)
        pooled.append(parts)
        sites.append(person.site)
    progress(1.0, "Scored")
    return Evaluation(
        model_id=model_id(model),
        data=name,
        mask_ratio=ratio,
        people=len(pooled),
        hidden_frames=sum(parts["model"].n for parts in pooled),
        rows=_rows(pooled, seed),
        by_site=_by_site(pooled, sites) if any(sites) else {},
        notes=("One person: no interval can be given.",) * (len(pooled) == 1),
    )


def score_person(
    model: MaskedModel, recording: Recording, covariance: Floats | None, *, ratio: float, frames: int, seed: int
) -> dict[str, Sums]:
    """Return method -> sums over the hidden frames of one window."""
    patch, length, _ = plan_window(model, recording, frames)
    start = (37 * seed) % (recording.n_frames - length + 1)
    measured = zscored(recording)[:, start : start + length]
    hidden = build_mask(MaskSpec(ratio=ratio, seed=seed), recording.n_parcels, length // patch)
    predicted = predict(model, measured[None], recording, hidden[None])[0]
    hidden_frames = np.repeat(hidden, patch, axis=1)
    scored = hidden_frames & np.isfinite(measured) & np.isfinite(predicted)
    shown = np.where(hidden_frames, np.nan, measured).astype(np.float32)
    centre = window_mean(measured)
    guesses = {"model": predicted, **baseline_guesses(shown, covariance, thorough=True)}
    return {method: sums(measured, guess, scored, centre) for method, guess in guesses.items()}


def persons_of(data: Path, people: int | None, progress: Progress = SILENT) -> tuple[Iterable[Person], int, str]:
    """Return whom to score in a cohort folder or an ABIDE file, how many, and what to call them."""
    return (_abide if is_abide(data) else _cohort)(data, people, progress)


def _cohort(folder: Path, people: int | None, progress: Progress) -> tuple[Iterable[Person], int, str]:
    cohort = open_cohort(folder)
    train = load_series(cohort, "train", progress, most=400)
    covariance = covariance_of_people(values.astype(np.float32) for values in train.values)
    paths = [cohort.files[person][0] for person in cohort.people("test")][:people]
    if not paths:
        raise BadInput(
            f"The cohort {folder.name} has nobody in its split “test” to report on.",
            "Give some people the split test in participants.tsv.",
        )
    kind = "simulated people" if cohort.simulated else "people"
    name = f"held-out {kind} of {folder.name} ({train.atlas_id or 'no atlas'}, TR {train.tr_s:g} s)"
    return (Person(load_recording(path), covariance) for path in paths), len(paths), name


def _abide(path: Path, people: int | None, progress: Progress) -> tuple[Iterable[Person], int, str]:
    file = open_abide(path)
    chosen, site_of = file.choose(people), file.site_of()
    others = _leave_site_out(file.recordings(chosen), [site_of[person] for person in chosen], progress)
    persons = (
        Person(recording, others(site_of[person]), site_of[person])
        for person, recording in zip(chosen, file.recordings(chosen), strict=True)
    )
    return persons, len(chosen), f"ABIDE, real people (CC200, {len(file.sites)} sites, their own TR)"


def _leave_site_out(
    recordings: Iterable[Recording], sites: list[str], progress: Progress
) -> Callable[[str], Floats | None]:
    """Return a function: site -> covariance of the people of all other sites."""
    by_site: defaultdict[str, list[Floats]] = defaultdict(list)
    for done, (recording, site) in enumerate(zip(recordings, sites, strict=True)):
        progress(0.0, f"Reading {done + 1} of {len(sites)}")
        by_site[site].append(zscored(recording))
    each = {site: (covariance_of_people(series), len(series)) for site, series in by_site.items()}

    def others(site: str) -> Floats | None:
        rest = [(covariance, count) for name, (covariance, count) in each.items() if name != site]
        if not rest:
            return None
        weight = sum(count for _, count in rest)
        return np.asarray(sum(covariance * (count / weight) for covariance, count in rest), np.float32)

    return others


def _rows(pooled: list[dict[str, Sums]], seed: int) -> tuple[Row, ...]:
    methods = [method for method in TITLES if all(method in parts for parts in pooled)]
    error = np.array([[parts[method].error for method in methods] for parts in pooled])
    total = np.array([parts["model"].total for parts in pooled])
    draws = np.random.default_rng(seed).integers(len(pooled), size=(_RESAMPLES, len(pooled)))
    r2 = 1 - error.sum(0) / total.sum()
    resampled = 1 - error[draws].sum(1) / total[draws].sum(1)[:, None]
    ahead = resampled[:, :1] - resampled
    rows = []
    for index, method in enumerate(methods):
        low, high = np.percentile(resampled[:, index], (2.5, 97.5))
        ahead_low, ahead_high = np.percentile(ahead[:, index], (2.5, 97.5))
        lo, hi, diff_low, diff_high = (
            round(float(number), 4) if len(pooled) > 1 else None for number in (low, high, ahead_low, ahead_high)
        )
        rows.append(
            Row(
                method=method, title=TITLES[method], r2=round(float(r2[index]), 4), low=lo, high=hi,
                model_minus_this=round(float(r2[0] - r2[index]), 4), difference_low=diff_low,
                difference_high=diff_high,
            )
        )  # fmt: skip
    return tuple(rows)


def _by_site(pooled: list[dict[str, Sums]], sites: list[str]) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}
    for site in sorted(set(sites)):
        parts = [part for part, where in zip(pooled, sites, strict=True) if where == site]
        total = sum(part["model"].total for part in parts)
        shared = [method for method in TITLES if all(method in part for part in parts)]
        table[site] = {method: round(1 - sum(part[method].error for part in parts) / total, 4) for method in shared}
    return table


def note_in_card(table: Evaluation, folder: Path) -> None:
    """Add R2 of every method to the figures of the card in ``folder``."""
    card = Card.load(folder)
    rows = {row.method: [row.r2, row.low, row.high] for row in table.rows}
    entry: dict[str, object] = {"people": table.people, "mask_ratio": table.mask_ratio, "r2_low_high": rows}
    if (told := table.forecasts) is not None:
        entry["forecast_error_low_high"] = {row.method: [row.error, row.low, row.high] for row in told.rows}
        entry["forecast_coverage_90"] = told.coverage_90
    if (found := table.networks) is not None:
        entry["network_accuracy_low_high"] = {row.method: [row.accuracy, row.low, row.high] for row in found.rows}
    if (read := table.embeddings) is not None:
        entry["embedding_figure_low_high"] = {
            trait.name: {row.method: [row.figure, row.low, row.high] for row in trait.rows} for trait in read.traits
        }
    figures = {**card.info.figures, table.data: entry}
    if found is not None:
        figures.setdefault("attention_layer", found.layer)
    card.model_copy(update={"info": card.info.model_copy(update={"figures": figures})}).save(folder)
