"""Balanced k-means with distances measured along a graph: cells of equal size, each in one piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

_MOVING = 40  # iterations that move the seeds
_BALANCING = 60  # iterations that even out the sizes
_LARGEST_HANDICAP_MM = 14.0
_TOO_SMALL = 0.4  # of the mean size: a seed caught in a pocket, which is moved

Ints = NDArray[np.int64]


def geodesic_kmeans(graph: csr_matrix, xyz: NDArray[np.float64], k: int) -> Ints:
    """Cut a connected graph into ``k`` connected cells of about the same size.

    Seeds start at the farthest points from one another; in each round every voxel goes to the seed it reaches at the
    lowest cost, seeds move to the middle of their cell, and a cell that is too large gets a handicap (mm).

    Parameters
    ----------
    graph : (n, n) symmetric costs in mm, connected
    xyz : (n, 3) mm

    Returns
    -------
    (n,) int64
        Cell of each voxel, 0..k-1; numbered from the back to the front, then from below.
    """
    n = len(xyz)
    if k == 1:
        return np.zeros(n, np.int64)
    seeds = _spread_seeds(graph, xyz, k)
    handicap = np.zeros(k)
    best: tuple[float, Ints] | None = None
    for step in range(_MOVING + _BALANCING):
        cell = _nearest_seed(graph, seeds, handicap)
        sizes = np.bincount(cell, minlength=k)
        spread = float(sizes.std() / sizes.mean())
        if step >= _MOVING and sizes.min() > 0 and (best is None or spread < best[0]):
            best = (spread, cell)
        if step < _MOVING or step % 5 == 0:
            seeds = _centre_seeds(cell, xyz, seeds)
        if step < _MOVING and step % 10 == 9:
            seeds, handicap = _free_caught_seeds(graph, cell, seeds, handicap)
        speed = 3.0 if step < _MOVING else 1.5
        handicap += speed * np.clip((sizes - n / k) * k / n, -0.5, 0.5)
        handicap = np.minimum(handicap - handicap.min(), _LARGEST_HANDICAP_MM)
    if best is None:
        raise ValueError(f"{n} voxels could not be cut into {k} cells")
    return _back_to_front(best[1], xyz, k)


def _spread_seeds(graph: csr_matrix, xyz: NDArray[np.float64], k: int) -> Ints:
    seeds = [int(np.lexsort((xyz[:, 2], xyz[:, 0], xyz[:, 1]))[0])]
    nearest = dijkstra(graph, indices=[seeds[0]])[0]
    while len(seeds) < k:
        seeds.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, dijkstra(graph, indices=[seeds[-1]], limit=float(nearest.max()) + 1e-6)[0])
    return np.array(seeds)


def _nearest_seed(graph: csr_matrix, seeds: Ints, handicap: NDArray[np.float64]) -> Ints:
    """Follow the shortest-path tree from a source tied to every seed: its branches are the (connected) cells."""
    n, k = graph.shape[0], len(seeds)
    ties = csr_matrix((handicap + 1e-3, (np.full(k, n), seeds)), shape=(n + 1, n + 1))
    widened = csr_matrix((graph.data, graph.indices, np.r_[graph.indptr, graph.indptr[-1]]), shape=(n + 1, n + 1))
    _, before = dijkstra(widened + ties, directed=True, indices=[n], return_predecessors=True)
    root = before[0].astype(np.int64)
    root[n] = n
    is_root = root == n
    root[is_root] = np.flatnonzero(is_root)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    cell = np.full(n + 1, -1)
    cell[seeds] = np.arange(k)
    return np.asarray(cell[root][:n])


def _centre_seeds(cell: Ints, xyz: NDArray[np.float64], seeds: Ints) -> Ints:
    """Move each seed to the voxel of its cell that is closest to the cell's centroid."""
    k = len(seeds)
    sizes = np.maximum(np.bincount(cell, minlength=k), 1)
    centre = np.stack([np.bincount(cell, weights=xyz[:, axis], minlength=k) for axis in range(3)], 1) / sizes[:, None]
    order = np.lexsort((((xyz - centre[cell]) ** 2).sum(1), cell))
    first = order[np.r_[0, np.flatnonzero(np.diff(cell[order])) + 1]]
    moved = seeds.copy()
    moved[cell[first]] = first
    return moved


def _free_caught_seeds(
    graph: csr_matrix, cell: Ints, seeds: Ints, handicap: NDArray[np.float64]
) -> tuple[Ints, NDArray[np.float64]]:
    """Send the seed of each far too small cell into the largest cell left, to its voxel farthest from its seed."""
    k = len(seeds)
    sizes = np.bincount(cell, minlength=k)
    seeds, handicap = seeds.copy(), handicap.copy()
    for caught in np.flatnonzero(sizes < _TOO_SMALL * len(cell) / k):
        largest = int(sizes.argmax())
        members = np.flatnonzero(cell == largest)
        distance = dijkstra(graph, indices=[seeds[largest]])[0][members]
        seeds[caught] = members[distance.argmax()]
        handicap[caught] = handicap[largest]
        sizes[largest] //= 2
    return seeds, handicap


def _back_to_front(cell: Ints, xyz: NDArray[np.float64], k: int) -> Ints:
    sizes = np.bincount(cell, minlength=k)
    centre = [np.bincount(cell, weights=xyz[:, axis], minlength=k) / sizes for axis in range(3)]
    rank = np.empty(k, np.int64)
    rank[np.lexsort((centre[2].round(1), centre[1].round(1)))] = np.arange(k)
    return rank[cell]
