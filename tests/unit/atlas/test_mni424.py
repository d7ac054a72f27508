"""The atlas that is shipped: its promises hold on the files in resources."""

from __future__ import annotations

import csv
import hashlib
import json

import numpy as np
import pytest
from scipy.ndimage import find_objects, label

from brainlm_engine.atlas import load_atlas, mni_brain_mask
from brainlm_engine.atlas.build import build
from brainlm_engine.atlas.mni424.networks import NETWORK_NAMES
from brainlm_engine.atlas.surfaces import bundled_folder
from brainlm_engine.paths import resources_dir

FOLDER = resources_dir() / "atlas" / "mni424"
ATLAS = load_atlas("mni424")
PLACES = np.argwhere(ATLAS.labels > 0)
VOXELS = np.bincount(ATLAS.labels.ravel(), minlength=425)[1:]


def twin(parcel: int) -> int:
    """The parcel of the same name on the other side."""
    word, _, rest = ATLAS.names[parcel].partition(" ")
    return ATLAS.names.index(("Right " if word == "Left" else "Left ") + rest)


def at(x: float, y: float, z: float) -> int:
    """The parcel at or nearest to a place in MNI mm."""
    nearest = PLACES[np.linalg.norm(PLACES @ ATLAS.affine[:3, :3].T + ATLAS.affine[:3, 3] - [x, y, z], axis=1).argmin()]
    return int(ATLAS.labels[tuple(nearest)]) - 1


def test_all_424_parcels_are_there_and_named() -> None:
    assert ATLAS.n_parcels == 424
    assert ATLAS.labels.shape == (91, 109, 91)
    assert ATLAS.labels.dtype == np.int16
    assert set(np.unique(ATLAS.labels)) == set(range(425))
    assert len(set(ATLAS.names)) == 424
    assert np.isfinite(ATLAS.xyz).all()


def test_counts_per_structure_and_side() -> None:
    for structure, count in (("cortex", 180), ("subcortex", 18), ("cerebellum", 14)):
        for side in "LR":
            found = [h for h, s in zip(ATLAS.hemispheres, ATLAS.structures, strict=True) if (h, s) == (side, structure)]
            assert len(found) == count
    assert all(
        name.split()[0] == {"L": "Left", "R": "Right"}[h]
        for name, h in zip(ATLAS.names, ATLAS.hemispheres, strict=True)
    )


def test_mirroring_exchanges_left_and_right_exactly() -> None:
    swap = np.array([0] + [twin(parcel) + 1 for parcel in range(424)])
    assert np.array_equal(swap[ATLAS.labels], ATLAS.labels[::-1])
    assert np.allclose(ATLAS.xyz[swap[1:] - 1], ATLAS.xyz * [-1, 1, 1])
    assert all(ATLAS.networks[twin(parcel)] == ATLAS.networks[parcel] for parcel in range(424))
    x = np.broadcast_to(ATLAS.affine[0, 3] + 2 * np.arange(91), (91,))[:, None, None] * np.ones((1, 109, 91))
    left = np.array([True] + [h == "L" for h in ATLAS.hemispheres])
    assert (x[(ATLAS.labels > 0) & left[ATLAS.labels]] < 0).all()


def test_every_parcel_hangs_together() -> None:
    boxes = find_objects(ATLAS.labels)
    pieces = [label(ATLAS.labels[box] == place + 1, np.ones((3, 3, 3)))[1] for place, box in enumerate(boxes)]
    assert set(pieces) == {1}


def test_parcels_are_of_similar_size() -> None:
    for structure, low, high in (("cortex", 200, 600), ("subcortex", 60, 300), ("cerebellum", 600, 1000)):
        sizes = VOXELS[np.array(ATLAS.structures) == structure]
        assert low <= sizes.min()
        assert sizes.max() <= high


def test_parcels_lie_in_the_brain() -> None:
    mask, affine = mni_brain_mask()
    assert np.array_equal(affine, ATLAS.affine)
    assert mask[ATLAS.labels > 0].mean() > 0.99


@pytest.mark.parametrize(
    ("place", "network"),
    [
        ((-8, -80, 6), "Visual"),
        ((-16, -98, 2), "Visual"),
        ((-38, -22, 56), "Somatomotor"),
        ((-24, -62, 56), "DorsalAttention"),
        ((-36, 14, 2), "SalienceVentralAttention"),
        ((-30, 4, -42), "Limbic"),
        ((-42, 30, 32), "Frontoparietal"),
        ((-6, -54, 32), "Default"),
        ((-6, 54, 10), "Default"),
        ((-48, -62, 32), "Default"),
    ],
)
def test_networks_lie_where_they_are_known_to(place: tuple[int, int, int], network: str) -> None:
    assert ATLAS.networks[at(*place)] == network


def test_every_network_has_its_share_of_the_cortex() -> None:
    assert ATLAS.network_names == NETWORK_NAMES
    counts = {name: ATLAS.networks.count(name) for name in NETWORK_NAMES}
    assert min(counts.values()) >= 20
    assert max(counts.values()) <= 100
    assert all((network == "") == (s != "cortex") for network, s in zip(ATLAS.networks, ATLAS.structures, strict=True))
    poles = [parcel for parcel in range(424) if ATLAS.xyz[parcel, 1] < -95]
    assert poles
    assert {ATLAS.networks[parcel] for parcel in poles} == {"Visual"}


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ((-12, -18, 8), "thalamus"), ((-12, 12, 10), "caudate"), ((-26, 4, 2), "putamen"), ((-19, -4, -1), "pallidum"),
        ((-27, -20, -16), "hippocampus"), ((-23, -4, -19), "amygdala"), ((-10, 11, -8), "accumbens"),
        ((-46, -8, 44), "precentral"), ((-44, -20, 8), "Heschl"), ((-6, -84, 4), "calcarine"),
        ((-44, -66, -32), "crus I"),
    ],
)  # fmt: skip
def test_names_fit_known_places(place: tuple[int, int, int], word: str) -> None:
    assert word in ATLAS.names[at(*place)]
    assert word in ATLAS.names[at(-place[0], *place[1:])]


def test_published_deep_regions_fall_into_the_nuclei_of_their_name() -> None:
    rows = (bundled_folder() / "seitzman_2018_ROIs_300inVol_MNI_allInfo.txt").read_text().splitlines()[1:]
    codes = (bundled_folder() / "seitzman_2018_ROIs_anatomicalLabels.txt").read_text().splitlines()[1:]
    words = {
        3: ("hippocampus",), 4: ("amygdala",), 5: ("caudate", "putamen", "pallidum", "accumbens"), 6: ("thalamus",),
        7: ("cerebellum",),
    }  # fmt: skip
    voxels = np.argwhere(ATLAS.labels > 0)
    places = voxels @ ATLAS.affine[:3, :3].T + ATLAS.affine[:3, 3]
    right = total = 0
    for row, code in zip(rows, codes, strict=True):
        if int(code) in words:
            nearest = voxels[np.linalg.norm(places - np.array(row.split()[:3], float), axis=1).argmin()]
            name = ATLAS.names[ATLAS.labels[tuple(nearest)] - 1]
            right += any(word in name for word in words[int(code)])
            total += 1
    assert total == 61
    assert right / total > 0.9


def test_surface_shows_each_cortical_parcel_on_its_own_side() -> None:
    for surface, side in ((ATLAS.surface_left, "L"), (ATLAS.surface_right, "R")):
        assert surface.shape == (10242,)
        own = {p for p in range(424) if (ATLAS.hemispheres[p], ATLAS.structures[p]) == (side, "cortex")}
        assert set(surface[surface >= 0].tolist()) == own
        assert np.bincount(surface[surface >= 0])[sorted(own)].min() >= 8
        assert 0.05 < (surface < 0).mean() < 0.12  # the medial wall


def test_card_says_what_it_is() -> None:
    card = json.loads((FOLDER / "card.json").read_text())
    assert card["title"] == "MNI-424 (BrainLM Studio's own atlas)"
    assert "not A424" in card["description"]
    assert card["quality"]["left_right_symmetric"]
    assert card["quality"]["contiguous"]
    for name, total in card["files"].items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == total
    with (FOLDER / "table.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [int(row["voxels"]) for row in rows] == VOXELS.tolist()
    info = ATLAS.info()
    assert info.own
    assert "BSD" in info.licence


def test_building_again_gives_the_same_bytes(tmp_path) -> None:
    build(tmp_path / "again")
    for file in sorted(FOLDER.iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name
