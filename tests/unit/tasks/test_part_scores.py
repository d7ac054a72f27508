"""Scores per parcel, network and frame add up to what is hidden, and are written as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import reconstruct, reconstruct_recording
from brainlm_engine.tasks.part_scores import write_scores

Make = Callable[..., Recording]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def recording(make_recording: Make) -> Recording:
    """Twelve parcels of A, twelve of B, twelve without a network."""
    return replace(make_recording(1), networks=("A", "B", "") * 12)


def test_networks_frames_and_parcels_are_scored(model: MaskedModel, recording: Recording) -> None:
    made = reconstruct(model, recording, 17, MaskSpec(seed=4), 100)
    hidden = np.repeat(made.mask, 20, axis=1)
    assert [(part.network, part.n_parcels) for part in made.info.networks] == [("A", 12), ("B", 12), ("none", 12)]
    methods = [score.method for score in made.info.scores]
    off, about = made.predicted - made.measured, made.measured - made.measured.mean(1, keepdims=True)
    for part, members in zip(made.info.networks, np.arange(36).reshape(12, 3).T, strict=True):
        assert [score.method for score in part.scores] == methods
        where = np.zeros_like(hidden)
        where[members] = hidden[members]
        assert part.scores[0].r2 == pytest.approx(1 - (off[where] ** 2).sum() / (about[where] ** 2).sum(), abs=1e-5)
        assert part.scores[0].mse == pytest.approx((off[where] ** 2).mean(), abs=1e-5)
        pair = made.predicted[where], made.measured[where]
        assert part.scores[0].r == pytest.approx(np.corrcoef(*pair)[0, 1], abs=1e-5)
    assert made.by_parcel.shape == (len(methods), 3, 36)
    assert made.by_frame.shape == (len(methods), 3, 100)
    assert np.allclose(made.by_parcel[0, 0], made.r2_parcel, atol=1e-4, equal_nan=True)
    assert np.allclose(made.by_frame[0, 0], made.r2_frame, atol=1e-4, equal_nan=True)
    assert made.by_frame[0, 2, 42] == pytest.approx((off[hidden[:, 42], 42] ** 2).mean(), abs=1e-5)


def test_what_is_visible_has_no_scores(model: MaskedModel, recording: Recording) -> None:
    made = reconstruct(model, recording, 0, MaskSpec(kind="network", network="B"), 100)
    assert [part.network for part in made.info.networks] == ["B"]
    assert np.isfinite(made.by_parcel[0, 2]).tolist() == [False, True, False] * 12
    nothing = reconstruct(model, recording, 0, MaskSpec(kind="none"), 100)
    assert nothing.info.networks == ()
    assert nothing.by_frame.shape == (0, 3, 100)
    assert reconstruct(model, replace(recording, networks=()), 0).info.networks == ()


def test_a_whole_recording_too(model: MaskedModel, recording: Recording) -> None:
    made = reconstruct_recording(model, recording, frames=100)
    assert [part.network for part in made.networks] == ["A", "B", "none"]
    assert made.by_frame.shape == (len(made.scores), 3, 240)
    error = np.nanmean((made.predicted - made.measured) ** 2, axis=0)
    assert np.allclose(made.by_frame[0, 2], error, atol=1e-4)
    pooled = np.average([part.scores[0].mse for part in made.networks])
    assert pooled == pytest.approx(made.scores[0].mse, abs=1e-5)


def test_the_mean_of_several_predictions(model: MaskedModel, recording: Recording) -> None:
    first = reconstruct_recording(model, recording, 0.75, frames=100)
    mean = reconstruct_recording(model, recording, 0.75, frames=100, combine="mean")
    same = np.isclose(first.predicted, mean.predicted, atol=1e-5).mean()
    assert 0.3 < same < 0.7, "with 75 % hidden in each of two passes, half the patches are hidden twice"
    assert mean.scores[0].mse < first.scores[0].mse
    assert (first.combine, mean.combine) == ("first", "mean")


def test_the_table(model: MaskedModel, recording: Recording, tmp_path: Path) -> None:
    made = reconstruct(model, recording, 20, MaskSpec(kind="parcels", parcels=(3,)), 40)
    write_scores(
        tmp_path / "s.csv", made.info.scores, made.info.networks, made.arrays(), names=("x",) * 36, start=20, tr_s=0.5
    )
    with (tmp_path / "s.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    of_model = [row for row in rows if row["method"] == "model"]
    assert [row["part"] for row in of_model] == ["recording", "network", "parcel"] + ["frame"] * 40
    assert of_model[1]["name"] == "A"
    assert (of_model[2]["index"], of_model[2]["name"]) == ("3", "x")
    assert (of_model[3]["index"], of_model[3]["name"]) == ("20", "10.000 s")
    assert float(of_model[0]["mse"]) == pytest.approx(made.info.scores[0].mse, rel=1e-4)
