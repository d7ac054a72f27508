"""Real resting recordings (ABIDE, 200 regions) and simulated ones, read at the same places, TR and length."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.fc_statistics import Layout
from brainlm_engine.simulate.networks import network_codes

Series = NDArray[np.float32]

#: Recordings with more constant regions than this are left out.
MOST_MISSING = 20


@dataclass(frozen=True)
class RealRecording:
    """One person's series (regions, frames), constant regions included."""

    person: str
    site: str
    tr_s: float
    series: Series


@dataclass(frozen=True)
class Matching:
    """Regions that both sides have.

    Attributes
    ----------
    regions : (n,) indices of the real regions
    parcels : (n,) indices of the simulated parcels nearest to them, each once
    layout : positions of the real regions, networks of the parcels
    gap_mm : (n,) distance between region and parcel
    """

    regions: NDArray[np.intp]
    parcels: NDArray[np.intp]
    layout: Layout
    gap_mm: NDArray[np.float64]


def read_real(file: Path) -> list[RealRecording]:
    """Read ``ts/<person>`` (frames, regions) with attributes TR and site from an HDF5 file."""
    import h5py

    if not file.is_file():
        raise BadInput(f"{file.name} was not found.", "Name the HDF5 file of the real recordings.", str(file))
    found = []
    with h5py.File(file) as store:
        for person in store["ts"]:
            entry = store["ts"][person]
            series = np.ascontiguousarray(entry[()].T, np.float32)
            constant = int((series.std(axis=1) == 0).sum())
            if constant <= MOST_MISSING:
                found.append(RealRecording(person, str(entry.attrs["site"]), float(entry.attrs["TR"]), series))
    return found


def match_regions(coordinates: Path, most_mm: float = 15.0) -> Matching:
    """Give each real region the nearest parcel of MNI-424; a parcel taken twice goes to the nearer region."""
    from scipy.spatial import cKDTree

    from brainlm_engine.atlas import load_atlas

    with coordinates.open(newline="") as file:
        xyz = np.array([[float(row[axis]) for axis in "xyz"] for row in csv.DictReader(file)])
    atlas = load_atlas("mni424")
    found = cKDTree(atlas.xyz).query(xyz)
    gap, nearest = np.asarray(found[0], np.float64), np.asarray(found[1], np.intp)
    best: dict[int, int] = {}
    for region in np.argsort(gap):
        if gap[region] <= most_mm:
            best.setdefault(int(nearest[region]), int(region))
    regions = np.array(sorted(best.values()), np.intp)
    parcels = nearest[regions]
    return Matching(regions, parcels, Layout(xyz[regions], network_codes(atlas)[parcels]), gap[regions])


def at_tr(recording: Recording, tr_s: float) -> Series:
    """Read a recording as a scanner with a longer TR would have: the frame nearest to each new time, no averaging."""
    if tr_s < 0.95 * recording.tr_s:
        raise BadInput(
            f"{recording.name} has a TR of {recording.tr_s} s and cannot be read every {tr_s} s.",
            "Simulate the cohort with a shorter TR.",
        )
    n = int(np.floor((recording.n_frames - 1) * recording.tr_s / tr_s)) + 1
    frames = np.minimum(np.rint(np.arange(n) * tr_s / recording.tr_s).astype(int), recording.n_frames - 1)
    return recording.series[:, frames]


def read_cohort(folder: Path) -> list[Recording]:
    """Read the resting recordings (run 1) of a simulated cohort."""
    files = sorted((folder / "recordings").glob("*_task-rest_run-1.safetensors"))
    if not files:
        raise BadInput(f"{folder.name} holds no simulated resting recordings.", "Make them: simulate cohort --out ...")
    return [Recording.load(file) for file in files]
