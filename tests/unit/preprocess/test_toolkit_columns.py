"""The published toolkit's other columns: small known answers, files, faults, and its own output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from safetensors.numpy import load_file

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess.toolkit_columns import (
    GLOBAL_99TH_PERCENT,
    GLOBAL_STD,
    ROBUST_COLUMN,
    Column,
    Extrema,
    as_stored,
    column_scaling,
    fit_extrema,
)
from brainlm_engine.recording import Recording

COLUMNS: tuple[Column, ...] = get_args(Column)


def recording(series: np.ndarray) -> Recording:
    parcels = len(series)
    return Recording(
        series.astype(np.float32), 2.0, np.zeros((parcels, 3), np.float32), np.isnan(series).any(1), np.ones(parcels)
    )


ONE = recording(np.array([[2.0, 10], [4, 10]]))  # 2 parcels, 2 frames; nothing moves over the second frame's parcels
TWO = recording(np.array([[0.0, 5], [8, 6]]))
BY_HAND: dict[str, list[list[float]]] = {
    "All_Patient_All_Voxel_Normalized_Recording": [[0.2, 1], [0.4, 1]],
    "Per_Patient_All_Voxel_Normalized_Recording": [[0, 1], [0.25, 1]],
    "Per_Patient_Per_Voxel_Normalized_Recording": [[0, 10], [1, 10]],  # no range: left as it is
    "Per_Voxel_All_Patient_Normalized_Recording": [[0.25, 1], [0.5, 1]],
    "Subtract_Mean_Normalized_Recording": [[-1, 0], [1, 0]],
    "Subtract_Mean_Divide_Global_STD_Normalized_Recording": [[-1 / GLOBAL_STD, 0], [1 / GLOBAL_STD, 0]],
    "Subtract_Mean_Divide_Global_99thPercent_Normalized_Recording": [
        [-1 / GLOBAL_99TH_PERCENT, 0],
        [1 / GLOBAL_99TH_PERCENT, 0],
    ],
}


@pytest.mark.parametrize("column", COLUMNS)
def test_by_hand(column: Column) -> None:
    scaling = column_scaling(column, ONE.series, fit_extrema([ONE, TWO]))
    scaled = scaling.apply(ONE.series)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, BY_HAND[column], rtol=1e-6)
    np.testing.assert_allclose(scaling.undo(scaled), ONE.series, rtol=1e-6)
    np.testing.assert_array_equal(as_stored(column, scaled), scaled)


def test_missing_parcel_counts_as_zero_and_stays_missing() -> None:
    holed = recording(np.array([[2.0, 10], [np.nan, np.nan]]))
    scaled = column_scaling("Per_Patient_Per_Voxel_Normalized_Recording", holed.series).apply(holed.series)
    np.testing.assert_array_equal(scaled, [[1, 1], [np.nan, np.nan]])
    assert fit_extrema([holed]).lowest == 0


def test_extrema_are_kept(tmp_path: Path) -> None:
    found = fit_extrema(iter([ONE, TWO]))
    found.save(tmp_path / "e.json")
    again = Extrema.load(tmp_path / "e.json")
    assert (again.lowest, again.highest, again.recordings) == (0, 10, 2)
    assert again.frame_lowest is not None
    np.testing.assert_array_equal(again.frame_lowest, [0, 5])
    assert "over 2 recordings of 2 frames each" in again.describe()
    uneven = fit_extrema([ONE, recording(np.ones((2, 3))), TWO])
    uneven.save(tmp_path / "u.json")
    assert Extrema.load(tmp_path / "u.json") == uneven
    assert "of different lengths" in uneven.describe()


def test_faults(tmp_path: Path) -> None:
    uneven = fit_extrema([ONE, recording(np.ones((2, 3)))])
    with pytest.raises(BadInput, match="same number of frames"):
        column_scaling("Per_Voxel_All_Patient_Normalized_Recording", ONE.series, uneven)
    assert column_scaling("All_Patient_All_Voxel_Normalized_Recording", ONE.series, uneven).divide == 9
    with pytest.raises(ValueError, match="needs the extrema"):
        column_scaling("All_Patient_All_Voxel_Normalized_Recording", ONE.series)
    with pytest.raises(ValueError, match="unknown column"):
        column_scaling("Raw_Recording", ONE.series, uneven)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no recordings"):
        fit_extrema([])
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match="no scaling statistics"):
        Extrema.load(tmp_path / "x.json")


@pytest.mark.shared_data
@pytest.mark.parametrize("column", COLUMNS)
def test_published_toolkit(column: Column, shared_reference: Path) -> None:
    folder = shared_reference / "golden_preproc"
    golden, shapes = load_file(folder / "io.safetensors"), json.loads((folder / "manifest.json").read_text())["shapes"]
    recordings = [recording(raw.T) for raw in golden["raw_T_by_V"]]
    extrema = fit_extrema(recordings)
    for index, where, key in ((0, np.s_[:12, :12], "rec0_first12x12"), (2, np.s_[-8:, -8:], "rec2_last8x8")):
        series = recordings[index].series
        scaled = as_stored(column, column_scaling(column, series, extrema).apply(series))
        assert list(scaled.shape) == shapes[column]
        np.testing.assert_array_equal(scaled[where], golden[f"{column}__{key}"])
    assert list(as_stored(ROBUST_COLUMN, recordings[0].series).shape) == shapes[ROBUST_COLUMN]
