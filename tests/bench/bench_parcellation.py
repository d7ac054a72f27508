"""Parcellation of a 91x109x91x200 float32 scan against nilearn's NiftiLabelsMasker: time, memory, equality.

Run alone: ``python tests/bench/bench_parcellation.py [repeats]``. Each measurement is a process of its own; the time is
from the opened program to the finished series (imports excluded for both), the memory the peak of the whole process.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SHAPE = (91, 109, 91, 200)

OURS = """
import json, resource, sys, time
from brainlm_engine.atlas import load_atlas
from brainlm_engine.io import open_scan
from brainlm_engine.preprocess import parcellate
import numpy as np
atlas = load_atlas("mni424")
start = time.perf_counter()
series = parcellate(open_scan(sys.argv[1]), atlas).series
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
assert "torch" not in sys.modules and "nilearn" not in sys.modules
np.save(sys.argv[2], series)
print(json.dumps({"seconds": seconds, "peak_mb": peak}))
"""

NILEARN = """
import json, resource, sys, time, warnings
import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiLabelsMasker
from brainlm_engine.atlas import load_atlas
warnings.simplefilter("ignore")
atlas = load_atlas("mni424")
labels = nib.Nifti1Image(np.array(atlas.labels, np.int32), atlas.affine)
start = time.perf_counter()
masker = NiftiLabelsMasker(labels, strategy="mean", standardize=False, resampling_target=None)
series = masker.fit_transform(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
np.save(sys.argv[2], series.T)
print(json.dumps({"seconds": seconds, "peak_mb": peak}))
"""


def make_scan(folder: Path) -> tuple[Path, Path]:
    """Write a brain-like scan: values inside the template's brain, zero outside; plain and gzipped."""
    import nibabel as nib
    import numpy as np
    from isal import igzip

    from brainlm_engine.atlas import mni_brain_mask

    mask, affine = mni_brain_mask()
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.float32)
    header.set_zooms((2, 2, 2, 2))
    header.set_xyzt_units("mm", "sec")
    header.set_sform(affine, 4)
    header["magic"], header["vox_offset"] = b"n+1", 352
    rng = np.random.default_rng(0)
    base = (1000 + 200 * rng.standard_normal(mask.shape)) * mask
    plain = folder / "bold.nii"
    with plain.open("wb") as file:
        file.write(header.binaryblock + b"\0" * 4)
        for _ in range(SHAPE[3]):
            noise = np.round(20 * rng.standard_normal(mask.shape, np.float32), 2)
            file.write((base + noise * mask).astype(np.float32).tobytes(order="F"))
    packed = folder / "bold.nii.gz"
    with plain.open("rb") as source, igzip.open(packed, "wb", compresslevel=3) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return plain, packed


def measure(code: str, scan: Path, out: Path) -> dict[str, float]:
    """Run one measurement in a fresh process."""
    done = subprocess.run([sys.executable, "-c", code, str(scan), str(out)], capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure and print."""
    import numpy as np

    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for scan, bar in zip(make_scan(folder), (10, 5), strict=True):
            runs = [
                (measure(OURS, scan, folder / "ours.npy"), measure(NILEARN, scan, folder / "nilearn.npy"))
                for _ in range(repeats)
            ]
            ours, theirs = (statistics.median(run[i]["seconds"] for run in runs) for i in (0, 1))
            peaks = [max(run[i]["peak_mb"] for run in runs) for i in (0, 1)]
            one, other = np.load(folder / "ours.npy"), np.load(folder / "nilearn.npy")
            apart = float(np.nanmax(np.abs(one / other - 1)))
            print(
                f"{scan.name:12s} ours {ours:.2f} s {peaks[0]:.0f} MB | nilearn {theirs:.2f} s {peaks[1]:.0f} MB | "
                f"{theirs / ours:.1f}x faster (bar {bar}x), {peaks[1] / peaks[0]:.1f}x less memory | "
                f"largest relative difference {apart:.1e}"
            )


if __name__ == "__main__":
    main()
