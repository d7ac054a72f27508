"""Parcel means of a 4D scan, streamed: one frame in memory at a time, whatever the scan's length.

The atlas is brought to the scan's grid (never the other way round). A voxel that is not a number in any frame is left
out of its parcel for the whole recording, so that no parcel jumps when a voxel drops out; voxels of value zero count,
as they do in nilearn's ``NiftiLabelsMasker`` (strategy "mean"), whose result this equals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.resample import resample_labels
from brainlm_engine.io.faults import full_path
from brainlm_engine.io.series_faults import checked
from brainlm_engine.io.volume import VolumeScan
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording

#: parcels with less of their volume inside the scan are named in a note
_LOW_COVERAGE = 0.5


@dataclass(frozen=True)
class _Grouping:
    """Voxels sorted by parcel: ``order (n,)`` positions in file order, ``starts`` of each group, its ``parcels``."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    parcels: NDArray[np.intp]
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, labels: NDArray[np.int16], without: NDArray[np.intp]) -> _Grouping:
        """Group the voxels of ``labels`` (file order), leaving out the positions in ``without``."""
        used = np.flatnonzero(labels)
        used = used[~np.isin(used, without)] if without.size else used
        order = used[np.argsort(labels[used], kind="stable")]
        sorted_labels = labels[order]
        starts = np.flatnonzero(np.diff(sorted_labels, prepend=0))
        counts = np.diff(np.append(starts, order.size))
        return cls(order, starts, sorted_labels[starts].astype(np.intp) - 1, counts)


def parcellate(scan: VolumeScan, atlas: Atlas, progress: Progress = SILENT) -> Recording:
    """Average a scan over the parcels of an atlas.

    Parameters
    ----------
    scan : in the same space as the atlas (MNI); its TR must be known
    atlas : resampled to the scan's grid by nearest neighbour

    Returns
    -------
    Recording
        ``series`` (parcels, frames) in the scan's own unit; parcels without usable signal are missing (NaN).

    Raises
    ------
    BadInput
        When the TR is unknown, no parcel lies inside the scan, or the file is damaged.
    """
    tr_s = scan.tr_s
    if tr_s is None:
        raise BadInput(f"{scan.name} does not say how many seconds one volume takes.", "Give its TR, for example 2.0.")
    progress(0.0, "Bringing the atlas to the scan's grid")
    labels = resample_labels(atlas, scan.canonical.shape, scan.affine)
    flat = scan.canonical.to_file_order(labels)
    if not flat.any():
        raise BadInput(
            f"{scan.name} does not overlap the atlas: no parcel lies inside it.",
            "Check that the scan is in MNI space, or choose another atlas.",
        )
    means, valid, empty_frames = _means(scan, flat, atlas.n_parcels, progress)
    found = checked(means, atlas.names)
    share = _share_inside(scan, atlas) * valid
    coverage = np.where(found.missing & (valid == 0), 0.0, share).astype(np.float32)
    told = scan.header.notes + scan.header.repetition.notes
    of_atlas = (atlas.note,) if atlas.note else ()
    notes = told + of_atlas + found.notes + _notes(coverage, found.missing, empty_frames)
    return Recording(
        series=found.series, tr_s=tr_s, xyz=np.array(atlas.xyz, np.float32), missing=found.missing, coverage=coverage,
        atlas_id=atlas.atlas_id, names=atlas.names, networks=atlas.networks, unit="raw",
        name=f"{scan.name} (simulated)" if scan.header.simulated else scan.name,
        provenance={
            "source": full_path(scan.header.path), "fingerprint": scan.layout.stamp,
            "software": f"brainlm-studio {__version__}",
            "tr_source": scan.header.repetition.source, "simulated": scan.header.simulated, "notes": list(notes),
            "steps": [f"mean over the parcels of {atlas.atlas_id}, nearest-neighbour atlas on the scan's grid"],
        },
    )  # fmt: skip


def _means(
    scan: VolumeScan, flat: NDArray[np.int16], n_parcels: int, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """Return means ``(parcels, frames)``, the share of each parcel's voxels that are valid, and frames without numbers.

    A second pass is needed only when a voxel turned out bad after the first frame.
    """
    bad: NDArray[np.intp] = np.empty(0, np.intp)
    for stage in ("Averaging over parcels", "Averaging again without damaged voxels"):
        sums = _Sums(scan, flat, n_parcels, bad)
        for t, frame in enumerate(scan.raw_frames()):
            sums.add(t, frame)
            progress(t / scan.n_frames, stage)
        if not sums.late:
            break
        bad = sums.bad
    return sums.means, sums.valid_share(), sums.empty_frames


class _Sums:
    """Parcel means as frames come in."""

    def __init__(self, scan: VolumeScan, flat: NDArray[np.int16], n_parcels: int, bad: NDArray[np.intp]) -> None:
        self._flat = flat
        self._layout = scan.layout
        self._groups = _Grouping.of(flat, bad)
        self._sample_every = max(1, scan.n_frames // 8)
        self._nonzero = np.zeros(flat.size, bool)
        self.means = np.full((n_parcels, scan.n_frames), np.nan)
        self.bad = bad
        self.late = False  # a voxel turned bad after it had been counted
        self.empty_frames: list[int] = []

    def add(self, t: int, frame: NDArray[np.generic]) -> None:
        """Take in frame ``t``, ``(voxels,)`` as stored."""
        groups = self._groups
        if groups.order.size == 0:
            return
        values = frame.take(groups.order)
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        sums = np.add.reduceat(values, groups.starts, dtype=np.float64)
        if not np.isfinite(sums).all():  # a sum is finite only when all its voxels are
            unusable = ~np.isfinite(values)
            if unusable.mean() > 0.5:
                self.empty_frames.append(t)
                return
            self._exclude(groups.order[unusable], t)
            self.add(t, frame)
            return
        if t % self._sample_every == 0:
            self._nonzero[groups.order] |= values != 0
        means = sums / groups.counts * self._layout.slope + self._layout.inter
        self.means[groups.parcels, t] = means

    def _exclude(self, voxels: NDArray[np.intp], t: int) -> None:
        self.bad = np.union1d(self.bad, voxels)
        self.late = self.late or t > 0
        self._groups = _Grouping.of(self._flat, self.bad)

    def valid_share(self) -> NDArray[np.float64]:
        """Return per parcel the share of its voxels on the grid that hold signal: numbers, and not always zero."""
        n_parcels = len(self.means)
        usable = self._nonzero.copy()
        usable[self.bad] = False
        total = np.bincount(self._flat, minlength=n_parcels + 1)[1 : n_parcels + 1]
        valid = np.bincount(self._flat[usable], minlength=n_parcels + 1)[1 : n_parcels + 1]
        return valid / np.maximum(total, 1)


def _share_inside(scan: VolumeScan, atlas: Atlas) -> NDArray[np.float64]:
    """Return per parcel the share of its volume in the atlas that lies inside the scan's field of view."""
    ijk = np.argwhere(atlas.labels > 0)
    parcels = atlas.labels[tuple(ijk.T)].astype(np.intp) - 1
    to_scan = np.linalg.inv(scan.affine) @ atlas.affine
    position = ijk @ to_scan[:3, :3].T + to_scan[:3, 3]
    inside = ((position > -0.5) & (position < np.array(scan.canonical.shape) - 0.5)).all(1)
    total = np.bincount(parcels, minlength=atlas.n_parcels)
    share: NDArray[np.float64] = np.bincount(parcels, inside, atlas.n_parcels) / np.maximum(total, 1)
    return share


def _notes(coverage: NDArray[np.float32], missing: NDArray[np.bool_], empty_frames: list[int]) -> tuple[str, ...]:
    notes: list[str] = []
    if missing.any():
        has = "has" if missing.sum() == 1 else "have"
        notes.append(f"{int(missing.sum())} of {len(missing)} parcels {has} no usable signal in this scan.")
    if low := int(((coverage < _LOW_COVERAGE) & ~missing).sum()):
        notes.append(f"{low} {'parcel lies' if low == 1 else 'parcels lie'} less than half inside the scan.")
    if empty_frames:
        what = "volume holds no numbers and was" if len(empty_frames) == 1 else "volumes hold no numbers and were"
        notes.append(f"{len(empty_frames)} {what} bridged by interpolation.")
    return tuple(notes)
