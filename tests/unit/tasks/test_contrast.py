"""Contrasts of a cohort: everybody counts once, pairs stay together, what cannot be contrasted is one sentence."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.cohort import open_cohort
from brainlm_engine.cohort.people_table import people_table
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.contrast import contrast
from brainlm_engine.tasks.contrast_measures import measure
from brainlm_engine.tasks.contrast_people import Asked, choose_people, contrast_choices, parse_between, thinned

Make = Callable[..., Recording]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def people(tmp_path: Path, make_recording: Make) -> Path:
    """Ten people with two tasks, one of them twice; two without the second task; sex, age, site."""
    folder = tmp_path / "people"
    (folder / "recordings").mkdir(parents=True)
    rows = ["participant_id\tsplit\tsex\tage\tsite"]
    for number in range(12):
        person = f"sub-{number:02d}"
        age = "n/a" if number == 5 else str(40 + number)
        rows.append(f"{person}\ttrain\t{'FM'[number % 2]}\t{age}\t{'ABC'[number % 3]}")
        runs = [("rest", 1), *([("rest", 2)] * (number == 0)), *([("visual", 1)] * (number < 10))]
        for task, run in runs:
            recording = make_recording(10 * number + run + 5 * (task == "visual"), frames=100)
            recording.save(folder / "recordings" / f"{person}_task-{task}_run-{run}.safetensors")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def chosen(folder: Path, asked: Asked) -> object:
    return choose_people(open_cohort(folder), people_table(folder), asked)


def test_conditions_within_people(model: MaskedModel, people: Path) -> None:
    made = contrast(model, people, Asked("task", "rest", "visual"), permutations=200)
    info = made.info
    assert info.paired
    assert info.people == (10, 10)
    assert info.recordings == 21, "one person's second recording is averaged, not counted"
    assert info.df == 9
    assert any("2 people without both tasks" in note for note in info.notes)
    cohort = open_cohort(people)
    values = []
    for person in [f"sub-{number:02d}" for number in range(10)]:
        by_task: dict[str, list[np.ndarray]] = {"rest": [], "visual": []}
        for place in cohort.files[person]:
            task = "rest" if "task-rest" in place.name else "visual"
            by_task[task].append(measure(model, Recording.load(place), "attention").values["attention"])  # type: ignore[arg-type]
        values.append(np.mean(by_task["visual"], 0) - np.mean(by_task["rest"], 0))
    apart = np.array(values)
    assert np.allclose(made.arrays["attention_t"], apart.mean(0) / (apart.std(0, ddof=1) / np.sqrt(10)), atol=1e-4)
    again = contrast(model, people, Asked("task", "rest", "visual"), permutations=200)
    assert all(np.array_equal(again.arrays[name], array) for name, array in made.arrays.items())


def test_groups_between_people(model: MaskedModel, people: Path) -> None:
    asked = Asked("sex", "F", "M", covariates=("age", "site"), task="rest")
    made = contrast(model, people, asked, what="embedding", permutations=200)
    assert not made.info.paired
    assert made.info.people == (6, 5), "of one the age is not known"
    assert made.info.df == 11 - 2 - 3
    assert [method.method for method in made.info.methods] == ["embedding", "strength"]
    assert np.isnan(made.info.agreement), "dimensions are no parcels"


def test_everybody_a_share_of_the_groups(people: Path) -> None:
    everybody = chosen(people, Asked("sex", "F", "M"))
    few = thinned(everybody, 7)  # type: ignore[arg-type]
    assert sum(few.sizes) in (6, 7)
    assert min(few.sizes) >= 3
    assert thinned(everybody, None) is everybody  # type: ignore[arg-type]
    assert any("same tasks" in note for note in few.notes)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked("weight", "1", "2"), "no column “weight”"),
        (Asked("sex", "F", "X"), "Nobody has the value “X”"),
        (Asked("age", "41", "42"), "1 person has the value “41”"),
        (Asked("task", "rest", "music"), "no recordings of the task “music”"),
        (Asked("sex", "F", "F"), "cannot be contrasted with itself"),
        (Asked("sex", "F", "M", covariates=("weight",)), "no column “weight”"),
        (Asked("sex", "F", "M", covariates=("sex",)), "cannot be a covariate"),
        (Asked("sex", "F", "M", split="test"), "Nobody has the value “F”"),
        (Asked("sex", "F", "M", split="all"), "no split “all”"),
    ],
)
def test_what_cannot_be_contrasted(people: Path, asked: Asked, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        chosen(people, asked)


def test_what_is_written_wrongly() -> None:
    assert parse_between("sex=F, M") == ("sex", "F", "M")
    for wrong in ("sex", "sex=F", "=F,M", "sex=F,M,X", "sex=,M"):
        with pytest.raises(BadInput, match="does not say what is contrasted"):
            parse_between(wrong)
    with pytest.raises(BadInput, match="with itself"):
        parse_between("sex=F,F")


def test_what_can_be_chosen(people: Path, tmp_path: Path) -> None:
    found = contrast_choices(people)
    assert found.columns == {"task": ("rest", "visual"), "sex": ("F", "M"), "site": ("A", "B", "C")}
    assert found.numbers == ("age",)
    assert "participants.tsv" in contrast_choices(tmp_path).problem


def test_a_missing_parcel_is_not_tested(model: MaskedModel, people: Path, make_recording: Make) -> None:
    place = people / "recordings" / "sub-03_task-rest_run-1.safetensors"
    recording = Recording.load(place)
    missing = recording.missing.copy()
    missing[4] = True
    replace(recording, missing=missing).save(place)
    made = contrast(model, people, Asked("sex", "F", "M", task="rest"), permutations=100)
    assert np.isnan(made.arrays["attention_t"][4])
    assert np.isfinite(np.delete(made.arrays["attention_t"], 4)).all()
    assert any("1 of 36 tests" in note for note in made.info.notes)


def test_models_of_population_scaled_series_are_refused(people: Path) -> None:
    scaled = load_model()
    scaled.scaling = object()  # type: ignore[assignment]
    for what in ("attention", "embedding"):
        with pytest.raises(BadInput):
            contrast(scaled, people, Asked("sex", "F", "M"), what=what, permutations=100)  # type: ignore[arg-type]


def test_the_verb(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "told.csv"
    words = ["contrast", "studio-tiny", str(people), "--between", "task=rest,visual", "--permutations", "100"]
    assert main([*words, "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 36
    assert float(rows[3]["t_9"]) == pytest.approx(said["methods"][0]["tests"][3]["t"], rel=1e-3)
    assert main([*words, "--out", str(tmp_path / "told.json")]) == 0
    assert "p family" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))["methods"]) == 2
    assert main([*words, "--out", str(tmp_path / "told.txt")]) == 2
    assert "Let it end with .csv or .json" in capsys.readouterr().err
