"""A stimulus in the simulated brain: what it truly does, and that a recording holds exactly that."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from brainlm_engine.api.errors import BadInput
from brainlm_engine.simulate import Simulator, Stimulus
from brainlm_engine.simulate.hemodynamics import Timing, response_spectrum
from brainlm_engine.simulate.stimulation import usual_sd

FRAMES, TR_S = 300, 0.72
UP = Stimulus((10,), start_s=72.0, stop_s=108.0)


def test_recordings_with_and_without_differ_by_the_true_response(simulator: Simulator) -> None:
    person = simulator.person(1)
    plain = simulator.recording(person, FRAMES, TR_S)
    moved = simulator.recording(person, FRAMES, TR_S, stimulus=UP)
    apart = (moved.series.astype(float) - plain.series) / simulator.brain(person).baseline[:, None]
    true = simulator.response(person, UP, FRAMES, TR_S)
    scale = (apart * true).sum() / (true**2).sum()  # one number per run
    assert 0.9 <= scale / simulator.parameters.signal_scale <= 1.1
    np.testing.assert_allclose(apart / scale, true, atol=0.01 * np.abs(true).max())
    assert moved.provenance["stimulus"]["regions"] == (10,)
    assert "stimulus" not in plain.provenance


def test_nothing_happens_before_and_the_stimulated_parcel_answers_most(simulator: Simulator) -> None:
    true = simulator.response(simulator.person(1), UP, FRAMES, TR_S)
    assert np.abs(true[:, :100]).max() < 0.01 * np.abs(true).max()
    assert np.abs(true).max(1).argmax() == 10
    assert true[10, 110:150].mean() > 0


def test_the_response_is_linear(simulator: Simulator) -> None:
    person = simulator.person(1)
    both, one, other, down = (
        simulator.response(person, Stimulus(regions, 72.0, 108.0, strength), FRAMES, TR_S)
        for regions, strength in (((10, 200), 1.0), ((10,), 1.0), ((200,), 1.0), ((10,), -2.0))
    )
    np.testing.assert_allclose(both, one + other, atol=1e-5 * np.abs(both).max())
    np.testing.assert_allclose(down, -2 * one, atol=1e-5 * np.abs(down).max())


def test_responses_fall_with_distance_and_are_symmetric(simulator: Simulator) -> None:
    person = simulator.person(1)
    there = simulator.response(person, UP, FRAMES, TR_S)[:, 100:].mean(1)
    back = simulator.response(person, Stimulus((200,), 72.0, 108.0), FRAMES, TR_S)[:, 100:].mean(1)
    assert there[200] == pytest.approx(back[10], rel=0.05)  # the coupling is symmetric, the blood's delays differ
    apart = np.linalg.norm(simulator.population.xyz - simulator.population.xyz[10], axis=1)
    others = np.arange(len(apart)) != 10
    assert spearmanr(np.abs(there[others]), apart[others]).statistic < -0.1


def test_the_expected_sd_is_that_of_noise(simulator: Simulator) -> None:
    dynamics, timing = simulator.brain(simulator.person(1)).dynamics, Timing(FRAMES, TR_S)
    blood = response_spectrum(timing, 5.5)
    drive = timing.spectrum(np.random.default_rng(3), len(dynamics.modes))
    made = timing.to_time(dynamics.respond(drive, timing.omega) * blood)
    assert made.std() == pytest.approx(usual_sd(dynamics, timing, blood), rel=0.1)


@pytest.mark.parametrize(
    ("stimulus", "told"),
    [
        (Stimulus((), 1.0, 2.0), "reaches no region"),
        (Stimulus((424,), 1.0, 5.0), "no region 424"),
        (Stimulus((-1,), 1.0, 5.0), "no region -1"),
        (Stimulus((3,), 5.0, 5.0), "holds no frame"),
        (Stimulus((3,), 200.0, 999.0), "holds no frame"),
        (Stimulus((3,), 1.0, 1.1), "holds no frame"),
        (Stimulus((3,), 1.0, 5.0, float("nan")), "is no number"),
    ],
)
def test_a_stimulus_outside_is_refused(simulator: Simulator, stimulus: Stimulus, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        simulator.recording(simulator.person(0), FRAMES, TR_S, stimulus=stimulus)
