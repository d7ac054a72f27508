"""``inspect`` and ``parcellate`` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.cli import main
from brainlm_engine.recording import Recording


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, dict, str]:
    code = main([*map(str, args), "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


@pytest.mark.shared_data
def test_inspect(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result, said = run(capsys, "inspect", shared_data / "nifti" / "nibabel_example4d.nii.gz")
    assert code == 0
    assert result["shape"] == [128, 96, 24, 2]
    assert "The header says 2000 s per volume. Use 2.0 s?" in said
    code, result, _ = run(
        capsys, "inspect", shared_data / "nifti" / "nibabel_example4d.nii.gz", "--answer", "tr=2.5"
    )  # fmt: skip
    assert result["tr_s"] == 2.5
    code, result, said = run(capsys, "inspect", shared_data / "awkward" / "derived_from_real" / "zero_byte.nii.gz")
    assert code == 2
    assert result["error"]["code"] == "bad_input"
    assert "Traceback" not in said
    assert run(capsys, "inspect", "x.nii", "--answer", "nonsense")[0] == 2


@pytest.mark.shared_data
def test_parcellate_a_scan(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = shared_data / "nifti" / "brcdata_0040071_COBRE_3mm_MNI_5vol.nii.gz"
    out = tmp_path / "new folder" / "series.tsv"
    code, result, _ = run(capsys, "parcellate", scan, "--atlas", "mni424", "--out", out)
    assert code == 0
    assert (result["frames"], result["regions"], result["tr_s"]) == (5, 424, 2.0)
    lines = out.read_text("utf-8").splitlines()
    assert len(lines) == 6
    head = json.loads(out.with_suffix(".json").read_text("utf-8"))
    assert head["RepetitionTime"] == 2.0
    assert head["Regions"] == lines[0].split("\t")
    assert len(head["Coverage"]) == 424
    assert head["Provenance"]["source"] == str(scan)
    code, again, _ = run(capsys, "inspect", out)
    assert again["shape"] == [424, 5]
    assert again["tr_s"] == 2.0
    assert again["atlas_id"] == "mni424"


@pytest.fixture
def placeless(tmp_path: Path) -> Path:
    """A scan whose header gives no position and, as many programs write it, 2000 s per volume."""
    data = np.random.default_rng(0).normal(1000, 10, (46, 55, 46, 6)).astype(np.float32)
    image = nib.Nifti1Image(data, None)
    image.header.set_zooms((4, 4, 4, 2000))
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(tmp_path / "placeless.nii")
    return tmp_path / "placeless.nii"


def test_nothing_is_computed_while_a_question_is_open(
    placeless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "series.tsv"
    code, result, _ = run(capsys, "parcellate", placeless, "--out", out)
    assert code == 2
    assert "does not say where its voxels lie" in result["error"]["message"]
    assert "--answer space=affine" in result["error"]["next_step"]
    assert not out.exists()
    code, result, _ = run(capsys, "parcellate", placeless, "--out", out, "--answer", "space=atlas")
    assert code == 2
    assert "--atlas" in result["error"]["next_step"]
    assert run(capsys, "parcellate", placeless, "--out", out, "--answer", "space=perhaps")[0] == 2
    assert not out.exists()


def test_what_was_assumed_is_told_with_the_result(
    placeless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "series.tsv"
    code, result, _ = run(capsys, "parcellate", placeless, "--out", out, "--answer", "space=affine")
    assert code == 0
    assert (result["tr_s"], result["tr_source"]) == (2.0, "assumed")
    kept = json.loads(out.with_suffix(".json").read_text("utf-8"))["Provenance"]["notes"]
    for notes in (result["notes"], kept):
        assert "The header says 2000 s per volume; 2.0 s is assumed." in notes
        assert any("left and right may be wrong" in note for note in notes)
    answers = ["--answer", "space=atlas", "--atlas", "mni424", "--answer", "tr=1.5"]
    code, result, _ = run(capsys, "parcellate", placeless, "--out", out, *answers)
    assert (code, result["tr_s"], result["tr_source"]) == (0, 1.5, "answer")
    assert any("mni424 was taken as made for it" in note for note in result["notes"])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    ["brainiak_subject1_bet.nii.gz", "fslfeeds_filtered_func_data.nii", "pyhrf_subj0_bold_session0.nii.gz"],
)
def test_real_scans_in_no_known_space_are_not_parcellated_unasked(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, result, _ = run(capsys, "parcellate", shared_data / "nifti" / name, "--out", tmp_path / "s.tsv")
    assert code == 2
    assert "space=affine" in result["error"]["next_step"]


@pytest.mark.shared_data
def test_parcellate_spares_what_is_there(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = tmp_path / "run_bold.nii.gz"
    scan.write_bytes((shared_data / "nifti" / "brcdata_0040071_COBRE_3mm_MNI_5vol.nii.gz").read_bytes())
    (tmp_path / "run_bold.json").write_text('{"RepetitionTime": 2.0}')
    before = scan.stat().st_size
    assert run(capsys, "parcellate", scan, "--out", scan)[0] == 2
    assert run(capsys, "parcellate", scan, "--out", tmp_path / "run_bold.tsv")[0] == 2
    assert scan.stat().st_size == before
    assert (tmp_path / "run_bold.json").read_text() == '{"RepetitionTime": 2.0}'
    for _ in range(2):
        assert run(capsys, "parcellate", scan, "--out", tmp_path / "series.tsv")[0] == 0
    assert run(capsys, "parcellate", scan, "--out", tmp_path / "r.safetensors")[0] == 0
    assert Recording.load(tmp_path / "r.safetensors").series.shape == (424, 5)


@pytest.mark.shared_data
def test_parcellate_a_table_with_confounds(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = shared_data / "abide" / "raw_1D_examples" / "OHSU_0050142_rois_cc200.1D"
    motion = np.random.default_rng(0).standard_normal((78, 2))
    (tmp_path / "c.tsv").write_text("x\ty\nn/a\tn/a\n" + "\n".join(f"{a}\t{b}" for a, b in motion[1:]))
    out = tmp_path / "series.tsv"
    args = ["parcellate", table, "--coordinates", shared_data / "abide" / "cc200_coordinates.csv", "--out", out]
    code, result, _ = run(capsys, *args)
    assert code == 2
    assert "how many seconds" in result["error"]["message"]
    assert result["error"]["next_step"] == "Give it with --tr, for example --tr 2.0."
    assert not out.exists()
    code, result, _ = run(capsys, "parcellate", table, "--out", out, "--answer", "tr=2.5")
    assert code == 2
    assert "--coordinates FILE" in result["error"]["next_step"]
    places = f"positions={shared_data / 'abide' / 'cc200_coordinates.csv'}"
    code, result, _ = run(capsys, "parcellate", table, "--out", out, "--answer", "tr=2.5", "--answer", places)
    assert (code, result["regions"]) == (0, 200)
    code, result, _ = run(capsys, *args, "--tr", "2.5", "--confounds", tmp_path / "c.tsv")
    assert code == 0
    assert (result["frames"], result["regions"]) == (78, 200)
    assert run(capsys, *args, "--tr", "2.5", "--atlas", "mni424")[0] == 2
    assert run(capsys, "parcellate", table, "--out", tmp_path)[0] == 2


@pytest.mark.shared_data
def test_damaged_scan_leaves_nothing_behind(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "awkward" / "derived_from_real"
    for name in ("truncated_60pct.nii.gz", "crc_corrupt_middle.nii.gz"):
        code, result, said = run(capsys, "parcellate", folder / name, "--out", tmp_path / "s.tsv")
        assert code == 2
        assert name in result["error"]["message"]
        assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []


def _waves(path: Path, regions: int = 30, frames: int = 80) -> tuple[Path, Path]:
    """Write a table whose near regions go together, and the positions of its regions."""
    rng = np.random.default_rng(0)
    xyz = rng.uniform(-60, 60, (regions, 3))
    near = np.exp(-((np.linalg.norm(xyz[:, None] - xyz[None], axis=2) / 25) ** 2))
    series = near @ np.cumsum(rng.normal(size=(regions, frames)), 1)
    series[4] = 7.0
    np.savetxt(path / "t.csv", series.T, delimiter=",", header=",".join(map(str, range(1, regions + 1))), comments="")
    np.savetxt(path / "c.csv", xyz, delimiter=",", header="x,y,z", comments="", fmt="%.2f")
    return path / "t.csv", path / "c.csv"


@pytest.mark.parametrize("ending", ["tsv", "safetensors"])
def test_what_was_written_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    table, places = _waves(tmp_path)
    first, second = tmp_path / f"a.{ending}", tmp_path / "b.safetensors"
    code, told, _ = run(capsys, "parcellate", table, "--coordinates", places, "--tr", "1", "--out", first)
    assert (code, told["missing"]) == (0, 1)
    code, info, said = run(capsys, "inspect", first)
    assert (code, info["shape"], info["tr_s"], info["questions"]) == (0, [30, 80], 1.0, [])
    assert said == ""
    assert set(told["notes"]) <= set(info["notes"])
    code, again, _ = run(capsys, "parcellate", first, "--out", second)
    assert (code, again["missing"]) == (0, 1)
    assert set(told["notes"]) <= set(again["notes"])
    found = Recording.load(second)
    assert list(np.flatnonzero(found.missing)) == [4]
    assert found.coverage[4] == 0
    np.testing.assert_allclose(found.xyz, np.loadtxt(places, delimiter=",", skiprows=1), atol=0.006)
    np.testing.assert_allclose(
        np.delete(found.series, 4, 0), np.delete(np.loadtxt(table, delimiter=",", skiprows=1).T, 4, 0), rtol=1e-5
    )
    code, other, _ = run(capsys, "parcellate", first, "--out", second, "--tr", "2.5", "--coordinates", places)
    assert (code, other["tr_s"]) == (0, 2.5)


def test_few_regions_with_numbers_for_names_keep_their_first_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("".join(f"{i % 5},{(i * 3) % 7},{i * i % 11}\n" for i in range(20)))
    (tmp_path / "c.csv").write_text("x,y,z\n10,20,30\n-10,20,30\n0,-60,5\n")
    out = tmp_path / "a.tsv"
    args = ["--tr", "2", "--answer", "orientation=frames_rows", "--coordinates", tmp_path / "c.csv", "--out", out]
    assert run(capsys, "parcellate", tmp_path / "t.csv", *args)[1]["frames"] == 20
    assert run(capsys, "inspect", out)[1]["shape"] == [3, 20]


def test_a_table_of_an_atlas_finds_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from brainlm_engine.atlas import load_atlas

    np.save(tmp_path / "t.npy", np.random.default_rng(0).normal(size=(40, 424)).cumsum(0))
    first, second = tmp_path / "a.tsv", tmp_path / "b.safetensors"
    args = ["--tr", "2", "--answer", "orientation=frames_rows", "--answer", "positions=mni424", "--out", first]
    assert run(capsys, "parcellate", tmp_path / "t.npy", *args)[1]["atlas"] == "mni424"
    assert run(capsys, "parcellate", first, "--out", second)[1]["atlas"] == "mni424"
    assert Recording.load(second).networks == load_atlas().networks
    assert run(capsys, "inspect", second)[1]["atlas_id"] == "mni424"
    content = json.loads(first.with_suffix(".json").read_text("utf-8"))
    content["Atlas"], content["Regions"] = "gone", [f"r{i}" for i in range(424)]
    first.with_suffix(".json").write_text(json.dumps(content))
    code, told, _ = run(capsys, "parcellate", first, "--out", second)
    assert (code, told["atlas"]) == (0, "")
    assert any("gone it was made with is not on this computer" in note for note in told["notes"])


def test_other_safetensors_are_no_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "w.safetensors")
    code, result, _ = run(capsys, "inspect", tmp_path / "w.safetensors")
    assert code == 2
    assert "w.safetensors is not a recording of this program" in result["error"]["message"]


def test_positions_out_of_order_are_sorted_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, places = _waves(tmp_path)
    rows = [f"{i + 1},{row}" for i, row in enumerate(places.read_text().splitlines()[1:])]
    (tmp_path / "turned.csv").write_text("\n".join(["roi,x,y,z", *reversed(rows)]))
    args = ["parcellate", table, "--tr", "2", "--out", tmp_path / "r.safetensors"]
    assert run(capsys, *args, "--coordinates", places)[0] == 0
    xyz = Recording.load(tmp_path / "r.safetensors").xyz
    code, told, _ = run(capsys, *args, "--coordinates", tmp_path / "turned.csv")
    assert code == 0
    np.testing.assert_array_equal(Recording.load(tmp_path / "r.safetensors").xyz, xyz)
    assert any("turned.csv were put in the order of the regions by its column 'roi'" in note for note in told["notes"])


def test_inspect_as_a_person_reads_it(tmp_path: Path, placeless: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one\ntwo.txt").write_text("1\n2\n3\n")
    assert main(["inspect", str(tmp_path / "one\ntwo.txt")]) == 0
    said = capsys.readouterr()
    assert "one␤two.txt\n" in said.out
    assert "1 to 3 (raw)" in said.out
    assert "3 frames of 1 region (" in said.out
    assert "Where does the region lie?" in said.err
    assert main(["inspect", str(placeless)]) == 0
    assert "Values          about " in capsys.readouterr().out
    assert main(["inspect", ""]) == 2
    assert "an empty text is no file name" in capsys.readouterr().err


def test_only_what_the_help_says_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, places = _waves(tmp_path)
    args = ["parcellate", table, "--coordinates", places, "--tr", "1", "--out"]
    code, told, _ = run(capsys, *args, tmp_path / "a.doc")
    assert code == 2
    assert told["error"]["next_step"] == "Let the name end in .tsv or .safetensors."
    assert run(capsys, *args, tmp_path / "a")[0] == 2
    assert run(capsys, *args, tmp_path / "a.tsv")[0] == 0
    (tmp_path / "a.tsv").rename(tmp_path / "a.txt")
    before = (tmp_path / "a.json").read_bytes()
    code, told, _ = run(capsys, *args, tmp_path / "a.tsv", "--answer", "tr=2")
    assert (code, told["error"]["message"]) == (2, "a.json exists already and describes a.txt.")
    assert (tmp_path / "a.json").read_bytes() == before
    assert not (tmp_path / "a.tsv").exists()
    assert run(capsys, *args, tmp_path / "B.SAFETENSORS")[0] == 0
    assert Recording.load(tmp_path / "B.SAFETENSORS").tr_s == 1.0


def test_which_confounds_were_regressed_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, places = _waves(tmp_path)
    motion = np.random.default_rng(1).normal(size=(80, 3))
    np.savetxt(tmp_path / "m.tsv", motion, delimiter="\t", header="trans_x\ttrans_y\trot_z", comments="")
    args = ["parcellate", table, "--coordinates", places, "--tr", "1", "--confounds", tmp_path / "m.tsv"]
    out = tmp_path / "r.safetensors"
    code, told, _ = run(capsys, *args, "--columns", "trans_x,rot_z", "--out", out)
    assert code == 0
    assert "m.tsv: 2 confounds (trans_x, rot_z) regressed out." in told["notes"]
    assert Recording.load(out).provenance["steps"][-1] == "regressed out 2 confounds (trans_x, rot_z) from m.tsv"


def test_inspect_suggests_the_options_that_the_help_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, _ = _waves(tmp_path)
    assert "--coordinates FILE" in run(capsys, "inspect", table)[2]
