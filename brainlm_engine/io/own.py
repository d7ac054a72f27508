"""What this program's own series tell beside their numbers: where the regions lie, what is missing, how they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.recording import Recording


@dataclass(frozen=True)
class OwnSeries:
    """What 'parcellate' wrote into the .json beside a table, or into a recording.

    Attributes
    ----------
    xyz : (parcels, 3) float32, MNI mm; NaN where unknown
    missing : (parcels,) bool
    coverage : (parcels,) float32, 0..1
    names, networks : per parcel; empty when unknown
    provenance : of the recording that was written
    """

    xyz: NDArray[np.float32]
    missing: NDArray[np.bool_]
    coverage: NDArray[np.float32]
    names: tuple[str, ...]
    networks: tuple[str, ...]
    atlas_id: str
    unit: str
    provenance: Mapping[str, Any]

    @property
    def placed(self) -> bool:
        """True when it is known where at least two regions lie."""
        return int(np.isfinite(self.xyz).all(1).sum()) >= 2

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person was told when the series were made."""
        notes = self.provenance.get("notes")
        return tuple(str(note) for note in notes) if isinstance(notes, list | tuple) else ()


def own_of_recording(recording: Recording) -> OwnSeries:
    """Return what a recording holds beside its numbers."""
    return OwnSeries(
        recording.xyz, recording.missing, recording.coverage, recording.names, recording.networks, recording.atlas_id,
        recording.unit, recording.provenance,
    )  # fmt: skip


def own_of_json(content: Mapping[str, Any]) -> OwnSeries | None:
    """Return what a .json of ours says; None for one of another program, or one that was damaged."""
    names, places, provenance = content.get("Regions"), content.get("CoordinatesMNI"), content.get("Provenance")
    if not (isinstance(names, list) and isinstance(places, list) and len(names) == len(places)):
        return None
    n = len(names)
    try:
        xyz = np.array([[np.nan] * 3 if place is None else place for place in places], np.float32).reshape(n, 3)
        missing = np.array(content.get("Missing", [False] * n), bool).reshape(n)
        coverage = np.array(content.get("Coverage", [1.0] * n), np.float32).reshape(n)
    except (TypeError, ValueError):
        return None
    networks = content.get("Networks")
    return OwnSeries(
        xyz, missing, coverage, tuple(str(name) for name in names),
        tuple(str(name) for name in networks) if isinstance(networks, list) and len(networks) == n else (),
        str(content.get("Atlas") or ""), str(content.get("Unit") or "raw"),
        provenance if isinstance(provenance, dict) else {},
    )  # fmt: skip
