"""What app and engine say to each other about repairing a recording, and how a repaired one says what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from brainlm_engine.api.messages import Message, Score

Method = Literal["model", "ridge", "kriging", "interpolation", "best"]
#: what holes are alike: whole parcels, whole frames, and single stretches of single parcels
Kind = Literal["parcels", "frames", "values"]
KINDS: tuple[Kind, ...] = ("parcels", "frames", "values")
#: in the provenance of a recording: a list, one entry a repair
REPAIRS = "repairs"


class RepairSpec(Message):
    """What counts as bad, and what fills it in."""

    empty: bool = Field(default=True, description="parcels without signal: missing, not a number, or constant")
    dvars: bool = Field(default=True, description="frames that change abruptly, as the quality strip marks them")
    spikes: float = Field(
        default=6.0, ge=0.0, description="values so many robust standard deviations from a parcel's median; 0 = none"
    )
    fd_mm: float = Field(default=0.5, ge=0.0, description="frames that moved more, when head motion is known; 0 = none")
    parcels: tuple[int, ...] = Field(default=(), description="these parcels too, from 0")
    spans: tuple[tuple[int, int], ...] = Field(default=(), description="these frames too, each [from, to)")
    method: Method = Field(default="model", description="'best' = for each kind of hole what errs least here")
    seed: int = 0


class RepairKind(Message):
    """One kind of hole: how much there is, what fills it, and how well that went on good data of the same recording."""

    kind: Kind
    n_values: int = Field(description="samples filled in")
    n_tested: int = Field(default=0, description="good samples that were hidden in the same pattern and filled in")
    method: Literal["model", "ridge", "kriging", "interpolation"]
    weight: float = Field(
        default=1.0, description="share of the model's answer, the rest is the best guess in time; learned on good data"
    )
    scores: tuple[Score, ...] = Field(default=(), description="the model first; R2 about the parcel's mean, MSE in SD²")


class RepairInfo(Message):
    """What was found and filled in."""

    recording_id: str = ""
    name: str
    model_id: str
    model_sha256: str = ""
    spec: RepairSpec
    n_parcels: int
    n_frames: int
    parcels: tuple[int, ...] = Field(default=(), description="filled in as a whole, from 0")
    spans: tuple[tuple[int, int], ...] = Field(default=(), description="frames filled in for all parcels, [from, to)")
    n_values: int = Field(description="samples filled in, of n_parcels * n_frames")
    found: tuple[str, ...] = Field(default=(), description="what was found by which sign, plain sentences")
    kinds: tuple[RepairKind, ...] = ()
    level_error: float | None = Field(
        default=None, description="of a parcel that is filled in as a whole: typical error of its mean, in its SD"
    )
    verdict: str = ""
    notes: tuple[str, ...] = ()
    scaling: str = ""
    written: str = ""
    seconds: float = 0.0


def written_holes(holes: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Return ``holes (parcels, frames)`` as ``parcels``, ``frames`` ([from, to) of all others) and ``values``
    ([parcel, from, to)): short, and readable without this program.
    """
    whole = np.asarray(holes.all(1))
    rest = holes & ~whole[:, None]
    common = np.asarray(rest[~whole].all(0)) & bool((~whole).any())
    rest &= ~common
    values = [[int(parcel), *span] for parcel in np.flatnonzero(rest.any(1)) for span in spans_of(rest[parcel])]
    return {"parcels": np.flatnonzero(whole).tolist(), "frames": [list(s) for s in spans_of(common)], "values": values}


def filled_in(provenance: Mapping[str, Any], n_parcels: int, n_frames: int) -> NDArray[np.bool_] | None:
    """Return which samples a repair filled in, (parcels, frames); None for a recording that was never repaired.

    Entries that do not fit the recording, as a damaged or edited file may hold, are left out.
    """
    repairs = provenance.get(REPAIRS)
    if not isinstance(repairs, list | tuple) or not repairs:
        return None
    filled = np.zeros((n_parcels, n_frames), bool)
    for repair in repairs:
        holes = repair.get("filled") if isinstance(repair, Mapping) else None
        if isinstance(holes, Mapping):
            with suppress(TypeError, ValueError, IndexError):
                _fill(filled, holes)
    return filled


def _fill(filled: NDArray[np.bool_], holes: Mapping[str, Any]) -> None:
    """Mark what :func:`written_holes` wrote; parcels and frames beyond the recording are left out."""
    whole = np.zeros(len(filled), bool)
    whole[[p for p in holes.get("parcels", ()) if 0 <= p < len(filled)]] = True
    filled[whole] = True
    for first, stop in holes.get("frames", ()):
        filled[:, max(first, 0) : max(stop, 0)] = True
    for parcel, first, stop in holes.get("values", ()):
        if 0 <= parcel < len(filled):
            filled[parcel, max(first, 0) : max(stop, 0)] = True


def spans_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of True in ``flags (n,)`` as [from, to)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]
