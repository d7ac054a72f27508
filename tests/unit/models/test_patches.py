"""One patch lasts 14.4 s at every TR."""

from __future__ import annotations

import pytest
import torch

from brainlm_engine.models.patches import SAMPLE_S, SAMPLES, cut, frames_per_patch, resampling


def test_a_patch_lasts_as_long_at_every_tr() -> None:
    for tr_s in (0.5, 0.72, 0.735, 1.0, 1.5, 2.0, 2.2, 2.5, 3.0, 3.5):
        assert abs(frames_per_patch(tr_s) * tr_s - 14.4) <= tr_s / 2


def test_at_the_grid_s_own_tr_samples_are_frames() -> None:
    to_samples, to_frames = resampling(SAMPLE_S)
    torch.testing.assert_close(to_samples, torch.eye(SAMPLES))
    torch.testing.assert_close(to_frames, torch.eye(SAMPLES))


@pytest.mark.parametrize("tr_s", [0.5, 0.735, 1.5, 2.0, 3.0])
def test_slow_signals_survive_the_way_there_and_back(tr_s: float) -> None:
    to_samples, to_frames = resampling(tr_s)
    frames = frames_per_patch(tr_s)
    time = (torch.arange(frames) - (frames - 1) / 2) * tr_s
    slow = torch.sin(2 * torch.pi * time / 40)
    back = to_frames @ (to_samples @ slow)
    assert (back - slow).abs().max() < 0.12
    torch.testing.assert_close(to_frames @ (to_samples @ torch.ones(frames)), torch.ones(frames))


def test_gaps_are_filled_with_the_patch_s_mean() -> None:
    signal = torch.arange(40.0).reshape(1, 1, 40)
    signal[0, 0, 3:8] = torch.nan
    signal[0, 0, 21:] = torch.nan
    patches = cut(signal, torch.zeros(1, 1, 3), 0.72)
    assert patches.usable.tolist() == [[[True, False]]]
    assert float(patches.frames[0, 0, 0, 3]) == pytest.approx(float(signal[0, 0, :20].nanmean()))
    assert int(patches.measured.sum()) == 16


def test_resampling_can_be_used_with_gradients_after_inference() -> None:
    with torch.inference_mode():
        resampling(1.234)
    weights = torch.ones(SAMPLES, requires_grad=True)
    (resampling(1.234)[1] @ weights).sum().backward()
    assert weights.grad is not None
