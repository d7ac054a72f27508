"""Which layer's attention tells networks best: chosen on people whose networks are not scored, kept in the card."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.network_labels import Labels, figures, likeness, nearest
from brainlm_engine.tasks.parcel_maps import parcel_maps

PEOPLE = 8  # that are looked at


def best_layer(model: MaskedModel, recordings: Sequence[Recording], reference: Labels) -> int:
    """Return the layer, from 1 on, whose heads side by side put most parcels into their network; the first of equals.

    Parameters
    ----------
    recordings : of people whose networks are not scored afterwards; the first :data:`PEOPLE` are looked at
    reference : (parcels,), -1 = none
    """
    right = []
    for recording in recordings[:PEOPLE]:
        made = parcel_maps(model, recording, windows=1)
        tables = [likeness(made.heads(layer)) for layer in range(1, made.info.layers + 1)]
        right.append(
            [figures(nearest(alike, reference), reference, int(reference.max()) + 1).accuracy for alike in tables]
        )
    return 1 + int(np.argmax(np.mean(right, 0)))
