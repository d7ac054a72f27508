"""The window a perturbation is looked at in: history that is shown, then what the model fills in.

A window begins whole time patches before the onset, so that the first patch it fills in begins with the first frame
that is set: nothing before the onset is touched. From there on the model sees the regions that are set, while they are,
and nothing else. It may go on past the recording's end: there is nothing measured then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Scenario
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.targets import check_targets, written
from brainlm_engine.tasks.reconstruct import plan_window

Floats = NDArray[np.float32]
#: time patches shown before the onset; filled in from it on at least; in one run of the model at most
HISTORY, AFTER, MOST = 5, 5, 15
#: time patches of everything at most
LONGEST = 60


@dataclass(frozen=True)
class Window:
    """A planned perturbation.

    Attributes
    ----------
    start : first frame, in the recording
    onset : first frame that is set, in the window: a whole number of patches
    patch : frames of a time patch
    measured : (P, T) float32, SD; NaN where nothing was measured
    changed : (P, T) float32, the same with the targets set
    where : (P, T) bool, True where a region is set
    hidden : (P, N) bool, patches that the model fills in
    known : (P,) bool, parcels with signal and position
    notes : what a person must be told
    """

    start: int
    onset: int
    patch: int
    measured: Floats
    changed: Floats
    where: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    known: NDArray[np.bool_]
    notes: tuple[str, ...]

    @property
    def asked(self) -> NDArray[np.bool_]:
        """(P, T) True where an effect is looked for: after the onset, parcels that are known, frames not set."""
        after = np.arange(self.where.shape[1]) >= self.onset
        return ~self.where & after & self.known[:, None]

    @property
    def regions(self) -> NDArray[np.intp]:
        """Parcels that are set at some time."""
        return np.flatnonzero(self.where.any(1))


def plan(
    model: MaskedModel,
    recording: Recording,
    scenario: Scenario,
    scaling: InputScaling | None = None,
    *,
    before: int = HISTORY,
    after: int = AFTER,
) -> Window:
    """Plan the window of a scenario.

    Parameters
    ----------
    before, after : time patches of history at most, and of what follows at least

    Raises
    ------
    BadInput
        When a target is impossible, the model fills in nothing, or the whole is longer than ``LONGEST``.
    """
    if model.card is not None and "reconstruct" not in model.card.capabilities:
        raise BadInput(f"The model {model.card.title} fills in nothing.", "Choose a model that reconstructs.")
    patch, _, notes = plan_window(model, recording, None, padded=True, scaling=scaling)
    notes = tuple(note for note in notes if "usual window" not in note)
    series = zscored(recording)
    known = np.isfinite(recording.xyz).all(1) & np.isfinite(series).any(1) & ~recording.missing
    check_targets(scenario.targets, recording, known, scenario.ahead)
    onset = min(target.start for target in scenario.targets)
    stop = max(target.stop for target in scenario.targets)
    before = min(before, onset // patch)
    start = onset - before * patch
    end = min(max(stop, onset + after * patch) + scenario.ahead, recording.n_frames + scenario.ahead)
    after = -(-(end - onset) // patch)
    if after > LONGEST:
        raise BadInput(
            f"That is {after * patch * recording.tr_s:.0f} s after the onset, too long for a model that has its own "
            "answers for history by then.",
            f"Stay within {LONGEST * patch * recording.tr_s:.0f} s.",
        )
    length = (before + after) * patch
    measured = np.full((recording.n_parcels, length), np.nan, np.float32)
    there = series[:, start : start + length]
    measured[:, : there.shape[1]] = there
    changed, where = written(scenario.targets, measured, start)
    hidden = np.zeros((len(measured), before + after), bool)
    hidden[:, before:] = True
    hidden &= ~where.reshape(len(where), -1, patch).any(2)
    told = list(notes)
    if not before:
        told.append("No whole time patch lies before the onset: the model sees what is set and no history.")
    if there.shape[1] < length:
        told.append(f"The last {length - there.shape[1]} frames lie past the recording's end.")
    return Window(start, before * patch, patch, measured, changed, where, hidden, known, tuple(told))
