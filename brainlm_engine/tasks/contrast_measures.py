"""What is measured of a recording for a contrast: the model's measure, and the simple one beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.contrast import What
from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.network_maps import connectivity
from brainlm_engine.tasks.parcel_maps import ParcelMaps, parcel_maps
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks
from brainlm_engine.tasks.states import embedded

Floats = NDArray[np.float64]
TITLES = {
    "attention": "Attention of the summary token",
    "networks": "Attention between networks",
    "embedding": "Embedding",
    "strength": "Functional connectivity strength",
    "network_strength": "Functional connectivity between networks",
}
UNITS = {
    "attention": "share of uniform attention", "networks": "share of uniform attention", "embedding": "",
    "strength": "mean Fisher z", "network_strength": "mean Fisher z",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Of one recording, per method the values (tests,) float64, and the names of the tests."""

    values: dict[str, Floats]
    names: dict[str, tuple[str, ...]]


def measure(
    model: MaskedModel, recording: Recording, what: What, *, layer: int | None = None, windows: int | None = None
) -> Measured:
    """Measure one recording; the model's measure comes first, the simple one second.

    Raises
    ------
    BadInput
        When the model has nothing to read, or the recording cannot be used.
    """
    fisher = _fisher(connectivity(recording))
    strength = _mean(fisher, 1)
    parcels = recording.names or tuple(f"Parcel {number}" for number in range(recording.n_parcels))
    if what == "embedding":
        values = _embedding(model, recording)
        names = tuple(f"Dimension {number + 1}" for number in range(len(values)))
        return Measured({"embedding": values, "strength": strength}, {"embedding": names, "strength": parcels})
    made = parcel_maps(model, recording, windows=windows)
    if what == "attention":
        row = _summary(made, layer)
        return Measured({"attention": row, "strength": strength}, {"attention": parcels, "strength": parcels})
    labels = reference_networks(recording).labels
    names = tuple(f"{one} from {other}" for one in NETWORKS for other in NETWORKS)
    grouped = {"networks": _grouped(_layers(made, layer), labels), "network_strength": _grouped(fisher, labels)}
    return Measured(grouped, dict.fromkeys(grouped, names))


def _layers(made: ParcelMaps, layer: int | None) -> Floats:
    """Return (parcels, parcels) as a share of uniform attention, mean over heads and layers (or one)."""
    maps = made.arrays["maps"].astype(np.float64)
    chosen = (maps if layer is None else maps[_checked(made, layer)][None]).mean((0, 1))
    return np.asarray(chosen * np.isfinite(chosen).any(1).sum())


def _summary(made: ParcelMaps, layer: int | None) -> Floats:
    rows = made.arrays["summary"].astype(np.float64)
    row = (rows if layer is None else rows[_checked(made, layer)][None]).mean((0, 1))
    return np.asarray(row * np.isfinite(row).sum())


def _checked(made: ParcelMaps, layer: int) -> int:
    if not 1 <= layer <= made.info.layers:
        raise BadInput(f"There is no layer {layer}: there are {made.info.layers}.", "Leave it out, or give another.")
    return layer - 1


def _grouped(table: Floats, labels: NDArray[np.intp]) -> Floats:
    """Return the mean of ``table (P, P)`` from network to network, itself left out: (49,), row by row."""
    off = np.where(np.eye(len(table), dtype=bool), np.nan, table)
    out = np.full((len(NETWORKS), len(NETWORKS)), np.nan)
    for one in range(len(NETWORKS)):
        for other in range(len(NETWORKS)):
            block = off[np.ix_(labels == one, labels == other)]
            if np.isfinite(block).any():
                out[one, other] = np.nanmean(block)
    return out.ravel()


def _fisher(correlation: NDArray[np.floating]) -> Floats:
    off = np.where(np.eye(len(correlation), dtype=bool), np.nan, correlation.astype(np.float64))
    return np.asarray(np.arctanh(np.clip(off, -0.999999, 0.999999)))


def _mean(table: Floats, axis: int) -> Floats:
    known = np.isfinite(table)
    count = known.sum(axis)
    return np.asarray(np.where(count > 0, np.where(known, table, 0.0).sum(axis) / np.maximum(count, 1), np.nan))


def _embedding(model: MaskedModel, recording: Recording) -> Floats:
    """Return the mean token of the recording (D,)."""
    if not hasattr(model, "embed") or model.scaling is not None:
        raise BadInput(
            f"Embeddings of the model {model_id(model)} cannot be read yet.",
            "Choose a model of z-scores, for example studio-tiny.",
        )
    patch, length, _ = plan_window(model, recording, None)
    steps = recording.n_frames // patch
    rows = embedded(model, zscored(recording)[:, : steps * patch], recording, (patch, length), None)
    return _mean(rows.astype(np.float64), 0)
