"""How quickly a perturbation is answered: exactly, as a preview, beside random regions, and for every region in turn.

Run alone: ``python tests/bench/bench_perturb_speed.py [--threads 2] [--effective] [--device cuda]``. The reference is
the same answer with a softmax for every time patch, as it was before patches that look alike shared one; medians, and
their ratio. On another device the reference is the processor, in the same run, and the answers must be the same.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import torch

from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.api.steer import Aim, SteerSpec
from brainlm_engine.models import load_model
from brainlm_engine.models import tied_attention as tied
from brainlm_engine.simulate.demo import demo_recording
from brainlm_engine.tasks.perturb import Preview, effective_connectivity, intervene
from brainlm_engine.tasks.perturb.steer import steer

RUNS = 7
_SAME = 1e-3  # SD


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--effective", action="store_true", help="also every region in turn: a minute or more")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.device != "cpu":
        compare(args.device)
    model, recording = load_model(device=args.device), demo_recording()

    def scenario(value: float, nulls: int = 0) -> Scenario:
        return Scenario(targets=(Target(regions=(0,), start=120, stop=176, value=value),), nulls=nulls)

    exact = median_ms(lambda: intervene(model, recording, scenario(1.5)))
    with mock.patch.object(tied, "_alike", return_value=None):
        plain = median_ms(lambda: intervene(model, recording, scenario(1.5)))
    print(
        f"exact answer             {exact:7.1f} ms; a softmax for every time patch {plain:.1f} ms: {plain / exact:.2f}x"
    )
    held = Preview(model, recording, scenario(1.4), 0)
    began = time.perf_counter()
    held.answer(scenario(1.4))
    print(f"first preview            {1000 * (time.perf_counter() - began):7.1f} ms")
    steps = iter(range(1, RUNS + 1))
    inside = median_ms(lambda: held.answer(scenario(1.4 - 0.1 * next(steps))))
    print(f"preview while dragged    {inside:7.1f} ms: {exact / inside:.0f}x as quick as the exact answer")
    began = time.perf_counter()
    intervene(model, recording, scenario(1.5, nulls=39))
    print(f"beside 39 random draws   {time.perf_counter() - began:7.1f} s")
    if args.effective:
        made = effective_connectivity(model, recording, control=False)
        print(f"every region in turn     {made.info.seconds:7.1f} s for {recording.n_parcels} regions")


def compare(device: str) -> None:
    """Tell how far the device's answers are from the processor's, and how much sooner they come."""
    recording, spent, effect = demo_recording(), [], []
    asked = Scenario(targets=(Target(regions=(0,), start=120, stop=176, value=1.5),), nulls=19)
    there = {name: load_model(device=name) for name in ("cpu", device)}
    for model in there.values():
        effect.append(intervene(model, recording, asked).effect)
        began = time.perf_counter()
        intervene(model, recording, asked)
        spent.append(time.perf_counter() - began)
    off = float(np.nanmax(np.abs(effect[1] - effect[0])))
    print(f"beside 19 random draws   {spent[1]:7.2f} s on {device}, {spent[0]:.2f} s on the processor: "
          f"{spent[0] / spent[1]:.1f}x; largest difference {off:.1e} SD{'' if off < _SAME else ' WRONG'}")  # fmt: skip
    aim = SteerSpec(aim=Aim(kind="activity", targets=asked.targets), nulls=3)
    left = []
    for name, model in there.items():
        began = time.perf_counter()
        left.append(steer(model, recording, aim).info.left)
        print(f"one search, 3 null runs  {time.perf_counter() - began:7.2f} s on {name}, {left[-1]:.4f} left")


def median_ms(do: Callable[[], object]) -> float:
    """Return the median time of :data:`RUNS` calls in milliseconds."""
    spent = []
    for _ in range(RUNS):
        began = time.perf_counter()
        do()
        spent.append(1000 * (time.perf_counter() - began))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
