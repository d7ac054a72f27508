"""What all simulated people share: the geometry of an atlas, a structural-like graph, maps of noise and of delays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.simulate import parameters as numbers
from brainlm_engine.simulate.networks import network_codes
from brainlm_engine.simulate.parameters import NETWORKS, SimulationParameters

if TYPE_CHECKING:
    from brainlm_engine.atlas import Atlas

Floats = NDArray[np.float64]

#: Median distance from a parcel of MNI-424 to its nearest neighbour, mm: the scale the parameters were tuned at.
REFERENCE_SPACING_MM = 12.76
REFERENCE_PARCELS = 424
SMOOTH_MM = 25.0
#: Correlation of a smooth map with its mirror image.
BILATERAL = 0.8


class Population:
    """The group brain of one atlas.

    Attributes
    ----------
    xyz : (parcels, 3) float64, MNI mm
    codes : (parcels,) int, network codes of :data:`NETWORKS`
    distance : (parcels, parcels) float64, mm
    mirror : (parcels,) int, the parcel nearest to the mirrored position
    weights : (parcels, parcels) float64, spatial part of the coupling
    blocks : (9, 9) float64, coupling of networks
    heterogeneity : (parcels, parcels) float64, positive multiplier of the coupling
    neighbourhood : (parcels, 9) float64, share of each network near a parcel, both hemispheres
    noise, global_loading, delay_s, vascular, motion : (parcels,) float64 maps
    axes : (6, parcels) float64, smooth random maps that traits and motion use
    """

    def __init__(self, atlas: Atlas, parameters: SimulationParameters) -> None:
        self.xyz = _checked_positions(atlas)
        self.codes = network_codes(atlas)
        self.n_parcels = len(self.xyz)
        self.parameters = parameters
        rng = np.random.default_rng(parameters.population)
        mirrored = self.xyz * [-1, 1, 1]
        self.distance = _distances(self.xyz, self.xyz)
        mirror_distance = _distances(self.xyz, mirrored)
        self.mirror = mirror_distance.argmin(axis=1)
        near_kernel = np.exp(-((self.distance / SMOOTH_MM) ** 2) / 2)
        mirror_kernel = np.exp(-((mirror_distance / SMOOTH_MM) ** 2) / 2)
        self._root_one_sided = _root(near_kernel).astype(np.float32)
        self._root = _root(near_kernel + BILATERAL * (mirror_kernel + mirror_kernel.T) / 2)

        self.weights = self._spatial_weights()
        self.blocks = self._block_weights()
        self.heterogeneity = np.exp(parameters.graph_heterogeneity * self.smooth_pairs(rng, 12))
        near = np.exp(-((np.minimum(self.distance, mirror_distance) / 16) ** 2) / 2)
        member = np.eye(len(NETWORKS))[self.codes]
        self.neighbourhood = near @ member / near.sum(axis=1, keepdims=True)
        self._draw_maps(rng)

    def smooth(self, rng: np.random.Generator, count: int) -> Floats:
        """Return random maps of unit variance, smooth and mostly the same on both sides, (count, parcels)."""
        maps: Floats = (self._root @ rng.standard_normal((self.n_parcels, count))).T
        return maps

    def smooth_patches(self, white: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Make independent values (parcels, frequencies) smooth in space, shared by both sides, keeping their power."""
        return real_times_complex(self._root.astype(np.float32), white)

    def smooth_frames(self, white: NDArray[np.float32]) -> NDArray[np.float32]:
        """Make independent values (parcels, frames) smooth in space within a side, keeping their variance."""
        smooth: NDArray[np.float32] = self._root_one_sided @ white
        return smooth

    def smooth_pairs(self, rng: np.random.Generator, rank: int) -> Floats:
        """Return a symmetric random (parcels, parcels) matrix, smooth in both parcels, variance about 1."""
        a, b = self.smooth(rng, rank), self.smooth(rng, rank)
        product = (a.T @ b) / np.sqrt(rank)
        symmetric: Floats = (product + product.T) / np.sqrt(2)
        return symmetric

    def _spatial_weights(self) -> Floats:
        """Short-range coupling, weaker across the midline, plus the homotopic fibres."""
        p, n = self.parameters, self.n_parcels
        others = self.distance + np.where(np.eye(n, dtype=bool), np.inf, 0.0)
        spacing = max(float(np.median(others.min(axis=1))), 1.0)
        side = self.xyz[:, 0]
        same_side = side[:, None] * side[None] > 0
        decay = p.decay_mm * spacing / REFERENCE_SPACING_MM
        weights: Floats = np.exp(-self.distance / decay) * np.where(same_side, 1.0, 0.45)
        strength = 0.12 * p.homotopic * numbers.HOMOTOPIC_WEIGHT[self.codes]
        everyone = np.arange(n)
        weights[everyone, self.mirror] += strength
        weights[self.mirror, everyone] += strength[self.mirror]
        weights = (weights + weights.T) / 2
        np.fill_diagonal(weights, 0)
        return weights

    def _block_weights(self) -> Floats:
        """Coupling of networks; with fewer parcels each pair counts for more, so that the sums stay the same."""
        p = self.parameters
        affinity = np.zeros((len(NETWORKS), len(NETWORKS)))
        for a, b, value in numbers.AFFINITY:
            affinity[a, b] = affinity[b, a] = value
        blocks = p.within_network * np.diag(numbers.WITHIN_WEIGHT) + p.between_networks * affinity
        scaled: Floats = blocks * (REFERENCE_PARCELS / self.n_parcels)
        return scaled

    def _draw_maps(self, rng: np.random.Generator) -> None:
        """Maps of noise, global signal, vascular delay, vessels and motion."""
        p, n, codes = self.parameters, self.n_parcels, self.codes
        x, y, z = self.xyz.T
        limbic = np.where(codes == numbers.LIMBIC, p.limbic_noise, 1.0)
        dropout = 1 + 0.35 * np.clip((-z - 10) / 30, 0, 1) * (y > -30)
        self.noise = numbers.NOISE[codes] * limbic * np.exp(0.18 * rng.standard_normal(n)) * dropout
        patchy = (1 + 0.5 * p.global_heterogeneity * self.smooth(rng, 1)[0]) * np.exp(0.25 * rng.standard_normal(n))
        self.global_loading = np.clip(numbers.GLOBAL_LOADING[codes] * patchy, 0.05, None)
        self.delay_s = 0.45 * self.smooth(rng, 1)[0] + 0.25 * rng.standard_normal(n)
        vessels = np.exp(-np.abs(x) / 18) + 0.5 * np.exp(-(((z + 10) / 25) ** 2))
        self.vascular = 0.4 + 0.6 * vessels / vessels.mean()
        edge = np.abs(y - y.mean()) / 40 + np.abs(z) / 50
        self.motion = 0.5 + 0.5 * edge / edge.mean()
        self.axes = self.smooth(rng, 6)


def real_times_complex(matrix: NDArray[np.float32], values: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """``matrix @ values`` without making ``matrix`` complex: half the work."""
    pairs = np.ascontiguousarray(values).view(np.float32)
    return np.ascontiguousarray(matrix @ pairs).view(np.complex64)


def _root(kernel: Floats) -> Floats:
    """Cholesky factor of a covariance brought to unit variance."""
    sd = np.sqrt(np.diag(kernel))
    root: Floats = np.linalg.cholesky(kernel / (sd[:, None] * sd[None]) + 1e-4 * np.eye(len(kernel)))
    return root


def _distances(a: Floats, b: Floats) -> Floats:
    difference = a[:, None] - b[None]
    distances: Floats = np.sqrt((difference**2).sum(axis=2))
    return distances


def _checked_positions(atlas: Atlas) -> Floats:
    xyz = np.asarray(atlas.xyz, np.float64)
    if len(xyz) < 10 or not np.isfinite(xyz).all():
        raise BadInput(
            f"The atlas {atlas.atlas_id} cannot be simulated: at least 10 parcels with known positions are needed.",
            "Choose another atlas.",
            f"{len(xyz)} parcels, {int((~np.isfinite(xyz)).any(axis=1).sum())} without position",
        )
    return xyz
