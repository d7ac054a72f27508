"""The fsaverage5 cortex, read from the files nilearn brings along, moved from MNI305 to MNI152."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import EngineError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Side = Literal["left", "right"]
A = TypeVar("A", bound=NDArray[Any])
SIDES: tuple[Side, Side] = ("left", "right")
N_VERTICES = 10242

#: FreeSurfer's mni152.register: MNI305 (fsaverage) to MNI152, mm.
MNI305_TO_MNI152 = np.array(
    [
        [0.9975, -0.0073, 0.0176, -0.0429],
        [0.0146, 1.0009, -0.0024, 1.5496],
        [-0.0130, -0.0093, 0.9971, 1.1840],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
_GAP_MM = 6.0  # between the two inflated hemispheres


def bundled_folder() -> Path:
    """Return the folder of data files inside the installed nilearn (nilearn itself is not imported)."""
    spec = importlib.util.find_spec("nilearn")
    places = list(spec.submodule_search_locations or []) if spec else []
    folder = Path(places[0], "datasets", "data") if places else Path("nilearn")
    if not folder.is_dir():
        raise EngineError("The brain surfaces were not found: nilearn is not installed.", "Run the installer again.")
    return folder


@lru_cache(maxsize=16)
def load_mesh(kind: str, side: Side) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read one mesh ('pial', 'white', 'infl').

    Returns
    -------
    vertices : (10242, 3) float32, MNI152 mm
    faces : (20480, 3) int32
    """
    import nibabel as nib

    image = nib.load(bundled_folder() / "fsaverage5" / f"{kind}_{side}.gii.gz")
    points, faces = image.agg_data(("pointset", "triangle"))
    moved = points @ MNI305_TO_MNI152[:3, :3].T + MNI305_TO_MNI152[:3, 3]
    return _frozen(moved.astype(np.float32)), _frozen(faces.astype(np.int32))


@lru_cache(maxsize=8)
def load_vertex_data(kind: str, side: Side) -> NDArray[np.float32]:
    """Read one value per vertex ('sulc', 'thick'), (10242,) float32."""
    import nibabel as nib

    image = nib.load(bundled_folder() / "fsaverage5" / f"{kind}_{side}.gii.gz")
    return _frozen(np.asarray(image.agg_data(), np.float32))


def adjacency(faces: NDArray[np.int32], n_vertices: int = N_VERTICES) -> csr_matrix:
    """Return which vertices share an edge, (vertices, vertices) of 0/1."""
    from scipy.sparse import coo_matrix, csr_matrix

    rows, columns = faces.ravel(), np.roll(faces, 1, axis=1).ravel()
    once = coo_matrix((np.ones(rows.size), (rows, columns)), shape=(n_vertices, n_vertices)).tocsr()
    both = csr_matrix(once + once.T)
    both.data[:] = 1.0
    return both


@lru_cache(maxsize=2)
def medial_wall(side: Side) -> NDArray[np.bool_]:
    """Tell which vertices lie on the medial wall, (10242,): no cortex there, so no parcel either.

    fsaverage5's files hold no such mask. The wall is where the sheet is thin and close to an ellipsoid around the
    corpus callosum and thalamus (centre and radii in MNI mm below), closed and made one piece.
    """
    from scipy.sparse.csgraph import connected_components

    pial, faces = load_mesh("pial", side)
    middle = (pial + load_mesh("white", side)[0]) / 2
    near = adjacency(faces)
    degree = np.asarray(near.sum(1)).ravel()
    thickness = load_vertex_data("thick", side).astype(np.float64)
    for _ in range(3):
        thickness = (thickness + near @ thickness) / (1 + degree)
    offset = (np.abs(middle * [1, 0, 0]) + middle * [0, 1, 1] - [20.3, -9.1, 1.9]) / [22.8, 31.2, 28.6]
    distance = (offset**2).sum(1)
    wall = ((thickness < 1.36) & (distance < 2.2)) | (distance < 1)
    inside = np.flatnonzero(wall)
    component = connected_components(near[wall][:, wall])[1]
    wall = np.zeros(len(middle), bool)
    wall[inside[component == np.bincount(component).argmax()]] = True
    for _ in range(2):
        wall |= (near @ wall) > 0
    for _ in range(2):
        wall &= ~((near @ ~wall) > 0)
    return _frozen(wall)


@lru_cache(maxsize=1)
def load_surfaces() -> dict[str, NDArray[Any]]:
    """Return the meshes the app draws.

    Returns
    -------
    dict
        ``{pial,inflated}_{left,right}_vertices`` (10242, 3) float32 in MNI mm, ``..._faces`` (20480, 3) int32 and
        ``sulc_{left,right}`` (10242,) float32 (positive in a sulcus). Inflated hemispheres stand side by side, moved
        apart along x so that they do not overlap.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for side in SIDES:
        arrays[f"pial_{side}_vertices"], arrays[f"pial_{side}_faces"] = load_mesh("pial", side)
        inflated, faces = load_mesh("infl", side)
        inner = inflated[:, 0].max() + _GAP_MM / 2 if side == "left" else inflated[:, 0].min() - _GAP_MM / 2
        arrays[f"inflated_{side}_vertices"] = _frozen(inflated - np.array([inner, 0, 0], np.float32))
        arrays[f"inflated_{side}_faces"] = faces
        arrays[f"sulc_{side}"] = load_vertex_data("sulc", side)
    return arrays


def _frozen(array: A) -> A:
    array.setflags(write=False)
    return array
