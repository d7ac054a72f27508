"""Looking at a gzipped 4D scan (91x109x91x200 float32): first volume, crosshair moves; against nibabel's lazy access.

Run alone: ``python tests/bench/bench_reading.py``. A crosshair move is three slices of one frame and one voxel over
time. nibabel has to inflate the file for every voxel series.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_parcellation import SHAPE, make_scan


def seconds(action: Callable[[], object], times: int) -> float:
    """Return the median time of ``action``."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    import nibabel as nib
    import numpy as np

    from brainlm_engine.io import VolumeScan, build_cache, open_scan

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        os.environ["BRAINLM_HOME"] = str(Path(name) / "home")
        _, packed = make_scan(Path(name))

        def voxel() -> tuple[int, int, int]:
            i, j, k = (int(rng.integers(n)) for n in SHAPE[:3])
            return i, j, k

        ours = seconds(lambda: open_scan(packed).volume(0), 7)  # type: ignore[union-attr]
        theirs = seconds(lambda: np.asarray(nib.load(packed).dataobj[..., 0]), 7)
        ratio = theirs / ours
        print(f"first volume: ours {1e3 * ours:.0f} ms | nibabel {1e3 * theirs:.0f} ms | {ratio:.1f}x (bar 200 ms)")
        scan = open_scan(packed)
        assert isinstance(scan, VolumeScan)
        building = seconds(lambda: build_cache(scan), 1)
        image = nib.load(packed)

        def move() -> None:
            place = voxel()
            scan.slices(int(rng.integers(SHAPE[3])), place)
            scan.series(place)

        ours = seconds(move, 300)
        theirs = seconds(lambda: np.asarray(image.dataobj[(*voxel(), slice(None))]), 3)
        print(
            f"crosshair move, cached: ours {1e3 * ours:.2f} ms = {1 / ours:.0f}/s (bar 30/s) | nibabel, series only, "
            f"{1e3 * theirs:.0f} ms | {theirs / ours:.0f}x; cache built in {building:.1f} s"
        )


if __name__ == "__main__":
    main()
