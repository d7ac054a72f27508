"""Networks: parcels are held out from themselves, known networks are found, and the controls stand beside."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.models import load_model
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.network_labels import clusters, figures, folds_of, likeness, nearest
from brainlm_engine.tasks.network_maps import noise_like, untrained
from brainlm_engine.tasks.networks import networks
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks

Make = Callable[..., Recording]


def blocks(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return series (60, 300) of three networks of 20 parcels, and the networks."""
    rng = np.random.default_rng(seed)
    reference = np.repeat(np.arange(3), 20)
    return rng.normal(size=(3, 300))[reference] + 0.7 * rng.normal(size=(60, 300)), reference


def test_known_networks_are_found_and_noise_finds_none() -> None:
    series, reference = blocks()
    found = nearest(likeness(series), reference)
    assert figures(found, reference, 3).accuracy > 0.95
    noise = np.random.default_rng(1).normal(size=series.shape)
    assert figures(nearest(likeness(noise), reference), reference, 3).accuracy < 0.6
    groups, count, width = clusters(likeness(series))
    assert count == 3
    assert width > 0.2
    assert figures(groups, reference, 3).nmi > 0.9
    assert clusters(likeness(series), 5)[1] == 5


def test_no_parcel_knows_its_own_label(monkeypatch: pytest.MonkeyPatch) -> None:
    series, reference = blocks()
    alike, folds = likeness(series), folds_of(reference)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    monkeypatch.setattr("brainlm_engine.tasks.network_labels.folds_of", lambda *_: folds)
    before = nearest(alike, reference)
    for fold in (0, 4):
        held = folds == fold
        wrong = np.where(held, (reference + 1) % 3, reference)
        assert np.array_equal(nearest(alike, wrong)[held], before[held])
    everybody = nearest(alike, (reference + 1) % 3)
    assert np.array_equal(everybody, (before + 1) % 3), "the labels of the others are looked at"


def test_missing_parcels_and_other_atlases(make_recording: Make) -> None:
    recording = make_recording(1, parcels=50)
    reference = reference_networks(recording)
    assert ((reference.coverage >= 0) & (reference.coverage <= 1)).all()
    missing = recording.missing.copy()
    missing[3] = True
    made = networks(load_model(), replace(recording, missing=missing), count=3)
    assert made.labels[3] == -1
    assert set(made.labels) <= set(range(-1, len(NETWORKS)))
    assert made.info.clusters == 3
    assert made.info.scores[0].method == "attention"
    assert {"noise", "xyz", "mirrored", "majority", "connectivity"} <= {score.method for score in made.info.scores}
    with pytest.raises(BadInput, match="seven reference networks"):
        reference_networks(replace(recording, networks=(), atlas_id="", xyz=recording.xyz + 900))


def test_controls_are_what_they_say(make_recording: Make) -> None:
    recording = make_recording(2)
    noise = noise_like(recording)
    spectrum, other = (np.abs(np.fft.rfft(each.series[0] - each.series[0].mean())) for each in (recording, noise))
    spread = recording.series[0].std()
    assert np.allclose(spectrum[1:-1] / spread, other[1:-1] / noise.series[0].std(), rtol=0.02, atol=0.02)
    apart = np.corrcoef(noise.series) - np.eye(recording.n_parcels)
    assert abs(apart.mean()) < 0.1
    model = load_model()
    fresh = untrained(model)
    assert type(fresh) is type(model)
    assert not np.allclose(*(next(each.encoder.parameters()).detach().numpy() for each in (model, fresh)))  # type: ignore[attr-defined]


def test_the_verb_writes_what_it_found(
    make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "r.safetensors", tmp_path / "networks.csv"
    make_recording(3).save(path)
    assert main(["networks", str(path), "--clusters", "4", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["scores"][0]["method"] == "attention"
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    assert {row["cluster"] for row in rows} <= {"1", "2", "3", "4"}
    assert main(["networks", str(path), "--out", str(tmp_path / "networks.txt")]) == 2
    assert main(["networks", str(path), "--clusters", "1"]) == 2


def test_the_first_answer_is_a_part_of_the_whole(make_recording: Make) -> None:
    recording, model = make_recording(4), load_model()
    held: dict[str, object] = {}
    made: list[str] = []

    def keep(name: str, make: Callable[[], object]) -> object:
        if name not in held:
            made.append(name)
            held[name] = make()
        return held[name]

    first = networks(model, recording, count=3, controls=False, keep=keep)  # type: ignore[arg-type]
    assert made == ["maps", "clusters attention 3"]
    whole = networks(model, recording, count=3, keep=keep)  # type: ignore[arg-type]
    assert made.count("maps") == 1
    assert "untrained" in made
    alone = networks(model, recording, count=3)
    assert repr(alone.info.scores) == repr(whole.info.scores)
    scores = {score.method: score for score in whole.info.scores}
    assert all(repr(scores[score.method]) == repr(score) for score in first.info.scores)
    assert "noise" in scores
    assert "noise" not in {score.method for score in first.info.scores}
    simple = networks(model, recording, source="raw", controls=False)
    assert simple.info.scores[0].method == "raw"
    assert "attention" not in {score.method for score in simple.info.scores}


def test_without_attention_the_recording_itself_still_tells(
    make_recording: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> object:
        raise BadInput("The model has no attention that can be read.", "Choose another model.")

    monkeypatch.setattr("brainlm_engine.tasks.networks.parcel_maps", none)
    recording = make_recording(5)
    made = networks(load_model(), recording, source="connectivity")
    assert made.info.notes == ("Without the model: The model has no attention that can be read.",)
    assert {score.method for score in made.info.scores} == {"connectivity", "raw", "xyz", "mirrored", "majority"}
    with pytest.raises(BadInput, match="no attention"):
        networks(load_model(), recording)
    with pytest.raises(BadInput, match="too few to tell which parcels"):
        networks(load_model(), replace(recording, series=recording.series[:, :19]))


def test_images_on_the_atlas(make_recording: Make, tmp_path: Path) -> None:
    from brainlm_engine.atlas.registry import load_atlas
    from brainlm_engine.tasks.network_files import write_networks

    atlas = load_atlas()
    series = np.random.default_rng(0).normal(size=(atlas.n_parcels, 60)).astype(np.float32)
    recording = Recording(
        series=series, tr_s=0.72, xyz=atlas.xyz, missing=np.zeros(len(series), bool),
        coverage=np.ones(len(series), np.float32), atlas_id=atlas.atlas_id, names=atlas.names, networks=atlas.networks,
    )  # fmt: skip
    made = networks(load_model(), recording, source="connectivity", count=4)
    volume, surface = tmp_path / "n.nii.gz", tmp_path / "n.dlabel.nii"
    write_networks(made, recording, volume)
    write_networks(made, recording, surface, which="reference")
    written = np.asarray(nib.load(volume).dataobj)
    parcel = 7
    assert (written[atlas.labels == parcel + 1] == made.labels[parcel] + 1).all()
    image = nib.load(surface)
    axis = image.header.get_axis(0)
    assert axis.label[0][1][0] == NETWORKS[0]
    assert image.shape[1] == (atlas.surface_left >= 0).sum() + (atlas.surface_right >= 0).sum()
    with pytest.raises(BadInput, match="needs the atlas"):
        write_networks(made, replace(recording, atlas_id=""), volume)


def test_networks_of_a_group(tmp_path: Path, make_recording: Make, capsys: pytest.CaptureFixture[str]) -> None:
    from brainlm_engine.tasks.group_networks import group_networks

    folder = tmp_path / "cohort"
    (folder / "recordings").mkdir(parents=True)
    rows = ["participant_id\tsplit"]
    recordings = []
    for seed in range(3):
        recordings.append(make_recording(seed))
        recordings[-1].save(folder / "recordings" / f"sub-0{seed}_task-rest_run-1.safetensors")
        rows.append(f"sub-0{seed}\t{'test' if seed else 'train'}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    model = load_model()
    made, first = group_networks(model, folder, people=2, source="raw", count=3)
    assert made.info.people == 2
    np.testing.assert_array_equal(first.series, recordings[1].series)
    tables = [networks(model, each, source="raw", count=3, controls=False).arrays["alike"] for each in recordings[1:]]
    np.testing.assert_allclose(made.arrays["alike"], np.mean(tables, 0), atol=1e-6)
    assert "Mean map of 2 people" in made.verdict
    assert main(["networks", str(folder), "--people", "2", "--source", "raw", "--clusters", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["people"], said["verdict"]) == (2, made.verdict)
    with pytest.raises(BadInput, match="minutes for every person"):
        group_networks(model, folder, source="responses")
    make_recording(5, parcels=20).save(folder / "recordings" / "sub-02_task-rest_run-1.safetensors")
    with pytest.raises(BadInput, match="has other parcels than"):
        group_networks(model, folder, people=2, source="raw")
    assert main(["networks", str(folder / "recordings" / "sub-00_task-rest_run-1.safetensors"), "--people", "2"]) == 2
