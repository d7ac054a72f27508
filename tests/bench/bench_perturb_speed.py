"""How quickly a perturbation is answered: exactly, as a preview, beside random regions, and for every region in turn.

Run alone: ``python tests/bench/bench_perturb_speed.py [--threads 2] [--effective]``. The reference is the same answer
with a softmax for every time patch, as it was before patches that look alike shared one; medians, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from unittest import mock

import torch

from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.models import load_model
from brainlm_engine.models import tied_attention as tied
from brainlm_engine.simulate.demo import demo_recording
from brainlm_engine.tasks.perturb import Preview, effective_connectivity, intervene

RUNS = 7


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--effective", action="store_true", help="also every region in turn: a minute or more")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, recording = load_model(), demo_recording()

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
