"""Forecasts of people no model has seen, lead by lead, beside every simple method, with intervals over people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainlm_engine.api.errors import BadInput
from brainlm_engine.baselines.people_var import PeopleVAR
from brainlm_engine.cohort import load_recording, open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.forecast import TITLES, forecast
from brainlm_engine.tasks.future import HISTORY, HORIZON, past_of
from brainlm_engine.tasks.reconstruct import model_id

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
PEOPLE = ("var_people", "VAR(3), ridge, learned from other people")
_RESAMPLES = 2000


class ForecastRow(BaseModel):
    """One method. Errors are MSE relative to that of the mean of the past: below 1 is better than knowing nothing."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    error: float = Field(description="over all leads")
    low: float
    high: float
    by_lead: tuple[float, ...]
    minus_forecast_low: tuple[float, ...] = Field(description="this minus the forecast, 2.5th percentile, by lead")
    minus_forecast_high: tuple[float, ...]


class ForecastEvaluation(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: str
    data: str
    people: int
    history: int
    horizon: int
    tr_s: float = Field(description="of the first recording")
    rows: tuple[ForecastRow, ...]
    coverage_90: float = Field(description="share of what followed inside the 90 % band")
    coverage_90_by_lead: tuple[float, ...]
    worse_at: tuple[str, ...] = Field(description="method and lead where a simple method is surely better, in words")
    notes: tuple[str, ...] = ()


def evaluate_forecasts(
    model: MaskedModel,
    data: Path,
    *,
    people: int | None = None,
    horizon: int = HORIZON,
    history: int = HISTORY,
    seed: int = 0,
    progress: Progress = SILENT,
) -> ForecastEvaluation:
    """Score one forecast of every 'test' person of a cohort, or of every person of an ABIDE file.

    The vector autoregression of other people learns from the 'train' people of the cohort; in ABIDE, from the people of
    all other sites with the same TR.
    """
    persons, count, name = (_abide if is_abide(data) else _cohort)(data, people, history, horizon, progress)
    errors: dict[str, list[Doubles]] = {}
    inside, first = [], 0.0
    for done, (recording, others) in enumerate(persons):
        progress(done / count, f"Forecasting {done + 1} of {count}")
        long = min(history, recording.n_frames - horizon)
        origin = long + (37 * (seed + done)) % (recording.n_frames - horizon - long + 1)
        made = forecast(model, recording, origin, horizon=horizon, history=history)
        first = first or recording.tr_s
        for score, by_lead in zip(made.info.methods, made.arrays["mse"], strict=True):
            errors.setdefault(score.method, []).append(np.asarray(by_lead, np.float64))
        if others is not None:
            past = past_of(model, recording, origin, history)
            truth = np.asarray(made.arrays["truth"])
            guess = others.forecast(past.filled, horizon)
            errors.setdefault(PEOPLE[0], []).append(np.nanmean((guess - truth) ** 2, 0, dtype=np.float64))
        distance = np.abs(np.asarray(made.arrays["forecast"])[0] - np.asarray(made.arrays["truth"]))
        inside.append(np.nanmean(np.where(np.isfinite(distance), distance <= made.arrays["half_width"][1], np.nan), 0))
    progress(1.0, "Scored")
    whole = {name: np.stack(each) for name, each in errors.items() if len(each) == len(errors["mean"])}
    rows = _rows(whole, seed)
    covered = np.mean(inside, 0)
    return ForecastEvaluation(
        model_id=model_id(model), data=name, people=len(whole["mean"]), history=history, horizon=horizon, tr_s=first,
        rows=rows, coverage_90=round(float(covered.mean()), 4),
        coverage_90_by_lead=tuple(round(float(share), 4) for share in covered), worse_at=_worse(rows, first),
    )  # fmt: skip


def _rows(errors: dict[str, Doubles], seed: int) -> tuple[ForecastRow, ...]:
    """``errors``: method -> (people, leads) MSE."""
    mean = errors["mean"]
    draws = np.random.default_rng(seed).integers(len(mean), size=(_RESAMPLES, len(mean)))
    ours = errors["forecast"][draws].mean(1) / mean[draws].mean(1)
    rows = []
    for method, found in errors.items():
        resampled = found[draws].mean(1) / mean[draws].mean(1)
        overall = found[draws].mean((1, 2)) / mean[draws].mean((1, 2))
        low, high = np.percentile(resampled - ours, (2.5, 97.5), axis=0)
        ends = np.percentile(overall, (2.5, 97.5))
        rows.append(
            ForecastRow(
                method=method, title={**TITLES, **dict([PEOPLE])}[method], error=_short(found.mean() / mean.mean()),
                low=_short(ends[0]), high=_short(ends[1]),
                by_lead=tuple(_short(value) for value in found.mean(0) / mean.mean(0)),
                minus_forecast_low=tuple(_short(value) for value in low),
                minus_forecast_high=tuple(_short(value) for value in high),
            )
        )  # fmt: skip
    return tuple(rows)


def _short(value: float) -> float:
    return round(float(value), 4)


def _worse(rows: tuple[ForecastRow, ...], tr_s: float) -> tuple[str, ...]:
    """Say where a simple method beats the forecast beyond chance."""
    told = []
    for row in rows:
        leads = [lead for lead, high in enumerate(row.minus_forecast_high) if high < 0]
        if leads and row.method not in ("forecast", "model"):
            told.append(f"{row.title}: at {', '.join(f'{(lead + 1) * tr_s:.1f} s' for lead in leads)}")
    return tuple(told)


def _cohort(
    folder: Path, people: int | None, history: int, horizon: int, progress: Progress
) -> tuple[Iterable[tuple[Recording, PeopleVAR | None]], int, str]:
    cohort = open_cohort(folder)
    paths = [cohort.files[person][0] for person in cohort.people("test")][:people]
    if not paths:
        raise BadInput(
            f"The cohort {folder.name} has nobody in its split “test” to report on.",
            "Give some people the split test in participants.tsv.",
        )
    progress(0.0, "Learning from the training people")
    train = [cohort.files[person][0] for person in cohort.people("train")][:300]
    others = PeopleVAR.of_people(zscored(load_recording(path)) for path in train) if train else None
    kind = "simulated people" if cohort.simulated else "people"
    long = (load_recording(path) for path in paths)
    return (
        ((recording, others) for recording in long if recording.n_frames > horizon + 1), len(paths),
        f"held-out {kind} of {folder.name}",
    )  # fmt: skip


def _abide(
    path: Path, people: int | None, history: int, horizon: int, progress: Progress
) -> tuple[Iterable[tuple[Recording, PeopleVAR | None]], int, str]:
    file = open_abide(path)
    chosen, site_of = file.choose(people), file.site_of()
    recordings = list(file.recordings(chosen))
    trs = [round(recording.tr_s, 2) for recording in recordings]
    learned: dict[tuple[str, float], PeopleVAR | None] = {}

    def others(site: str, tr_s: float) -> PeopleVAR | None:
        if (site, tr_s) not in learned:
            rest = [
                r for r, who, tr in zip(recordings, chosen, trs, strict=True) if site_of[who] != site and tr == tr_s
            ]
            learned[site, tr_s] = PeopleVAR.of_people(map(zscored, rest)) if len(rest) >= 20 else None
        return learned[site, tr_s]

    usable = [
        (recording, site_of[who], tr)
        for recording, who, tr in zip(recordings, chosen, trs, strict=True)
        if recording.n_frames > horizon + model_frames(tr)
    ]
    pairs: Callable[[], Iterable[tuple[Recording, PeopleVAR | None]]] = lambda: (  # noqa: E731
        (recording, others(site, tr)) for recording, site, tr in usable
    )
    return pairs(), len(usable), f"ABIDE, real people (CC200, {len(file.sites)} sites, their own TR)"


def model_frames(tr_s: float) -> int:
    """Return frames of history without which a recording is left out: about a minute."""
    return round(60 / tr_s)
