"""Reading ABIDE as one HDF5 file: real people, another atlas (CC200), another TR at every site."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.recording import Recording

COORDINATES = "cc200_coordinates.csv"


@dataclass(frozen=True)
class AbideFile:
    """Where the recordings are and who they are of.

    Attributes
    ----------
    path : HDF5 file, ``ts/<person>`` (frames, 200) float32 with attributes ``TR`` (s) and ``site``
    xyz : (200, 3) float32, MNI mm, from ``cc200_coordinates.csv`` beside it
    sites : site -> people, in the file's order
    """

    path: Path
    xyz: NDArray[np.float32]
    sites: dict[str, tuple[str, ...]]

    def choose(self, most: int | None) -> list[str]:
        """Return about so many people: the same share of every site, at least one, evenly spread within it."""
        total = sum(len(people) for people in self.sites.values())
        share = 1.0 if most is None else min(1.0, most / max(total, 1))
        chosen = []
        for people in self.sites.values():
            count = max(1, int(len(people) * share))
            chosen += [people[index] for index in np.linspace(0, len(people) - 1, count).astype(int)]
        return chosen

    def site_of(self) -> dict[str, str]:
        """Return person -> site."""
        return {person: site for site, people in self.sites.items() for person in people}

    def recordings(self, people: list[str]) -> Iterator[Recording]:
        """Read ``people`` one by one; constant regions are missing."""
        import h5py

        with h5py.File(self.path) as file:
            for person in people:
                stored = file["ts"][person]
                series = np.ascontiguousarray(stored[()].T, np.float32)
                missing = ~(np.nan_to_num(series).std(1) > 1e-6)
                series[missing] = np.nan
                yield Recording(
                    series=series, tr_s=float(stored.attrs["TR"]), xyz=self.xyz, missing=missing,
                    coverage=(~missing).astype(np.float32), name=person, provenance={"site": str(stored.attrs["site"])},
                )  # fmt: skip


def is_abide(path: Path) -> bool:
    """Tell whether ``path`` looks like such a file."""
    return path.suffix in (".h5", ".hdf5") and path.is_file()


def open_abide(path: Path) -> AbideFile:
    """Read who is in the file, and where the regions are.

    Raises
    ------
    BadInput
        When the file or the coordinates cannot be read or do not fit each other.
    """
    import h5py

    table = path.parent / COORDINATES
    try:
        with table.open(newline="", encoding="utf-8") as text:
            xyz = np.array([[float(row[axis]) for axis in "xyz"] for row in csv.DictReader(text)], np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(
            f"The positions of the regions of {path.name} could not be read from {COORDINATES}.",
            f"Put {COORDINATES}, with the columns x, y and z, beside it.",
            str(error),
        ) from error
    sites: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with h5py.File(path) as file:
            for person, stored in file["ts"].items():
                sites[str(stored.attrs["site"])].append(person)
                regions = stored.shape[1]
    except (OSError, KeyError, IndexError, AttributeError) as error:
        raise BadInput(
            f"{path.name} is not a file of ABIDE series.", "It must hold ts/<person> with TR and site.", str(error)
        ) from error
    if not sites or regions != len(xyz):
        raise BadInput(f"{path.name} and {COORDINATES} do not have the same regions.", "Choose files that fit.")
    return AbideFile(path, xyz, {site: tuple(people) for site, people in sorted(sites.items())})
