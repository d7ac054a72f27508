"""What can be read from features of people: ridge for numbers, logistic regression for two groups.

Features are put into the span of the taught people first, which changes nothing about either fit: a penalty on the
length of the weights keeps them in that span (Hastie & Tibshirani, 2004, "Efficient quadratic regularization for
expression arrays"). The penalty is chosen among the taught people alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
_PENALTIES = np.logspace(-3, 5, 17)
_COSTS = np.logspace(-5, 3, 9)
_FOLDS = 5


def read_number(taught: Doubles, wanted: Doubles, asked: Doubles) -> Doubles:
    """Return what ridge says of people it has not seen.

    Parameters
    ----------
    taught : (people, features); NaN counts as the mean
    wanted : (people,)
    asked : (others, features)
    """
    from sklearn.linear_model import RidgeCV

    first, second = _in_span(taught, asked)
    return np.asarray(RidgeCV(_PENALTIES * len(taught)).fit(first, wanted).predict(second), np.float64)


def read_group(taught: Doubles, wanted: NDArray[np.bool_], asked: Doubles, *, seed: int = 0) -> Doubles:
    """Return the probability of the second group, 0..1; parameters as for :func:`read_number`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    first, second = _in_span(taught, asked)
    folds = StratifiedKFold(min(_FOLDS, int(min(wanted.sum(), (~wanted).sum()))), shuffle=True, random_state=seed)
    search = GridSearchCV(LogisticRegression(max_iter=2000), {"C": _COSTS}, cv=folds, scoring="neg_log_loss")
    return np.asarray(search.fit(first, wanted).predict_proba(second)[:, 1], np.float64)


def _in_span(taught: Doubles, asked: Doubles) -> tuple[Doubles, Doubles]:
    """Standardise by the taught people, then rotate into their span; both scaled so that features are of size 1."""
    known = np.isfinite(taught)
    count = np.maximum(known.sum(0), 1)
    filled = np.where(known, taught, 0.0)
    mean = filled.sum(0) / count
    spread = np.sqrt((np.where(known, taught - mean, 0.0) ** 2).sum(0) / count)
    useful = spread > 1e-9
    if not useful.any():
        return np.zeros((len(taught), 1)), np.zeros((len(asked), 1))
    first, second = (np.nan_to_num((each[:, useful] - mean[useful]) / spread[useful]) for each in (taught, asked))
    if first.shape[1] > len(first):
        values, vectors = np.linalg.eigh(first @ first.T)
        kept = values > 1e-9 * max(values[-1], 1e-12)
        back = vectors[:, kept] / np.sqrt(values[kept])
        first, second = first @ (first.T @ back), second @ (first.T @ back)
    size = np.sqrt((first**2).sum(1).mean()) or 1.0
    return first / size, second / size
