"""Cohorts in Arrow files: the same batches to the bit, mapped and not read; published data sets opened as they are."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.cohort import load_recording, load_series, open_cohort, zscored
from brainlm_engine.cohort.convert import convert_cohort
from brainlm_engine.cohort.describing import describe_cohort
from brainlm_engine.cohort.published import Reading
from brainlm_engine.recording import Recording
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.windows import draw_batch

Make = Callable[..., Recording]


def save_to_disk(folder: Path, columns: dict[str, Any], parts: int = 1) -> None:
    """Write an Arrow stream per part, in batches of two rows, as Hugging Face datasets does."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    for number in range(parts):
        first, last = number * table.num_rows // parts, (number + 1) * table.num_rows // parts
        with (
            pa.OSFile(str(folder / f"data-{number:05d}-of-{parts:05d}.arrow"), "wb") as file,
            pa.ipc.new_stream(file, table.schema) as out,
        ):
            out.write_table(table.slice(first, last - first), max_chunksize=2)
    (folder / "state.json").write_text("{}", encoding="utf-8")


def published(folder: Path, recordings: list[Recording], splits: dict[str, list[int]]) -> Path:
    """A data set in the toolkit's way: parcels first, but for the column that is scaled."""
    for split, chosen in splits.items():
        raw = [recordings[index].series.astype(float).tolist() for index in chosen]
        robust = [zscored(recordings[index]).T.tolist() for index in chosen]
        columns = {
            "Raw_Recording": raw,
            "Voxelwise_RobustScaler_Normalized_Recording": robust,
            "Filename": [f"10{index:05d}.dat_rs" for index in chosen],
            "Patient ID": ["_rs"] * len(chosen),
            "Gender": [float("nan")] * len(chosen),
        }
        save_to_disk(folder / split, columns, parts=2 if len(chosen) > 3 else 1)
    xyz = recordings[0].xyz
    places = {"Index": np.arange(len(xyz), dtype=np.float32)}
    save_to_disk(folder / "Brain_Region_Coordinates", places | {axis: xyz[:, i] for i, axis in enumerate("XYZ")})
    return folder


@pytest.fixture
def data_set(tmp_path: Path, make_recording: Make) -> Path:
    recordings = [make_recording(index, frames=200 + 5 * index) for index in range(10)]
    splits = {"train_ukbiobank1000": list(range(6)), "val_ukbiobank1000": [6, 7], "test_ukbiobank1000": [8, 9]}
    return published(tmp_path / "lab", recordings, splits)


@pytest.mark.parametrize("shard_bytes", [1 << 30, 40_000])
def test_batches_are_the_same_to_the_bit(
    small_cohort: Path, tmp_path: Path, make_recording: Make, shard_bytes: int
) -> None:
    hole = make_recording(3)
    hole.series[5], hole.missing[5] = np.nan, True
    hole.save(small_cohort / "recordings" / "sub-03_task-rest_run-1.safetensors")
    make_recording(30, frames=301).save(small_cohort / "recordings" / "sub-03_task-rest_run-2.safetensors")
    made = convert_cohort(small_cohort, tmp_path / "packed", shard_bytes=shard_bytes)
    assert made.recordings == {"train": 7, "val": 2, "test": 2}
    assert len(list((tmp_path / "packed" / "arrow").iterdir())) == (3 if shard_bytes > 1e6 else 5)
    for split in ("train", "val"):
        before, after = (load_series(open_cohort(folder), split) for folder in (small_cohort, made.folder))
        assert (before.people, before.names, before.tr_s) == (after.people, after.names, after.tr_s)
        assert before.shortest == after.shortest
        np.testing.assert_array_equal(before.xyz, after.xyz)
        for plan in (TrainSettings(steps=1, window_frames=100), TrainSettings(steps=1, variety=False)):
            for step in range(6):
                left, right = draw_batch(before, plan, step), draw_batch(after, plan, step)
                for name in ("signal", "xyz", "hidden", "queries"):
                    np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert describe_cohort(made.folder).model_dump(exclude={"path", "name"}) == describe_cohort(
        small_cohort
    ).model_dump(exclude={"path", "name"})


def test_values_are_views_of_the_mapped_file_and_travel_by_name(small_cohort: Path, tmp_path: Path) -> None:
    packed = convert_cohort(small_cohort, tmp_path / "packed").folder
    series = load_series(open_cohort(packed), "train")
    assert not series.values[0].flags.owndata
    assert not series.values[0].flags["W"]
    sent = pickle.dumps(series)
    assert len(sent) < 3 * len(pickle.dumps(series.xyz)) + 5000, "the numbers stay in the file"
    np.testing.assert_array_equal(pickle.loads(sent).values[4], series.values[4])
    assert [values.shape for values in series.values] == [(36, 240)] * 6


def test_a_recording_comes_back_with_its_gaps(small_cohort: Path, tmp_path: Path, make_recording: Make) -> None:
    hole = make_recording(2)
    hole.series[7], hole.missing[7] = np.nan, True
    hole.save(small_cohort / "recordings" / "sub-02_task-rest_run-1.safetensors")
    cohort = open_cohort(convert_cohort(small_cohort, tmp_path / "packed").folder)
    recording = load_recording(cohort.files["sub-02"][0])
    assert recording.missing.nonzero()[0].tolist() == [7]
    assert (recording.unit, recording.networks) == ("SD", hole.networks)
    np.testing.assert_allclose(zscored(recording), zscored(hole), atol=3e-3)


def test_a_packed_cohort_that_is_damaged_or_there(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "packed"
    convert_cohort(small_cohort, out)
    with pytest.raises(BadInput, match="is there already"):
        convert_cohort(small_cohort, out)
    with pytest.raises(BadInput, match="what this command reads"):
        convert_cohort(small_cohort, small_cohort)
    file = out / "arrow" / "train-00000.arrow"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(BadInput, match=r"train-00000\.arrow is not an Arrow file of a cohort.*damaged"):
        open_cohort(out)
    assert "damaged" in describe_cohort(out).problem


def test_published_data_open_as_they_are_whatever_the_axis(data_set: Path, make_recording: Make) -> None:
    with pytest.raises(BadInput, match="does not say how many seconds a frame takes"):
        open_cohort(data_set)
    (data_set / "dataset_description.json").write_text(json.dumps({"RepetitionTime": 0.72}), encoding="utf-8")
    raw = load_series(open_cohort(data_set), "train")
    robust = load_series(open_cohort(data_set, Reading(column="Voxelwise_RobustScaler_Normalized_Recording")), "train")
    assert raw.people == tuple(f"10{index:05d}" for index in range(6))
    for index, (left, right) in enumerate(zip(raw.values, robust.values, strict=True)):
        recording = make_recording(index, frames=200 + 5 * index)
        np.testing.assert_array_equal(left, zscored(recording).astype(np.float16))
        np.testing.assert_allclose(left, right, atol=4e-3)
    np.testing.assert_array_equal(raw.xyz, recording.xyz)
    info = describe_cohort(data_set)
    assert (info.problem, info.people, info.n_parcels, info.n_frames) == (
        "",
        {"train": 6, "val": 2, "test": 2},
        36,
        200,
    )


def test_published_data_are_converted_by_the_command(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "packed"
    words = ["cohort", "convert", str(data_set), "--out", str(out), "--json"]
    assert main(words) == 2
    assert "--tr" in json.loads(capsys.readouterr().out)["error"]["next_step"]
    assert main([*words, "--tr", "0.72"]) == 0
    assert json.loads(capsys.readouterr().out)["recordings"] == {"train": 6, "val": 2, "test": 2}
    direct = load_series(open_cohort(data_set, Reading(0.72)), "train")
    packed = load_series(open_cohort(out), "train")
    for left, right in zip(direct.values, packed.values, strict=True):
        np.testing.assert_array_equal(left, right)
    assert main(["cohort", "show", str(out)]) == 0
    assert "0.72" in capsys.readouterr().out


def test_a_train_folder_alone_is_split_by_person(tmp_path: Path, make_recording: Make) -> None:
    folder = published(tmp_path / "toolkit", [make_recording(index) for index in range(20)], {"train": list(range(20))})
    cohort = open_cohort(folder, Reading(0.72))
    assert [len(cohort.people(split)) for split in ("train", "val", "test")] == [16, 2, 2]
    assert "one in ten" in cohort.notes[0]
    assert open_cohort(folder, Reading(0.72)).split == cohort.split


def test_nothing_is_learned_from_people_who_stand_in_two_splits(tmp_path: Path, make_recording: Make) -> None:
    splits = {"train": [0, 1, 2], "val": [2, 3], "test": [4]}
    folder = published(tmp_path / "torn", [make_recording(index) for index in range(5)], splits)
    cohort = open_cohort(folder, Reading(0.72))
    assert cohort.people("train") == ["1000000", "1000001"]
    assert "1 of the people" in cohort.notes[0]


def test_published_data_that_cannot_be_used(data_set: Path, tmp_path: Path, make_recording: Make) -> None:
    with pytest.raises(BadInput, match="has no column Nothing; it has Raw_Recording"):
        open_cohort(data_set, Reading(0.72, "Nothing"))
    table = tmp_path / "A424_Coordinates.dat"
    np.savetxt(table, np.column_stack([np.arange(30), np.zeros((30, 3))]))
    with pytest.raises(BadInput, match="cannot be laid over 30 parcels: row 0 is 36 x 240"):
        open_cohort(data_set, Reading(0.72, coordinates=table))
    file = next((data_set / "train_ukbiobank1000").glob("*.arrow"))
    file.write_bytes(b"torn")
    with pytest.raises(BadInput, match="not an Arrow file, or it is damaged"):
        open_cohort(data_set, Reading(0.72))
    table.unlink()
    for path in (data_set / "Brain_Region_Coordinates").iterdir():
        path.unlink()
    with pytest.raises(BadInput, match="positions of the parcels"):
        open_cohort(data_set, Reading(0.72))
