"""A model's answer to windows with regions set: filled in from the onset on, in runs that follow each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import ModelUnits
from brainlm_engine.tasks.perturb.window import HISTORY, MOST
from brainlm_engine.tasks.reconstruct import predict

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Run:
    """How answers are made: the model, the recording whose parcels they are of, the units the model wants.

    ``patch`` frames of a time patch, ``before`` patches of history.
    """

    model: MaskedModel
    recording: Recording
    units: ModelUnits | None
    patch: int
    before: int

    def answers(self, shown: Floats, hidden: Bools) -> Floats:
        """Fill in what is hidden of ``shown (B, P, T)``, NaN = not measured, by ``hidden (B, P, N)``.

        Past the first run, the last patches of the answer are the history of the next: the model goes on from what it
        has said itself.

        Returns
        -------
        (B, P, T) float32: what was shown where it was shown, the model's answer elsewhere
        """
        if len(shown) > 1 and next(self.model.parameters()).device.type == "cpu":  # a batch is slower there
            alone = [self.answers(one[None], other[None]) for one, other in zip(shown, hidden, strict=True)]
            return np.concatenate(alone)
        patch, patches = self.patch, hidden.shape[2]
        filled = shown.copy()
        done = self.before
        while done < patches:
            first = max(0, done - HISTORY)
            end = min(patches, first + MOST)
            frames = slice(first * patch, end * patch)
            known = np.isfinite(filled[:, :, done * patch : end * patch]).reshape(*hidden.shape[:2], end - done, patch)
            mask = np.zeros((*hidden.shape[:2], end - first), bool)
            mask[:, :, done - first :] = hidden[:, :, done:end] | ~known.any(3)
            window = filled[:, :, frames].copy()
            away = np.repeat(mask, patch, axis=2)
            window[away & np.isnan(window)] = 0.0  # what is to come is hidden, not missing
            made = predict(self.model, window, self.recording, mask, self.units)
            new = slice((done - first) * patch, None)
            take = away[:, :, new] | np.isnan(window[:, :, new])
            filled[:, :, done * patch : end * patch] = np.where(
                take, made[:, :, new], filled[:, :, done * patch : end * patch]
            )
            done = end
        return filled

    def both(self, measured: Floats, changed: Floats, hidden: Bools) -> tuple[Floats, Floats]:
        """Return the answers ``(B, P, T)`` to what was measured and to what was changed, hidden alike."""
        made = self.answers(np.concatenate([measured, changed]), np.concatenate([hidden, hidden]))
        return made[: len(measured)], made[len(measured) :]
