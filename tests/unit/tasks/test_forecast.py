"""Forecasts: nothing looks into the future, bands hold what they promise, simple methods stand beside."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from brainlm_engine import forecast as forecast_in_python
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.cli import main
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import forecast, rolling_forecast
from brainlm_engine.tasks.evaluate_forecasts import evaluate_forecasts
from brainlm_engine.tasks.forecast_calibration import FILE, calibrate, calibration_of
from brainlm_engine.tasks.future import past_of

Make = Callable[..., Recording]
METHODS = ["forecast", "model", "shared", "var", "ar", "lstm", "persistence", "mean"]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


def test_one_forecast(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1)
    made = forecast(model, recording, 200, recording_id="abc")
    info = made.info
    assert (info.origin, info.history, info.horizon, info.recording_id) == (200, 180, 20, "abc")
    assert [score.method for score in info.methods] == METHODS
    assert made.arrays["forecast"].shape == (len(METHODS), 36, 20)
    past = recording.series[:, 20:200]
    centre, spread = past.mean(1, keepdims=True), past.std(1, keepdims=True)
    assert np.allclose(made.arrays["history"], (past - centre) / spread, atol=1e-3)
    truth = (recording.series[:, 200:220] - centre) / spread
    assert np.allclose(made.arrays["truth"], truth, atol=1e-3)
    assert np.allclose(made.arrays["mse"][0], ((made.forecast - truth) ** 2).mean(0), atol=1e-3)
    assert info.methods[0].mse == pytest.approx(((made.forecast - truth) ** 2).mean(), rel=1e-3)
    inside = (np.abs(made.forecast - truth) <= made.arrays["half_width"][1]).mean()
    assert info.coverage[1] == pytest.approx(inside, abs=0.01)
    assert ForecastInfo.model_validate_json(info.model_dump_json()) == info


def test_nothing_looks_into_the_future(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(2)
    changed = recording.series.copy()
    changed[:, 190:] = np.random.default_rng(0).normal(4000, 300, changed[:, 190:].shape)
    before, after = forecast(model, recording, 190), forecast(model, replace(recording, series=changed), 190)
    assert np.array_equal(before.arrays["forecast"], after.arrays["forecast"])
    assert np.array_equal(before.arrays["history"], after.arrays["history"])
    assert not np.allclose(before.arrays["truth"], after.arrays["truth"])


def test_the_end_of_a_recording_can_be_forecast(model: MaskedModel, make_recording: Make) -> None:
    made = forecast(model, make_recording(1), 240)
    assert np.isfinite(made.forecast).all()
    assert np.isnan(made.arrays["truth"]).all()
    assert made.info.coverage == ()
    assert "nothing to compare" in made.verdict
    partly = forecast(model, make_recording(1), 230)
    assert np.isfinite(partly.arrays["mse"][:, :10]).all()
    assert np.isnan(partly.arrays["mse"][:, 10:]).all()


def test_bands_widen_and_later_the_forecast_is_the_mean(model: MaskedModel, make_recording: Make) -> None:
    calibration = calibration_of(model)
    assert calibration is not None
    made = forecast(model, make_recording(3), 200)
    width = made.arrays["half_width"]
    assert (width[1] > width[0]).all()
    assert width[1, -1] > 1.2 * width[1, 0]
    far = forecast(model, make_recording(3), 200, horizon=40)
    size = np.abs(far.forecast).mean(0)
    late = np.flatnonzero(np.arange(1, 41) * calibration.tr_s > calibration.lead_s[-1] + calibration.tr_s)
    assert late.size
    assert size[late[5] :].max() < 0.02 * size[0], "a few frames later it has faded to the mean"
    assert np.array_equal(calibration.at(calibration.tr_s, 40)[0][late], np.zeros((late.size, 2)))
    assert made.info.beats_mean_s == calibration.beats_mean_s


def test_another_tr_and_atlas(model: MaskedModel, make_recording: Make) -> None:
    made = forecast(model, make_recording(4, tr_s=2.0, parcels=50), 200, horizon=12)
    assert made.arrays["forecast"].shape == (7, 50, 12), "the LSTM knows one TR only"
    assert "at a TR of 0.72 s" in made.info.bands_from


def test_missing_constant_and_strange_parcels(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(5)
    series, missing, xyz = recording.series.copy(), recording.missing.copy(), recording.xyz.copy()
    missing[0], series[1], series[2, 30:50], xyz[3] = True, 7.0, np.nan, np.nan
    made = forecast(model, replace(recording, series=series, missing=missing, xyz=xyz), 200)
    assert np.isnan(made.forecast[:4]).all()
    assert np.isfinite(made.forecast[4:]).all()
    assert any("4 of 36 parcels" in note for note in made.info.notes)


def test_a_band_pass_is_noticed(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(6)
    band = butter(2, [0.01 * 2 * 0.72, 0.1 * 2 * 0.72], "band")
    filtered = replace(recording, series=filtfilt(*band, recording.series, axis=1).astype(np.float32))
    assert not forecast(model, recording, 200).info.notes
    assert any("band-pass" in note for note in forecast(model, filtered, 200).info.notes)


@pytest.mark.parametrize(
    ("origin", "horizon", "sentence"),
    [(5, 20, "fewer than one time patch"), (241, 20, "no origin"), (200, 0, "cannot be forecast")],
)
def test_what_cannot_be_forecast(
    model: MaskedModel, make_recording: Make, origin: int, horizon: int, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        forecast(model, make_recording(1), origin, horizon=horizon)


def test_rolling_is_the_mean_of_single_ones(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(7, frames=260)
    rolling = rolling_forecast(model, recording)
    singles = [forecast(model, recording, origin) for origin in (180, 200, 220, 240)]
    assert rolling.info.origins == 4
    expected = np.mean([single.arrays["mse"] for single in singles], 0)
    assert np.allclose(rolling.arrays["mse"], expected, atol=1e-4)
    assert rolling.info.coverage[1] == pytest.approx(np.mean([single.info.coverage[1] for single in singles]), abs=1e-3)
    short = rolling_forecast(model, make_recording(8, frames=90))
    assert short.info.history == 45
    assert short.info.notes


def test_calibration_learns_saves_and_comes_back(small_cohort: Path, tmp_path: Path, make_recording: Make) -> None:
    model = load_model()
    made = calibrate(model, small_cohort, windows=2)
    assert made.people == 2
    assert made.weights.shape == (20, 2)
    model.folder = tmp_path
    made.save(tmp_path)
    read = calibration_of(model)
    assert read is not None
    assert np.allclose(read.weights, made.weights, atol=1e-6)
    assert (read.people, read.data, read.tr_s) == (made.people, made.data, made.tr_s)
    past = past_of(model, make_recording(1), 200, 180).filled
    assert np.allclose(read.lstm.forecast(past), made.lstm.forecast(past), atol=1e-6)
    (tmp_path / FILE).write_bytes(b"broken")
    with pytest.raises(BadInput, match="damaged"):
        forecast(model, make_recording(1), 200)
    (tmp_path / FILE).unlink()
    plain = forecast(model, make_recording(1), 200)
    assert np.array_equal(plain.arrays["forecast"][0], plain.arrays["forecast"][1]), "the model's own answer"
    assert "nobody has calibrated" in plain.info.bands_from


def test_an_evaluation_has_every_method_and_lead(model: MaskedModel, small_cohort: Path) -> None:
    table = evaluate_forecasts(model, small_cohort, horizon=10)
    assert table.people == 2
    assert [row.method for row in table.rows] == [*METHODS, "var_people"]
    assert all(len(row.by_lead) == 10 for row in table.rows)
    mean = next(row for row in table.rows if row.method == "mean")
    assert mean.by_lead == (1.0,) * 10
    assert 0 < table.coverage_90 <= 1


def test_the_verb_and_python_say_the_same(
    make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = make_recording(9)
    path, out = tmp_path / "r.safetensors", tmp_path / "forecast.csv"
    recording.save(path)
    assert main(["forecast", str(path), "--origin", "200", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    made = forecast_in_python(recording, origin=200)
    assert said["verdict"] == made.verdict
    assert said["methods"][0]["mse"] == pytest.approx(made.info.methods[0].mse, rel=1e-4)
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36 * 20
    assert float(rows[21]["followed"]) == pytest.approx(recording.series[1, 201], rel=1e-4)
    assert float(rows[0]["low_90"]) < float(rows[0]["forecast"]) < float(rows[0]["high_90"])
    assert main(["forecast", str(path), "--rolling"]) == 0
    assert "origins from frame 180" in capsys.readouterr().out
    assert main(["forecast", str(path), "--rolling", "--out", str(out)]) == 2
