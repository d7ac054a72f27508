"""How well a model fills in what is hidden of the validation people while it learns: fixed windows and masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from brainlm_engine.cohort import Series
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.judging import PATCHES, Judging, Window

MOST = 16


def validation_windows(
    series: Series,
    frames: int,
    window_frames: int = 200,
    most: int = MOST,
    *,
    judging: Judging = PATCHES,
    sizes: dict[str, Any] | None = None,
) -> Iterator[tuple[Tensor, Window]]:
    """Yield ``signal (V, T)`` of one window per recording and how it is shown; the same ones at every look.

    Parameters
    ----------
    series : recordings of people the model has never seen
    frames : of a patch of the model
    window_frames : length of the windows, cut down to whole patches
    most : recordings used, evenly spread
    judging : what is hidden
    sizes : of the model, where what is hidden depends on them
    """
    patches = max(1, min(window_frames, series.shortest) // frames)
    xyz = torch.from_numpy(series.xyz)
    for count, index in enumerate(np.linspace(0, len(series) - 1, min(most, len(series))).astype(int)):
        values = series.values[index].astype(np.float32)
        start = (37 * count) % (values.shape[1] - patches * frames + 1)
        signal = torch.from_numpy(values[:, start : start + patches * frames])
        yield signal, judging.hide(sizes or {}, xyz, patches, frames, torch.Generator().manual_seed(count))


def filled_in(model: MaskedModel, series: Series, signal: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """Return what ``model``, wherever it computes, makes of one window, and what of it is scored: (V, T) and bool."""
    device = next(model.parameters()).device
    xyz = torch.from_numpy(series.xyz).to(device)
    with torch.inference_mode():
        output = model(signal[None].to(device), xyz[None], mask=window.mask.to(device), tr_s=series.tr_s)
    prediction = output.prediction[0].float().cpu()
    counted = output.mask[0].bool().cpu()[..., None].expand(prediction.shape).flatten(1)
    return prediction.flatten(1), window.covered & counted


def validation_r2(
    model: MaskedModel,
    series: Series,
    window_frames: int = 200,
    most: int = MOST,
    *,
    judging: Judging = PATCHES,
    sizes: dict[str, Any] | None = None,
) -> float:
    """Return R2 over the hidden frames of :func:`validation_windows`, about each parcel's window mean."""
    frames = model.frames_per_patch(series.tr_s)
    error = total = 0.0
    for signal, window in validation_windows(series, frames, window_frames, most, judging=judging, sizes=sizes):
        prediction, scored = filled_in(model, series, signal, window)
        centred = signal - signal.mean(1, keepdim=True)
        error += float((prediction - signal)[scored].square().sum())
        total += float(centred[scored].square().sum())
    return 1 - error / total
