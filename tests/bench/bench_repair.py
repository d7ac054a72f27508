"""Repair with planted damage: how far the filled-in values are from the truth, by method, beside leaving the damage.

Run: ``python tests/bench/bench_repair.py COHORT [ABIDE.h5] [--people 10]``. Of every recording, 5 % of the parcels are
dropped, 12 single frames jump, and one long gap of all parcels (20 frames of 0.72 s, or as many seconds) is made. Which
parcels and frames are bad is told, so that only the filling in is measured; errors are in SD of the undamaged series.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from brainlm_engine.api.repair import RepairSpec
from brainlm_engine.cohort import load_recording, open_cohort
from brainlm_engine.cohort.abide import open_abide
from brainlm_engine.models import load_model
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.repair import repair

METHODS = ("model", "ridge", "kriging", "interpolation")
GAP_S = 14.4


def damage(truth: Recording, seed: int) -> tuple[Recording, RepairSpec, dict[str, np.ndarray]]:
    """Return a damaged recording, what is bad in it, and (parcels, frames) masks by kind of damage."""
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(~truth.missing & (truth.series.std(1) > 0))
    series, n = truth.series.copy(), truth.n_frames
    sd = series.std(1, keepdims=True)
    dropped = np.sort(rng.permutation(usable)[: len(usable) // 20])
    length = round(GAP_S / truth.tr_s)
    first = int(rng.integers(10, n - length - 10))
    single = [int(f) for f in rng.permutation(n - 2)[:40] + 1 if not first - 3 < f < first + length + 3][:12]
    series[:, single] += 6 * sd * rng.standard_normal((len(series), 1)).astype(np.float32)
    series[:, first : first + length] += 6 * sd * rng.standard_normal((len(series), length)).astype(np.float32)
    series[dropped] = 0
    rows = np.zeros(len(series), bool)
    rows[usable] = True
    rows[dropped] = False
    masks = {name: np.zeros(series.shape, bool) for name in ("dropped parcels", "single frames", "long gap")}
    masks["dropped parcels"][dropped] = True
    masks["single frames"][np.ix_(rows, single)] = True
    masks["long gap"][np.ix_(rows, range(first, first + length))] = True
    spans = (*((f, f + 1) for f in single), (first, first + length))
    spec = RepairSpec(dvars=False, spikes=0, parcels=tuple(dropped.tolist()), spans=spans)
    return replace(truth, series=series), spec, masks


def error(truth: Recording, series: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean squared error of the course in SD², each parcel about the true mean of what is compared."""
    sd = truth.series.std(1, keepdims=True)
    off = (series - truth.series) / np.where(sd > 0, sd, 1)
    if mask.all(1).any():  # a dropped parcel's level is judged apart
        off = off - off.mean(1, keepdims=True)
    return float((off[mask] ** 2).mean())


def people(args: argparse.Namespace) -> Iterator[tuple[str, Recording]]:
    """Yield held-out recordings of both data sets."""
    cohort = open_cohort(args.cohort)
    for person in cohort.people("test")[: args.people]:
        yield "simulated", load_recording(cohort.files[person][0])
    if args.abide:
        file = open_abide(args.abide)
        for recording in file.recordings(file.choose(args.people)):
            yield "ABIDE", recording


def main() -> None:
    """Print one line per data set and kind of damage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("abide", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=10)
    args = parser.parse_args()
    torch.set_num_threads(2)
    model = load_model()
    errors: dict[tuple[str, str, str], list[float]] = {}
    told: dict[tuple[str, str], list[float]] = {}
    for seed, (source, truth) in enumerate(people(args)):
        damaged, spec, masks = damage(truth, seed)
        for name, mask in masks.items():
            errors.setdefault((source, name, "left as it is"), []).append(error(truth, damaged.series, mask))
        for method in METHODS:
            made = repair(
                model, damaged, spec.model_copy(update={"method": method}), trials=2 if method == "model" else 0
            )
            for name, mask in masks.items():
                errors.setdefault((source, name, method), []).append(error(truth, made.recording.series, mask))
            for kind in made.info.kinds if method == "model" else ():
                told.setdefault((source, kind.kind), []).append(kind.scores[0].mse)
    for source, name in dict.fromkeys((key[0], key[1]) for key in errors):
        cells = [f"{how} {np.mean(errors[source, name, how]):.3f}" for how in ("left as it is", *METHODS)]
        print(f"{source}, {name}: MSE in SD², {', '.join(cells)} (n = {len(errors[source, name, 'model'])})")
    for (source, kind), values in told.items():
        print(f"{source}, {kind}: expected error of the model as told before, {np.mean(values):.3f} SD²")


if __name__ == "__main__":
    main()
