"""From what a person asked to hide to the patches that are hidden."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.models.masks import random_mask


def build_mask(spec: MaskSpec, n_parcels: int, n_patches: int, networks: tuple[str, ...] = ()) -> NDArray[np.bool_]:
    """Return (parcels, patches) bool, True = hidden.

    Raises
    ------
    BadInput
        When the mask names parcels, patches or a network that are not there, or would hide everything.
    """
    hidden = np.zeros((n_parcels, n_patches), bool)
    if spec.kind == "random":
        generator = torch.Generator().manual_seed(spec.seed)
        hidden = random_mask((1, n_parcels, n_patches), spec.ratio, generator)[0].numpy()
    elif spec.kind == "parcels":
        outside = [parcel for parcel in spec.parcels if not 0 <= parcel < n_parcels]
        if outside:
            raise BadInput(
                f"There is no parcel {outside[0]}: this recording has the parcels 0 to {n_parcels - 1}.",
                "Choose other parcels to hide.",
            )
        hidden[list(spec.parcels)] = True
    elif spec.kind == "network":
        members = np.array([network.casefold() == spec.network.casefold() for network in networks], bool)
        if not any(networks):
            raise BadInput(
                f"This recording does not say which network a parcel belongs to, so “{spec.network}” cannot be hidden.",
                "Hide parcels by their numbers instead.",
            )
        if not members.any():
            known = ", ".join(dict.fromkeys(name for name in networks if name))
            raise BadInput(
                f"This recording has no network called “{spec.network}”.", f"Its atlas knows these networks: {known}."
            )
        hidden[members] = True
    elif spec.kind == "span":
        first, last = spec.span or (0, 0)
        if not 0 <= first < last <= n_patches:
            raise BadInput(
                f"The span {first} to {last} does not lie in this window of {n_patches} time patches.",
                f"Choose patches between 0 and {n_patches}.",
            )
        hidden[:, first:last] = True
    elif spec.kind == "painted" and spec.patches:
        painted = np.array(spec.patches, int)
        if painted.min() < 0 or painted[:, 0].max() >= n_parcels or painted[:, 1].max() >= n_patches:
            raise BadInput(
                f"The mask was painted for another window; this one has {n_parcels} parcels and {n_patches} patches.",
                "Paint it again, or load its file again for this window.",
            )
        hidden[painted[:, 0], painted[:, 1]] = True
    if hidden.all():
        raise BadInput(
            "This mask hides everything, so there is nothing to reconstruct from.", "Leave something visible."
        )
    return hidden
