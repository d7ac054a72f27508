"""How far to trust a model's answer at a TR for which nobody has calibrated it: tried on the recording's own past."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.baselines.forecasts import autoregression
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.tasks.future import Past, model_future, past_of
from brainlm_engine.tasks.input_scaling import InputScaling

Doubles = NDArray[np.float64]
_TRIES = 4  # origins inside the past
_LEAST = 3  # time patches that each of them sees
_SHRINK = 0.25  # of the gram matrix: few tries prove little
_SMOOTH = 5  # leads


def own_weights(model: MaskedModel, past: Past, horizon: int, scaling: InputScaling | None = None) -> Doubles:
    """Return the weights (horizon, 2) of the model's answer and of an autoregression, by ridge towards nothing.

    Both are asked about moments inside the past, where what followed is part of the past too. Where the past is too
    short for that, the weights are zero: the forecast is the mean.
    """
    patch = model.frames_per_patch(past.recording.tr_s)
    length = past.recording.n_frames
    gram, right = np.zeros((horizon, 2, 2)), np.zeros((horizon, 2))
    for back in range(1, _TRIES + 1):
        origin = length - back * horizon
        if origin < _LEAST * patch:
            break
        earlier = past_of(model, past.recording, origin, length)
        truth = earlier.truth(past.recording.series, origin, horizon)
        guess = np.stack([model_future(model, earlier, horizon, scaling), autoregression(earlier.filled, horizon)], 2)
        known = np.isfinite(truth).all(1) & np.isfinite(guess).all((1, 2))
        gram += np.einsum("pki,pkj->kij", guess[known], guess[known], dtype=np.float64)
        right += np.einsum("pki,pk->ki", guess[known], truth[known], dtype=np.float64)
    around = np.clip(np.arange(horizon)[:, None] + np.arange(_SMOOTH) - _SMOOTH // 2, 0, horizon - 1)
    around[:2] = np.arange(min(2, horizon))[:, None]
    gram, right = gram[around].mean(1), right[around].mean(1)
    size = np.trace(gram, axis1=1, axis2=2)[:, None, None]
    penalty = (_SHRINK * size / 2 + 1e-9) * np.eye(2)
    return np.asarray(np.linalg.solve(gram + penalty, right[..., None])[..., 0])
