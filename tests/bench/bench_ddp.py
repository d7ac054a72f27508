"""Two processes that train together beside one, each with one thread: the same loss, and how many windows per second.

Run alone: ``python tests/bench/bench_ddp.py [--steps 10] [--batch 16] [--size tiny] [--devices 2]``; about a
minute on two quiet cores. Both are started by torchrun, on the same made-up recordings of 424 parcels; windows per
second are of the steps after the first, as the training's log tells them. The ratio is two / one; 1.7 is asked for
where there are as many cores as processes and nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import psutil

from brainlm_engine.cohort.arrow_file import Kind, write_rows
from brainlm_engine.models.sizes import SIZES
from brainlm_engine.train import TrainSettings, pretrain, settings_from
from brainlm_engine.training_folder import LOG, whole_lines

PARCELS, FRAMES, PEOPLE = 424, 300, 24


def made_cohort(folder: Path) -> Path:
    """Write recordings of slow waves that near parcels share."""
    rng = np.random.default_rng(0)
    xyz = rng.uniform(-60, 60, (PARCELS, 3)).astype(np.float32)
    mixing = np.cos(xyz @ rng.normal(0, 0.03, (3, 12)))

    def rows() -> list[tuple[str, str, np.ndarray]]:
        made = []
        for person in range(PEOPLE):
            waves = np.cumsum(rng.standard_normal((12, FRAMES)), 1)
            series = mixing @ waves + rng.standard_normal((PARCELS, FRAMES))
            series = (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)
            made.append((f"p{person}", f"p{person}", series.astype(np.float16)))
        return made

    write_rows(folder / "arrow" / "all.arrow", Kind(0.72, xyz), rows())
    lines = [f"p{person}\t{'val' if person < 2 else 'train'}\n" for person in range(PEOPLE)]
    (folder / "participants.tsv").write_text("participant_id\tsplit\n" + "".join(lines), encoding="utf-8")
    return folder


def trained(cohort: Path, out: Path, plan: TrainSettings) -> tuple[list[float], float]:
    """Train and return the losses and the windows per second after the first step."""
    pretrain(cohort, out, plan)
    lines = whole_lines(out / LOG)
    return [line["loss"] for line in lines], float(lines[-1]["windows_per_s"])


def main() -> None:
    """Print one line per case and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--devices", type=int, default=2)
    args = parser.parse_args()
    sizes = next(dict(size.sizes) for size in SIZES if size.size_id == args.size)
    plan = settings_from({
        "steps": args.steps, "batch": args.batch, "threads": 1, "variety": False, "model": sizes, "launch": "torchrun",
        "evaluate_every": 10_000, "checkpoint_every": 10_000, "warm_up": 2,
    })  # fmt: skip
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort = made_cohort(folder / "cohort")
        one, slow = trained(cohort, folder / "one", plan)
        several, fast = trained(cohort, folder / "several", plan.model_copy(update={"devices": args.devices}))
    apart = max(abs(left - right) for left, right in zip(one, several, strict=True))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{psutil.cpu_count(logical=False)} cores, {free} logical processors to use, load {load:.1f} at the end")
    print(f"1 process,   1 thread:  {slow:6.2f} windows/s, loss {one[0]:.6f} -> {one[-1]:.6f}")
    print(f"{args.devices} processes, 1 thread each: {fast:6.2f} windows/s, loss {several[0]:.6f} -> {several[-1]:.6f}")
    print(f"ratio {fast / slow:.2f} (1.7 asked for), losses at most {apart:.1e} apart (1e-5 allowed)")
    print(json.dumps({"ratio": round(fast / slow, 3), "loss_difference": apart, "processors": free}))


if __name__ == "__main__":
    main()
