"""Steering towards an activity: the targets' regions are hidden from the model, and it is to expect their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import level
from brainlm_engine.api.steer import SteerSpec
from brainlm_engine.cohort import zscored
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.perturb.brain_state import Expectation, Eye
from brainlm_engine.tasks.perturb.targets import check_targets, region_name, written
from brainlm_engine.tasks.perturb.window import HISTORY, MOST


@dataclass(frozen=True)
class Wanted:
    """What the model is to expect.

    Attributes
    ----------
    shown : (P, T) z-scores of the window
    first : its first frame in the recording
    read : shown to what the model expects at the targets
    target : (asked,) what it is to be, scaled as ``read`` scales
    hidden_regions : (P,) bool, the targets' regions
    toward : in words
    """

    shown: Tensor
    first: int
    read: Expectation
    target: Tensor
    hidden_regions: NDArray[np.bool_]
    toward: str


def expected_activity(eye: Eye, recording: Recording, spec: SteerSpec, known: NDArray[np.bool_]) -> Wanted:
    """Make the window ready.

    Raises
    ------
    BadInput
        When a target is impossible, or they span more than the model reads at once.
    """
    targets = spec.aim.targets
    model = eye.model
    if model.card is not None and "reconstruct" not in model.card.capabilities:
        raise BadInput(f"The model {model.card.title} fills in nothing.", "Choose a model that reconstructs.")
    check_targets(targets, recording, known, 0)
    onset, stop = min(target.start for target in targets), max(target.stop for target in targets)
    patch = eye.patch
    first = max(0, onset // patch - HISTORY) * patch
    patches = -(-(stop - first) // patch)
    if first + patches * patch > recording.n_frames:
        first = max(0, recording.n_frames - patches * patch)
    if patches > MOST or first + patches * patch > recording.n_frames:
        raise BadInput(
            f"The targets span {(stop - onset) * recording.tr_s:.0f} s; the model reads "
            f"{min(MOST * patch, recording.n_frames) * recording.tr_s:.0f} s at once, history included.",
            "Move them together, or make them shorter.",
        )
    series = zscored(recording)[:, first : first + patches * patch]
    changed, where = written(targets, series, first)
    hidden = where.reshape(len(where), patches, patch).any(2)
    shown, asked = torch.as_tensor(series.copy()).to(eye.xyz), torch.as_tensor(where, device=eye.xyz.device)
    read = Expectation(eye, torch.as_tensor(hidden, device=eye.xyz.device), asked)
    target = torch.as_tensor(changed).to(eye.xyz)[asked] / asked.sum().sqrt()
    regions = np.flatnonzero(where.any(1))
    whose = region_name(recording, int(regions[0])) if len(regions) == 1 else f"{len(regions)} regions"
    levels = np.concatenate([level(each) for each in targets])
    mean = f"{levels.mean():+.1f} SD" if np.ptp(levels) < 1e-6 else f"{levels.min():+.1f} to {levels.max():+.1f} SD"
    return Wanted(shown, first, read, target, np.asarray(where.any(1)), f"{whose} at {mean}")
