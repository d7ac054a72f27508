"""How long attention takes: reading a recording, and showing another parcel once that is done.

``python tests/bench/bench_attention.py [RECORDING]`` prints each time beside what it is held against: 5 s for the first
reading, 100 ms for another parcel on the brain, 50 ms for what blocks the window, 16.7 ms for a frame. Without
RECORDING noise of 424 parcels and 490 frames at 0.72 s is read. ``--threads`` as the engine has them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FIRST_S, CLICK_S, BLOCK_S, FRAME_S = 5.0, 0.1, 0.05, 1 / 60
_AGAIN = 20


def seconds(work: Callable[[], object], times: int = _AGAIN) -> float:
    """Return the median time of ``work``."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path, nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-brain", action="store_true", help="do not draw: no display, no OpenGL")
    args = parser.parse_args()
    import torch

    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.occlusion import occlude
    from brainlm_engine.tasks.parcel_maps import parcel_maps

    torch.set_num_threads(args.threads)
    recording = _recording(args.recording)
    model = load_model()
    began, worked = time.perf_counter(), time.process_time()
    made = parcel_maps(model, recording)
    first, busy = time.perf_counter() - began, (time.process_time() - worked) / args.threads
    tell("its processor time per thread, whatever else ran", busy, FIRST_S, "allowed")
    tell(f"first reading, {made.info.windows} windows of {recording.n_parcels} parcels", first, FIRST_S, "allowed")
    began = time.perf_counter()
    occlude(model, recording, [3])
    tell("one parcel hidden", time.perf_counter() - began, FIRST_S, "a first reading")
    tell_window(made.info, made.arrays)
    if not args.no_brain:
        tell_brain(made.arrays)


def tell_window(info: object, arrays: dict[str, np.ndarray]) -> None:
    """Measure what the window does with an answer, without a window: maps to values, values to colours."""
    from app.controllers.attention_view import reach
    from app.state.attention_maps import AttentionRead, log_times, without_itself
    from app.widgets.colour_map import colour_map

    read = AttentionRead.of(info, arrays)  # type: ignore[arg-type]
    size = len(read.mean)

    def click() -> object:
        values = log_times(without_itself(read.matrix("attention", 0, 0)[size // 2], size // 2), read.uniform)
        return colour_map("vik").rgb(values, -reach(values), reach(values))

    def matrix() -> object:
        table = log_times(read.matrix("attention", 0, 3), read.uniform)
        return colour_map("vik").rgb(table, -reach(table), reach(table))

    tell(
        "taking the answer in (a thread of its own)",
        seconds(lambda: AttentionRead.of(info, arrays)),
        CLICK_S,
        "allowed",
    )  # type: ignore[arg-type]
    tell("another parcel: its values and colours", seconds(click), FRAME_S, "a frame")
    tell("another head: the whole matrix in colours", seconds(matrix), BLOCK_S, "a block")


def tell_brain(arrays: dict[str, np.ndarray]) -> None:
    """Measure from the click to the brain on screen, a real window of 1280 x 800 pixels."""
    from bench_views import Window
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    window = Window()
    maps = np.log2(arrays["maps"].astype(np.float32).mean((0, 1)) * len(arrays["rollout"]))
    shown = iter(range(10_000))

    def step() -> None:
        window.brain.set_values(maps[next(shown) % len(maps)], -0.5, 0.5, "vik")
        for _ in range(4):
            application.processEvents()

    tell("another parcel on the brain, painted", seconds(step), CLICK_S, "allowed")
    window.brain.finalize()
    window.close()


def tell(what: str, taken: float, against: float, named: str) -> None:
    """Print one time and its ratio."""
    sys.stdout.write(f"{what}: {taken * 1000:.1f} ms = {taken / against:.2f} x {named} ({against * 1000:.0f} ms)\n")


def _recording(path: Path | None) -> object:
    from brainlm_engine.recording import Recording

    if path is not None:
        return Recording.load(path)
    rng = np.random.default_rng(0)
    from brainlm_engine.atlas import load_atlas

    atlas = load_atlas("mni424")
    count = len(atlas.names)
    series, xyz = rng.standard_normal((count, 490)).astype(np.float32), np.asarray(atlas.xyz, np.float32)
    return Recording(series, 0.72, xyz, np.zeros(count, bool), np.ones(count, np.float32))  # fmt: skip


if __name__ == "__main__":
    main()
