"""What was read of a model, as the Attention tab shows it: a matrix between parcels, a row or column of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.attention import AttentionInfo
from brainlm_engine.api.contrast import ContrastInfo, ContrastMethod
from brainlm_engine.api.occlusion import OcclusionInfo

Array = NDArray[Any]
_LEAST = 2.0**-8  # of what is usual: so that a logarithm exists


@dataclass(frozen=True, eq=False)
class AttentionRead:
    """Attention of the open recording.

    Attributes
    ----------
    info : layers, heads, what the maps go with
    arrays : see :class:`brainlm_engine.api.attention.AttentionInfo`
    layers : (L, P, P) float32, mean over heads
    mean : (P, P) float32, mean over layers and heads
    """

    info: AttentionInfo
    arrays: dict[str, Array]
    layers: Array
    mean: Array

    @classmethod
    def of(cls, info: AttentionInfo, arrays: dict[str, Array]) -> AttentionRead:
        """Build from a reply; takes tens of milliseconds: not in the window's own thread."""
        layers = np.stack([layer.astype(np.float32).mean(0) for layer in arrays["maps"]])
        return cls(info, arrays, layers, layers.mean(0))

    @property
    def uniform(self) -> float:
        """The share of each parcel when all are attended to alike."""
        return 1.0 / max(1, int(np.isfinite(self.mean).any(1).sum()))

    def matrix(self, source: str, layer: int, head: int) -> Array:
        """(P, P) float32, row = who takes, column = who gives; layer and head from 1 on, 0 = mean of all."""
        if source == "rollout":
            return self.arrays["rollout"]
        if not head:
            return self.mean if not layer else np.asarray(self.layers[min(layer, len(self.layers)) - 1])
        maps = self.arrays["maps"]
        of_head = maps[:, min(head, maps.shape[1]) - 1]
        chosen = of_head if not layer else of_head[min(layer, len(of_head)) - 1][None]
        return np.asarray(chosen.astype(np.float32).mean(0))

    def summary(self, layer: int, head: int) -> Array:
        """(P,) float32, what the summary token takes from each parcel."""
        rows = self.arrays["summary"].astype(np.float32)
        rows = rows if not layer else rows[min(layer, len(rows)) - 1][None]
        rows = rows if not head else rows[:, min(head, rows.shape[1]) - 1][:, None]
        return np.asarray(rows.mean((0, 1)))


@dataclass(frozen=True, eq=False)
class Occluded:
    """What hiding one parcel, or all of them in turn, changed.

    Attributes
    ----------
    info : which were hidden
    arrays : see :class:`brainlm_engine.api.occlusion.OcclusionInfo`
    """

    info: OcclusionInfo
    arrays: dict[str, Array]

    @property
    def whole(self) -> bool:
        """True when every parcel was hidden, one after the other."""
        return len(self.info.parcels) == len(self.arrays["change"])

    def table(self, source: str) -> Array:
        """(P, K), row = whose reconstruction changes, column = who was hidden; 'occlusion' or 'error'."""
        return self.arrays["error" if source == "error" else "change"]

    def row(self, source: str, parcel: int, *, gives: bool) -> Array | None:
        """(P,) what hiding ``parcel`` changes elsewhere, or what hiding each other changes in it; None = unknown."""
        table = self.table(source)
        if gives:
            return table[:, self.info.parcels.index(parcel)] if parcel in self.info.parcels else None
        return table[parcel] if self.whole else None


@dataclass(frozen=True, eq=False)
class Contrasted:
    """A contrast between groups or conditions.

    Attributes
    ----------
    info : between whom, what came of it
    arrays : see :class:`brainlm_engine.api.contrast.ContrastInfo`
    """

    info: ContrastInfo
    arrays: dict[str, Array]

    def method(self, shown: str) -> ContrastMethod:
        """The model's measure, or the simple one beside it."""
        return self.info.methods[1 if shown == "simple" else 0]

    def of(self, method: ContrastMethod, field: str) -> Array:
        """(tests,) one of t, p, p_family, q, effect, low, high."""
        return self.arrays[f"{method.method}_{field}"]


def without_itself(values: Array, parcel: int) -> Array:
    """Return ``values (P,)`` with NaN at ``parcel``; what a parcel takes from itself hides all else."""
    out = np.array(values, np.float32)
    if 0 <= parcel < out.size:
        out[parcel] = np.nan
    return out


def log_times(values: Array, usual: float) -> Array:
    """Return log2 of ``values`` as multiples of ``usual``: 0 = as much, 1 = twice; NaN stays NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.log2(np.maximum(values / max(usual, 1e-30), _LEAST)), np.float32)
