"""Reconstruction of windows and recordings: what is hidden, what is scored, what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo, Score
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import reconstruct, reconstruct_recording
from brainlm_engine.tasks.masking import build_mask
from brainlm_engine.tasks.recording import hide_each_once, window_starts
from brainlm_engine.tasks.scoring import TITLES, sums, verdict, window_mean

Make = Callable[..., Recording]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


def test_one_window(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    result = reconstruct(model, recording, 17, MaskSpec(seed=4), 100, recording_id="abc")
    info = result.info
    assert (info.start, info.n_frames, info.patch_frames, info.recording_id) == (17, 100, 20, "abc")
    assert info.model_id == "studio-tiny"
    assert result.measured.shape == result.predicted.shape == (36, 100)
    assert result.mask.shape == (36, 5)
    assert [score.method for score in info.scores] == ["model", "ridge", "pca", "interpolation", "mean"]
    assert info.verdict.startswith("The model explains")
    assert np.array_equal(result.measured, zscored(recording)[:, 17:117])
    assert ReconstructionInfo.model_validate_json(info.model_dump_json()).mask == info.mask
    assert set(result.arrays()) == {
        "measured", "predicted", "mask", "r2_parcel", "r2_frame", "by_parcel", "by_frame",
    }  # fmt: skip


def test_the_scores_are_what_they_say(model: MaskedModel, make_recording: Make) -> None:
    result = reconstruct(model, make_recording(1), 0, MaskSpec(seed=4), 100)
    hidden = np.repeat(result.mask, 20, axis=1)
    truth, guess = result.measured, result.predicted
    centred = truth - truth.mean(1, keepdims=True)
    score = result.info.scores[0]
    assert score.r2 == pytest.approx(1 - ((guess - truth)[hidden] ** 2).sum() / (centred[hidden] ** 2).sum(), abs=1e-5)
    assert score.r == pytest.approx(np.corrcoef(guess[hidden], truth[hidden])[0, 1], abs=1e-5)
    assert score.mse == pytest.approx(((guess - truth)[hidden] ** 2).mean(), abs=1e-5)
    row = hidden[3]
    expected = 1 - ((guess - truth)[3, row] ** 2).sum() / (centred[3, row] ** 2).sum()
    assert result.r2_parcel[3] == pytest.approx(expected, abs=1e-4)
    column = hidden[:, 42]
    expected = 1 - ((guess - truth)[column, 42] ** 2).sum() / (centred[column, 42] ** 2).sum()
    assert result.r2_frame[42] == pytest.approx(expected, abs=1e-4)


def test_same_again(model: MaskedModel, make_recording: Make) -> None:
    first, second = (reconstruct(model, make_recording(1), frames=100) for _ in range(2))
    assert np.array_equal(first.predicted, second.predicted)
    assert first.info.scores[:2] == second.info.scores[:2]


@pytest.mark.parametrize(("tr_s", "patch", "frames"), [(0.735, 20, 200), (2.0, 7, 196), (3.0, 5, 200), (0.5, 29, 174)])
def test_any_tr(model: MaskedModel, make_recording: Make, tr_s: float, patch: int, frames: int) -> None:
    info = reconstruct(model, make_recording(1, tr_s=tr_s)).info
    assert (info.patch_frames, info.n_frames) == (patch, frames)
    assert info.scores[0].r2 > 0


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        (MaskSpec(ratio=0.5), 18 * 10),
        (MaskSpec(kind="parcels", parcels=(0, 35)), 20),
        (MaskSpec(kind="network", network="B"), 180),
        (MaskSpec(kind="span", span=(8, 10)), 72),
        (MaskSpec(kind="none"), 0),
    ],
)
def test_masks(model: MaskedModel, make_recording: Make, spec: MaskSpec, count: int) -> None:
    result = reconstruct(model, make_recording(1), mask=spec)
    assert result.mask.sum() == count
    hidden = result.mask.any(1)
    assert np.array_equal(np.isfinite(result.r2_parcel), hidden)
    assert np.isfinite(result.predicted).all()
    assert bool(result.info.scores) == (count > 0)
    if not count:
        assert "nothing to compare" in result.info.verdict


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (MaskSpec(kind="parcels", parcels=(3, 36)), "no parcel 36"),
        (MaskSpec(kind="parcels", parcels=(-1,)), "no parcel -1"),
        (MaskSpec(kind="network", network="Motor"), "no network called “Motor”"),
        (MaskSpec(kind="span", span=(5, 11)), "does not lie in this window"),
        (MaskSpec(kind="span"), "does not lie in this window"),
        (MaskSpec(kind="parcels", parcels=tuple(range(36))), "hides everything"),
    ],
)
def test_masks_that_are_refused(spec: MaskSpec, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        build_mask(spec, 36, 10, tuple("AB" * 18))


def test_missing_parcels_are_left_out_and_said(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    recording.series[:4] = np.nan
    recording.missing[:4] = True
    recording.xyz[5] = np.nan
    result = reconstruct(model, recording, frames=100)
    assert np.isnan(result.r2_parcel[:4]).all()
    assert np.isnan(result.r2_parcel[5])
    assert np.isfinite(result.predicted[:4]).all()  # filled in: their place is known
    assert np.isnan(result.predicted[5]).all()
    assert "5 of 36 parcels" in result.info.notes[0]
    assert np.isfinite(result.info.scores[0].r2)


def test_short_recordings(model: MaskedModel, make_recording: Make) -> None:
    result = reconstruct(model, make_recording(1, frames=75))
    assert result.info.n_frames == 60
    assert "shorter than a usual window of 200 frames" in result.info.notes[0]
    assert "200 frames asked for" in reconstruct(model, make_recording(1, frames=75), frames=200).info.notes[0]
    with pytest.raises(BadInput, match="too few for a mean and a spread"):
        reconstruct(model, make_recording(1, frames=3))


def test_less_than_a_patch_is_filled_up_and_said(model: MaskedModel, make_recording: Make) -> None:
    result = reconstruct(model, make_recording(1, frames=12))
    assert result.info.n_frames == 12
    assert result.mask.shape[1] == 1
    assert result.predicted.shape == result.measured.shape
    assert result.measured.shape[1] == 12
    assert np.isfinite(result.predicted).all()
    assert "filled up with missing frames" in result.info.notes[0]
    with pytest.raises(BadInput, match="fewer than one time patch"):
        reconstruct_recording(model, make_recording(1, frames=12), 0.75, seed=1)


def test_without_positions_or_signal(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    recording.xyz[:] = np.nan
    with pytest.raises(BadInput, match="both a signal and a position"):
        reconstruct(model, recording)


def test_an_unusual_tr_is_said(model: MaskedModel, make_recording: Make) -> None:
    assert "here it is 5 s" in reconstruct(model, make_recording(1, tr_s=5.0)).info.notes[0]


@pytest.mark.parametrize(("frames", "ratio", "passes"), [(200, 0.75, 2), (245, 0.5, 2), (490, 0.2, 5), (233, 0.9, 2)])
def test_every_frame_is_predicted_exactly_once(
    model: MaskedModel, make_recording: Make, frames: int, ratio: float, passes: int
) -> None:
    result = reconstruct_recording(model, make_recording(2, frames=frames), ratio, seed=1, baselines=False)
    assert result.passes == passes
    assert np.isfinite(result.predicted).all()
    assert np.isfinite(result.r2_frame).all()
    pooled = 1 - ((result.predicted - result.measured) ** 2).sum() / (result.measured**2).sum()
    assert result.scores[0].mse == pytest.approx(((result.predicted - result.measured) ** 2).mean(), abs=1e-5)
    assert 0 < pooled < 1


def test_a_patch_is_hidden_for_the_first_time_in_one_pass() -> None:
    for parcels, each in ((36, 27), (36, 8), (424, 318), (5, 4)):
        hidden, first = hide_each_once(parcels, 7, each, np.random.default_rng(0))
        assert (hidden.sum(1) == each).all()
        assert (first.sum(0) == 1).all()


def test_windows_cover_all_frames() -> None:
    assert window_starts(490, 200) == [0, 200, 290]
    assert window_starts(400, 200) == [0, 200]
    assert window_starts(60, 60) == [0]


def test_whole_recordings_beside_the_simple_methods(model: MaskedModel, make_recording: Make) -> None:
    result = reconstruct_recording(model, make_recording(2, frames=100))
    assert [score.method for score in result.scores] == ["model", "ridge", "pca", "interpolation", "mean"]
    assert result.verdict
    with pytest.raises(BadInput, match="hides nothing or everything"):
        reconstruct_recording(model, make_recording(2), ratio=0.0)


def test_whole_recordings_can_be_stopped(model: MaskedModel, make_recording: Make) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.4:
                raise Cancelled("Stopped.")

        def log(self, line: str) -> None:
            pass

    with pytest.raises(Cancelled):
        reconstruct_recording(model, make_recording(2, frames=490), progress=Stop())


def test_the_recording_itself_is_not_changed(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    before = replace(recording, series=recording.series.copy())
    reconstruct(model, recording)
    assert np.array_equal(recording.series, before.series)


def test_verdicts() -> None:
    truth = np.random.default_rng(0).standard_normal((5, 50)).astype(np.float32)
    scored = np.ones(truth.shape, bool)

    def score(method: str, share: float) -> object:
        return sums(truth, truth * share, scored, window_mean(truth)).score(method)

    everybody = (score("model", 0.9), score("ridge", 0.2), score("ridge_people", 0.3))
    assert "more than the best simple method" in verdict(everybody)  # type: ignore[arg-type]
    assert "was not run" in verdict(everybody[:2])  # type: ignore[arg-type]
    assert "less than a simple method" in verdict((score("model", 0.2), score("ridge", 0.9)))  # type: ignore[arg-type]
    assert "Nothing beats the mean" in verdict((score("model", -1), score("mean", -0.1)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model_r2", "other_r2", "shown", "said"),
    [
        (0.337, 0.344, "0.344", "34% of the hidden activity (R² 0.337), less than a simple method: ridge"),
        (0.344, 0.337, "0.337", "34% of the hidden activity (R² 0.344), more than the best simple method"),
        (0.505, 0.501, "0.50", "50% of the hidden activity (R² 0.51), about as much as the best simple method"),
        (0.2, 0.5, "0.50", "20% of the hidden activity (R² 0.20), less than a simple method"),
    ],
)
def test_a_verdict_does_not_contradict_its_numbers(model_r2: float, other_r2: float, shown: str, said: str) -> None:
    scores = tuple(
        Score(method=method, title=TITLES[method], r2=r2, r=0.5, mse=1.0)
        for method, r2 in (("model", model_r2), ("ridge_people", other_r2))
    )
    assert said in verdict(scores)
    assert verdict(scores).endswith(f"(R² {shown}).")


@pytest.mark.parametrize("name", ["b", "B"])
def test_a_network_is_found_in_any_case(name: str) -> None:
    hidden = build_mask(MaskSpec(kind="network", network=name), 4, 2, ("A", "B", "b2", "B"))
    assert hidden.any(1).tolist() == [False, True, False, True]


def test_the_verdict_of_a_few_frames_says_so(make_recording: Callable[..., Recording]) -> None:
    recording = make_recording(77)
    short = replace(recording, series=recording.series[:, :6])
    told = reconstruct(load_model(), short, 0, MaskSpec(ratio=0.5, seed=1)).info.verdict
    assert told.startswith("6 frames are too few to conclude from: ")
    assert "too few" not in reconstruct(load_model(), recording, 0, MaskSpec(ratio=0.5, seed=1)).info.verdict
