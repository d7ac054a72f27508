"""What a published model is fed: the statistics that a person chose, exactly; the answer is in SD whatever they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.cli import main
from brainlm_engine.cohort import zscored
from brainlm_engine.models import list_models, load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M
from brainlm_engine.models.card import Card
from brainlm_engine.models.exchange import import_model
from brainlm_engine.paths import data_dir
from brainlm_engine.preprocess import PopulationScaling, RecordingFiles, fit_population
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import reconstruct, reconstruct_recording
from brainlm_engine.tasks.input_scaling import (
    OF_RECORDING,
    InputScaling,
    chosen_scaling,
    cohort_scaling,
    keep_cohort_statistics,
    kept_path,
)

Make = Callable[..., Recording]
CONFIG: dict[str, Any] = {
    "model_type": "brainlm_mae", "architectures": ["BrainLMForPretraining"], "hidden_size": 16,
    "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24, "decoder_hidden_size": 16,
    "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 24,
    "timepoint_patching_size": 20, "num_timepoints_per_voxel": 200, "mask_ratio": 0.2, "conv_kernel_size": 5,
    "num_landmarks": 64, "segment_means_seq_len": 64,
}  # fmt: skip


@pytest.fixture
def published(tmp_path: Path) -> MaskedModel:
    """A small model of the published architecture, imported from a folder as its authors give it out."""
    torch.manual_seed(0)
    folder = tmp_path / "old_13M"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    model = BrainLM13M.from_config(CONFIG)
    torch.save({**model.state_dict(), **model.tables()}, folder / "pytorch_model.bin")
    import_model(folder, "published")
    return load_model("published")


@pytest.mark.shared_data
@pytest.mark.parametrize("method", ["robust", "toolkit_compat"])
def test_the_models_input_is_what_the_published_preprocessing_gives(shared_reference: Path, method: str) -> None:
    golden = load_file(shared_reference / "golden_preproc" / "io.safetensors")
    recordings = []
    for raw in golden["raw_T_by_V"]:
        series, parcels = raw.T.astype(np.float32), raw.shape[1]
        nowhere = np.zeros((parcels, 3), np.float32)
        recordings.append(Recording(series, 0.735, nowhere, np.isnan(series).any(1), np.ones(parcels, np.float32)))
    statistics = fit_population(recordings, method)
    for index, where, key in ((0, np.s_[:12, :12], "rec0_first12x12"), (2, np.s_[-8:, -8:], "rec2_last8x8")):
        recording = recordings[index]
        made = InputScaling(statistics, "the model").units(recording).into(zscored(recording))
        np.testing.assert_allclose(made, statistics.scale(recording.series).series, rtol=2e-4, atol=2e-4)
        if method == "toolkit_compat":  # the toolkit stores frames x parcels
            theirs = golden[f"Voxelwise_RobustScaler_Normalized_Recording__{key}"]
            np.testing.assert_allclose(made.T[where], theirs, rtol=2e-4, atol=2e-4)


def test_the_model_gets_the_scaled_series_and_answers_in_sd(
    published: MaskedModel, small_cohort: Path, make_recording: Make
) -> None:
    recording, scaling = make_recording(77), cohort_scaling(small_cohort)
    seen: list[torch.Tensor] = []
    answers: list[torch.Tensor] = []
    published.register_forward_hook(lambda _m, args, out: (seen.append(args[0]), answers.append(out.prediction))[0])
    made = reconstruct(published, recording, 20, MaskSpec(seed=2), 100, scaling=scaling)
    population = scaling.statistics.scale(recording.series)
    np.testing.assert_allclose(seen[0][0].numpy(), population.series[:, 20:120], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(made.measured, zscored(recording)[:, 20:120])
    raw = scaling.statistics.for_recording(recording.series).undo(answers[0][0].reshape(36, 100).numpy())
    own = (raw - recording.series.mean(1, keepdims=True)) / recording.series.std(1, keepdims=True)
    np.testing.assert_allclose(made.predicted, own, rtol=1e-2, atol=2e-3)
    plain = reconstruct(published, recording, 20, MaskSpec(seed=2), 100)
    assert made.r2 != plain.r2
    assert made.baselines == plain.baselines, "the simple methods are scored as before"
    assert made.info.scaling == "robust, median and interquartile range per parcel of the cohort cohort (6 recordings)"
    assert any("stand in for those of its training" in note for note in made.notes)
    assert plain.info.scaling == OF_RECORDING
    assert any("statistics are not public; here each parcel is z-scored" in note for note in plain.notes)
    whole = reconstruct_recording(published, recording, scaling=scaling)
    assert whole.scaling == made.info.scaling
    assert np.isfinite(whole.predicted[:, :200]).all()


def test_statistics_in_the_card_are_used_unless_told_otherwise(published: MaskedModel, make_recording: Make) -> None:
    folder, recording = data_dir() / "models" / "published", make_recording(5)
    assert list_models().models[-1].scalings == ("zscore", "cohort")
    with pytest.raises(BadInput, match="carries no scaling statistics"):
        chosen_scaling("model", published)
    card = Card.load(folder)
    statistics = fit_population([make_recording(seed) for seed in range(3)], gain=7)
    card.statistics = {**statistics.content(), "unit": recording.unit}
    card.info = card.info.model_copy(update={"atlas_id": ""})
    card.save(folder)
    info = next(model for model in list_models().models if model.model_id == "published")
    assert info.scalings == ("model", "zscore", "cohort")
    for choice in ("", "model"):
        scaling = chosen_scaling(choice, published)
        assert scaling is not None
        np.testing.assert_array_equal(scaling.statistics.median, statistics.median)
        assert scaling.statistics.gain == 7
        made = reconstruct(published, recording, scaling=scaling)
        assert "of the model (3 recordings)" in made.info.scaling
        assert not [note for note in made.notes if "scaled" in note]
    assert chosen_scaling("zscore", published) is None
    card.training = {"steps": 3}
    card.save(folder)
    assert chosen_scaling("", published) is None, "a model that was trained here takes care of its own scaling"
    card.training, card.statistics = {}, {**statistics.content(), "iqr": [1]}
    card.save(folder)
    with pytest.raises(BadInput, match="statistics in the card of .* are damaged"):
        chosen_scaling("model", published)
    card.statistics = statistics.content()
    card.save(folder)
    departing = reconstruct(published, recording)
    assert any("a departure from its training" in note for note in departing.notes)
    shipped = next(model for model in list_models().models if model.model_id == "studio-tiny")
    assert shipped.scalings == ("zscore",)


def test_a_cohorts_statistics_are_computed_once(small_cohort: Path, tmp_path: Path, make_recording: Make) -> None:
    first = keep_cohort_statistics(small_cohort)
    made = kept_path(first).stat().st_mtime_ns
    files = sorted((small_cohort / "recordings").iterdir())
    people = [path for index, path in enumerate(files) if index % 5 in (0, 3, 4)]
    found, expected = PopulationScaling.load(kept_path(first)), fit_population(RecordingFiles(people))
    np.testing.assert_array_equal(found.median, expected.median)
    np.testing.assert_array_equal(found.iqr, expected.iqr)
    assert keep_cohort_statistics(small_cohort) == first
    assert kept_path(first).stat().st_mtime_ns == made
    make_recording(50).save(people[0])
    assert keep_cohort_statistics(small_cohort) != first, "another recording, other statistics"
    with pytest.raises(BadInput, match="is not a cohort"):
        keep_cohort_statistics(tmp_path / "nothing")

    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            raise Cancelled("Stopped.")

        def log(self, line: str) -> None:
            pass

    make_recording(51).save(people[0])
    with pytest.raises(Cancelled):
        keep_cohort_statistics(small_cohort, Stop())


def test_statistics_of_another_kind_are_refused(
    published: MaskedModel, small_cohort: Path, make_recording: Make
) -> None:
    scaling = cohort_scaling(small_cohort)
    with pytest.raises(BadInput, match="has 40 parcels .* are of 36 parcels"):
        reconstruct(published, make_recording(1, parcels=40), scaling=scaling)
    with pytest.raises(BadInput, match="in the unit SD; the scaling statistics of the cohort cohort are in raw"):
        reconstruct(published, replace(make_recording(1), unit="SD"), scaling=scaling)
    other = replace(scaling, atlas_id="a424")
    with pytest.raises(BadInput, match="parcels of mni424"):
        reconstruct(published, replace(make_recording(1), atlas_id="mni424"), scaling=other)
    with pytest.raises(BadInput, match="holds no scaling statistics"):
        chosen_scaling("no-such-thing.json", published)


def test_a_parcel_without_statistics_is_left_out(
    published: MaskedModel, small_cohort: Path, make_recording: Make
) -> None:
    scaling = cohort_scaling(small_cohort)
    scaling.statistics.iqr[3] = np.nan
    made = reconstruct(published, make_recording(1), scaling=scaling)
    assert np.isnan(made.predicted[3]).all()
    assert np.isfinite(np.delete(made.predicted, 3, 0)).all()
    assert np.isnan(made.r2_parcel[3])
    assert any("1 of 36 parcels" in note and "no statistics" in note for note in made.notes)


def test_the_command_line_says_which_scaling_was_used(
    published: MaskedModel, small_cohort: Path, make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.safetensors"
    make_recording(9).save(path)
    words = ["reconstruct", str(path), "--model", "published", "--frames", "100"]
    said = {}
    for choice in ("zscore", str(small_cohort), str(kept_path(keep_cohort_statistics(small_cohort)))):
        assert main([*words, "--scaling", choice, "--json"]) == 0
        said[choice] = json.loads(capsys.readouterr().out)
    assert said["zscore"]["scaling"] == OF_RECORDING
    by_folder, by_file = (said[choice] for choice in list(said)[1:])
    assert "of the cohort cohort" in by_folder["scaling"]
    assert by_folder["scores"] == by_file["scores"] != said["zscore"]["scores"]
    assert main([*words, "--scaling", str(small_cohort)]) == 0
    assert "Input of the model: robust, median and interquartile range" in capsys.readouterr().out
    assert main([*words, "--scaling", "model", "--json"]) == 2


def test_a_model_of_zscores_takes_no_other_scaling(small_cohort: Path) -> None:
    with pytest.raises(BadInput, match="was trained on z-scores per recording") as refused:
        chosen_scaling(str(small_cohort), load_model("studio-tiny"))
    assert refused.value.next_step == "Leave the scaling out."
    assert chosen_scaling("zscore", load_model("studio-tiny")) is None
