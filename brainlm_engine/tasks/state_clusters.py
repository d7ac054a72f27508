"""States of an embedding along time: principal components, k-means, how long and how often each state is visited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.states import StateSet

Floats = NDArray[np.float32]
COMPONENTS = 10  # in which states are looked for
MOST_STATES = 8
_LEAST_WINDOWS = 2  # of every state, where their number is chosen: a single window is no state that comes back


@dataclass(frozen=True)
class Clusters:
    """``xy (T, 2)`` float32 and ``states (T,)`` int32 from 0, NaN and -1 for windows left out."""

    info: StateSet
    xy: Floats
    states: NDArray[np.int32]


def find_states(
    embedding: NDArray[np.floating],
    window_s: float,
    k: int | None = None,
    seed: int = 0,
    like: NDArray[np.int32] | None = None,
) -> Clusters:
    """Look for states in ``embedding (T, D)``, a row per window, rows with NaN left out.

    Parameters
    ----------
    window_s : length of a window, s
    k : number of states; None = the one of 2 to 8 with the highest silhouette among those where every
        state has at least two windows
    seed : of k-means
    like : (T,) states found elsewhere; the numbers follow those with which they share most windows

    Raises
    ------
    BadInput
        When there are too few windows, or they do not differ.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    known = np.isfinite(embedding).all(1)
    inside = embedding[known].astype(np.float64)
    different = len(np.unique(inside, axis=0))
    least = 3 if k is None else k
    if different < least:
        raise BadInput(
            f"There are {different} different windows, too few to look for states in.",
            "Open a longer recording, or ask for fewer states.",
        )
    components, explained = _components(inside)
    tried: dict[int, tuple[float, NDArray[np.int32]]] = {}
    for count in (k,) if k is not None else range(2, min(MOST_STATES, different - 1) + 1):
        labels = KMeans(count, n_init=10, random_state=seed).fit_predict(components)
        found = len(np.unique(labels))
        score = silhouette_score(components, labels) if 1 < found < len(labels) else float("nan")
        tried[count] = (float(score), labels)
    coming_back = [count for count in tried if np.bincount(tried[count][1], minlength=count).min() >= _LEAST_WINDOWS]
    best = max(coming_back or [min(tried)], key=lambda count: np.nan_to_num(tried[count][0], nan=-2.0))
    states = np.full(len(known), -1, np.int32)
    states[known] = _by_occupancy(tried[best][1], best)
    if like is not None:
        states = _numbered_like(like, states, best)
    xy = np.full((len(known), 2), np.nan, np.float32)
    xy[known] = components[:, :2]
    occupancy, visits, dwell, transitions = statistics(states, best, window_s)
    info = StateSet(
        k=best, silhouette=tried[best][0], silhouettes={count: score for count, (score, _) in tried.items()},
        explained=explained, occupancy=occupancy, visits=visits, dwell_s=dwell, transitions=transitions,
    )  # fmt: skip
    return Clusters(info, xy, states)


def statistics(
    states: NDArray[np.int32], k: int, window_s: float
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[float, ...], tuple[tuple[int, ...], ...]]:
    """Return occupancy, visits, mean dwell time (s) and transitions of ``states (T,)``; a gap (-1) ends a visit."""
    counts = np.bincount(states[states >= 0], minlength=k)
    before = np.concatenate([[-1], states[:-1]])
    visits = np.bincount(states[(states >= 0) & (states != before)], minlength=k)
    transitions = np.zeros((k, k), int)
    follows = (before >= 0) & (states >= 0)
    np.add.at(transitions, (before[follows], states[follows]), 1)
    occupancy, dwell = counts / max(1, counts.sum()), window_s * counts / np.maximum(visits, 1)
    return (
        tuple(map(float, occupancy)), tuple(map(int, visits)), tuple(map(float, dwell)),
        tuple(tuple(map(int, row)) for row in transitions),
    )  # fmt: skip


def _components(inside: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return principal components (T, at least 2) and the share of the variance of the first two."""
    left, sizes, right = np.linalg.svd(inside - inside.mean(0), full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)])
    made = (left * sizes * signs)[:, :COMPONENTS]
    made = np.pad(made, ((0, 0), (0, max(0, 2 - made.shape[1]))))
    shares = np.append(sizes**2 / max(float((sizes**2).sum()), 1e-12), 0.0)
    return made, (float(shares[0]), float(shares[1]))


def _by_occupancy(labels: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """Number states anew, the most frequent first."""
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.argsort(order)[labels].astype(np.int32)


def _numbered_like(one: NDArray[np.int32], states: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """Number ``states`` anew, 0 to ``k`` - 1, in the order of the states of ``one`` that they overlap with most."""
    from scipy.optimize import linear_sum_assignment

    both = (one >= 0) & (states >= 0)
    size = max(k, int(one.max(initial=0)) + 1)
    shared = np.zeros((size, size))
    np.add.at(shared, (states[both], one[both]), 1)
    partner = linear_sum_assignment(-shared)[1][:k]
    return np.where(states >= 0, np.argsort(np.argsort(partner))[states], -1).astype(np.int32)
