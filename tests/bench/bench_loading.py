"""Does a step ever wait for its data? Drawing ahead beside drawing when asked, for a step ten times as fast as here.

Run: ``python tests/bench/bench_loading.py [--size tiny] [--batch 8] [--steps 40]``. The real training step of a size is
timed on this processor with 424 x 490 frame recordings in memory (with and without variety of TRs and parcels); then a
consumer that only sleeps for a tenth of that time takes the batches of the next steps. Printed is the share of its time
that it waits for them. The reference, in the same run, draws each batch when it is asked for.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from brainlm_engine.cohort import Series
from brainlm_engine.models.sizes import SIZES
from brainlm_engine.train.loader import Loader
from brainlm_engine.train.settings import TrainSettings, settings_from
from brainlm_engine.train.step import new_learner, train_step
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import Batch, draw_batch

PARCELS, FRAMES, FASTER = 424, 490, 10


def recordings(count: int = 24, parcels: int = PARCELS) -> Series:
    """Return a cohort of noise in memory."""
    rng = np.random.default_rng(0)
    values = tuple(rng.standard_normal((parcels, FRAMES)).astype(np.float16) for _ in range(count))
    xyz = (40 * rng.standard_normal((parcels, 3))).astype(np.float32)
    names = tuple(f"sub-{number:03d}" for number in range(count))
    return Series(values, names, xyz, 0.72, "", names)


def step_seconds(series: Series, settings: TrainSettings) -> float:
    """Return the median time of a training step on batches that lie ready."""
    learner = new_learner(new_model(settings.architecture, settings.model, len(series.xyz), 200), settings)
    times = []
    for step in range(6):
        batch = draw_batch(series, settings, step)
        began = time.perf_counter()
        train_step(learner, batch, settings)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def waiting(next_batch: Callable[[int], Batch], steps: int, step_s: float) -> float:
    """Return the share of its time that a consumer of ``step_s`` per step waits for batches."""
    waited, began = 0.0, time.perf_counter()
    for step in range(steps):
        asked = time.perf_counter()
        next_batch(step)
        waited += time.perf_counter() - asked
        time.sleep(step_s)
    return waited / (time.perf_counter() - began)


def main() -> None:
    """Measure with and without variety."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny", choices=[size.size_id for size in SIZES])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--parcels", type=int, default=PARCELS)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    series = recordings(parcels=args.parcels)
    sizes = next(dict(size.sizes) for size in SIZES if size.size_id == args.size)
    print(f"{args.size}, batch {args.batch}, {args.parcels} parcels; a step {FASTER} times as fast as here")
    for variety in (False, True):
        settings = settings_from({"steps": 10**6, "batch": args.batch, "model": sizes, "variety": variety})
        step_s = step_seconds(series, settings) / FASTER
        asked = waiting(lambda step: draw_batch(series, settings, step), args.steps, step_s)  # noqa: B023
        with Loader(lambda step: draw_batch(series, settings, step), torch.device("cpu")) as loader:  # noqa: B023
            ahead = waiting(loader.batch, args.steps, step_s)
        kind = "with variety" if variety else "the cohort's own TR and parcels"
        print(
            f"{kind}: step {FASTER * step_s * 1e3:.0f} ms here; at a tenth of it {ahead:.1%} of the time is waiting "
            f"for data drawn ahead (bar 5 %), {asked:.1%} when drawn on demand"
        )
        print(f"RATIO loading_{'varied' if variety else 'plain'} on-demand/ahead {asked / max(ahead, 1e-6):.1f}")


if __name__ == "__main__":
    main()
