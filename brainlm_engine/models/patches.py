"""Cutting recordings of any TR into time patches of one duration.

A patch lasts 14.4 s whatever the TR (20 frames at 0.72 s, 7 at 2.0 s, 5 at 3.0 s), and is brought onto the same grid of
20 samples, 0.72 s apart and centred on the patch. So one model reads every TR, and at 0.72 s a patch is exactly its 20
frames. The alternative, a fixed number of frames with the TR as a condition, would make a patch last 10 s in one
recording and 60 s in another and leave the network to undo that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_S = 0.72
SAMPLES = 20
PATCH_S = SAMPLE_S * SAMPLES
TR_RANGE = (0.4, 4.0)


def frames_per_patch(tr_s: float) -> int:
    """Return how many frames of ``tr_s`` seconds make one patch."""
    return max(3, round(PATCH_S / tr_s))


@lru_cache(maxsize=64)
def resampling(tr_s: float, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Return the matrices frames -> samples (20, P) and samples -> frames (P, 20) for one TR, float32.

    Both interpolate linearly; going from frames shorter than a sample, a triangular kernel of one sample averages.
    They stay on ``device``: bringing them there at every step would make a graphics processor wait.
    """
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        to_samples, to_frames = _resampling(tr_s)
        return to_samples.to(device), to_frames.to(device)


def _resampling(tr_s: float) -> tuple[Tensor, Tensor]:
    frames = frames_per_patch(tr_s)
    at_frames = (torch.arange(frames, dtype=torch.float64) - (frames - 1) / 2) * tr_s
    at_samples = (torch.arange(SAMPLES, dtype=torch.float64) - (SAMPLES - 1) / 2) * SAMPLE_S
    distance = (at_samples[:, None] - at_frames[None, :]).abs()
    to_samples = _rows_to_one((1 - distance / max(tr_s, SAMPLE_S)).clamp(min=0))
    to_frames = _rows_to_one((1 - distance.T / SAMPLE_S).clamp(min=0))
    return to_samples.float(), to_frames.float()


def _rows_to_one(weights: Tensor) -> Tensor:
    return weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True)
class Patches:
    """A batch of windows, cut.

    Attributes
    ----------
    frames : (B, V, N, P) float, gaps filled with the mean of the patch's measured frames (0 if none)
    samples : (B, V, N, 20) float, the same on the model's own time grid
    measured : (B, V, N, P) bool, False where the recording holds no number or was padded
    usable : (B, V, N) bool, at least half of the patch was measured and the parcel's position is known
    """

    frames: Tensor
    samples: Tensor
    measured: Tensor
    usable: Tensor


def cut(signal: Tensor, xyz: Tensor, tr_s: float) -> Patches:
    """Cut ``signal (B, V, T)`` into patches; a last patch that is not full is padded with unmeasured frames."""
    frames = frames_per_patch(tr_s)
    batch, parcels, length = signal.shape
    n_patches = max(1, -(-length // frames))
    signal = torch.nn.functional.pad(signal, (0, n_patches * frames - length), value=float("nan"))
    signal = signal.reshape(batch, parcels, n_patches, frames)
    measured = torch.isfinite(signal)
    signal = torch.where(measured, signal, 0.0)
    count = measured.sum(-1, keepdim=True)
    signal = torch.where(measured, signal, signal.sum(-1, keepdim=True) / count.clamp(min=1))
    usable = (2 * count[..., 0] >= frames) & torch.isfinite(xyz).all(-1)[:, :, None]
    samples = signal @ resampling(tr_s, signal.device)[0].to(signal.dtype).T
    return Patches(signal, samples, measured, usable)
