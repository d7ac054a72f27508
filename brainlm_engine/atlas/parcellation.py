"""An atlas in memory: which voxel, which vertex, which name belongs to each parcel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.messages import AtlasInfo


@dataclass(frozen=True)
class Atlas:
    """One parcellation of the brain. Parcels are counted from 0 in the order of the table.

    Attributes
    ----------
    labels : (X, Y, Z) int16, RAS+; 0 = no parcel, value i = parcel i - 1
    affine : (4, 4) float64, voxel to MNI mm
    xyz : (parcels, 3) float32, centroids in MNI mm
    names, networks, structures, hemispheres : one text per parcel; '' = unknown;
        structures are 'cortex', 'subcortex' or 'cerebellum', hemispheres 'L' or 'R'
    network_names : the reference networks, in the order they are listed and coloured
    surface_left, surface_right : (10242,) int16, parcel per fsaverage5 vertex, -1 = none
    note : what must be told with every recording made with it; '' = nothing
    """

    atlas_id: str
    title: str
    labels: NDArray[np.int16]
    affine: NDArray[np.float64]
    xyz: NDArray[np.float32]
    names: tuple[str, ...]
    networks: tuple[str, ...]
    network_names: tuple[str, ...]
    structures: tuple[str, ...]
    hemispheres: tuple[str, ...]
    surface_left: NDArray[np.int16]
    surface_right: NDArray[np.int16]
    licence: str = ""
    citation: str = ""
    description: str = ""
    own: bool = False
    note: str = ""

    @property
    def n_parcels(self) -> int:
        """Number of parcels."""
        return len(self.names)

    def info(self) -> AtlasInfo:
        """Return what the app shows of this atlas."""
        return AtlasInfo(
            atlas_id=self.atlas_id, title=self.title, description=self.description, n_parcels=self.n_parcels,
            names=self.names, networks=self.networks, network_names=self.network_names, structures=self.structures,
            hemispheres=self.hemispheres, installed=True, own=self.own, licence=self.licence, citation=self.citation,
        )  # fmt: skip
