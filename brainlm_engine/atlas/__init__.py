"""Parcellations of the brain: the project's own (MNI-424), fetched and added ones, on any grid and on the surface."""

from brainlm_engine.atlas.adding import add_atlas
from brainlm_engine.atlas.fetching import fetch_atlas
from brainlm_engine.atlas.mask import mni_brain_mask
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.projection import project_to_surface
from brainlm_engine.atlas.registry import DEFAULT_ATLAS, list_atlases, load_atlas
from brainlm_engine.atlas.resample import resample_labels
from brainlm_engine.atlas.surfaces import load_surfaces

__all__ = [
    "DEFAULT_ATLAS", "Atlas", "add_atlas", "fetch_atlas", "list_atlases", "load_atlas", "load_surfaces",
    "mni_brain_mask", "project_to_surface", "resample_labels",
]  # fmt: skip
