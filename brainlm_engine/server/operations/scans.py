"""Looking at opened files: first volume, slices, one voxel over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainlm_engine.api.errors import BadInput, ScanNotOpen
from brainlm_engine.api.messages import MotionInfo, Reply, ScanInfo, SeriesInfo, SliceInfo
from brainlm_engine.server.warm import Warm

if TYPE_CHECKING:
    from brainlm_engine.io import Scan, VolumeScan


def open_scan(warm: Warm, path: str, answers: dict[str, str]) -> Reply[ScanInfo]:
    """Open a file and return what it shows first: ``volume (x, y, z)`` or ``series (V, T)``, float32."""
    from brainlm_engine.io import VolumeScan, open_scan
    from brainlm_engine.preprocess import describe

    scan = open_scan(path, answers)
    info = describe(scan)
    if isinstance(scan, VolumeScan):
        arrays = {"volume": scan.volume(0)}
    else:
        arrays = {"series": scan.matrix}
    warm.scans.put(info.scan_id, scan)
    warm.opened[info.scan_id] = (path, answers)
    return Reply(info, arrays)


def slices(warm: Warm, scan_id: str, frame: int, ijk: list[int]) -> Reply[SliceInfo]:
    """Return the three slices through a voxel at one frame."""
    i, j, k = ijk
    sagittal, coronal, axial = volume_scan(warm, scan_id).slices(frame, (i, j, k))
    info = SliceInfo(scan_id=scan_id, frame=frame, ijk=(i, j, k), value=float(axial[i, j]))
    return Reply(info, {"sagittal": sagittal, "coronal": coronal, "axial": axial})


def series(warm: Warm, scan_id: str, ijk: list[int]) -> Reply[SeriesInfo]:
    """Return one voxel over time; incomplete while a compressed scan is still being read."""
    scan = volume_scan(warm, scan_id)
    i, j, k = ijk
    values = scan.series((i, j, k))
    complete = scan.loaded_frames >= scan.n_frames
    return Reply(SeriesInfo(scan_id=scan_id, ijk=(i, j, k), cached=scan.cached, complete=complete), {"series": values})


def motion(warm: Warm, scan_id: str, path: str = "") -> Reply[MotionInfo]:
    """Return the framewise displacement from ``path``, or from the confounds table beside the scan.

    A table that was chosen and does not fit is an error; one that merely lies there is a problem to be told.
    """
    from brainlm_engine.io.faults import full_path, shown
    from brainlm_engine.preprocess.motion import read_motion, table_beside

    scan = held_scan(warm, scan_id)
    table = Path(path) if path else table_beside(Path(warm.opened[scan_id][0]))
    if table is None:
        return Reply(MotionInfo(scan_id=scan_id))
    told = MotionInfo(scan_id=scan_id, path=full_path(table), name=shown(table), beside=not path)
    try:
        found = read_motion(table, scan.n_frames, scan.name)
    except BadInput as error:
        if path:
            raise
        return Reply(told.model_copy(update={"problem": error.message}))
    return Reply(told.model_copy(update={"computed": found.computed}), {"fd_mm": found.fd_mm})


def held_scan(warm: Warm, scan_id: str) -> Scan:
    """Return an opened scan, opened again when it fell out of what is held warm."""
    from brainlm_engine.io import open_scan

    found: Scan | None = warm.scans.get(scan_id)
    if found is not None:
        return found
    if scan_id not in warm.opened:
        raise ScanNotOpen("The engine does not hold this scan any more.", "Open it again.")
    path, answers = warm.opened[scan_id]
    scan = open_scan(path, answers)
    if scan.info.scan_id != scan_id:
        raise BadInput(f"{scan.name} has changed since it was opened.", "Open it again.")
    warm.scans.put(scan_id, scan)
    return scan


def volume_scan(warm: Warm, scan_id: str) -> VolumeScan:
    """Return an opened scan that has volumes."""
    from brainlm_engine.io import VolumeScan

    scan = held_scan(warm, scan_id)
    if not isinstance(scan, VolumeScan):
        raise BadInput(f"{scan.name} is a table: it has no slices.", "Look at its traces instead.")
    return scan
