"""Triangle meshes of the brain: cortex, and parcels inside as blobs. Arrays only; VTK is used for one filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Mesh:
    """A surface.

    Attributes
    ----------
    vertices : (n, 3) float32, MNI mm
    faces : (m, 3) int32
    normals : (n, 3) float32, unit length
    """

    vertices: Array
    faces: Array
    normals: Array


@dataclass(frozen=True)
class Blobs:
    """Parcels below the cortex, one closed surface each.

    Attributes
    ----------
    mesh : the surface; vertices on the border of two parcels are there twice
    parcel : (n,) int32, parcel of each vertex
    """

    mesh: Mesh
    parcel: Array


def make_mesh(vertices: Array, faces: Array) -> Mesh:
    """A mesh with smooth normals."""
    vertices = np.ascontiguousarray(vertices, np.float32)
    faces = np.ascontiguousarray(faces, np.int32)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    normals = _unit(np.stack([_sum_at(faces, flat[:, axis], len(vertices)) for axis in range(3)], axis=1))
    # once more with the neighbours': inflated surfaces have folded faces whose own normal points inward
    around = normals[faces].sum(1)
    normals = _unit(np.stack([_sum_at(faces, around[:, axis], len(vertices)) for axis in range(3)], axis=1))
    return Mesh(vertices, faces, normals.astype(np.float32))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _sum_at(faces: Array, amount: Array, n: int) -> Array:
    total = np.zeros(n)
    for corner in range(3):
        total += np.bincount(faces[:, corner], weights=amount, minlength=n)
    return total


def fold_shade(sulc: Array, depth: float = 0.22) -> Array:
    """(n,) float32 brightness per vertex: sulci a little darker than gyri, so that folds stay visible under colours."""
    sulc = np.asarray(sulc, np.float32)
    spread = float(np.nanstd(sulc)) or 1.0
    # FreeSurfer's sulc is positive in sulci
    deep = 1.0 / (1.0 + np.exp(-3.0 * (sulc - np.nanmean(sulc)) / spread))
    return np.asarray(1.0 - depth * deep, np.float32)


#: where light comes from (right, up, towards the viewer) and how strong it is: soft, from the upper left, with a fill
LIGHTS = (((-0.35, 0.45, 1.0), 0.67), ((0.5, -0.2, 1.0), 0.26))
AMBIENT = 0.16


def lit(normals: Array, axes: Array) -> Array:
    """(n, 1) uint16 brightness up to 255, of a matte surface; ``axes`` (3, 3) rows right, up, to the viewer.

    Worked out per vertex when the camera turns, so that drawing a frame needs no lighting: half the cost without a
    graphics card.
    """
    total = np.full(len(normals), AMBIENT, np.float32)
    for place, strength in LIGHTS:
        direction = (np.array(place) @ axes / np.linalg.norm(place)).astype(np.float32)
        total += strength * np.maximum(normals @ direction, 0.0)
    return np.asarray((np.minimum(total, 1.0) * 255).astype(np.uint16)[:, None])


def outline(mesh: Mesh, inside: Array, lift: float = 0.9) -> Array:
    """Line segments between the vertices marked ``inside`` (n,) bool and the others.

    Returns
    -------
    (2 * segments, 3) float32, pairs of end points, lifted off the surface by ``lift`` mm
    """
    flags = inside[mesh.faces]
    count = flags.sum(1)
    rows = np.flatnonzero((count == 1) | (count == 2))
    if rows.size == 0:
        return np.zeros((0, 3), np.float32)
    faces, flags, count = mesh.faces[rows], flags[rows], count[rows]
    lone = np.where(count == 1, flags.argmax(1), (~flags).argmax(1))
    each = np.arange(rows.size)
    apex, left, right = (faces[each, (lone + i) % 3] for i in range(3))
    raised = mesh.vertices + lift * mesh.normals
    ends = np.stack([(raised[apex] + raised[left]) / 2, (raised[apex] + raised[right]) / 2], axis=1)
    return ends.reshape(-1, 3).astype(np.float32)


def blobs(labels: Array, affine: Array, parcels: Array, *, tidy: bool = False) -> Blobs | None:
    """Smooth closed surfaces of some parcels of a label volume.

    Parameters
    ----------
    labels : (X, Y, Z) int16, 0 = none, value - 1 = parcel
    affine : (4, 4) voxel to mm
    parcels : (k,) int, which parcels
    tidy : leave out sheets and needles one voxel thick, which would be drawn as spikes

    Returns
    -------
    None when none of them is in the volume
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

    wanted = np.zeros(int(max(labels.max(), 0)) + 2, bool)
    wanted[np.asarray(parcels, int)[np.asarray(parcels, int) + 1 < wanted.size] + 1] = True
    kept = np.where(wanted[np.maximum(labels, 0)], labels, 0)
    if tidy:
        kept = _without_slivers(kept)
    where = np.argwhere(kept)
    if len(where) == 0:
        return None
    low, high = where.min(0), where.max(0) + 1
    box = np.pad(kept[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], 1).astype(np.float32)
    image = vtkImageData()
    image.SetDimensions(*box.shape)
    flat = np.ascontiguousarray(box.ravel(order="F"))
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    for index, label in enumerate(np.unique(box[box > 0])):
        nets.SetValue(index, float(label))
    nets.SetBackgroundLabel(0)
    nets.SmoothingOn()
    nets.GetSmoother().SetNumberOfIterations(16)
    nets.GetSmoother().SetRelaxationFactor(0.5)
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    data = nets.GetOutput()
    points = vtk_to_numpy(data.GetPoints().GetData()).astype(np.float64) + (low - 1)
    mm = points @ np.asarray(affine)[:3, :3].T + np.asarray(affine)[:3, 3]
    sides = vtk_to_numpy(data.GetCellData().GetArray("BoundaryLabels"))
    outer = sides.min(1) <= 0  # the other faces lie between two parcels
    faces = vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)[outer]
    parcel = sides[outer].max(1).astype(np.int32) - 1
    mesh = make_mesh(mm, faces)
    return _split_at_borders(mesh if _points_outward(mesh) else make_mesh(mm, faces[:, ::-1]), parcel)


def _without_slivers(labels: Array) -> Array:
    """The label volume without voxels that have few neighbours.

    Parcels that consist of little else are left as they are.
    """
    mask = np.pad(labels > 0, 1).astype(np.int8)
    for axis in range(3):
        mask = mask + np.roll(mask, 1, axis) + np.roll(mask, -1, axis)
    crowded = mask[1:-1, 1:-1, 1:-1] >= 14  # of 27 voxels around and including it
    count = max(int(labels.max()), 0) + 1
    before = np.bincount(labels.ravel(), minlength=count)
    after = np.bincount(labels[crowded], minlength=count)
    thin = after < 0.6 * before
    return np.where(crowded | thin[labels], labels, 0)


def _split_at_borders(mesh: Mesh, parcel: Array) -> Blobs:
    """One parcel per vertex instead of per face ((m,) ``parcel``): colours stay crisp, normals smooth."""
    count = int(parcel.max()) + 1
    pairs, corner = np.unique(mesh.faces.astype(np.int64) * count + parcel[:, None], return_inverse=True)
    source = pairs // count
    faces = corner.reshape(-1, 3).astype(np.int32)
    return Blobs(Mesh(mesh.vertices[source], faces, mesh.normals[source]), (pairs % count).astype(np.int32))


def _points_outward(mesh: Mesh) -> bool:
    """Signed volume of a closed surface is positive when its faces turn outward."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    return bool(np.einsum("ij,ij->", a, np.cross(b, c)) > 0)
