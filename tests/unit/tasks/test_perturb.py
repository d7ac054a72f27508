"""Regions set, and what follows: exact where it can be known, refused where it cannot be done."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

import brainlm_engine
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Scenario, Target, level
from brainlm_engine.api.sweep import Place, SweepSpec
from brainlm_engine.cli import main
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M, Config13M
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.demo import demo_recording
from brainlm_engine.tasks.contrast_people import Asked, parse_between
from brainlm_engine.tasks.perturb import Preview, effective_connectivity, intervene
from brainlm_engine.tasks.perturb.asked import named_regions, parsed_target
from brainlm_engine.tasks.perturb.effective import ranks_together
from brainlm_engine.tasks.perturb.group import group_effects
from brainlm_engine.tasks.perturb.sweep import sweep
from brainlm_engine.tasks.perturb.targets import written
from brainlm_engine.tasks.perturb.validate import validate
from brainlm_engine.tasks.reconstruct import predict

Make = Callable[..., Recording]
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def recording(make_recording: Make) -> Recording:
    return make_recording(3, frames=300)


def one(value: float = 1.5, start: int = 130, stop: int = 175, region: int = 4, **more: object) -> Target:
    return Target(regions=(region,), start=start, stop=stop, value=value, **more)  # type: ignore[arg-type]


def scenario(*targets: Target, nulls: int = 0, **more: int) -> Scenario:
    return Scenario(targets=targets or (one(),), nulls=nulls, **more)


def test_shapes_are_what_they_are_called() -> None:
    assert level(one(2.0, 0, 4)).tolist() == [2, 2, 2, 2]
    assert level(one(2.0, 0, 4, shape="ramp")).tolist() == [0.25, 0.75, 1.25, 1.75]
    pulse = level(one(2.0, 0, 101, shape="pulse"))
    assert (pulse.argmax(), round(float(pulse.max()), 6)) == (50, 2.0)
    assert pulse[0] == pytest.approx(0, abs=0.01)
    assert level(one(5.0, 0, 3, shape="silence")).tolist() == [0, 0, 0]
    assert level(one(0.0, 0, 6, shape="draw", values=(1.0, 3.0))) == pytest.approx(
        [1, 4 / 3, 5 / 3 + 1 / 3, 7 / 3, 3, 3], abs=0.4
    )


def test_targets_are_blended_added_and_cut_to_the_window() -> None:
    measured = np.arange(20, dtype=np.float32).reshape(2, 10)
    changed, where = written([one(5.0, 102, 106, region=1)], measured, first=100)
    assert changed[1].tolist() == [10, 11, 5, 5, 5, 5, 16, 17, 18, 19]
    assert where.sum() == 4
    assert changed[0].tolist() == measured[0].tolist()
    half, _ = written([one(0.0, 102, 104, region=1, strength=0.5)], measured, first=100)
    assert half[1, 2:4].tolist() == [6.0, 6.5]
    added, _ = written([one(2.0, 95, 101, region=0, add=True)], measured, first=100)
    assert added[0, :2].tolist() == [2, 1]
    same = [one(5.0, 102, 106, region=1), one(5.0, 104, 108, region=1)]
    assert written(same, measured, first=100)[1].sum() == 6
    with pytest.raises(BadInput, match="different values of region 2"):
        written([same[0], one(4.0, 104, 108, region=1)], measured, first=100)


def test_it_is_the_model_s_own_answer(model: MaskedModel, recording: Recording) -> None:
    made = intervene(model, recording, scenario())
    start, onset = made.info.start, made.info.onset
    assert (start + onset, onset, made.info.patch_frames) == (130, 100, 20)
    series = zscored(recording)[:, start : start + 200]
    window, hidden = series.copy(), np.zeros((len(series), 10), bool)
    window[4, 100:145] = 1.5
    hidden[:, 5:] = True
    hidden[4, 5:8] = False
    expected = predict(model, window[None], recording, hidden[None])[0]
    others = np.arange(len(series)) != 4
    assert np.allclose(made.arrays["perturbed"][others, 100:], expected[others, 100:], atol=1e-5)
    assert np.allclose(made.arrays["perturbed"][others, :100], series[others, :100], atol=1e-6)
    assert np.allclose(made.arrays["perturbed"][4, 100:145], 1.5)
    plain = predict(model, series[None], recording, hidden[None])[0]
    difference = (expected - plain)[others, 100:].mean(1)
    assert np.allclose(made.effect[others], difference, atol=1e-5)
    assert made.info.reach == pytest.approx(float(np.abs(made.arrays["perturbed"] - made.arrays["unperturbed"])[
        ~made.arrays["set"].astype(bool) & (np.arange(200) >= 100)].mean()), rel=1e-4)  # fmt: skip
    again = intervene(model, recording, scenario())
    assert np.array_equal(again.effect, made.effect, equal_nan=True)


def test_what_was_measured_changes_nothing(model: MaskedModel, recording: Recording) -> None:
    made = intervene(model, recording, scenario(one(7.0, strength=0.0)))
    assert np.nanmax(np.abs(made.effect)) < 1e-5
    assert made.info.reach < 1e-5


def test_random_regions_are_the_yardstick(model: MaskedModel) -> None:
    recording = demo_recording(300)
    visual = tuple(named_regions("Visual", recording)[:6])
    made = intervene(model, recording, scenario(Target(regions=visual, start=130, stop=180, value=2.0), nulls=8))
    assert made.info.nulls == 8
    assert made.arrays["null_reach"].shape == (8,)
    of = {row.network: row for row in made.info.networks}
    assert of["Visual"].effect == max(row.effect for row in made.info.networks)
    assert of["Visual"].effect > 0.3
    assert of["Visual"].p == pytest.approx(1 / 9)
    assert np.nanmin(made.arrays["p"]) == pytest.approx(1 / 9, abs=0.02)
    assert any("too few for p" in note for note in made.info.notes)
    lower = intervene(model, recording, scenario(Target(regions=visual, start=130, stop=180, value=-2.0)))
    assert {row.network: row for row in lower.info.networks}["Visual"].effect < -0.3
    widths = made.arrays["half_width"]
    assert np.isnan(widths[:, : made.info.onset]).all()
    missed = np.abs(made.arrays["measured"] - made.arrays["unperturbed"])[:, made.info.onset :]
    asked = ~made.arrays["set"].astype(bool)[:, made.info.onset :]
    inside = missed <= widths[1, made.info.onset :]
    assert inside[asked & np.isfinite(missed)].mean() == pytest.approx(0.9, abs=0.01)


def test_it_goes_on_past_the_recording_from_its_own_answers(model: MaskedModel, recording: Recording) -> None:
    made = intervene(model, recording, scenario(one(1.0, 250, 320), ahead=400))
    frames = made.arrays["perturbed"].shape[1]
    assert made.info.start + frames >= 700
    assert made.info.measured_frames == 300 - made.info.start
    assert np.isfinite(made.arrays["perturbed"]).all()
    assert np.isnan(made.arrays["measured"][:, made.info.measured_frames :]).all()
    assert any("past the recording's end" in note for note in made.info.notes)
    short = intervene(model, recording, scenario(one(1.0, 250, 320), ahead=120))
    assert np.abs(short.arrays["perturbed"][:, :200] - made.arrays["perturbed"][:, :200]).mean() < 0.05
    window = made.arrays["perturbed"][:, 200:500].copy()  # the second run: five patches of the first's answer, then ten
    hidden = np.zeros((36, 15), bool)
    hidden[:, 5:] = True
    expected = predict(model, window[None], recording, hidden[None])[0]
    assert np.allclose(made.arrays["perturbed"][:, 300:500], expected[:, 100:], atol=1e-4)


def test_previews_are_close_and_nodes_exact(model: MaskedModel) -> None:
    recording = demo_recording(300)
    held = Preview(model, recording, scenario(one(0.3, region=0)), 0)
    for value in (0.3, 1.0, 1.5, -0.7):
        asked = scenario(one(value, region=0))
        assert held.fits(asked, 0)
        info, arrays = held.answer(asked)
        exact = intervene(model, recording, asked)
        largest = float(np.nanmax(np.abs(exact.effect)))
        assert info.exact == (value == 1.5)
        assert np.nanmax(np.abs(arrays["effect"] - exact.effect)) < (1e-4 if info.exact else 0.2 * largest)
        assert np.allclose(arrays["unperturbed"], exact.arrays["unperturbed"], atol=1e-5, equal_nan=True)
    assert not held.fits(scenario(one(0.3, 131, region=0)), 0)
    assert not held.fits(scenario(one(0.3, region=1)), 0)


def test_the_published_architecture_too(make_recording: Make) -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "decoder_hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Config13M(**small, decoder_num_attention_heads=2, num_brain_voxels=36, timepoint_patching_size=20)
    made = intervene(BrainLM13M(config).eval(), make_recording(1, frames=240), scenario(nulls=2))
    assert np.isfinite(made.effect).sum() == 36
    assert np.abs(made.effect[np.arange(36) != 4]).max() > 0


def test_missing_parcels_and_short_recordings(model: MaskedModel, make_recording: Make) -> None:
    short = intervene(model, make_recording(3, frames=30), scenario(one(1.0, 5, 25)))
    assert any("no history" in note for note in short.info.notes)
    recording = make_recording(3, frames=300)
    missing, series = recording.missing.copy(), recording.series.copy()
    missing[7], series[9, 12:20] = True, np.nan
    spoiled = replace(recording, missing=missing, series=series)
    made = intervene(model, spoiled, scenario(one(1.0, 5, 25)))
    assert np.isnan(made.effect[[7, 9]]).all()
    assert np.isfinite(np.delete(made.effect, [7, 9])).all()
    for region in (7, 9):
        with pytest.raises(BadInput, match="no signal or no position"):
            intervene(model, spoiled, scenario(one(1.0, 5, 25, region=region)))


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (Target(regions=(), start=0, stop=10), "has no region"),
        (one(region=99), "asks for region 100"),
        (one(start=290, stop=310), r"\(frames 290 to 310\); the recording has"),
        (one(start=50, stop=50), "spans "),
        (one(start=-5, stop=50), "spans "),
        (one(9.0), "hardly any value"),
        (one(float("nan")), "no number"),
        (one(shape="draw"), "no number"),
    ],
)
def test_impossible_targets_are_one_sentence(
    model: MaskedModel, recording: Recording, target: Target, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        intervene(model, recording, scenario(target))
    assert caught.value.next_step


def test_other_refusals(model: MaskedModel, recording: Recording) -> None:
    with pytest.raises(BadInput, match="no target"):
        intervene(model, recording, Scenario(targets=()))
    with pytest.raises(BadInput, match="too long"):
        intervene(model, recording, scenario(ahead=2000))
    every = Target(regions=tuple(range(30)), start=100, stop=140)
    with pytest.raises(BadInput, match="no others are left"):
        intervene(model, recording, scenario(every, nulls=2))
    far = intervene(model, recording, scenario(one(5.0)))
    assert far.info.beyond == 1
    assert any("further out than 3 SD" in note for note in far.info.notes)


def test_targets_as_text() -> None:
    recording = demo_recording(300)
    target = parsed_target("Left occipital pole, superior; 3:-1.5@36-72:ramp", recording)
    assert target == Target(regions=(0, 2), start=50, stop=100, shape="ramp", value=-1.5)
    assert len(parsed_target("dorsal attention:1@10-20", recording).regions) > 20
    for text, sentence in (
        ("Visual:1", "no target"), ("Visual:1@20-10", "ends before"), ("Left:1@10-20", "fits 2"),
        ("Nowhere:1@10-20", "No region is called"), ("Visual:1@10-20:draw", "no target"), ("999:1@10-20", "No region"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=sentence):
            parsed_target(text, recording)


def test_the_verb_and_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = demo_recording(300)
    path = tmp_path / "demo.safetensors"
    recording.save(path)
    table = tmp_path / "effect.csv"
    asked = ["perturb", str(path), "--target", "1:+1.5@94-126", "--nulls", "2"]
    assert main([*asked, "--out", str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    made = brainlm_engine.perturb(recording, "1:+1.5@94-126", nulls=2)
    assert told["reach"] == pytest.approx(made.info.reach, rel=1e-5)
    assert told["caption"].startswith("Simulation")
    with table.open(encoding="utf-8") as file:
        assert file.readline().startswith("# Simulation")
        rows = list(csv.DictReader(file))
    assert np.allclose([float(row["effect_sd"]) for row in rows], made.effect, atol=1e-5)
    assert [row["set"] for row in rows[:3]] == ["1", "0", "0"]
    assert main([*asked[:-1], "0", "--out", str(tmp_path / "effect.nii.gz")]) == 0
    assert "Not a treatment recommendation" in capsys.readouterr().out
    values = np.unique(np.asarray(nibabel.load(tmp_path / "effect.nii.gz").dataobj))
    assert np.isin(made.effect[1:5].astype(np.float32), values).all()
    assert main([*asked[:-1], "0", "--out", str(tmp_path / "effect.dscalar.nii")]) == 0
    scalars = nibabel.load(tmp_path / "effect.dscalar.nii")
    assert scalars.shape[0] == 1
    assert float(np.max(scalars.get_fdata())) == pytest.approx(float(np.nanmax(made.effect)), abs=1e-5)
    assert main([*asked, "--out", str(tmp_path / "effect.txt")]) == 2
    assert main(["perturb", str(path), "--target", "nonsense"]) == 2


def test_effective_connectivity(model: MaskedModel, make_recording: Make, tmp_path: Path) -> None:
    recording = make_recording(5, frames=120, parcels=12)
    missing = recording.missing.copy()
    missing[3] = True
    made = effective_connectivity(model, replace(recording, missing=missing))
    table = made.arrays["effective"]
    assert np.isnan(table[3]).all()
    assert np.isnan(table[:, 3]).all()
    others = np.delete(np.arange(12), 3)
    inside = table[np.ix_(others, others)]
    assert np.isnan(inside.diagonal()).all()
    assert np.isfinite(inside).sum() == 11 * 10
    up, down = (
        intervene(model, replace(recording, missing=missing), scenario(one(value, 60, 80, region=5, add=True)))
        for value in (1.0, -1.0)
    )
    both = (up.arrays["perturbed"] - down.arrays["perturbed"])[:, up.info.onset : up.info.onset + 40].mean(1) / 2
    assert np.corrcoef(both[others[others != 5]], table[5, others[others != 5]])[0, 1] > 0.95
    assert -1 <= made.info.with_connectivity <= 1
    assert made.info.symmetry == pytest.approx(ranks_together(table, table.T))
    path, out = tmp_path / "small.safetensors", tmp_path / "maps.safetensors"
    recording.save(path)
    assert main(["perturb", str(path), "--effective", "--nulls", "0", "--out", str(out)]) == 0
    assert sorted(load_file(out)) == ["connectivity", "effective"]
    for asked in (["--effective", "--target", "1:1@1-9"], [], ["--effective", "--out", "maps.csv"]):
        assert main(["perturb", str(path), *asked]) == 2
    with pytest.raises(BadInput, match="fewer than 3 time patches"):
        effective_connectivity(model, make_recording(5, frames=50))
    with pytest.raises(BadInput, match="no distance"):
        effective_connectivity(model, recording, value=0.0)


def test_a_sweep_is_every_answer_of_its_grid(model: MaskedModel, recording: Recording) -> None:
    swept = SweepSpec(
        scenario=scenario(one(1.0), one(0.5, 140, 160, region=9)), values=(2.0, -2.0, 1.0), starts=(120, 150),
        places=(Place(name="four", regions=(4,)), Place(name="two", regions=(6, 7))),
    )  # fmt: skip
    made = sweep(model, recording, swept)
    assert len(made.info.cells) == 12
    assert made.arrays["effect"].shape == (12, recording.n_parcels)
    assert [cell.value for cell in made.info.cells[:3]] == [-2.0, 1.0, 2.0]
    at = 7  # second place, first onset, value 1
    cell = made.info.cells[at]
    assert (cell.place, cell.start, cell.value) == (1, 120, 1.0)
    alone = intervene(
        model, recording,
        scenario(Target(regions=(6, 7), start=120, stop=165, value=1.0), one(0.5, 140, 160, region=9)),
    )  # fmt: skip
    assert cell.reach == pytest.approx(alone.info.reach, rel=1e-4)
    wanted = alone.effect.copy()
    wanted[[6, 7, 9]] = np.nan
    assert np.allclose(made.arrays["effect"][at], wanted, atol=1e-5, equal_nan=True)
    line = made.info.lines[0]
    table = made.arrays["effect"][:3]
    slopes = np.array([np.polyfit([-2.0, 1.0, 2.0], table[:, parcel], 1)[0] for parcel in (0, 20)])
    assert made.arrays["gain"][0, [0, 20]] == pytest.approx(slopes, abs=1e-5)
    assert line.slope == pytest.approx(float(np.nanmean(np.abs(made.arrays["gain"][0]))), rel=1e-4)
    assert 0.5 < line.straight <= 1
    assert line.even < 0
    assert "of 4 places and onsets" in made.info.verdict.lower()
    with pytest.raises(BadInput, match="no target 3"):
        sweep(model, recording, swept.model_copy(update={"target": 2}))
    with pytest.raises(BadInput, match="has no value"):
        sweep(model, recording, swept.model_copy(update={"values": ()}))
    with pytest.raises(BadInput, match="404 cells"):
        sweep(model, recording, swept.model_copy(update={"values": tuple(n / 50 for n in range(101))}))
    silent = SweepSpec(scenario=scenario(one(1.0, shape="silence")))
    with pytest.raises(BadInput, match="no value to sweep"):
        sweep(model, recording, silent)


def test_a_sweep_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, table = tmp_path / "rest.safetensors", tmp_path / "sweep.csv"
    demo_recording(n_frames=120).save(path)
    base = ["perturb", str(path), "--target", "Left calcarine cortex 1:+1@40-60"]
    assert main([*base, "--sweep=-1,1,2", "--out", str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()[1:]))
    assert [float(row["value_sd"]) for row in rows] == [-1, 1, 2]
    assert [float(row["reach_sd"]) for row in rows] == pytest.approx(
        [cell["reach"] for cell in told["cells"]], rel=1e-4
    )
    assert main([*base, "--sweep=1", "--over", "networks"]) == 0
    said = capsys.readouterr().out
    assert "Visual" in said
    assert "moves the others by" in said
    assert main([*base, "--sweep", "x"]) != 0
    assert "no list of numbers" in capsys.readouterr().err


def test_one_scenario_in_many_people(small_cohort: Path, model: MaskedModel) -> None:
    table = small_cohort / "participants.tsv"
    first, *lines = table.read_text(encoding="utf-8").strip().split("\n")
    cells = [f"{line}\t{'FM'[number % 2]}\t{25.5 + number}" for number, line in enumerate(lines)]
    rows = [f"{first}\tsex\tage", *cells]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    networks = ("Visual", "Default")
    for path in sorted((small_cohort / "recordings").glob("*rest*")):
        made = Recording.load(path)
        made = replace(made, networks=tuple(networks[parcel % 2] for parcel in range(made.n_parcels)))
        made.save(path)
        short = replace(made, series=made.series[:, :30])
        (short if "sub-03" in path.name else made).save(path.with_name(path.name.replace("rest", "other")))
    found = group_effects(model, small_cohort, ["5:+1.5@60-90"], people=6)
    assert found.info.people == tuple(f"sub-{index:02d}" for index in (0, 1, 2, 4, 5))
    assert len(found.info.left_out) == 1
    assert found.info.left_out[0].startswith("sub-03: ")
    assert found.arrays["effect"].shape == (5, 36)
    one = intervene(
        model, Recording.load(small_cohort / "recordings" / "sub-00_task-rest_run-1.safetensors"),
        scenario(parsed_target("5:+1.5@60-90", Recording.load(
            small_cohort / "recordings" / "sub-00_task-rest_run-1.safetensors"))),
    )  # fmt: skip
    assert np.allclose(found.arrays["effect"][0], one.effect, atol=1e-5, equal_nan=True)
    for place, row in enumerate(found.info.networks):
        assert row.mean == pytest.approx(float(found.arrays["networks"][:, place].mean()), abs=1e-5)
        assert row.low <= row.mean <= row.high
    sexes = group_effects(model, small_cohort, ["5:+1.5@60-90"], between=Asked("sex", "F", "M"), people=10)
    assert sexes.info.compared == "M less F (sex)"
    assert sum(sexes.info.sizes) == 9
    halves = group_effects(model, small_cohort, ["5:+1.5@60-90"], between=Asked("age", "<30", ">= 30"), people=10)
    assert halves.info.sizes == (4, 5)
    tasks = group_effects(model, small_cohort, ["5:+1.5@60-90"], between=Asked("task", "rest", "other"), people=10)
    assert all(row.mean == pytest.approx(0, abs=1e-6) for row in tasks.info.networks)
    assert "do not differ" in tasks.info.verdict
    with pytest.raises(BadInput, match="could be asked"):
        group_effects(model, small_cohort, ["5:+1.5@900-990"])


def test_answers_are_held_against_the_truth(model: MaskedModel) -> None:
    made = validate(model, people=2, parcels=3, frames=200)
    names = [each.name for each in made.info.predictors]
    assert {"the model", "nearness", "VAR(1) of the recording", "connectivity of others"} <= set(names)
    ours = made.info.predictors[names.index("the model")]
    noise = made.info.predictors[names.index("the model, history is noise")]
    assert ours.whole.mean > noise.whole.mean
    assert ours.whole.mean > made.info.null.mean
    assert ours.less.mean == 0
    assert made.info.down.mean < -0.5
    assert made.arrays["decay"].shape == (len(names) + 1, 5)
    assert made.arrays["decay"][0, 0] == 1
    assert made.arrays["decay"][0, -1] < 1
    with pytest.raises(BadInput, match="at least two people"):
        validate(model, people=1)


def test_a_connectome_is_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_recording: Make
) -> None:
    path = tmp_path / "rest.safetensors"
    made = make_recording(2, frames=100)
    made.save(path)
    known = effective_connectivity(load_model(), made, control=False)
    table = np.nan_to_num(known.arrays["effective"], nan=0.0)
    np.savetxt(tmp_path / "same.csv", table, delimiter=",")
    np.save(tmp_path / "less.npy", -table)
    base = ["perturb", str(path), "--effective", "--nulls", "0", "--json", "--connectome"]
    for name, rho in (("same.csv", 1.0), ("less.npy", -1.0)):
        assert main([*base, str(tmp_path / name)]) == 0
        assert json.loads(capsys.readouterr().out)["with_connectome"] == pytest.approx(rho, abs=1e-3)
    (tmp_path / "words.csv").write_text("a,b\nc,d\n")
    np.save(tmp_path / "wide.npy", table[:3])
    np.save(tmp_path / "small.npy", table[:3, :3])
    for name, match in (
        ("words.csv", "no table of numbers"), ("wide.npy", "not square"), ("small.npy", "the recording has 36"),
        ("none.csv", "cannot be read"),
    ):  # fmt: skip
        assert main([*base, str(tmp_path / name)]) != 0
        assert match in capsys.readouterr().err + capsys.readouterr().out


def test_options_that_would_say_nothing_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rest.safetensors"
    demo_recording(n_frames=120).save(path)
    for extra, said in (
        (["--between", "task=rest,visual"], "is one recording"), (["--over", "networks"], "Add --sweep"),
    ):  # fmt: skip
        assert main(["perturb", str(path), "--target", "1:1@40-60", *extra]) == 2
        assert said in capsys.readouterr().err
    for target, said in (
        ("0:1@40-60", "Numbers run from 1 to 424"), ("1:1@40-60:wave", "Choose one of step, pulse"),
        ("1:nan@40-60", "a value in plain digits"), ("1:1@600-900", "the recording has 86.4 s (120 frames)"),
    ):  # fmt: skip
        assert main(["perturb", str(path), "--target", target]) == 2
        assert said in capsys.readouterr().err, target
    with pytest.raises(BadInput, match="“<x” is no side of a number"):
        parse_between("age=<x,>=40")
