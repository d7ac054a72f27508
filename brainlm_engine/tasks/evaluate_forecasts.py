"""Forecasts of people no model has seen, lead by lead, beside every simple method, with intervals over people."""

from __future__ import annotations

from collections.abc import Iterable
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
from brainlm_engine.tasks.future import HISTORY, HORIZON
from brainlm_engine.tasks.reconstruct import model_id

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
PEOPLE = ("var_people", "VAR(3), ridge, learned from other people")
_RESAMPLES = 2000
_PEOPLE = 300  # of the training split, at most, for the vector autoregression
#: who, a recording, and what other people taught
_Scored = tuple[str, Recording, PeopleVAR | None]


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
    recordings: int
    history: int
    horizon: int
    tr_s: float | None = Field(description="None where it differs between recordings")
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
    """Score one forecast of every recording of a cohort's 'test' people, or of every person of an ABIDE file.

    A person's errors are the mean over the person's recordings. The vector autoregression
    of other people learns from the 'train' people of the cohort; in ABIDE, from the people of all other sites with the
    same TR.
    """
    recordings, count, name = (_abide if is_abide(data) else _cohort)(data, people, history, horizon, progress)
    errors: dict[str, dict[str, list[Doubles]]] = {}
    inside, trs = [], set()
    for done, (person, recording, others) in enumerate(recordings):
        progress(done / count, f"Forecasting {done + 1} of {count}")
        long = min(history, recording.n_frames - horizon)
        origin = long + (37 * (seed + done)) % (recording.n_frames - horizon - long + 1)
        made = forecast(model, recording, origin, horizon=horizon, history=history)
        trs.add(round(recording.tr_s, 3))
        for score, by_lead in zip(made.info.methods, made.arrays["mse"], strict=True):
            errors.setdefault(score.method, {}).setdefault(person, []).append(np.asarray(by_lead, np.float64))
        if others is not None:
            guess = others.forecast(np.nan_to_num(made.arrays["history"]), horizon)
            missed = np.where(np.isfinite(made.forecast), guess - made.arrays["truth"], np.nan) ** 2
            errors.setdefault(PEOPLE[0], {}).setdefault(person, []).append(np.nanmean(missed, 0, dtype=np.float64))
        distance = np.abs(np.asarray(made.arrays["forecast"])[0] - np.asarray(made.arrays["truth"]))
        inside.append(np.nanmean(np.where(np.isfinite(distance), distance <= made.arrays["half_width"][1], np.nan), 0))
    progress(1.0, "Scored")
    whole = {
        method: np.stack([np.mean(each, 0) for each in of.values()])
        for method, of in errors.items() if list(map(len, of.values())) == list(map(len, errors["mean"].values()))
    }  # fmt: skip
    rows = _rows(whole, seed)
    covered = np.mean(inside, 0)
    return ForecastEvaluation(
        model_id=model_id(model), data=name, people=len(whole["mean"]), recordings=len(inside), history=history,
        horizon=horizon, tr_s=trs.pop() if len(trs) == 1 else None, rows=rows,
        coverage_90=round(float(covered.mean()), 4),
        coverage_90_by_lead=tuple(round(float(share), 4) for share in covered), worse_at=_worse(rows),
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


def _worse(rows: tuple[ForecastRow, ...]) -> tuple[str, ...]:
    """Say where a simple method beats the forecast beyond chance."""
    told = []
    for row in rows:
        leads = [lead for lead, high in enumerate(row.minus_forecast_high) if high < 0]
        if leads and row.method not in ("forecast", "model"):
            told.append(f"{row.title}: at frame {', '.join(str(lead + 1) for lead in leads)}")
    return tuple(told)


def _cohort(
    folder: Path, people: int | None, history: int, horizon: int, progress: Progress
) -> tuple[Iterable[_Scored], int, str]:
    cohort = open_cohort(folder)
    places = [(person, place) for person in cohort.people("test")[:people] for place in cohort.files[person]]
    if not places:
        raise BadInput(
            f"The cohort {folder.name} has nobody in its split “test” to report on.",
            "Give some people the split test in participants.tsv.",
        )
    progress(0.0, "Learning from the training people")
    train = [place for person in cohort.people("train")[:_PEOPLE] for place in cohort.files[person]]
    others = PeopleVAR.of_people(zscored(load_recording(path)) for path in train) if train else None
    kind = "simulated people" if cohort.simulated else "people"
    read = ((person, load_recording(place)) for person, place in places)
    return (
        ((person, recording, others) for person, recording in read if recording.n_frames > horizon + 1), len(places),
        f"held-out {kind} of {folder.name}",
    )  # fmt: skip


def _abide(
    path: Path, people: int | None, history: int, horizon: int, progress: Progress
) -> tuple[Iterable[_Scored], int, str]:
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
        (who, recording, site_of[who], tr)
        for recording, who, tr in zip(recordings, chosen, trs, strict=True)
        if recording.n_frames > horizon + model_frames(tr)
    ]
    scored = ((str(who), recording, others(site, tr)) for who, recording, site, tr in usable)
    return scored, len(usable), f"ABIDE, real people (CC200, {len(file.sites)} sites, their own TR)"


def model_frames(tr_s: float) -> int:
    """Return frames of history without which a recording is left out: about a minute."""
    return round(60 / tr_s)
