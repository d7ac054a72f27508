"""Coordinates files, and whether positions belong to signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas import Atlas
from brainlm_engine.io import TableScan, open_scan
from brainlm_engine.preprocess import positions_fit, read_coordinates, recording_from_table
from brainlm_engine.preprocess.positions import read_places


@pytest.mark.shared_data
def test_real_coordinates(shared_data: Path) -> None:
    xyz = read_coordinates(shared_data / "abide" / "cc200_coordinates.csv")
    assert xyz.shape == (200, 3)
    np.testing.assert_allclose(xyz[0], [-39.6, -85.4, 1.4], rtol=1e-5)
    xyz = read_coordinates(shared_data / "atlases" / "A424_Coordinates.dat")
    assert xyz.shape == (424, 3)
    np.testing.assert_allclose(xyz[0], [14, -78, 4])


@pytest.mark.shared_data
def test_positions_of_abide(shared_data: Path) -> None:
    xyz = read_coordinates(shared_data / "abide" / "cc200_coordinates.csv")
    rng = np.random.default_rng(0)
    for path in sorted((shared_data / "abide" / "raw_1D_examples").glob("*.1D"))[::5]:
        scan = open_scan(path, {"tr": "2"})
        assert isinstance(scan, TableScan)
        right = positions_fit(scan.matrix, xyz)
        wrong = positions_fit(scan.matrix, xyz[rng.permutation(200)])
        assert right.ok
        assert right.near_r > right.far_r
        assert "fit the signals" in right.text
        assert not wrong.ok
        assert wrong.z > right.z + 3


@pytest.mark.shared_data
def test_abide_table_becomes_a_recording(shared_data: Path) -> None:
    path = shared_data / "abide" / "raw_1D_examples" / "UM_1_0050272_rois_cc200.1D"
    scan = open_scan(path, {"tr": "2.0"})
    assert isinstance(scan, TableScan)
    xyz = read_coordinates(shared_data / "abide" / "cc200_coordinates.csv")
    recording = recording_from_table(scan, None, xyz)
    assert recording.series.shape == (200, scan.n_frames)
    assert recording.provenance["positions"]["ok"]
    assert recording.tr_s == 2.0
    with pytest.raises(BadInput, match="does not say where its 200 regions lie"):
        recording_from_table(scan)
    with pytest.raises(BadInput, match="the coordinates are for 199"):
        recording_from_table(scan, None, xyz[1:])
    unanswered = open_scan(path)
    assert isinstance(unanswered, TableScan)
    with pytest.raises(BadInput, match="how many seconds"):
        recording_from_table(unanswered, None, xyz)


def test_table_with_an_atlas(tmp_path: Path, small_atlas: Atlas) -> None:
    series = np.cumsum(np.random.default_rng(0).standard_normal((80, small_atlas.n_parcels)), axis=0)
    series[:, 3] = 5.0
    np.save(tmp_path / "t.npy", series)
    scan = open_scan(tmp_path / "t.npy", {"tr": "2", "orientation": "frames_rows"})
    assert isinstance(scan, TableScan)
    recording = recording_from_table(scan, small_atlas)
    assert recording.names == small_atlas.names
    assert recording.atlas_id == "small"
    assert list(np.flatnonzero(recording.missing)) == [3]
    assert np.isnan(recording.series[3]).all()
    turned = open_scan(tmp_path / "t.npy", {"tr": "2", "orientation": "frames_columns"})
    assert isinstance(turned, TableScan)
    with pytest.raises(BadInput, match="has 80 regions, the atlas Small has"):
        recording_from_table(turned, small_atlas)


@pytest.mark.parametrize(
    "text",
    [
        "x,y,z\n1,2,3\n-40,20,5\n30,-60,12\n",
        "label;x;y;z\na;1;2;3\nb;-40,0;20;5\nc;30;-60;12\n",
        "1 2 3\n-40 20 5\n30 -60 12\n",
        "1\t1\t2\t3\n2\t-40\t20\t5\n3\t30\t-60\t12", "roi,size,X,Y,Z\n1,9,1,2,3\n2,9,-40,20,5\n3,9,30,-60,12\n",
        "\ufeffz y x name\n3 2 1 a\n5 20 -40 b\n12 -60 30 c\n",
    ],
)  # fmt: skip
def test_coordinate_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    np.testing.assert_allclose(read_coordinates(tmp_path / "c.txt"), [[1, 2, 3], [-40, 20, 5], [30, -60, 12]])


@pytest.mark.parametrize(
    ("text", "names", "told"),
    [
        ("roi,size,x,y,z\n3,9,30,-60,12\n1,9,1,2,3\n2,9,-40,20,5\n", (), "column 'roi'"),
        ("roi,x,y,z\n3,30,-60,12\n1,1,2,3\n2,-40,20,5\n", ("#1", "#2", "#3"), "column 'roi'"),
        ("3 30 -60 12\n1 1 2 3\n2 -40 20 5\n", (), "first column"),
        ("name\tx\ty\tz\nc\t30\t-60\t12\na\t1\t2\t3\nb\t-40\t20\t5\n", ("a", "b", "c"), "column 'name'"),
        ("id,x,y,z\n2002,-40,20,5\n2001,1,2,3\n2101,30,-60,12\n", ("2001", "2002", "2101"), "column 'id'"),
        ("roi,x,y,z\n1,1,2,3\n2,-40,20,5\n3,30,-60,12\n", ("1", "2", "3"), ""),
        ("roi,x,y,z\n7,1,2,3\n5,-40,20,5\n9,30,-60,12\n", ("a", "b", "c"), ""),
        ("size,x,y,z\n3,1,2,3\n1,-40,20,5\n2,30,-60,12\n", (), ""),
    ],
)
def test_rows_are_put_in_the_order_of_the_regions(tmp_path: Path, text: str, names: tuple[str, ...], told: str) -> None:
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    places = read_places(tmp_path / "c.txt", names)
    np.testing.assert_allclose(places.xyz, [[1, 2, 3], [-40, 20, 5], [30, -60, 12]])
    assert (told in places.note) if told else not places.note


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table of region positions"),
        ("a,b\n1,2\n", "no table of region positions"),
        ("x,y,z\n1,2,north\n3,4,5\n", "no table of region positions"),
        ("x,y,z\n100,2000,3\n4,5,6\n", "outside any head"),
        ("x,y,z\n0.1,0.2,0.3\n0.4,0.1,0.2\n", "not millimetres"),
    ],
)
def test_bad_coordinate_files(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(BadInput, match=words):
        read_coordinates(tmp_path / "c.csv")
    with pytest.raises(BadInput, match="is not there"):
        read_coordinates(tmp_path / "none.csv")


def test_too_little_to_check_positions() -> None:
    check = positions_fit(np.ones((4, 5), np.float32), np.zeros((4, 3), np.float32))
    assert not check.ok
    assert "Too few" in check.text
