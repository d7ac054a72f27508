"""The whole table of a model, what its embeddings tell, and the report card that is kept of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.report_card import RESEARCH, ReportCard, as_html, as_markdown
from brainlm_engine.cli import main
from brainlm_engine.models import load_model
from brainlm_engine.models.registry import find_model
from brainlm_engine.paths import data_dir
from brainlm_engine.recording import Recording
from brainlm_engine.report.cards import FILE, keep_report, report_card, tables_of
from brainlm_engine.tasks.evaluate_all import evaluate_all
from brainlm_engine.tasks.evaluate_embeddings import evaluate_embeddings

Make = Callable[..., Recording]


def cohort_of_two_groups(folder: Path, make: Make, *, shuffled: bool = False) -> Path:
    """48 people; in group B a third of the parcels swings together."""
    (folder / "recordings").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = ["participant_id\tsplit\tage\tgroup\tmean_fd"]
    groups = ["A", "B"] * 24
    said = list(rng.permutation(groups)) if shuffled else groups
    for index, group in enumerate(groups):
        recording = make(index, frames=100)
        series = recording.series.copy()
        if group == "B":
            series[:12] += 2.5 * series.std() * np.sin(np.arange(100) / 5)[None]
        made = Recording(**{**recording.__dict__, "series": series.astype(np.float32)})
        person = f"sub-{index:02d}"
        made.save(folder / "recordings" / f"{person}_task-rest_run-1.safetensors")
        split = "train" if index < 24 else "test"
        rows.append(f"{person}\t{split}\t{rng.uniform(20, 80):.1f}\t{said[index]}\t0.1")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "dataset_description.json").write_text(json.dumps({"simulated": True}), encoding="utf-8")
    return folder


def test_a_planted_group_is_told_and_shuffled_labels_are_not(make_recording: Make, tmp_path: Path) -> None:
    model = load_model()
    planted = evaluate_embeddings(model, cohort_of_two_groups(tmp_path / "a", make_recording))
    by_name = {trait.name: trait for trait in planted.traits}
    assert set(by_name) == {"age", "group"}
    group = by_name["group"]
    assert (group.taught, group.people, group.levels) == (24, 24, ("A", "B"))
    figures = {row.method: row for row in group.rows}
    assert figures["embedding"].figure > 0.65
    assert figures["connectivity"].figure > 0.9
    assert figures["nothing"].figure == pytest.approx(0.5)
    assert figures["nothing"].other == pytest.approx(0.5)
    age = {row.method: row.figure for row in by_name["age"].rows}
    assert age["nothing"] <= 0
    assert age["embedding"] < 0.3

    assert planted.notes == ()

    folder = cohort_of_two_groups(tmp_path / "b", make_recording, shuffled=True)
    people = (folder / "participants.tsv").read_text(encoding="utf-8").splitlines()
    rows = [f"{people[0]}\tdx", *(f"{line}\t{number % 3}" for number, line in enumerate(people[1:]))]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    none = evaluate_embeddings(model, folder)
    assert none.notes == ("The column dx has 3 groups and is left out: two are told apart at a time.",)
    shuffled = next(trait for trait in none.traits if trait.name == "group")
    row = next(row for row in shuffled.rows if row.method == "embedding")
    assert row.low < 0.5 < row.high


def test_too_few_people_or_no_traits_are_said(small_cohort: Path) -> None:
    with pytest.raises(BadInput, match="needs 20"):
        evaluate_embeddings(load_model(), small_cohort)


def test_all_parts_and_a_note_for_the_one_that_cannot_be(small_cohort: Path) -> None:
    table = evaluate_all(load_model(), small_cohort, frames=60, parts=("forecasts", "embeddings"))
    assert table.rows
    assert table.forecasts is not None
    assert table.networks is None
    assert table.embeddings is None
    assert any(note.startswith("No embeddings: ") for note in table.notes)
    assert len(table.about["weights"]) == 16
    titles = [each.title for each in tables_of(table)]
    assert len(titles) == 2
    with pytest.raises(BadInput, match="no part “stars”"):
        evaluate_all(load_model(), small_cohort, parts=("stars",))


def test_report_cards_are_kept_and_replaced(small_cohort: Path, tmp_path: Path) -> None:
    table = evaluate_all(load_model(), small_cohort, frames=60, parts=())
    shipped = find_model("studio-tiny")
    before = {path.name: path.read_bytes() for path in shipped.iterdir()}
    card = keep_report(table, shipped)
    assert {path.name: path.read_bytes() for path in shipped.iterdir()} == before, "what is shipped stays as it is"
    assert (data_dir() / "report_cards" / "studio-tiny.json").is_file()
    again = keep_report(table.model_copy(update={"notes": ("New.",)}), shipped)
    assert len(again.evaluations) == len(card.evaluations)
    kept = next(each for each in report_card(shipped).evaluations if each.data == table.data)
    assert kept.notes == ("New.",)
    assert kept.tables[0].rows[0][1] == f"{table.rows[0].r2:.3f}"
    text, page = as_markdown(card), as_html(card)
    for said in (text, page):
        assert RESEARCH in said
        assert f"{table.rows[0].r2:.3f}" in said
        assert card.title in said
    assert ReportCard.model_validate_json(card.model_dump_json()) == card


def test_parts_are_added_and_other_weights_are_told(small_cohort: Path, tmp_path: Path) -> None:
    mine = tmp_path / "studio-tiny"
    shutil.copytree(find_model("studio-tiny"), mine)
    model = load_model(mine)
    keep_report(evaluate_all(model, small_cohort, frames=60, parts=("forecasts",)), mine)
    card = keep_report(evaluate_all(model, small_cohort, frames=60, parts=()), mine)
    new = card.evaluations[-1]
    assert [each.part for each in new.tables] == ["reconstruction", "forecasts"], "the other part stays"
    assert new.notes == ()
    assert f"made {new.made}" in as_markdown(card)
    weights = mine / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(bytes(changed))
    assert "other weights" in report_card(mine).evaluations[-1].notes[0]
    assert not (data_dir() / "report_cards" / "studio-tiny.json").exists(), "an own model keeps its own card"


def test_the_command_saves_json_and_markdown(
    small_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = tmp_path / "t.md", str(small_cohort)
    words = ["evaluate", "studio-tiny", data, "--frames", "60", "--parts", "reconstruction", "--external", data]
    assert main([*words, "--save", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["external"]) == 1
    assert result["external"][0]["rows"] == result["rows"]
    text = out.read_text(encoding="utf-8")
    assert text.startswith("# Studio tiny")
    assert f"{result['rows'][0]['r2']:.3f}" in text
    assert FILE == "report.json"
    assert main([*words[:4], "60", "--parts", "stars"]) == 2
