"""What a model makes of one validation window while it learns: a small file that is whole or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.cohort import Series
from brainlm_engine.files import written_whole
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.evaluate import filled_in, validation_windows
from brainlm_engine.train.judging import PATCHES, Judging
from brainlm_engine.training_folder import PREVIEW

PARCELS = 12


def save_preview(
    model: MaskedModel,
    validation: Series,
    window_frames: int,
    folder: Path,
    step: int,
    *,
    judging: Judging = PATCHES,
    sizes: dict[str, Any] | None = None,
) -> None:
    """Let ``model`` fill in the first validation window and keep a dozen parcels, evenly spread.

    Writes ``measured``, ``predicted (parcels, frames)`` in SD, NaN where nothing was hidden, and ``mask (parcels,
    patches)``, where any frame was hidden.
    """
    from safetensors.numpy import save_file

    patch = model.frames_per_patch(validation.tr_s)
    signal, window = next(validation_windows(validation, patch, window_frames, 1, judging=judging, sizes=sizes))
    prediction, scored = filled_in(model, validation, signal, window)
    there = np.flatnonzero(np.isfinite(signal[:, 0].numpy()))
    shown = there[np.linspace(0, len(there) - 1, min(PARCELS, len(there))).astype(int)]
    hidden, predicted = scored.numpy()[shown], prediction.numpy()[shown]
    predicted[~hidden] = np.nan
    mask = hidden.reshape(len(shown), -1, patch).any(2)
    arrays = {"measured": signal.numpy()[shown], "predicted": predicted, "mask": mask.astype(np.uint8)}
    head = {
        "step": step, "tr_s": validation.tr_s, "patch_frames": patch, "parcels": [int(parcel) for parcel in shown],
        "atlas_id": validation.atlas_id,
    }  # fmt: skip
    with written_whole(folder / PREVIEW) as temporary:
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            temporary,
            metadata={"preview": json.dumps(head)},
        )
