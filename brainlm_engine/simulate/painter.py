"""A simulated recording painted as a 4D scan in MNI space, volume by volume."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput, OutOfSpace
from brainlm_engine.files import written_whole
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.anatomy import epi_baseline
from brainlm_engine.simulate.blending import blend_weights

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from brainlm_engine.atlas import Atlas

#: Signal of grey matter in the file, and standard deviation of each voxel's own noise, scanner units.
GREY_SIGNAL = 1000.0
VOXEL_NOISE = 12.0
#: Noise of the air around the head, scanner units.
AIR_NOISE = 1.2
#: Signal change that one standard deviation of a recording in SD units is painted as.
SD_AS_FRACTION = 0.008

_CHUNK = 16
_BRAIN_FROM = 0.25


@dataclass(frozen=True)
class Canvas:
    """Everything about the painting that does not change over time.

    Attributes
    ----------
    shape : (x, y, z) of a volume
    affine : (4, 4) float64, voxel to MNI mm
    voxels : (voxels,) flat indices of the brain, x fastest
    baseline : (voxels,) float32, scanner units
    weights : (voxels, parcels + 1) sparse float32
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    voxels: NDArray[np.intp]
    baseline: NDArray[np.float32]
    weights: csr_array


def mni_grid(zoom_mm: float) -> tuple[tuple[int, int, int], NDArray[np.float64]]:
    """Return shape and affine of the MNI152 field of view: 91x109x91 at 2 mm, 61x73x61 at 3 mm."""
    if zoom_mm not in (2.0, 3.0, 4.0):
        raise BadInput(f"Scans with voxels of {zoom_mm} mm cannot be painted.", "Choose 2, 3 or 4 mm.")
    affine = np.diag([zoom_mm, zoom_mm, zoom_mm, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    nx, ny, nz = (int(extent // zoom_mm) + 1 for extent in (180, 216, 180))
    return (nx, ny, nz), affine


def paint_nifti(
    recording: Recording, atlas: Atlas, path: Path, progress: Progress = SILENT, *, zoom_mm: float = 2.0, seed: int = 0
) -> Path:
    """Write ``recording`` as a 4D NIfTI in MNI space (int16, .nii or .nii.gz).

    Every brain voxel is an EPI-like baseline times (1 + the parcel's signal change, mixed across borders) plus noise.

    Parameters
    ----------
    recording
        On the parcels of ``atlas``; a missing parcel gets no signal change.
    atlas
        Where the parcels are.
    path
        Name of the new file.
    zoom_mm
        2, 3 or 4.
    seed
        Of the voxels' noise.

    Raises
    ------
    BadInput
        When recording and atlas do not fit, or the name is not a NIfTI name.
    OutOfSpace
        When the disk cannot hold the file. Nothing half-written is left, also when cancelled.
    """
    path = Path(path)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise BadInput(f"{path.name} is not the name of a NIfTI file.", "Let the name end in .nii.gz or .nii.")
    if recording.n_parcels != atlas.n_parcels:
        raise BadInput(
            f"{recording.name} has {recording.n_parcels} parcels, the atlas {atlas.atlas_id} has {atlas.n_parcels}.",
            "Choose the atlas the recording was made with.",
        )
    shape, _ = mni_grid(zoom_mm)
    _check_space(path, int(np.prod(shape)) * 2 * recording.n_frames)
    progress(0.0, "Preparing the anatomy")
    canvas = prepare_canvas(atlas, zoom_mm)
    with written_whole(path) as temporary:
        paint_into(temporary, recording, canvas, progress, seed=seed)
    progress(1.0, "Scan written")
    return path


def prepare_canvas(atlas: Atlas, zoom_mm: float) -> Canvas:
    """Bring anatomy and atlas to the scan's grid."""
    from brainlm_engine.atlas import resample_labels

    shape, affine = mni_grid(zoom_mm)
    baseline = epi_baseline(shape, affine)
    labels = resample_labels(atlas, shape, affine)
    inside = (baseline > _BRAIN_FROM) | (labels > 0)
    voxels = np.flatnonzero(inside.ravel(order="F"))
    signal = np.maximum(baseline.ravel(order="F")[voxels], 0.15) * np.float32(GREY_SIGNAL)
    return Canvas(shape, affine, voxels, signal, blend_weights(labels, zoom_mm, voxels, atlas.n_parcels))


def paint_into(file: Path, recording: Recording, canvas: Canvas, progress: Progress = SILENT, *, seed: int = 0) -> None:
    """Write header and volumes into ``file``, compressed when its name says so."""
    changes = signal_changes(recording)
    rng = np.random.default_rng([seed, 83])
    with _opened(file) as out:
        out.write(_header(recording, canvas))
        for frame, volume in enumerate(_volumes(changes, canvas, rng)):
            out.write(volume)
            progress(0.05 + 0.95 * (frame + 1) / recording.n_frames, "Painting the scan")


def signal_changes(recording: Recording) -> NDArray[np.float32]:
    """Return each parcel's signal as a fraction of its mean, (parcels + 1, frames); the last row is the mean of all."""
    series = recording.series.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = series - series.mean(axis=1, keepdims=True)
        if recording.unit == "raw":
            fraction = centred / series.mean(axis=1, keepdims=True)
        else:
            fraction = centred * (SD_AS_FRACTION if recording.unit == "SD" else 0.01)
    fraction = np.nan_to_num(fraction, nan=0.0, posinf=0.0, neginf=0.0)
    everywhere = fraction[~recording.missing].mean(axis=0) if (~recording.missing).any() else fraction[0] * 0
    return np.vstack([fraction, everywhere]).astype(np.float32)


def _volumes(changes: NDArray[np.float32], canvas: Canvas, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield the bytes of one int16 volume after the other, x fastest."""
    air = _air_levels()
    volume = np.empty(int(np.prod(canvas.shape)), "<i2")
    n_frames = changes.shape[1]
    for start in range(0, n_frames, _CHUNK):
        part = np.ascontiguousarray((canvas.weights @ changes[:, start : start + _CHUNK]).T)
        part += 1
        part *= canvas.baseline
        for signal in part:
            noisy = rng.standard_normal(len(signal), dtype=np.float32) * np.float32(VOXEL_NOISE) + signal
            np.take(air, np.frombuffer(rng.bytes(len(volume)), np.uint8), out=volume)
            volume[canvas.voxels] = np.clip(np.rint(noisy, out=noisy), 0, 32767, out=noisy)
            yield volume.tobytes()


def _air_levels() -> NDArray[np.int16]:
    """Magnitude of complex noise for each of 256 equally likely random bytes (Rayleigh quantiles)."""
    share = (np.arange(256) + 0.5) / 256
    levels: NDArray[np.int16] = np.rint(AIR_NOISE * np.sqrt(-2 * np.log(1 - share))).astype("<i2")
    return levels


def _header(recording: Recording, canvas: Canvas) -> bytes:
    import nibabel

    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_dtype(np.int16)
    header.set_data_shape((*canvas.shape, recording.n_frames))
    zoom = float(canvas.affine[0, 0])
    header.set_zooms((zoom, zoom, zoom, recording.tr_s))
    header.set_xyzt_units("mm", "sec")
    header.set_sform(canvas.affine, code="mni")
    header.set_qform(canvas.affine, code="mni")
    header.set_slope_inter(1, 0)
    header["descrip"] = b"simulated BrainLM Studio" if recording.provenance.get("simulated") else b"BrainLM Studio"
    header["magic"], header["vox_offset"] = b"n+1", 352
    return bytes(header.binaryblock) + b"\0\0\0\0"


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """Open for writing; .gz at the fastest level, because the noise leaves nothing to gain from a slow one."""
    with file.open("wb") as raw:
        if file.suffix != ".gz":
            yield raw
            return
        from isal import igzip

        with igzip.IGzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
            yield packed


def _check_space(path: Path, n_bytes: int) -> None:
    """Refuse at once what cannot fit; a compressed file is about 0.4 of the plain one."""
    from brainlm_engine.io.faults import human_size

    existing = next(parent for parent in path.absolute().parents if parent.exists())
    needed, free = n_bytes * (0.4 if path.suffix == ".gz" else 1.0), shutil.disk_usage(existing).free
    if needed > free:
        raise OutOfSpace(
            f"The scan {path.name} needs about {human_size(needed)}, and its disk has {human_size(free)} left.",
            "Ask for fewer frames, or choose another disk; nothing was written.",
        )
