"""Tests of many measures at once by permuting people: t, family-wise and false-discovery p values, effect sizes.

Family-wise p values come from the distribution of the largest |t| over all measures (Nichols & Holmes, 2002);
covariates are handled as by Freedman & Lane (1983): the residuals of the covariates are permuted, never the raw values.
One formula serves both designs: two groups permute labels between people, pairs flip signs within people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.progress import SILENT, Progress

Floats = NDArray[np.float64]
PERMUTATIONS = 10_000
#: rearranges the people of ``columns (people, c)`` in ``count`` ways: (c, count, people)
Draw = Callable[[Floats, int], Floats]
_AT_ONCE = 500
_NOTHING = 1e-10  # of a column's own size: below, it does not vary
_WIDE = 1.959963984540054  # standard errors at each side of a 95 % interval


@dataclass(frozen=True)
class Tested:
    """One test per measure, all arrays (measures,) float64; NaN for measures that could not be tested.

    Attributes
    ----------
    t : second group minus first group, or second condition minus first, over its standard error
    p : two-sided, by permutation, of this measure alone
    p_family : family-wise over all measures, from the largest abs(t)
    q : false discovery rate of Benjamini & Hochberg over ``p``
    effect : Cohen's d (groups; pooled SD) or dz (pairs; SD of the differences)
    low, high : 95 % interval of ``effect`` from its large-sample standard error
    permutations : that were done, the data as they are counted with them
    df : degrees of freedom of ``t``
    """

    t: Floats
    p: Floats
    p_family: Floats
    q: Floats
    effect: Floats
    low: Floats
    high: Floats
    permutations: int
    df: int


def between_groups(
    values: Floats, second: NDArray[np.bool_], covariates: Floats | None = None, *,
    permutations: int = PERMUTATIONS, seed: int = 0, progress: Progress = SILENT,
) -> Tested:  # fmt: skip
    """Compare two groups of people.

    Parameters
    ----------
    values : (people, measures); a measure with a NaN is not tested
    second : (people,) True = of the second group
    covariates : (people, any), whose linear part is taken off
    permutations : drawn at random; fewer where all there are, are fewer
    """
    people = len(values)
    nuisance = np.column_stack([np.ones(people), *([] if covariates is None else covariates.T)])

    rng = np.random.default_rng(seed)

    def draw(columns: Floats, count: int) -> Floats:
        order = rng.permuted(np.tile(np.arange(people), (count, 1)), axis=1)
        return np.asarray(columns.T[:, order])

    tested = _test(values, second.astype(float), nuisance, (draw, permutations, progress))
    first_n, second_n = int((~second).sum()), int(second.sum())
    apart = tested.t * np.sqrt(1 / first_n + 1 / second_n)
    error = np.sqrt(1 / first_n + 1 / second_n + apart**2 / (2 * people))
    return _with_effect(tested, apart, error)


def within_people(
    differences: Floats, covariates: Floats | None = None, *,
    permutations: int = PERMUTATIONS, seed: int = 0, progress: Progress = SILENT,
) -> Tested:  # fmt: skip
    """Compare two conditions of the same people.

    Parameters
    ----------
    differences : (people, measures), second condition minus first; a measure with a NaN is not tested
    covariates : (people, any); they are centred, so that what is tested is the mean difference of the average person
    permutations : sign flips drawn at random
    """
    people = len(differences)
    centred = np.zeros((people, 0)) if covariates is None else covariates - covariates.mean(0)

    rng = np.random.default_rng(seed)

    def draw(columns: Floats, count: int) -> Floats:
        return np.asarray(columns.T[:, None] * rng.choice((-1.0, 1.0), (count, people)))

    tested = _test(differences, np.ones(people), centred, (draw, permutations, progress))
    effect = tested.t / np.sqrt(people)
    return _with_effect(tested, effect, np.sqrt(1 / people + effect**2 / (2 * people)))


def false_discovery(p: Floats) -> Floats:
    """Return the q values of Benjamini & Hochberg (1995); NaN stays NaN."""
    q = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _batches(permutations: int) -> Iterator[int]:
    for start in range(0, permutations, _AT_ONCE):
        yield min(_AT_ONCE, permutations - start)


def _basis(columns: Floats) -> Floats:
    """Return an orthonormal basis (people, rank) of what ``columns`` span."""
    if not columns.shape[1]:
        return columns
    left, size, _ = np.linalg.svd(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300), full_matrices=False)
    return np.asarray(left[:, size > size[0] * _NOTHING])


def _test(values: Floats, wanted: Floats, nuisance: Floats, drawing: tuple[Draw, int, Progress]) -> Tested:
    """Regress ``values`` on ``wanted`` beside ``nuisance``, as they are and with people rearranged."""
    draw, permutations, progress = drawing
    basis = _basis(nuisance)
    df = len(values) - basis.shape[1] - 1
    design = wanted - basis @ (basis.T @ wanted)
    design = design / np.linalg.norm(design)
    rest = values - basis @ (basis.T @ values)
    size = (rest**2).sum(0)
    usable = np.isfinite(values).all(0)
    usable &= np.where(usable, size, 0.0) > (_NOTHING * np.abs(np.where(usable, values, 0.0)).max(0)) ** 2
    rest, size = rest[:, usable], size[usable]
    t = _t(design @ rest, size, df)
    alone, family, done = np.ones(t.size), np.ones(t.size), 0
    for count in _batches(permutations):
        placed = draw(np.column_stack([design, basis]), count)
        left = size - ((placed[1:] @ rest) ** 2).sum(0)
        drawn = np.abs(_t(placed[0] @ rest, left, df))
        near = np.abs(t) * (1 - 1e-9)  # the same arrangement again is a tie, whatever was rounded
        alone += (drawn >= near).sum(0)
        family += (drawn.max(1, initial=0.0)[:, None] >= near).sum(0)
        done += count
        progress(done / permutations, f"Permuting people, {done} of {permutations}")
    nothing = np.full(values.shape[1], np.nan)
    full = [nothing.copy() for _ in range(3)]
    for column, told in zip(full, (t, alone / (permutations + 1), family / (permutations + 1)), strict=True):
        column[usable] = told
    return Tested(full[0], full[1], full[2], false_discovery(full[1]), nothing, nothing, nothing, permutations + 1, df)


def _t(along: Floats, size: Floats, df: int) -> Floats:
    """Return t of the part ``along`` the design of values whose sum of squares is ``size``."""
    return np.asarray(along * np.sqrt(df / np.maximum(size - along**2, 1e-300)))


def _with_effect(tested: Tested, effect: Floats, error: Floats) -> Tested:
    wide = _WIDE * error
    return Tested(
        tested.t, tested.p, tested.p_family, tested.q, effect, effect - wide, effect + wide, tested.permutations,
        tested.df,
    )  # fmt: skip
