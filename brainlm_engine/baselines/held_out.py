"""Visible entries that a method hides from itself, to choose its settings by how well it fills them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

#: which parcels are visible, (parcels,) bool, and the frames in which it is those
Run = tuple[NDArray[np.bool_], NDArray[np.intp]]


def alike_runs(visible: NDArray[np.bool_]) -> Iterator[Run]:
    """Yield runs of frames in which the same parcels of ``visible (parcels, frames)`` are visible."""
    change = np.flatnonzero((visible[:, 1:] != visible[:, :-1]).any(0)) + 1
    edges = [0, *change.tolist(), visible.shape[1]]
    for start, stop in itertools.pairwise(edges):
        yield visible[:, start], np.arange(start, stop)


def held_out(shown: NDArray[np.float32], runs: list[Run], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide a fifth of the visible parcels of every run; return (parcels, frames) bool, True = hidden in addition."""
    held = np.zeros(shown.shape, bool)
    for visible, frames in runs:
        parcels = np.flatnonzero(visible)
        picked = rng.permutation(parcels)[: len(parcels) // 5]
        held[np.ix_(picked, frames)] = True
    return held
