"""What a card says of the length of patches is what the model does."""

from __future__ import annotations

import numpy as np

from brainlm_engine.models import list_models
from brainlm_engine.models.patches import frames_per_patch


def test_the_card_and_the_model_agree_on_patches() -> None:
    card = list_models().models[0]
    for tr_s in np.arange(0.3, 6.0, 0.01):
        assert card.frames_per_patch(float(tr_s)) == frames_per_patch(float(tr_s))
    assert card.model_copy(update={"patch_s": 0.0}).frames_per_patch(2.0) == card.patch_frames
