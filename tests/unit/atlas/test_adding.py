"""A person's own atlas: what is taken, what is refused and in which words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.atlas import add_atlas, list_atlases, load_atlas
from brainlm_engine.atlas.registry import added_folder, installed_ids

OWN = load_atlas()
KEPT = (3, 40, 200, 380, 399)  # labels of MNI-424 that make a small atlas
NEW = {3: 10, 40: 20, 200: 35, 380: 40, 399: 1000}


def volume(dtype: type = np.int16) -> np.ndarray:
    """Five parcels of MNI-424 under other numbers."""
    data = np.zeros(OWN.labels.shape, dtype)
    for old, new in NEW.items():
        data[OWN.labels == old] = new
    return data


def saved(path: Path, data: np.ndarray, affine: np.ndarray = OWN.affine) -> Path:
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return saved(tmp_path / "five.nii.gz", volume())


def test_labels_alone(labels: Path) -> None:
    atlas = add_atlas(labels, None, "five", "Five parcels")
    assert atlas.n_parcels == 5
    assert atlas.names == ("Parcel 10", "Parcel 20", "Parcel 35", "Parcel 40", "Parcel 1000")
    assert atlas.structures == tuple(OWN.structures[old - 1] for old in KEPT)
    assert atlas.hemispheres == tuple(OWN.hemispheres[old - 1] for old in KEPT)
    assert atlas.networks == tuple(OWN.networks[old - 1] for old in KEPT)
    assert np.allclose(atlas.xyz, OWN.xyz[[old - 1 for old in KEPT]], atol=0.02)
    assert "not its own" in atlas.description
    assert set(atlas.surface_left[atlas.surface_left >= 0]) == {0, 1}
    assert load_atlas("five") is load_atlas("five")
    assert [info.atlas_id for info in list_atlases() if info.installed] == ["mni424", "five"]


def test_table_gives_names_and_networks_in_any_order(labels: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "Label;Name;Network\n1000;e;\n0;Background;\n20;b;Sight\n10;a;Touch\n40;d;n/a\n35;c;Sight\n", encoding="utf-8"
    )
    atlas = add_atlas(labels, table, "five", "Five")
    assert atlas.names == ("a", "b", "c", "d", "e")
    assert atlas.networks == ("Touch", "Sight", "Sight", "", "")
    assert atlas.network_names == ("Touch", "Sight")
    assert "not its own" not in atlas.description


def test_positions_of_a_dat_file_are_taken(labels: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.dat"
    places = np.rint(OWN.xyz[[old - 1 for old in KEPT]]).astype(int)
    table.write_text("".join(f"{new}\t{x}\t{y}\t{z}\n" for new, (x, y, z) in zip(NEW.values(), places, strict=True)))
    assert np.array_equal(add_atlas(labels, table, "five", "").xyz, places)
    table.write_text("".join(f"{new} {-x + 60} {y} {z}\n" for new, (x, y, z) in zip(NEW.values(), places, strict=True)))
    with pytest.raises(BadInput, match="not those of these parcels"):
        add_atlas(labels, table, "other", "")


def test_equal_names_are_told_apart(labels: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("name\na\na\nb\nc\nd\n")
    assert add_atlas(labels, table, "five", "").names == ("a (label 10)", "a (label 20)", "b", "c", "d")


def test_other_orientation_and_float_labels_give_the_same_atlas(labels: Path, tmp_path: Path) -> None:
    plain = add_atlas(labels, None, "plain", "")
    flipped = saved(
        tmp_path / "lps.nii",
        volume(np.float32)[::-1, ::-1],
        OWN.affine @ [[-1, 0, 0, 90], [0, -1, 0, 108], [0, 0, 1, 0], [0, 0, 0, 1]],
    )
    turned = add_atlas(flipped, None, "turned", "")
    assert np.array_equal(plain.labels, turned.labels)
    assert np.array_equal(plain.affine, turned.affine)


def test_probability_maps_become_labels(tmp_path: Path) -> None:
    maps = np.stack([(OWN.labels == old) * 0.7 for old in KEPT] + [(OWN.labels == KEPT[0]) * 0.2], axis=-1)
    atlas = add_atlas(saved(tmp_path / "maps.nii.gz", maps.astype(np.float32)), None, "maps", "")
    assert atlas.n_parcels == 5
    assert np.array_equal(atlas.labels > 0, np.isin(OWN.labels, KEPT))


def refused(text: str, path: Path, table: Path | None = None, atlas_id: str = "new") -> None:
    with pytest.raises(BadInput, match=text) as caught:
        add_atlas(path, table, atlas_id, "New")
    assert caught.value.next_step
    assert "\n" not in caught.value.message
    assert installed_ids() == ["mni424"]
    assert not any(added_folder().glob(".making-*"))


def test_refused_label_files(tmp_path: Path) -> None:
    refused("gone.nii.gz is not there", tmp_path / "gone.nii.gz")
    refused("is a folder", tmp_path)
    (tmp_path / "text.nii").write_text("no image")
    refused("text.nii is not a NIfTI or CIFTI file", tmp_path / "text.nii")
    refused("halves.nii holds fractions", saved(tmp_path / "halves.nii", volume(np.float32) / 3))
    refused("minus.nii holds negative", saved(tmp_path / "minus.nii", volume() * -1))
    refused("none.nii is empty", saved(tmp_path / "none.nii", np.zeros((9, 9, 9), np.int16)))
    bold = np.random.default_rng(0).uniform(100, 200, (20, 20, 20, 6)).astype(np.float32)
    refused("looks like a recording", saved(tmp_path / "bold.nii", bold, np.diag([4.0, 4, 4, 1])))
    whole = saved(tmp_path / "whole.nii.gz", volume()).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    refused("cut.nii.gz is (damaged|not a)", tmp_path / "cut.nii.gz")
    elsewhere = OWN.affine.copy()
    elsewhere[:3, 3] += 120
    refused("do not lie in the MNI brain", saved(tmp_path / "native.nii", volume(), elsewhere))


@pytest.mark.parametrize("atlas_id", ["", "a/b", "../x", ".x", "a b", "ü", "x" * 65, "MNI424", "mni424", "a\n"])
def test_refused_ids(labels: Path, atlas_id: str) -> None:
    refused("cannot be the id|already is an atlas", labels, None, atlas_id)


@pytest.mark.parametrize("atlas_id", ["a424", "A424", "schaefer-400", "aal"])
def test_the_ids_of_atlases_that_can_be_fetched_are_kept_for_them(labels: Path, atlas_id: str) -> None:
    refused("is the id of an atlas that can be fetched", labels, None, atlas_id)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("index,name\n10,a\n20,b\n35,c\n40,d\n", "4 lines for 5 labels; no line for 1000"),
        ("index,name\n10,a\n20,b\n35,c\n40,d\n1000,e\n7,f\n", "6 lines for 5 labels; no voxel for 7"),
        ("index,name\n10,a\n20,b\n35,c\n40,d\n40,e\n", "lists the label 40 more than once"),
        ("index,name\n10,a\n20,b\n35,c\n40,d\nx,e\n", "lines whose label is not a whole number"),
        ("name\na\nb\n", "2 lines for 5 labels"),
        ("", "is empty"),
        ("name\n", "lists no parcel"),
        ("colour\nred\n", "no column of names"),
        ("name,x,y,z\na,1,2,3\nb,,,\nc,1,2,3\nd,1,2,3\ne,1,2,3\n", "positions for 4 of its 5"),
    ],
)
def test_refused_tables(labels: Path, tmp_path: Path, text: str, sentence: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(text)
    refused(sentence, labels, table)


def test_missing_table(labels: Path, tmp_path: Path) -> None:
    refused("gone.tsv is not there", labels, tmp_path / "gone.tsv")


def test_cancelling_leaves_nothing(labels: Path) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.6:
                raise Cancelled("Stopped.")

        def log(self, line: str) -> None: ...

    with pytest.raises(Cancelled):
        add_atlas(labels, None, "five", "", Stop())
    assert installed_ids() == ["mni424"]


def test_a_changed_file_is_noticed(labels: Path) -> None:
    add_atlas(labels, None, "five", "Five")
    table = added_folder() / "five" / "table.tsv"
    table.write_text(table.read_text().replace("Parcel 10", "Parcel 11"))
    (added_folder() / "five" / "card.json").touch()
    with pytest.raises(BadInput, match="checksum differs"):
        load_atlas("five")
    listed = {info.atlas_id: info for info in list_atlases()}
    assert not listed["five"].installed
    assert "checksum" in listed["five"].description


def test_what_a_killed_process_left_is_swept_up(labels: Path) -> None:
    left = added_folder() / ".making-old"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    fresh = added_folder() / ".making-fresh"
    fresh.mkdir()
    add_atlas(labels, None, "five", "Five")
    assert not left.exists()
    assert fresh.exists()


def test_unknown_atlas_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="no atlas “nothing”") as caught:
        load_atlas("nothing")
    assert "mni424" in caught.value.next_step
    with pytest.raises(BadInput):
        load_atlas("../mni424")


@pytest.mark.shared_data
def test_a424(shared_data: Path) -> None:
    folder = shared_data / "atlases"
    atlas = add_atlas(folder / "A424+2mm.nii.gz", folder / "A424_Coordinates.dat", "a424-file", "A424")
    given = np.loadtxt(folder / "A424_Coordinates.dat")
    assert atlas.n_parcels == 424
    assert np.array_equal(atlas.xyz, given[:, 1:].astype(np.float32))
    sizes = np.bincount(atlas.labels.ravel())[1:]
    assert sizes.min() == 1
    # areas whose place in the seven networks nobody disputes: V1 both sides, primary motor cortex
    assert atlas.networks[0] == "Visual"
    assert sum(structure == "cortex" for structure in atlas.structures) > 350


def surface_labels(path: Path) -> Path:
    """A CIFTI label file: label 7 on the left cortex, 5 on the right one, 9 in voxels of the left putamen."""
    axis = nib.cifti2.BrainModelAxis
    deep = np.argwhere(OWN.labels == 1 + OWN.structures.index("subcortex"))
    voxels = axis("CIFTI_STRUCTURE_PUTAMEN_LEFT", deep, affine=OWN.affine, volume_shape=OWN.labels.shape)
    left = axis.from_surface(np.arange(4), 32492, "CIFTI_STRUCTURE_CORTEX_LEFT")
    right = axis.from_surface(np.arange(4), 32492, "CIFTI_STRUCTURE_CORTEX_RIGHT")
    values = np.array([[7, 7, 0, 7, 5, 5, 5, 0, *[9] * len(deep)]], np.float32)
    names = {0: ("???", (0, 0, 0, 0)), 5: ("right", (1, 0, 0, 1)), 7: ("left", (1, 0, 0, 1)), 9: ("deep", (1, 0, 0, 1))}
    labels = nib.cifti2.LabelAxis(["labels"], [names])
    nib.save(nib.Cifti2Image(values, (labels, left + right + voxels)), path)
    return path


def test_parcels_on_the_surface_only_are_placed_by_their_positions(tmp_path: Path) -> None:
    path, table = surface_labels(tmp_path / "three.dlabel.nii"), tmp_path / "three.dat"
    refused("2 of its 3 parcels only on the cortical surface", path)
    left, right = OWN.xyz[OWN.hemispheres.index("L")], OWN.xyz[OWN.hemispheres.index("R")]
    deep = OWN.xyz[OWN.structures.index("subcortex")]
    places = {5: right, 7: left, 9: deep}
    table.write_text("".join(f"{label} {x} {y} {z}\n" for label, (x, y, z) in places.items()))
    atlas = add_atlas(path, table, "three", "Three")
    assert (atlas.names, atlas.hemispheres) == (("right", "left", "deep"), ("R", "L", "L"))
    assert atlas.structures == ("cortex", "cortex", "subcortex")
    assert np.array_equal(atlas.labels == 3, OWN.labels == 1 + OWN.structures.index("subcortex"))
    for place, xyz in ((0, right), (1, left)):
        voxels = np.argwhere(atlas.labels == place + 1) @ OWN.affine[:3, :3].T + OWN.affine[:3, 3]
        assert len(voxels) > 100
        assert np.linalg.norm(voxels - xyz, axis=1).max() <= 12
    assert set(atlas.surface_left) == {-1, 1}
    assert set(atlas.surface_right) == {-1, 0}
    assert "Of 2 cortical parcels only the positions are known" in atlas.note
    assert atlas.note in atlas.description
    card = json.loads((added_folder() / "three" / "card.json").read_text("utf-8"))
    assert card["placed_by_position"] == {"labels": [5, 7], "reach_mm": 12.0}


def test_positions_on_the_wrong_side_are_refused(tmp_path: Path) -> None:
    path, table = surface_labels(tmp_path / "three.dlabel.nii"), tmp_path / "three.dat"
    table.write_text("5 -50 -20 40\n7 50 -20 40\n9 25 0 0\n")
    refused("three.dat are not those of these parcels", path, table)


@pytest.mark.shared_data
def test_a424_from_the_surface_and_its_table(shared_data: Path) -> None:
    path, table = shared_data / "atlases" / "A424.dlabel.nii", shared_data / "atlases" / "A424_Coordinates.dat"
    refused("360 of its 424 parcels only on the cortical surface", path)
    refused("lie|not of labels|not a NIfTI|fractions|looks like", next((shared_data / "nifti").glob("brcdata*")))
    atlas = add_atlas(path, table, "x", "A424")
    assert atlas.n_parcels == 424
    assert np.array_equal(atlas.xyz, np.loadtxt(table)[:, 1:].astype(np.float32))
    assert np.bincount(atlas.labels.ravel(), minlength=425).min() > 0
    assert len(set(atlas.surface_left)) == len(set(atlas.surface_right)) == 181
    volumetric = add_atlas(shared_data / "atlases" / "A424+2mm.nii.gz", table, "v", "A424")
    assert np.array_equal(atlas.labels > 360, volumetric.labels > 360)
    cortical = (atlas.labels > 0) & (volumetric.labels > 0) & (volumetric.labels <= 360)
    assert 0.5 < (atlas.labels == volumetric.labels)[cortical].mean() < 0.7  # as the help page says
    assert [a == b for a, b in zip(atlas.hemispheres, volumetric.hemispheres, strict=True)][:360] == [True] * 360


@pytest.mark.shared_data
def test_voxels_of_a_dlabel_file_make_an_atlas(shared_data: Path, tmp_path: Path) -> None:
    image = nib.load(shared_data / "atlases" / "A424.dlabel.nii")
    values = np.asarray(image.dataobj).copy()
    brain = image.header.get_axis(1)
    values[0, ~brain.volume_mask] = 0
    path = tmp_path / "deep.dlabel.nii"
    nib.save(nib.Cifti2Image(values, image.header), path)
    atlas = add_atlas(path, None, "deep", "Deep")
    assert atlas.n_parcels == 64
    assert "cortex" not in atlas.structures[:2]
    assert np.array_equal(np.unique(atlas.labels), np.arange(65))
