"""States along a recording: known ones are found, their statistics count, bad input is one sentence."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.states_table import write_states
from brainlm_engine.cli import main
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M, Config13M
from brainlm_engine.preprocess.events import LAG_S, read_events
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.demo import demo_recording
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks
from brainlm_engine.tasks.state_clusters import find_states, statistics
from brainlm_engine.tasks.states import brain_states, embedded

Make = Callable[..., Recording]
TRUTH = np.repeat([0, 1, 0, 1, 0], [6, 4, 5, 3, 7])


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def switching(make_recording: Make) -> Recording:
    """25 windows of 20 frames: left and right parcels are high in turn."""
    recording = make_recording(1, frames=507)
    side = np.sign(recording.xyz[:, :1])
    level = np.append(np.repeat(2.0 * TRUTH - 1, 20), np.zeros(7))
    noise = np.random.default_rng(5).standard_normal(recording.series.shape)
    return replace(recording, series=(1000 + 10 * (side * level + 0.3 * noise)).astype(np.float32))


def test_two_known_states_are_found(model: MaskedModel, switching: Recording) -> None:
    made = brain_states(model, switching)
    assert (made.info.windows, made.info.window_frames) == (25, 20)
    for name, found in (("model", made.info.model), ("series", made.info.series)):
        assert found.k == 2
        assert np.array_equal(made.arrays[f"{name}_states"], TRUTH), "the longer state is the first"
        assert found.occupancy == pytest.approx((18 / 25, 7 / 25))
        assert found.visits == (3, 2)
        assert found.dwell_s == pytest.approx((6 * 14.4, 3.5 * 14.4))
        assert found.transitions == ((15, 2), (2, 5))
        assert made.arrays[f"{name}_xy"].shape == (25, 2)
    assert made.info.agreement == 1
    assert any("last 7 frames" in note for note in made.info.notes)
    assert brain_states(model, switching, 3).info.model.k == 3


def test_a_gap_ends_a_visit() -> None:
    occupancy, visits, dwell, transitions = statistics(np.array([0, 0, -1, 0, 1], np.int32), 2, 10.0)
    assert occupancy == (0.75, 0.25)
    assert visits == (2, 1)
    assert dwell == (15.0, 10.0)
    assert transitions == ((1, 1), (0, 0))


def test_missing_parcels_and_values_are_left_out(model: MaskedModel, switching: Recording) -> None:
    missing, series = switching.missing.copy(), switching.series.copy()
    missing[4], series[7, 50:60] = True, np.nan
    made = brain_states(model, replace(switching, missing=missing, series=series))
    assert np.array_equal(made.arrays["series_states"], TRUTH)
    assert np.isfinite(made.arrays["model_xy"]).all()
    with pytest.raises(BadInput, match="both a signal and a position"):
        brain_states(model, replace(switching, missing=np.ones_like(missing)))


def test_the_published_architecture_too(switching: Recording) -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "decoder_hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Config13M(**small, decoder_num_attention_heads=2, num_brain_voxels=36, timepoint_patching_size=20)
    made = brain_states(BrainLM13M(config).eval(), switching, 2)
    assert made.arrays["model_xy"].shape == (25, 2)
    found = made.arrays["series_states"]
    assert np.array_equal(found == found[0], TRUTH[0] == TRUTH), "numbered after the model's, cut the same"


def test_too_short_or_too_many(model: MaskedModel, make_recording: Make) -> None:
    with pytest.raises(BadInput, match="1 whole window of"):
        brain_states(model, make_recording(1, frames=25))
    with pytest.raises(BadInput, match="9 states"):
        brain_states(model, make_recording(1), 9)


def test_the_verb(switching: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    switching.save(path := tmp_path / "r.safetensors")
    out = tmp_path / "states.csv"
    assert main(["states", str(path), "--states", "2", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["visits"] == [3, 2]
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["model_state"]) - 1 for row in rows] == TRUTH.tolist()
    assert rows[1]["time_s"] == "14.400"
    assert main(["states", str(path)]) == 0
    assert "adjusted Rand" in capsys.readouterr().out


def test_states_found_twice_have_the_same_numbers() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 0, 2, 1, 0], 5)
    embedding = rng.normal(size=(3, 6))[truth] * 6 + rng.normal(size=(30, 6))
    first = find_states(embedding, 10.0, 3)
    other = np.roll(np.arange(3), 1)[first.states].astype(np.int32)
    again = find_states(embedding, 10.0, 3, like=other)
    assert np.array_equal(again.states, other)
    assert again.info.occupancy[int(other[0])] == first.info.occupancy[int(first.states[0])]
    assert find_states(embedding, 10.0).info.k == 3
    lone = np.concatenate([rng.normal(size=(20, 3)), [[40.0, 0, 0]]])
    chosen = find_states(lone, 10.0)
    assert chosen.info.k == 2 or min(chosen.info.occupancy) > 1.5 / 21, "a single window is no state"


def test_states_are_compared_with_conditions_and_networks(
    model: MaskedModel, switching: Recording, tmp_path: Path
) -> None:
    rows = [(6, 0.0, "left"), (4, 0, "right"), (5, 0, "left"), (3, 0, "right"), (7, 0, "left")]
    onsets = np.cumsum([0, *(windows * 14.4 for windows, *_ in rows)])[:5] - LAG_S
    lines = [f"{onset}\t{rows[at][0] * 14.4}\t{rows[at][2]}" for at, onset in enumerate(onsets)]
    scan = tmp_path / "sub-1_task-two_space-MNI_bold.nii.gz"
    table = tmp_path / "sub-1_task-two_events.tsv"
    table.write_text("\n".join(("onset\tduration\ttrial_type", *lines)) + "\n")
    found = brain_states(model, replace(switching, provenance={"source": str(scan)}))
    assert found.info.conditions == ("left", "right")
    assert np.array_equal(found.arrays["condition"], TRUTH)
    assert found.info.with_conditions == {"model": 1.0, "series": 1.0}
    assert any("sub-1_task-two_events.tsv" in note for note in found.info.notes)
    assert brain_states(model, switching).info.conditions == ()
    given = brain_states(model, switching, events=read_events(table))
    assert np.array_equal(given.arrays["condition"], TRUTH)

    names = given.info.networks
    series = zscored(switching)[:, :500]
    at = len(names) - 1
    rows_of = reference_networks(switching).labels == NETWORKS.index(names[at])
    wanted = np.nan_to_num(series[rows_of]).mean(0).reshape(25, 20).mean(1)
    assert np.allclose(given.arrays["activity"][at], wanted, atol=1e-5)

    write_states(given.info, given.arrays, tmp_path / "states.csv")
    with (tmp_path / "states.csv").open(encoding="utf-8") as file:
        rows_read = list(csv.DictReader(file))
    assert [row["condition"] for row in rows_read] == [("left", "right")[state] for state in TRUTH]
    assert np.allclose([float(row[f"{names[at]} activity, SD"]) for row in rows_read], wanted, atol=1e-5)

    table.write_text("onset\tduration\ttrial_type\n9000\t1\tlate\n")
    beside = brain_states(model, replace(switching, provenance={"source": str(scan)}))
    assert beside.info.conditions == ()
    assert any("Conditions are left out" in note for note in beside.info.notes)
    with pytest.raises(BadInput, match="inside the recording"):
        brain_states(model, switching, events=read_events(table))


def test_the_embedding_knows_the_window_not_its_place(model: MaskedModel) -> None:
    """A model's positions must not make states: windows in another order cluster by content, as the parcels do."""
    recording = demo_recording()
    series = zscored(recording)[:, :480]
    shares = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(24)
        shuffled = series.reshape(len(series), 24, 20)[:, order].reshape(len(series), -1)
        tokens = embedded(model, shuffled, recording, (20, 200), None)
        at = np.arange(24) % 10
        mean = tokens.mean(0)
        between = sum(((tokens[at == step].mean(0) - mean) ** 2).sum() * (at == step).sum() for step in range(10))
        shares.append(between / ((tokens - mean) ** 2).sum())
    assert np.mean(shares) == pytest.approx(9 / 23, abs=0.1)  # what chance gives
