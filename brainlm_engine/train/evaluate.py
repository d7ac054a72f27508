"""How well a model fills in 75 % hidden patches of validation people while it learns: fixed windows, fixed masks."""

from __future__ import annotations

import numpy as np
import torch

from brainlm_engine.cohort import Series
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.masks import random_mask

RATIO = 0.75


def validation_r2(model: MaskedModel, series: Series, window_frames: int = 200, most: int = 16) -> float:
    """Return R2 over the hidden frames of one window per recording, about each parcel's window mean.

    Parameters
    ----------
    series : recordings of people the model has never seen
    window_frames : length of the windows, cut down to whole patches
    most : recordings used, evenly spread
    """
    frames = model.frames_per_patch(series.tr_s)
    device = next(model.parameters()).device
    shortest = min(values.shape[1] for values in series.values)
    patches = max(1, min(window_frames, shortest) // frames)
    xyz = torch.from_numpy(series.xyz)
    error = total = 0.0
    for count, index in enumerate(np.linspace(0, len(series) - 1, min(most, len(series))).astype(int)):
        values = series.values[index].astype(np.float32)
        start = (37 * count) % (values.shape[1] - patches * frames + 1)
        signal = torch.from_numpy(values[:, start : start + patches * frames])
        hidden = random_mask((1, len(xyz), patches), RATIO, torch.Generator().manual_seed(count))
        with torch.inference_mode():
            output = model(signal[None].to(device), xyz[None].to(device), mask=hidden.to(device), tr_s=series.tr_s)
        target = signal.reshape(len(xyz), patches, frames)
        scored = output.mask[0].bool().cpu()
        centred = target - target.mean((1, 2), keepdim=True)
        error += float((output.prediction[0].cpu() - target)[scored].square().sum())
        total += float(centred[scored].square().sum())
    return 1 - error / total
