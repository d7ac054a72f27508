"""How well a model fills in 75 % hidden patches of the validation people while it learns: fixed windows and masks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from brainlm_engine.cohort import Series
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.masks import random_mask

RATIO = 0.75
MOST = 16


def validation_windows(
    series: Series, frames: int, window_frames: int = 200, most: int = MOST
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``signal (V, T)`` and ``hidden (1, V, N)`` of one window per recording; the same ones at every look.

    Parameters
    ----------
    series : recordings of people the model has never seen
    frames : of a patch of the model
    window_frames : length of the windows, cut down to whole patches
    most : recordings used, evenly spread
    """
    patches = max(1, min(window_frames, series.shortest) // frames)
    for count, index in enumerate(np.linspace(0, len(series) - 1, min(most, len(series))).astype(int)):
        values = series.values[index].astype(np.float32)
        start = (37 * count) % (values.shape[1] - patches * frames + 1)
        signal = torch.from_numpy(values[:, start : start + patches * frames])
        yield signal, random_mask((1, len(values), patches), RATIO, torch.Generator().manual_seed(count))


def filled_in(model: MaskedModel, series: Series, signal: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Return what ``model``, wherever it computes, makes of one window: (V, N, P), and what is scored: (V, N) bool."""
    device = next(model.parameters()).device
    xyz = torch.from_numpy(series.xyz).to(device)
    with torch.inference_mode():
        output = model(signal[None].to(device), xyz[None], mask=hidden.to(device), tr_s=series.tr_s)
    return output.prediction[0].float().cpu(), output.mask[0].bool().cpu()


def validation_r2(model: MaskedModel, series: Series, window_frames: int = 200, most: int = MOST) -> float:
    """Return R2 over the hidden frames of :func:`validation_windows`, about each parcel's window mean."""
    frames = model.frames_per_patch(series.tr_s)
    error = total = 0.0
    for signal, hidden in validation_windows(series, frames, window_frames, most):
        prediction, scored = filled_in(model, series, signal, hidden)
        target = signal.reshape(len(signal), -1, frames)
        centred = target - target.mean((1, 2), keepdim=True)
        error += float((prediction - target)[scored].square().sum())
        total += float(centred[scored].square().sum())
    return 1 - error / total
