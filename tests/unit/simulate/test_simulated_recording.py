"""Simulated recordings: reproducible, labelled, and shaped like resting BOLD."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas import Atlas
from brainlm_engine.simulate import SimulationParameters, Simulator
from brainlm_engine.simulate.fc_statistics import Layout, cohort_statistics, connectivity, detrended
from brainlm_engine.simulate.hemodynamics import VISUAL_BLOCK_S
from brainlm_engine.simulate.parameters import DEFAULT, NETWORKS, SALIENCE, VISUAL
from brainlm_engine.simulate.people import Person


def test_the_same_seed_gives_the_same_recording(atlas: Atlas, simulator: Simulator) -> None:
    again = Simulator(atlas, seed=11)
    again.recording(again.person(7), 64)  # what was made before must not matter
    first, second = (s.recording(s.person(2), 100, 0.72, "visual", run=2) for s in (simulator, again))
    np.testing.assert_array_equal(first.series, second.series)
    assert first.provenance == second.provenance


def test_runs_tasks_people_and_seeds_differ(atlas: Atlas, simulator: Simulator) -> None:
    person, other = simulator.person(0), Simulator(atlas, seed=12)
    series = [
        simulator.recording(person, 64).series,
        simulator.recording(person, 64, run=2).series,
        simulator.recording(person, 64, task="visual").series,
        simulator.recording(simulator.person(1), 64).series,
        other.recording(other.person(0), 64).series,
    ]
    assert all(not np.allclose(a, b) for a, b in pairwise(series))


def test_a_recording_says_that_it_is_simulated(atlas: Atlas, simulator: Simulator) -> None:
    recording = simulator.recording(simulator.person(0), 50, 1.5, "visual")
    assert recording.provenance["simulated"] is True
    assert "simulated" in recording.name
    assert recording.provenance["block_s"] == VISUAL_BLOCK_S
    assert (recording.unit, recording.tr_s, recording.series.shape) == ("raw", 1.5, (424, 50))
    assert recording.series.dtype == np.float32
    assert (recording.names, recording.networks, recording.atlas_id) == (atlas.names, atlas.networks, "mni424")
    assert not recording.missing.any()


@pytest.mark.parametrize("tr_s", [0.5, 0.72, 2.0, 3.5])
def test_any_tr_gives_a_plausible_signal(simulator: Simulator, tr_s: float) -> None:
    series = simulator.recording(simulator.person(3), 150, tr_s).series
    assert np.isfinite(series).all()
    assert series.min() > 0
    change = 100 * series.std(axis=1) / series.mean(axis=1)
    assert 0.2 < np.median(change) < 3  # per cent


def test_statistics_are_like_resting_recordings(simulator: Simulator) -> None:
    population = simulator.population
    recordings = [simulator.recording(simulator.person(i), 300).series for i in range(10)]
    found = cohort_statistics(recordings, Layout(population.xyz, population.codes))
    mean = {name: values.mean() for name, values in found.per_recording.items()}
    assert 0.10 < mean["mean FC"] < 0.35
    assert 0.08 < mean["sd of FC over pairs"] < 0.25
    assert mean["within-network FC"] > mean["between-network FC"] + 0.06
    assert mean["homotopic FC"] > mean["heterotopic FC"] + 0.1
    assert 0.3 < mean["lag-1 autocorrelation"] < 0.7
    by_distance = found.by_distance.mean(axis=0)
    assert by_distance[0] > by_distance[3] > by_distance[-1] - 0.02
    assert found.within_person.mean() > found.between_people.mean() + 0.1


def _with_age(person: Person, age_z: float) -> Person:
    return dataclasses.replace(person, age=63 + 7.6 * age_z, age_z=age_z)


def test_age_weakens_coupling_within_default_and_salience_networks(simulator: Simulator) -> None:
    differences = []
    for index in range(6):
        person = simulator.person(index)
        young, old = (_within(simulator, simulator.recording(_with_age(person, z), 400).series) for z in (-1.5, 1.5))
        differences.append(young - old)
    assert np.mean(differences) > 0.02
    assert np.sum(np.array(differences) > 0) >= 5


def test_without_an_age_effect_age_changes_nothing_but_the_response_delay(atlas: Atlas) -> None:
    simulator = Simulator(atlas, seed=11, parameters=SimulationParameters(effect_age=0.0))
    person = simulator.person(0)
    young, old = (_within(simulator, simulator.recording(_with_age(person, z), 400).series) for z in (-1.5, 1.5))
    assert abs(young - old) < 0.02


def _within(simulator: Simulator, series: np.ndarray) -> float:
    fc, codes = connectivity(detrended(series)), simulator.population.codes
    return float(np.mean([np.nanmean(fc[np.ix_(codes == c, codes == c)]) for c in (DEFAULT, SALIENCE)]))


def test_the_visual_task_shows_at_its_block_frequency_in_the_visual_network(simulator: Simulator) -> None:
    n_frames, tr_s = 400, 0.8  # 320 s: ten periods of 32 s
    visual = simulator.population.codes == VISUAL
    share = {}
    for task in ("rest", "visual"):
        powers = []
        for index in range(4):
            series = detrended(simulator.recording(simulator.person(index), n_frames, tr_s, task).series)
            power = np.abs(np.fft.rfft(series, axis=1)) ** 2
            at_block = round(n_frames * tr_s / (2 * VISUAL_BLOCK_S))
            powers.append(power[:, at_block] / power[:, 1:].sum(axis=1))
        share[task] = np.mean(powers, axis=0)
    gained = share["visual"] - share["rest"]
    by_network = [gained[simulator.population.codes == code].mean() for code in range(len(NETWORKS))]
    assert share["visual"][visual].mean() > 3 * share["rest"][visual].mean()
    assert int(np.argmax(by_network)) == VISUAL
    assert by_network[VISUAL] > 2 * max(by_network[SALIENCE], by_network[DEFAULT])


def test_an_atlas_without_networks_borrows_them_from_the_nearest_parcels(atlas: Atlas) -> None:
    kept = np.arange(0, atlas.n_parcels, 4)
    few = dataclasses.replace(
        atlas, atlas_id="few", xyz=atlas.xyz[kept], names=tuple(atlas.names[i] for i in kept),
        networks=("",) * len(kept), structures=("",) * len(kept), hemispheres=("",) * len(kept),
    )  # fmt: skip
    coarse, fine = Simulator(few, seed=1), Simulator(atlas, seed=1)
    np.testing.assert_array_equal(coarse.population.codes, fine.population.codes[kept])
    fc = connectivity(detrended(coarse.recording(coarse.person(0), 300).series))
    assert 0.05 < np.nanmean(fc) < 0.4


def test_what_cannot_be_simulated_is_refused_in_one_sentence(atlas: Atlas, simulator: Simulator) -> None:
    person = simulator.person(0)
    for frames, tr_s, task in ((3, 0.72, "rest"), (100, 0.1, "rest"), (100, 720.0, "rest"), (100, 2.0, "sleep")):
        with pytest.raises(BadInput) as refused:
            simulator.recording(person, frames, tr_s, task)  # type: ignore[arg-type]
        assert refused.value.next_step
    nowhere = dataclasses.replace(atlas, xyz=np.full_like(atlas.xyz, np.nan))
    with pytest.raises(BadInput, match="known positions"):
        Simulator(nowhere)
