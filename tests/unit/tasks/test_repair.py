"""Repair: what is found, what is filled in, what is left alone, what is written and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.repair import RepairSpec, filled_in, spans_of, written_holes
from brainlm_engine.baselines.gaps import krige_gaps
from brainlm_engine.baselines.temporal import krige
from brainlm_engine.cli import main
from brainlm_engine.io import open_scan
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M, Config13M
from brainlm_engine.preprocess import Given, recording_of
from brainlm_engine.preprocess.population_scaling import fit_population
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.repair import repair, write_repaired
from brainlm_engine.tasks.repair_check import Tally
from brainlm_engine.tasks.repair_fill import _at_level, plan_hiding
from brainlm_engine.tasks.repair_holes import FRAMES, PARCELS, VALUES, find_holes, level_of

Make = Callable[..., Recording]
DROPPED, SPIKE, GAP = (4, 17), (60, 61), (150, 156)


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def truth(make_recording: Make) -> Recording:
    """Smooth enough for jumps to stand out."""
    recording = make_recording(1)
    series = recording.series.copy()
    kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
    smooth = np.stack([np.convolve(np.pad(row, 3, "edge"), kernel, "valid") for row in series])
    return replace(recording, series=smooth.astype(np.float32))


@pytest.fixture
def damaged(truth: Recording) -> Recording:
    """Two parcels without signal, one frame that jumps, six frames that are not numbers in one half of the parcels."""
    series = truth.series.copy()
    series[5:, slice(*SPIKE)] += 300
    series[20:30, slice(*GAP)] = np.nan
    missing = truth.missing.copy()
    missing[DROPPED[0]] = True
    series[DROPPED[0]], series[DROPPED[1]] = np.nan, 0
    return replace(truth, series=series, missing=missing)


def test_what_is_bad_is_found(damaged: Recording) -> None:
    holes = find_holes(damaged, RepairSpec())
    assert np.flatnonzero(holes.whole).tolist() == list(DROPPED)
    frames = np.flatnonzero((holes.kind == FRAMES).any(0)).tolist()
    assert 60 in frames
    assert len(frames) < 12
    assert (holes.kind[20:30, slice(*GAP)] == VALUES).all()
    assert (holes.kind[list(DROPPED)] == PARCELS).all()
    assert any("2 parcels without signal" in text for text in holes.found)
    assert not find_holes(damaged, RepairSpec(empty=False)).whole.any()
    named = find_holes(damaged, RepairSpec(dvars=False, spikes=0, parcels=(7,), spans=((200, 210),)))
    assert np.flatnonzero(named.whole).tolist() == [4, 7, 17]
    assert (named.kind[0, 200:210] == FRAMES).all()
    assert named.kind[0, 60] == 0


def test_head_motion_marks_frames(truth: Recording) -> None:
    fd = np.full(240, 0.1, np.float32)
    fd[[0, 33]] = np.nan, 0.8
    holes = find_holes(truth, RepairSpec(dvars=False, spikes=0), fd)
    assert np.flatnonzero(holes.open.any(0)).tolist() == [33]
    assert holes.found == ("1 frame with more than 0.5 mm of head motion.",)


def test_a_spike_in_one_parcel_is_one_value(truth: Recording) -> None:
    series = truth.series.copy()
    series[9, 77] += 1000
    holes = find_holes(replace(truth, series=series), RepairSpec(dvars=False))
    assert np.argwhere(holes.open).tolist() == [[9, 77]]
    assert holes.kind[9, 77] == VALUES


def test_mean_and_spread_come_from_good_samples(truth: Recording, damaged: Recording) -> None:
    holes = find_holes(damaged, RepairSpec())
    level = level_of(damaged.series, holes.open, damaged.xyz)
    good = ~holes.open
    assert level.mean[9] == pytest.approx(truth.series[9][good[9]].mean(), rel=1e-6)
    near = np.argsort(((truth.xyz - truth.xyz[4]) ** 2).sum(1))
    near = [p for p in near if p not in DROPPED][:6]
    assert level.mean[4] == pytest.approx(np.median(level.mean[near]))


def test_a_repair_is_nearer_to_the_truth_and_leaves_the_rest_alone(
    model: MaskedModel, truth: Recording, damaged: Recording
) -> None:
    made = repair(model, damaged, RepairSpec(), recording_id="abc")
    assert np.array_equal(made.recording.series[~made.filled], damaged.series[~made.filled]), "bit for bit"
    assert np.isfinite(made.recording.series).all()
    assert not made.recording.missing.any()
    sd = truth.series.std(1, keepdims=True)
    off = (made.recording.series - truth.series) / sd
    left = (np.where(np.isfinite(damaged.series), damaged.series, 0) - truth.series) / sd
    for rows, columns in ((slice(5, 12), slice(*SPIKE)), (slice(20, 30), slice(*GAP)), (list(DROPPED), slice(None))):
        assert (off[rows, columns] ** 2).mean() < (left[rows, columns] ** 2).mean()
    assert (off[list(DROPPED)] ** 2).mean() < 1.5, "about its mean a parcel would be off by 1"
    info = made.info
    assert info.parcels == DROPPED
    assert info.n_values == int(made.filled.sum())
    assert {kind.kind for kind in info.kinds} == {"parcels", "frames", "values"}
    for kind in info.kinds:
        assert kind.method == "model"
        assert kind.n_tested > 0
        assert [score.method for score in kind.scores] == ["model", "ridge", "kriging", "interpolation"]
    assert info.level_error is not None
    assert "whole parcels" in info.verdict
    assert len(info.model_sha256) == 64


def test_the_expected_error_is_about_the_true_one(model: MaskedModel, make_recording: Make) -> None:
    truth = make_recording(1)
    spec = RepairSpec(dvars=False, spikes=0, parcels=(3, 8), spans=((60, 62), (120, 122), (180, 182)))
    made = repair(model, truth, spec, trials=4)
    sd = truth.series.std(1, keepdims=True)
    off = ((made.recording.series - truth.series) / sd) ** 2
    told = {kind.kind: kind.scores[0].mse for kind in made.info.kinds}
    holes = find_holes(truth, spec)
    assert 0.5 < told["frames"] / off[holes.kind == FRAMES].mean() < 2


@pytest.mark.parametrize("method", ["ridge", "kriging", "interpolation"])
def test_other_methods_fill_in(model: MaskedModel, damaged: Recording, method: str) -> None:
    made = repair(model, damaged, RepairSpec.model_validate({"method": method}), trials=1)
    assert {kind.method for kind in made.info.kinds} == {method}
    assert np.isfinite(made.recording.series).all()


def test_the_best_method_is_taken_for_each_kind(model: MaskedModel, damaged: Recording) -> None:
    for kind in repair(model, damaged, RepairSpec(method="best")).info.kinds:
        assert kind.method == min(kind.scores, key=lambda score: score.mse).method


def test_interpolation_is_better_and_it_says_so(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    time = np.arange(240) * 0.05
    slow = 1000 + 10 * np.sin(time[None] + np.arange(36)[:, None] * 2.4)
    smooth = replace(recording, series=slow.astype(np.float32))
    made = repair(model, smooth, RepairSpec(dvars=False, spikes=0, spans=((100, 101), (160, 161))))
    assert "is better here" in made.info.verdict or made.info.kinds[0].scores[0].mse < 1e-3


def test_the_model_counts_as_much_as_good_data_say() -> None:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((6, 400)).astype(np.float32)
    kind = np.full((6, 400), FRAMES, np.int8)
    kind[:3] = VALUES
    guesses = {"model": truth + rng.standard_normal((6, 400)).astype(np.float32), "kriging": np.zeros_like(truth)}
    guesses["model"][:3] = rng.standard_normal((3, 400))
    tally = Tally()
    for _ in range(2):
        tally.add(truth, guesses, kind)
    assert tally.weight(FRAMES) == pytest.approx(0.5, abs=0.05)
    assert tally.weight(VALUES) == pytest.approx(0.0, abs=0.05)
    assert tally.weight(PARCELS) == 1.0, "not tried"
    model, kriging = tally.scores(FRAMES)
    assert (model.method, kriging.method) == ("model", "kriging")
    assert model.mse == pytest.approx(0.5, abs=0.06)
    assert tally.tested(FRAMES) == 2400


def test_kriging_near_gaps_is_kriging() -> None:
    rng = np.random.default_rng(0)
    series = np.stack([np.convolve(rng.standard_normal(130), np.ones(11) / 11, "valid") for _ in range(30)])
    shown = (series / series.std(1, keepdims=True)).astype(np.float32)
    gaps = np.zeros(shown.shape, bool)
    gaps[:, 40:46], gaps[3, 80:90] = True, True
    shown[gaps] = np.nan
    guess, whole = krige_gaps(shown, gaps), krige(shown)
    assert np.corrcoef(guess[gaps], whole[gaps])[0, 1] > 0.95
    assert not guess[~gaps].any()


def test_patches_that_are_bad_for_all_are_hidden_half_by_half() -> None:
    touched = np.zeros((40, 3), bool)
    touched[:, 1], touched[:4, 2] = True, True
    masks = plan_hiding(touched, np.zeros_like(touched), np.random.default_rng(0))
    assert len(masks) == 2
    assert (masks[0][:, 1] ^ masks[1][:, 1]).all()
    assert all(mask[:4, 2].all() and not mask[:, 0].any() for mask in masks)
    assert len(plan_hiding(touched, touched, np.random.default_rng(0))) == 1


def test_what_cannot_be_repaired(model: MaskedModel, truth: Recording, make_recording: Make) -> None:
    calm = RepairSpec(dvars=False)
    for recording, spec, text in (
        (truth, calm, "Nothing to repair"),
        (truth, RepairSpec(spans=((0, 239),)), "too little to repair"),
        (truth, RepairSpec(parcels=(99,)), "no parcel 99"),
        (truth, RepairSpec(spans=((200, 300),)), "200 to 300 do not lie"),
        (make_recording(1, frames=12), RepairSpec(parcels=(1,)), "fewer than one time patch"),
        (replace(truth, xyz=np.full_like(truth.xyz, np.nan)), RepairSpec(parcels=(1,)), "both a signal and a position"),
    ):
        with pytest.raises(BadInput, match=text):
            repair(model, recording, spec)


def test_scaling_of_the_input_knows_good_samples_only(truth: Recording) -> None:
    holes = np.zeros(truth.series.shape, bool)
    stand_in = _at_level(truth, level_of(truth.series, holes, truth.xyz))
    statistics = fit_population([truth, replace(truth, series=truth.series * 1.5)], "robust")
    scaling = InputScaling(statistics, "the cohort x")
    ours, theirs = scaling.units(stand_in), scaling.units(truth)
    assert np.allclose(ours.slope, theirs.slope, rtol=1e-3)
    assert np.allclose(ours.shift, theirs.shift, rtol=1e-3, atol=1e-3)
    spoiled = truth.series.copy()
    spoiled[:, 60], holes[:, 60] = 1e6, True
    level = level_of(spoiled, holes, truth.xyz)
    assert np.allclose(scaling.units(_at_level(truth, level)).slope, theirs.slope, rtol=0.05)


def test_a_published_architecture_fills_in_too(damaged: Recording) -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "decoder_hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Config13M(**small, decoder_num_attention_heads=2, num_brain_voxels=36, timepoint_patching_size=20)
    made = repair(BrainLM13M(config).eval(), damaged, trials=1)
    assert np.isfinite(made.recording.series).all()
    assert made.info.model_sha256 == ""


def test_scaling_of_another_atlas_is_refused(model: MaskedModel, damaged: Recording, make_recording: Make) -> None:
    scaling = InputScaling(fit_population([make_recording(1, parcels=24)], "robust"), "the cohort x")
    with pytest.raises(BadInput, match="the scaling statistics of the cohort x are of 24 parcels"):
        repair(model, damaged, scaling=scaling)


def test_it_can_be_stopped(model: MaskedModel, damaged: Recording) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.3:
                raise Cancelled("Stopped as you asked.")

        def log(self, line: str) -> None:
            raise AssertionError(line)

    with pytest.raises(Cancelled):
        repair(model, damaged, progress=Stop())


def test_the_new_recording_opens_again_and_says_what_was_filled_in(
    model: MaskedModel, damaged: Recording, tmp_path: Path
) -> None:
    made = repair(model, damaged, trials=0)
    out = tmp_path / "new.safetensors"
    info = write_repaired(made, out)
    assert info.written == str(out)
    opened = recording_of(open_scan(out), Given())
    assert np.array_equal(opened.series, made.recording.series)
    filled = filled_in(opened.provenance, opened.n_parcels, opened.n_frames)
    assert filled is not None
    assert np.array_equal(filled, made.filled)
    assert any("filled in, not measured" in note for note in opened.provenance["notes"])
    beside = json.loads(out.with_suffix(".json").read_text("utf-8"))["Repairs"][0]
    assert beside["model"] == "studio-tiny"
    assert beside["filled"]["parcels"] == list(DROPPED)
    assert beside["settings"]["method"] == "model"
    again = repair(model, replace(opened, name=""), RepairSpec(dvars=False, parcels=(1,)), trials=0)
    both = filled_in(again.recording.provenance, 36, 240)
    assert both is not None
    assert both[1].all()
    assert both[4].all(), "the earlier repair is still told"


def test_nothing_is_written_over(model: MaskedModel, damaged: Recording, tmp_path: Path) -> None:
    damaged.save(path := tmp_path / "r.safetensors")
    before = path.read_bytes()
    made = repair(model, damaged, trials=0)
    with pytest.raises(BadInput, match="what this command reads"):
        write_repaired(made, path, path)
    (tmp_path / "x.json").write_text("{}")
    for name, text in (("x.safetensors", "x.json is there already"), ("x.tsv", "does not end in")):
        with pytest.raises(BadInput, match=text):
            write_repaired(made, tmp_path / name, path)
    assert path.read_bytes() == before


def test_holes_survive_being_written() -> None:
    rng = np.random.default_rng(1)
    holes = rng.random((9, 40)) < 0.1
    holes[3], holes[:, 7:9] = True, True
    told = written_holes(holes)
    assert told["parcels"] == [3]
    assert np.array_equal(filled_in({"repairs": [{"filled": told}]}, 9, 40), holes)
    assert filled_in({}, 9, 40) is None
    assert filled_in({"repairs": [{"filled": {"parcels": [99], "values": [[99, 0, 3]]}}]}, 9, 40).sum() == 0  # type: ignore[union-attr]
    for damaged in ("text", {"parcels": "x"}, {"frames": [[1]]}, {"values": 3}):
        assert filled_in({"repairs": [{"filled": damaged}]}, 9, 40) is not None
    assert spans_of(np.array([1, 1, 0, 1], bool)) == [(0, 2), (3, 4)]


def test_the_verb(damaged: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged.save(path := tmp_path / "r.safetensors")
    out = tmp_path / "new.safetensors"
    code = main(["repair", str(path), "--out", str(out), "--with", "best", "--frames", "200:202,210", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["written"] == str(out)
    assert [200, 202] in told["spans"]
    assert Recording.load(out).provenance["repairs"][0]["methods"].keys() == {"parcels", "frames", "values"}
    assert main(["repair", str(path), "--parcels", "5"]) == 0
    text = capsys.readouterr().out
    assert "Whole parcels" in text
    assert "Nothing was written: give --out." in text
    for extra, cause in (
        (["--out", str(path)], "is what this command reads"),
        (["--out", str(out)], "is there already"),
        (["--frames", "a:b"], "cannot be understood"),
        (["--parcels", "nowhere"], "no parcel called nowhere"),
    ):
        assert main(["repair", str(path), *extra]) == 2
        assert cause in capsys.readouterr().err
