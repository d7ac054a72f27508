"""Networks of any place: MNI-424's own parcels get their own, unknown places none."""

from __future__ import annotations

import numpy as np

from brainlm_engine.atlas import load_atlas
from brainlm_engine.atlas.nearest_network import NETWORKS, nearest_networks
from brainlm_engine.models.masks import N_NETWORKS


def test_each_parcel_of_mni424_is_nearest_to_itself() -> None:
    atlas = load_atlas("mni424")
    own = [network or structure for network, structure in zip(atlas.networks, atlas.structures, strict=True)]
    assert [NETWORKS[code] for code in nearest_networks(atlas.xyz)] == own
    assert len(NETWORKS) == N_NETWORKS


def test_places_of_another_atlas_and_unknown_ones() -> None:
    places = np.array([[-10, -95, 0], [np.nan, 0, 0], [20, -60, -50], [0, -52, 28]], np.float32)
    codes = nearest_networks(places)
    assert NETWORKS[codes[0]] == "Visual"
    assert codes[1] == -1
    assert NETWORKS[codes[2]] == "cerebellum"
    assert NETWORKS[codes[3]] == "Default"
