"""Tables made here: delimiters, headers, binary formats, direction of time, faults."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.signal import lfilter

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io import TableScan, open_scan
from brainlm_engine.io.faults import human_size
from brainlm_engine.io.repetition import from_header, parse_tr


def signals(frames: int = 120, regions: int = 12, seed: int = 0) -> np.ndarray:
    """Smooth in time, (frames, regions)."""
    noise = np.random.default_rng(seed).standard_normal((frames + 20, regions))
    return lfilter([1.0], [1.0, -0.7], noise, axis=0)[20:] * 10 + 100


def opened(path: Path, answers: dict[str, str] | None = None) -> TableScan:
    scan = open_scan(path, answers or {})
    assert isinstance(scan, TableScan)
    return scan


def written(path: Path, rows: list[list[object]], delimiter: str, **options: str) -> Path:
    path.write_text("\n".join(delimiter.join(str(c) for c in row) for row in rows) + "\n", **options)
    return path


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", " ", "   ", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_delimiters(tmp_path: Path, delimiter: str, header: bool) -> None:
    x = signals()
    rows: list[list[object]] = [list(map(float, row)) for row in x]
    names = [f"area{i}" for i in range(12)]
    scan = opened(written(tmp_path / "t.txt", [list(names), *rows] if header else rows, delimiter))
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)
    assert scan.names == tuple(names if header else map(str, range(1, 13)))


@pytest.mark.parametrize("delimiter", [";", "\t", " "])
def test_decimal_comma(tmp_path: Path, delimiter: str) -> None:
    x = signals()
    path = tmp_path / "t.csv"
    path.write_text("\n".join(delimiter.join(f"{v:.4f}".replace(".", ",") for v in row) for row in x))
    np.testing.assert_allclose(opened(path).matrix, x.T, atol=1e-4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    x = signals()
    rows: list[list[object]] = [[f"région {i}" for i in range(12)], *[list(map(float, r)) for r in x]]
    scan = opened(written(tmp_path / "t.tsv", rows, "\t", encoding=encoding))
    assert scan.names[3] == "région 3"
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)


def test_quotes_trailing_delimiters_and_gzip(tmp_path: Path) -> None:
    x = signals()
    text = ",".join(f'"a, {i}"' for i in range(12)) + ",\n" + "".join(",".join(map(str, r)) + ",\n" for r in x)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    scan = opened(tmp_path / "t.csv.gz")
    assert scan.names[2] == "a, 2"
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)


@pytest.mark.parametrize("head", ["#1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12", "# made by a program\n# on a day", "%"])
def test_commented_heads(tmp_path: Path, head: str) -> None:
    x = signals()
    (tmp_path / "t.1D").write_text(head + "\n" + "\n".join(" ".join(map(str, r)) for r in x))
    assert opened(tmp_path / "t.1D").matrix.shape == (12, 120)


@pytest.mark.parametrize("first", [0, 1])
def test_running_numbers_are_no_region(tmp_path: Path, first: int) -> None:
    x = signals()
    rows: list[list[object]] = [[i + first, *map(float, row)] for i, row in enumerate(x)]
    scan = opened(written(tmp_path / "t.csv", rows, ","))
    assert scan.n_parcels == 12
    assert any("counts the rows" in note for note in scan.notes)
    numbered: list[list[object]] = [[first + i for i in range(12)], *[list(map(float, r)) for r in x]]
    assert opened(written(tmp_path / "u.csv", numbered, ",")).matrix.shape == (12, 120)


def test_time_column_gives_the_tr(tmp_path: Path) -> None:
    rows: list[list[object]] = [["time", *[f"r{i}" for i in range(12)]]]
    rows += [[round(i * 0.8, 6), *map(float, row)] for i, row in enumerate(signals())]
    scan = opened(written(tmp_path / "t.csv", rows, ","))
    assert scan.tr_s == pytest.approx(0.8)
    assert scan.n_parcels == 12


def test_names_in_front_of_rows_and_frames_in_the_header(tmp_path: Path) -> None:
    x = signals(40, 12)
    rows: list[list[object]] = [["", *[f"t{i}" for i in range(40)]]]
    rows += [[f"area{i}", *map(float, x[:, i])] for i in range(12)]
    scan = opened(written(tmp_path / "t.csv", rows, ","))
    assert scan.names[11] == "area11"
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_direction_of_time_and_turning_it(tmp_path: Path, turned: bool) -> None:
    x = signals(150, 90)
    np.save(tmp_path / "t.npy", x.T if turned else x)
    scan = opened(tmp_path / "t.npy")
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)
    assert scan.notes[0].startswith("Read as 150 frames of 90 regions")
    assert next(q for q in scan.info.questions if q.question_id == "orientation").found
    other = opened(tmp_path / "t.npy", {"orientation": "frames_rows" if turned else "frames_columns"})
    assert other.matrix.shape == (150, 90)
    with pytest.raises(BadInput, match="which way time runs"):
        opened(tmp_path / "t.npy", {"orientation": "sideways"})


def test_noise_falls_back_on_known_region_counts(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.random.default_rng(1).standard_normal((424, 333 - 20)))
    assert opened(tmp_path / "t.npy").matrix.shape == (424, 313)


def test_a_direction_that_nothing_decides_is_asked(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.random.default_rng(1).standard_normal((301, 313)))
    asked = next(q for q in opened(tmp_path / "t.npy").info.questions if q.question_id == "orientation")
    assert not asked.found
    assert asked.default in ("frames_rows", "frames_columns")


def test_numpy_archives(tmp_path: Path) -> None:
    x = signals()
    np.savez(tmp_path / "one.npz", bold=x, tr=2.0)
    np.testing.assert_allclose(opened(tmp_path / "one.npz").matrix, x.T, rtol=1e-6)
    np.savez_compressed(tmp_path / "two.npz", left=x, right=x[:, ::-1])
    scan = opened(tmp_path / "two.npz", {"recording": "right"})
    np.testing.assert_allclose(scan.matrix, x.T[::-1], rtol=1e-6)
    np.savez(tmp_path / "people.npz", data=np.stack([x, x + 1, x + 2]))
    scan = opened(tmp_path / "people.npz", {"recording": "3"})
    np.testing.assert_allclose(scan.matrix, x.T + 2, rtol=1e-6)
    with pytest.raises(BadInput, match="no recording '4'"):
        opened(tmp_path / "people.npz", {"recording": "4"})


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([signals(), None], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([signals(), None], dtype=object))
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(signals()))
    for name in ("a.npy", "b.npz", "c.pkl"):
        with pytest.raises(BadInput, match="pickle"):
            open_scan(tmp_path / name)


def test_matlab(tmp_path: Path) -> None:
    x = signals()
    savemat(tmp_path / "five.mat", {"ts": x.T, "TR": 0.9, "label": "text"})
    scan = opened(tmp_path / "five.mat")
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)
    assert scan.tr_s == pytest.approx(0.9)
    with h5py.File(tmp_path / "seven.mat", "w", userblock_size=512) as file:
        file["ts"] = x
    content = bytearray((tmp_path / "seven.mat").read_bytes())
    content[:19] = b"MATLAB 7.3 MAT-file"
    (tmp_path / "seven.mat").write_bytes(content)
    np.testing.assert_allclose(opened(tmp_path / "seven.mat").matrix, x.T, rtol=1e-6)
    savemat(tmp_path / "none.mat", {"label": "text", "n": 3})
    with pytest.raises(BadInput, match="no matrix of numbers"):
        open_scan(tmp_path / "none.mat")


def test_hdf5(tmp_path: Path) -> None:
    x = signals()
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["a/b"] = x
        file["a/b"].attrs["TR"] = 1.5
    scan = opened(tmp_path / "one.h5")
    assert (scan.tr_s, scan.matrix.shape) == (1.5, (12, 120))
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["text"] = "words"
    with pytest.raises(BadInput, match="no matrix of numbers"):
        open_scan(tmp_path / "none.h5")
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("x", (10**8, 10**5), "f8", chunks=(1000, 1000))
    with pytest.raises(BadInput, match=r"more than 4.0 GB"):
        open_scan(tmp_path / "huge.h5")


def test_parcel_series(tmp_path: Path) -> None:
    from nibabel.cifti2 import Cifti2Image
    from nibabel.cifti2.cifti2_axes import BrainModelAxis, ParcelsAxis, SeriesAxis

    x = signals(60, 5).astype(np.float32)
    voxels = [(f"area{i}", BrainModelAxis.from_mask(_one_voxel(i), name="other", affine=np.eye(4))) for i in range(5)]
    image = Cifti2Image(x, (SeriesAxis(0, 0.72, 60), ParcelsAxis.from_brain_models(voxels)))
    image.to_filename(tmp_path / "run.ptseries.nii")
    scan = opened(tmp_path / "run.ptseries.nii")
    np.testing.assert_allclose(scan.matrix, x.T, rtol=1e-6)
    assert scan.tr_s == pytest.approx(0.72)
    assert scan.names[4] == "area4"
    dense = Cifti2Image(x, (SeriesAxis(0, 0.72, 60), BrainModelAxis.from_mask(np.ones((5, 1, 1)), affine=np.eye(4))))
    dense.to_filename(tmp_path / "run.dtseries.nii")
    with pytest.raises(BadInput, match="dense CIFTI"):
        open_scan(tmp_path / "run.dtseries.nii")


def _one_voxel(i: int) -> np.ndarray:
    mask = np.zeros((5, 5, 5), bool)
    mask[i, 2, 2] = True
    return mask


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "a,b,c\n1,2,3\n4,5\n", "uneven"),
        ("b.csv", "a,b,c\n1,2,x\n4,5,6\n7,8,9\n", "holds text"),
        ("c.csv", "\n\n", "holds no numbers"),
        ("d.csv", "a,b,c,d\n1,2,3,4\n", "one frame"),
        ("e.csv", "a,b\n1,1\n1,1\n1,1\n", "no region whose values change"),
        ("f.txt", "Dear colleague, the scan will follow tomorrow.\nBest wishes\n", "holds|uneven|text"),
        (
            "g.npy",
            b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9), }".ljust(128),
            "damaged",
        ),
        ("h.mat", b"MATLAB 5.0 MAT-file".ljust(300, b"\x01"), "damaged"),
        ("i.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 300, r"i\.h5 could not be read: it is damaged or cut off\. Check"),
        ("j.xlsx", b"PK\x03\x04" + b"\0" * 300, "damaged"),
        ("k.npy", b"\x93NUMPY", "damaged"),
        (
            "l.npy",
            b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 999999), }".ljust(128),
            "damaged",
        ),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match=words) as caught:
        open_scan(path)
    assert name in caught.value.message
    assert "\n" not in caught.value.message


def test_sidecar_gives_the_tr(tmp_path: Path) -> None:
    written(tmp_path / "run_timeseries.tsv", [list(map(float, r)) for r in signals()], "\t")
    (tmp_path / "run_timeseries.json").write_text(json.dumps({"RepetitionTime": 0.735}))
    assert opened(tmp_path / "run_timeseries.tsv").tr_s == 0.735
    assert opened(tmp_path / "run_timeseries.tsv", {"tr": "2"}).tr_s == 2.0
    assert not opened(tmp_path / "run_timeseries.tsv").simulated
    (tmp_path / "run_timeseries.json").write_text(json.dumps({"Provenance": {"simulated": True}}))
    scan = opened(tmp_path / "run_timeseries.tsv")
    assert scan.simulated
    assert "simulated" in scan.notes[0]


def test_gaps_are_bridged_and_told(tmp_path: Path) -> None:
    x = signals()
    x[50, 3] = np.inf
    x[60:62, 4] = np.nan
    np.save(tmp_path / "t.npy", x)
    scan = opened(tmp_path / "t.npy")
    assert np.isfinite(scan.matrix).all()
    assert scan.matrix[3, 50] == pytest.approx((x[49, 3] + x[51, 3]) / 2, rel=1e-6)
    assert any("interpolated: 3 in regions 4; 5" in note for note in scan.notes)


@pytest.mark.parametrize(
    ("value", "unit", "tr", "source", "asked"),
    [
        (2.0, "sec", 2.0, "header", False),
        (1350.0, "msec", 1.35, "header", False),
        (720000.0, "usec", 0.72, "header", False),
        (0.8, "", 0.8, "header", False),
        (1.0, "", 1.0, "header", True),
        (2000.0, "sec", 2.0, "assumed", True),
        (2.0, "msec", 2.0, "assumed", True),
        (0.0, "sec", None, "", True),
        (-1.0, "sec", None, "", True),
        (float("nan"), "sec", None, "", True),
        (60.0, "sec", None, "", True),
        (0.05, "sec", None, "", True),
    ],
)
def test_tr(value: float, unit: str, tr: float | None, source: str, asked: bool) -> None:
    found = from_header(value, unit, {})
    assert (found.tr_s, found.source, bool(found.questions)) == (tr, source, asked)
    if tr is None:
        assert found.questions[0].required
    answered = from_header(value, unit, {"tr": "2.2"})
    assert (answered.tr_s, answered.source) == (2.2, "answer")


def test_typed_tr() -> None:
    assert [parse_tr(text) for text in ("2", " 2,5 s", "1350 ms", "0.72sec")] == [2.0, 2.5, 1.35, 0.72]
    for text in ("", "two", "-2", "2000", "0.1", "nan", "1e9"):
        with pytest.raises(BadInput, match="not a time between"):
            parse_tr(text)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros(20, [("a", "<f4"), ("b", "<f4")]), "records of several values each"),
        (np.array([["a", "b"], ["c", "d"]]), "text"),
        (np.zeros((4, 4), complex), "complex numbers"),
        (np.zeros((4, 4), "M8[s]"), "dates"),
    ],
)
def test_other_kinds_of_values_are_named_in_words(tmp_path: Path, array: np.ndarray, kind: str) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(BadInput, match=f"x.npy holds {kind}, not measured signal"):
        open_scan(tmp_path / "x.npy")


def test_sizes_as_a_person_reads_them() -> None:
    assert [human_size(n) for n in (12, 4.2e6, 1e13, 1e19)] == ["12 bytes", "4.2 MB", "10.0 TB", "more than 1000 TB"]


def test_names_with_commas_are_told_apart(tmp_path: Path) -> None:
    values = signals(40, 4)
    values[:, 1:3] = 5.0
    np.savetxt(tmp_path / "t.tsv", values, delimiter="\t", header="a, left\tb, left\tc, left\td, left", comments="")
    assert any("constant: regions b, left; c, left." in note for note in opened(tmp_path / "t.tsv").notes)
