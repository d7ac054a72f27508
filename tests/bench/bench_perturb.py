"""Predicted beside true responses to stimulated parcels, in simulated people whose responses are known.

Run alone: ``python tests/bench/bench_perturb.py [--people 6] [--parcels 12]``. Each parcel is moved up and down by 1 SD
for one time patch in a person's resting recording; the model's answer (mean over this and the next patch, half the
difference) is compared over all other parcels with the simulator's true response to an input at that parcel over the
same frames. Simple predictors stand beside it: functional connectivity and a ridge VAR(1) of the same recording; both
of 20 other people, as the model has learned from others too; nearness, and the model's answer to noise with the
recording's own spectra. A VAR's penalty is the mean variance times the number of parcels, not tuned. Spearman's
correlation is averaged over a person's parcels; the interval is a bootstrap over people.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.atlas import load_atlas
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import Simulator, Stimulus
from brainlm_engine.tasks.network_maps import connectivity, noise_like
from brainlm_engine.tasks.perturb.intervene import run_of
from brainlm_engine.tasks.perturb.window import plan

FRAMES, TR_S, SEED = 300, 0.72, 977  # people of a seed that no model was trained on
OTHERS, FIRST_OTHER = 20, 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="studio-tiny")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--parcels", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, simulator = load_model(args.model), Simulator(load_atlas("mni424"), seed=SEED)
    patch = model.frames_per_patch(TR_S)
    onset = FRAMES // 2 // patch * patch
    others = [simulator.recording(simulator.person(FIRST_OTHER + index), FRAMES, TR_S) for index in range(OTHERS)]
    group_fc = np.mean([connectivity(each) for each in others], axis=0)
    group_var = var_responses(others, patch)
    table: dict[str, list[float]] = {}
    sign, positive = [], []
    for index in range(args.people):
        person = simulator.person(index)
        recording = simulator.recording(person, FRAMES, TR_S)
        noise, fc, var = noise_like(recording), connectivity(recording), var_responses([recording], patch)
        rows: dict[str, list[float]] = {}
        for parcel in np.random.default_rng([SEED, index]).choice(recording.n_parcels, args.parcels, replace=False):
            span = Stimulus((int(parcel),), onset * TR_S, (onset + patch) * TR_S)
            raw = simulator.response(person, span, FRAMES, TR_S) * simulator.brain(person).baseline[:, None]
            true = raw[:, onset : onset + 2 * patch].mean(1) / recording.series.std(1)
            model_row = answer(model, recording, int(parcel), onset, patch)
            elsewhere = np.arange(recording.n_parcels) != parcel
            near = -np.linalg.norm(recording.xyz - recording.xyz[parcel], axis=1)
            found = {
                "model": model_row, "connectivity": fc[:, parcel], "VAR(1)": var[:, parcel],
                "others' connectivity": group_fc[:, parcel], "others' VAR(1)": group_var[:, parcel], "nearness": near,
                "model, noise": answer(model, noise, int(parcel), onset, patch),
            }  # fmt: skip
            for name, row in found.items():
                known = elsewhere & np.isfinite(row)
                rows.setdefault(name, []).append(float(spearmanr(row[known], true[known]).statistic))
            strong = elsewhere & (np.abs(true) >= np.quantile(np.abs(true[elsewhere]), 0.9))
            sign.append(float((np.sign(model_row[strong]) == np.sign(true[strong])).mean()))
            positive.append(float((true[strong] > 0).mean()))
        for name, values in rows.items():
            table.setdefault(name, []).append(float(np.mean(values)))
    print(f"{args.people} people, {args.parcels} parcels each, {args.model}")
    for name, values in table.items():
        print(f"{name:22} {interval(values)}")
    for name, values in table.items():
        if name != "model":
            print(f"model - {name:22} {interval(list(np.subtract(table['model'], values)))}")
    print(f"sign right among the strongest tenth: {np.mean(sign):.0%} (always guessing up: {np.mean(positive):.0%})")


def answer(model: MaskedModel, recording: Recording, parcel: int, onset: int, patch: int) -> NDArray[np.floating]:
    """Return (P,) what the model expects of all parcels, SD per SD, as effective connectivity does."""
    moved = Target(regions=(parcel,), start=onset, stop=onset + patch, add=True)
    window = plan(model, recording, Scenario(targets=(moved,)), None, before=2, after=2)
    run = run_of(model, recording, window, None)
    down = np.where(window.where, 2 * window.measured - window.changed, window.measured)
    up, low = (run.answers(each[None], window.hidden[None])[0] for each in (window.changed, down))
    return (up - low)[:, window.onset :].mean(1) / 2


def var_responses(recordings: list[Recording], patch: int) -> NDArray[np.floating]:
    """Return (P, P), column = moved: mean response of a VAR(1) to an input held for a patch, over two patches."""
    both = [(series[:, :-1], series[:, 1:]) for each in recordings for series in [zscored(each).astype(np.float64)]]
    parcels = len(both[0][0])
    within, ahead = sum(past @ past.T for past, _ in both), sum(past @ now.T for past, now in both)
    penalty = parcels * float(np.mean([past.var() for past, _ in both]))
    step = np.linalg.solve(within + penalty * np.eye(parcels), ahead).T
    total = state = np.zeros_like(step)
    for frame in range(2 * patch):
        state = step @ state + (np.eye(len(step)) if frame < patch else 0)
        total = total + state
    return total / (2 * patch)


def interval(values: list[float]) -> str:
    """Return mean and 95 % interval over people."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{np.mean(values):+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
