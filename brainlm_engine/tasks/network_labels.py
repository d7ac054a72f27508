"""From how alike parcels are to networks: k nearest neighbours with parcels held out, clusters, and their figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.intp]
NEIGHBOURS, FOLDS = 5, 10
CLUSTERS = range(2, 13)  # looked through when nobody says how many
_ROUNDS, _SHARE = 20, 0.8  # of the consensus: k-means runs, and the share of columns that each sees


@dataclass(frozen=True)
class Figures:
    """How well labels agree with the reference.

    Attributes
    ----------
    accuracy, balanced : share of parcels right; mean over networks of that share
    nmi : normalised mutual information, 0..1
    recall : (networks,) share of each network's parcels found, NaN where it has none
    """

    accuracy: float
    balanced: float
    nmi: float
    recall: NDArray[np.float64]


def likeness(rows: NDArray[np.floating]) -> Floats:
    """Return the correlation (P, P) between the rows (P, F) of a map; NaN for rows that hold only NaN.

    Columns that nobody knows are left out; of a square map the diagonal, what a parcel has with itself, is not looked
    at.
    """
    known = np.isfinite(rows).any(1)
    inside = np.array(rows[known], np.float64)
    if rows.shape[0] == rows.shape[1]:
        inside = inside[:, known]
        np.fill_diagonal(inside, np.nan)
    inside = inside[:, np.isfinite(inside).any(0)]
    inside -= np.nanmean(inside, 1, keepdims=True)
    inside = np.nan_to_num(inside)
    size = np.sqrt((inside**2).sum(1, keepdims=True))
    unit = inside / np.where(size > 1e-12, size, np.inf)
    out = np.full((len(rows),) * 2, np.nan, np.float32)
    out[np.ix_(known, known)] = unit @ unit.T
    return out


def nearness(xyz: NDArray[np.floating], *, mirrored: bool = False) -> Floats:
    """Return minus the distance in mm (P, P); ``mirrored`` folds one hemisphere onto the other."""
    places = np.array(xyz, np.float64)
    if mirrored:
        places[:, 0] = np.abs(places[:, 0])
    return np.asarray(-np.linalg.norm(places[:, None] - places[None], axis=2), np.float32)


def folds_of(reference: Labels, seed: int = 0) -> Labels:
    """Deal the parcels of every network evenly to ``FOLDS``: (P,), -1 for parcels without a network."""
    rng = np.random.default_rng(seed)
    folds = np.full(len(reference), -1, np.intp)
    dealt = 0
    for network in np.unique(reference[reference >= 0]):
        members = rng.permutation(np.flatnonzero(reference == network))
        folds[members] = (dealt + np.arange(len(members))) % FOLDS
        dealt += len(members)
    return folds


def nearest(alike: Floats, reference: Labels, *, seed: int = 0) -> Labels:
    """Label every parcel by the :data:`NEIGHBOURS` most alike parcels outside its fold; -1 where nothing is known.

    No parcel's own label, nor that of any other parcel in its fold, is looked at. Ties go to the more alike.

    Parameters
    ----------
    alike : (P, P), larger = more alike
    reference : (P,), -1 = no label
    """
    folds = folds_of(reference, seed)
    classes = int(reference.max()) + 1
    usable = np.isfinite(alike).any(1)
    found = np.full(len(reference), -1, np.intp)
    for fold in range(FOLDS):
        taught = np.flatnonzero((folds >= 0) & (folds != fold) & usable)
        asked = np.flatnonzero((folds == fold) & usable)
        if not len(taught) or not len(asked):
            continue
        near = alike[np.ix_(asked, taught)]
        order = np.argsort(-near, 1)[:, :NEIGHBOURS]
        votes = np.zeros((len(asked), classes))
        for place in range(order.shape[1]):  # a vote each, and a little more for the more alike
            np.add.at(votes, (np.arange(len(asked)), reference[taught[order[:, place]]]), 1 + 0.01 * (9 - place))
        found[asked] = votes.argmax(1)
    return found


def supervised(taught_rows: Floats, rows: Floats, reference: Labels, *, seed: int = 0) -> Labels:
    """Label parcels with a ridge classifier of connectivity profiles that learned other parcels of other people.

    Parameters
    ----------
    taught_rows : (P, P) mean profile of other people
    rows : (P, P) profile of this person
    """
    folds, classes = folds_of(reference, seed), int(reference.max()) + 1
    clean = [_profiles(each) for each in (taught_rows, rows)]
    found = np.full(len(reference), -1, np.intp)
    for fold in range(FOLDS):
        taught, asked = np.flatnonzero((folds >= 0) & (folds != fold)), np.flatnonzero(folds == fold)
        if not len(taught) or not len(asked):
            continue
        wanted = np.eye(classes)[reference[taught]]
        gram = clean[0][taught] @ clean[0][taught].T
        dual = np.linalg.solve(gram + 0.1 * np.trace(gram) / len(taught) * np.eye(len(taught)), wanted - wanted.mean(0))
        found[asked] = (clean[1][asked] @ clean[0][taught].T @ dual + wanted.mean(0)).argmax(1)
    return found


def _profiles(rows: Floats) -> NDArray[np.float64]:
    """Return rows with nothing on the diagonal, each of mean 0 and SD 1."""
    clean = np.nan_to_num(rows.astype(np.float64))
    np.fill_diagonal(clean, 0)
    clean = clean - clean.mean(1, keepdims=True)
    return np.asarray(clean / np.maximum(clean.std(1, keepdims=True), 1e-9))


def majority(reference: Labels) -> Labels:
    """Label every parcel with the largest network."""
    largest = np.bincount(reference[reference >= 0]).argmax()
    return np.where(reference >= 0, largest, -1).astype(np.intp)


def figures(found: Labels, reference: Labels, networks: int) -> Figures:
    """Compare labels with the reference, over parcels that have both."""
    both = (reference >= 0) & (found >= 0)
    if not both.any():
        nothing = float("nan")
        return Figures(nothing, nothing, nothing, np.full(networks, np.nan))
    right = found[both] == reference[both]
    of = reference[both]
    counted = np.bincount(of, minlength=networks)
    recall = np.where(counted > 0, np.bincount(of, right, networks) / np.maximum(counted, 1), np.nan)
    return Figures(float(right.mean()), float(np.nanmean(recall)), agreement(found, reference), recall)


def agreement(found: Labels, reference: Labels) -> float:
    """Return the normalised mutual information over parcels that have both labels."""
    from sklearn.metrics import normalized_mutual_info_score

    both = (reference >= 0) & (found >= 0)
    return float(normalized_mutual_info_score(reference[both], found[both])) if both.any() else float("nan")


def clusters(rows: NDArray[np.floating], count: int | None = None, *, seed: int = 0) -> tuple[Labels, int, float]:
    """Cut parcels into networks that nobody named: consensus of k-means on the likeness of rows.

    Parameters
    ----------
    rows : (P, P) likeness; NaN rows get no label
    count : how many; None = the one with the largest mean silhouette among :data:`CLUSTERS`

    Returns
    -------
    labels : (P,) -1 = none, numbered by size; how many; mean silhouette
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # matrices are small: threads would only wait for each other
        return _clusters(rows, count, seed)


def _clusters(rows: NDArray[np.floating], count: int | None, seed: int) -> tuple[Labels, int, float]:
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from sklearn.metrics import silhouette_score

    known = np.flatnonzero(np.isfinite(rows).any(1))
    inside = np.nan_to_num(rows[np.ix_(known, known)].astype(np.float64))
    np.fill_diagonal(inside, 1)
    distance = np.clip(1 - inside, 0, 2)
    np.fill_diagonal(distance, 0)
    rng = np.random.default_rng(seed)
    most = min(max(CLUSTERS), len(known) - 1)
    best: tuple[Labels, int, float] | None = None
    for number in range(2, most + 1) if count is None else (min(count, most),):
        together = np.zeros_like(inside)
        for round_ in range(_ROUNDS if count is not None else 6):
            some = rng.choice(inside.shape[1], max(2, int(_SHARE * inside.shape[1])), replace=False)
            labels = KMeans(number, n_init=1, random_state=round_).fit_predict(inside[:, some])
            together += labels[:, None] == labels[None]
        apart = 1 - together / together.max()
        agreed = AgglomerativeClustering(number, metric="precomputed", linkage="average").fit_predict(apart)
        width = float(silhouette_score(distance, agreed, metric="precomputed")) if len(set(agreed)) > 1 else -1.0
        if best is None or width > best[2]:
            best = np.asarray(agreed, np.intp), number, width
    assert best is not None
    sizes = np.argsort(-np.bincount(best[0]))
    told = np.full(len(rows), -1, np.intp)
    told[known] = np.argsort(sizes)[best[0]]
    return told, best[1], best[2]
