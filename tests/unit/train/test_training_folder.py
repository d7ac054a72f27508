"""What a training leaves beside the model: curve, levels, preview, and how they are read while it still writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.models.sizes import SIZES
from brainlm_engine.models.studio import Studio
from brainlm_engine.train import TrainSettings, pretrain
from brainlm_engine.train.preview import save_preview
from brainlm_engine.train.settings import settings_from
from brainlm_engine.training_folder import LOG, checkpoint_head, read_levels, read_points, read_preview, whole_lines

SMALL = {
    "width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "registers": 2, "factors": 8, "place_width": 24,
}  # fmt: skip
SETTINGS = TrainSettings(
    steps=4, threads=1, batch=2, window_frames=100, evaluate_every=2, checkpoint_every=2, queries=20, model=SMALL
)


def test_a_training_leaves_curve_levels_and_preview(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(small_cohort, out, SETTINGS)
    assert [point.step for point in read_points(out)] == [1, 2, 4]
    levels = {level.method: level.r2 for level in read_levels(out)}
    assert levels.keys() == {"ridge_people", "ridge", "pca", "interpolation", "mean"}
    assert levels["ridge_people"] > levels["mean"]
    found = read_preview(out)
    assert found is not None
    head, arrays = found
    assert (head["step"], head["patch_frames"]) == (4, 20)
    assert arrays["measured"].shape == arrays["predicted"].shape == (12, 100)
    hidden = np.repeat(arrays["mask"], 20, axis=1)
    assert np.isfinite(arrays["predicted"][hidden]).all()
    assert np.isnan(arrays["predicted"][~hidden]).all()
    assert checkpoint_head(out) == (4, 0.002, ((0, 0.002),))


def test_the_preview_is_the_same_window_at_every_look(small_cohort: Path, tmp_path: Path) -> None:
    held_out = load_series(open_cohort(small_cohort), "val")
    seen = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        save_preview(Studio.from_config(SMALL).eval(), held_out, 100, tmp_path, seed)
        found = read_preview(tmp_path)
        assert found is not None
        seen.append(found[1])
    np.testing.assert_array_equal(seen[0]["measured"], seen[1]["measured"])
    np.testing.assert_array_equal(seen[0]["mask"], seen[1]["mask"])


def test_a_half_written_last_line_is_left_out_and_does_not_stop_a_continuation(
    small_cohort: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    pretrain(small_cohort, out, SETTINGS)
    with (out / LOG).open("a", encoding="utf-8") as file:
        file.write('{"step": 6, "loss": 0.')
    assert [point.step for point in read_points(out)] == [1, 2, 4]
    again = pretrain(small_cohort, out, SETTINGS.model_copy(update={"steps": 8}))
    assert again.steps == 8
    assert [line["step"] for line in whole_lines(out / LOG)] == [1, 2, 4, 6, 8]


def test_strange_lines_and_missing_files_are_nothing(tmp_path: Path) -> None:
    assert read_points(tmp_path) == ()
    assert read_levels(tmp_path) == ()
    assert read_preview(tmp_path) is None
    assert checkpoint_head(tmp_path) == (0, 0.0, ())
    for name in ("levels.json", "preview.safetensors", "checkpoint.safetensors"):
        (tmp_path / name).write_bytes(b"\x00not what it should be")
    lines = [
        "[]",
        '{"event": "batch halved", "step": 3}',
        json.dumps({"step": 4, "loss": 1, "validation_r2": 0.1, "x": 2}),
    ]
    (tmp_path / LOG).write_text("\n".join(lines), encoding="utf-8")
    assert read_levels(tmp_path) == ()
    assert read_preview(tmp_path) is None
    assert checkpoint_head(tmp_path) == (0, 0.0, ())
    (point,) = read_points(tmp_path)
    assert (point.step, point.model_extra) == (4, {"x": 2})


def test_long_curves_are_thinned_and_keep_their_ends(tmp_path: Path) -> None:
    lines = [json.dumps({"step": step, "loss": 1.0, "validation_r2": 0.0}) for step in range(1, 2001)]
    (tmp_path / LOG).write_text("\n".join(lines) + "\n", encoding="utf-8")
    points = read_points(tmp_path, most=100)
    assert (len(points), points[0].step, points[-1].step) == (100, 1, 2000)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.size_id)
def test_the_numbers_of_parameters_are_true(size: object) -> None:
    model = Studio.from_config(dict(size.sizes))  # type: ignore[attr-defined]
    assert sum(parameter.numel() for parameter in model.parameters()) == size.n_parameters  # type: ignore[attr-defined]
    usual = settings_from({"steps": 1, "model": dict(size.sizes)}).learning_rate  # type: ignore[attr-defined]
    assert usual == size.learning_rate  # type: ignore[attr-defined]
