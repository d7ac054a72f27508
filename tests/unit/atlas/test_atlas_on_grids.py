"""The atlas on other grids, the brain mask and the meshes."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.atlas import load_atlas, load_surfaces, mni_brain_mask, resample_labels
from brainlm_engine.atlas.surfaces import load_mesh

ATLAS = load_atlas()
GRID_3MM = np.array([[3.0, 0, 0, -91], [0, 3, 0, -127], [0, 0, 3, -73], [0, 0, 0, 1]])
FLIPPED = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
PERMUTED = np.array([[0, 0, 2.5, -88.3], [-2.5, 0, 0, 90.1], [0, 2.5, 0, -70.2], [0, 0, 0, 1]])


def turned(degrees: float, zoom: float) -> np.ndarray:
    """A grid turned about two axes."""
    a, b = np.deg2rad([degrees, degrees / 2])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x * zoom
    affine[:3, 3] = [-70.3, -110.1, -60.7]
    return affine


def with_nilearn(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    from nilearn.image import resample_img

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = resample_img(
            nib.Nifti1Image(ATLAS.labels, ATLAS.affine),
            affine,
            shape,
            interpolation="nearest",
            copy_header=True,
            force_resample=True,
        )
    return np.asarray(image.dataobj)


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((61, 73, 61), GRID_3MM),
        ((80, 75, 72), PERMUTED),
        ((70, 80, 60), turned(9, 2.7)),
        ((40, 40, 40), turned(30, 1.1)),
    ],
)
def test_same_as_nilearn(shape: tuple[int, int, int], affine: np.ndarray) -> None:
    ours = resample_labels(ATLAS, shape, affine)
    assert ours.shape == shape
    assert ours.dtype == np.int16
    assert (ours > 0).sum() > 1000
    # a voxel exactly between two may go either way
    assert (ours != with_nilearn(shape, affine)).mean() < 1e-5


def test_same_grid_gives_the_atlas_itself() -> None:
    assert np.array_equal(resample_labels(ATLAS, (91, 109, 91), ATLAS.affine), ATLAS.labels)
    assert np.array_equal(resample_labels(ATLAS, (91, 109, 91), FLIPPED), ATLAS.labels[::-1])


def test_nothing_outside_the_atlas() -> None:
    far = ATLAS.affine.copy()
    far[:3, 3] += 500
    assert not resample_labels(ATLAS, (20, 20, 20), far).any()
    larger = resample_labels(
        ATLAS, (111, 129, 111), ATLAS.affine @ np.array([[1, 0, 0, -10], [0, 1, 0, -10], [0, 0, 1, -10], [0, 0, 0, 1]])
    )
    assert np.array_equal(larger[10:-10, 10:-10, 10:-10], ATLAS.labels)
    assert (larger > 0).sum() == (ATLAS.labels > 0).sum()


def test_brain_mask_agrees_with_nilearn() -> None:
    from nilearn.datasets import load_mni152_brain_mask
    from nilearn.image import resample_img

    mask, affine = mni_brain_mask()
    assert mask.shape == (91, 109, 91)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = resample_img(
            load_mni152_brain_mask(resolution=2),
            affine,
            mask.shape,
            interpolation="nearest",
            copy_header=True,
            force_resample=True,
        )
    other = np.asarray(theirs.dataobj) > 0
    assert 2 * (mask & other).sum() / (mask.sum() + other.sum()) > 0.98


def test_surfaces_are_the_bundled_ones_in_mni_space() -> None:
    arrays = load_surfaces()
    for side, sign in (("left", -1), ("right", 1)):
        for kind in ("pial", "inflated"):
            assert arrays[f"{kind}_{side}_vertices"].shape == (10242, 3)
            assert arrays[f"{kind}_{side}_vertices"].dtype == np.float32
            assert arrays[f"{kind}_{side}_faces"].shape == (20480, 3)
            assert arrays[f"{kind}_{side}_faces"].dtype == np.int32
            assert (sign * arrays[f"{kind}_{side}_vertices"][:, 0]).min() > -8
        assert arrays[f"sulc_{side}"].shape == (10242,)
        middle = (load_mesh("pial", side)[0] + load_mesh("white", side)[0]) / 2
        mask, affine = mni_brain_mask()
        ijk = np.rint((middle - affine[:3, 3]) / 2).astype(int)
        assert mask[tuple(ijk.T)].mean() > 0.97
    assert arrays["inflated_left_vertices"][:, 0].max() < arrays["inflated_right_vertices"][:, 0].min()
