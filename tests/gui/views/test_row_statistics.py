"""Middle and spread of rows with holes, held against numpy's slow functions."""

from __future__ import annotations

import warnings

import numpy as np

from app.widgets.row_statistics import row_means, row_medians, typical_spread


def test_rows_with_holes_are_measured_by_what_is_there() -> None:
    series = np.random.default_rng(5).standard_normal((40, 60)).astype(np.float32)
    series[3, 10:20] = np.nan
    series[7] = np.nan
    series[9, 5] = np.inf
    clean = np.where(np.isfinite(series), series, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns of the empty row
        np.testing.assert_allclose(row_medians(series), np.nanmedian(clean, axis=1), rtol=1e-5)
        np.testing.assert_allclose(row_means(series), np.nanmean(clean, axis=1), rtol=1e-4, atol=1e-6)
        spread = np.nanstd(clean, axis=1)
    assert np.isclose(typical_spread(series), np.nanmedian(spread), rtol=1e-5)


def test_nothing_known_has_a_spread_of_one() -> None:
    assert typical_spread(np.full((3, 4), np.nan, np.float32)) == 1.0
    assert typical_spread(np.zeros((3, 4), np.float32)) == 1.0
    assert typical_spread(np.zeros((0, 0), np.float32)) == 1.0
    assert np.isnan(row_medians(np.full((2, 3), np.nan, np.float32))).all()
