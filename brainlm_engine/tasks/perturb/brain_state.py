"""A model's state of a recording, differentiable in the recording: what steering moves.

``regions`` is what a model keeps of every region: mean and SD, over time, of the embedding of its patches. The SD
matters: a task that switches a region on and off leaves its mean where it was. ``summary`` is the summary token, which
published work matches. ``connectivity`` knows no model: the correlations of the series, as a yardstick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.steer import StateKind
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.recording import window_starts

Bools = NDArray[np.bool_]
_ROUND = 1e-8  # added under roots, whose gradient at 0 is infinite


@dataclass(frozen=True)
class Eye:
    """How a model is shown z-scores of one recording's parcels.

    Attributes
    ----------
    model : frozen
    xyz : (1, P, 3) MNI mm
    slope, shift : (P, 1), z-scores to the model's units
    tr_s : seconds per frame
    patch, length : frames of a time patch, and of a window
    """

    model: MaskedModel
    xyz: Tensor
    slope: Tensor
    shift: Tensor
    tr_s: float
    patch: int
    length: int

    def shown(self, recording: Recording) -> Tensor:
        """Return the z-scores of the whole time patches of a recording: (P, T), NaN where nothing was measured."""
        series = zscored(recording)
        return torch.as_tensor(series[:, : series.shape[1] // self.patch * self.patch].copy()).to(self.xyz)

    def units(self, shown: Tensor) -> Tensor:
        """Return ``shown (P, T)``, z-scores, in the model's units."""
        return shown * self.slope + self.shift

    def answer(self, shown: Tensor, hidden: Tensor) -> Tensor:
        """Return the model's answer (P, T), z-scores, with ``hidden (P, N)`` patches filled in."""
        output = self.model(self.units(shown)[None], self.xyz, mask=hidden[None], tr_s=self.tr_s)
        made: Tensor = output.prediction[0].flatten(1)[:, : shown.shape[1]]
        return (made - self.shift) / self.slope


def eye_of(model: MaskedModel, recording: Recording, scaling: InputScaling | None) -> Eye:
    """Return how ``model`` looks at ``recording``.

    Raises
    ------
    BadInput
        When the recording or the scaling does not fit the model.
    """
    patch, length, _ = plan_window(model, recording, None, scaling=scaling)
    like = next(model.parameters())
    slope, shift = np.ones(recording.n_parcels), np.zeros(recording.n_parcels)
    if scaling is not None:
        units = scaling.units(recording)
        slope, shift = units.slope, units.shift
    elif model.scaling is not None:
        raise BadInput(
            f"The states of the model {model_id(model)} cannot be read yet.",
            "Choose a model of z-scores, for example studio-tiny.",
        )
    return Eye(
        model, torch.as_tensor(np.array(recording.xyz))[None].to(like), torch.as_tensor(slope)[:, None].to(like),
        torch.as_tensor(shift)[:, None].to(like), recording.tr_s, patch, length,
    )  # fmt: skip


@dataclass(frozen=True)
class State:
    """One kind of state, as a function of what is shown: ``(P, T)`` z-scores to ``(S,)``.

    Attributes
    ----------
    kind : see above
    eye : who looks
    keep : (P,) bool, parcels that count; others are 0 in the state. The summary token is of all that are measured
    """

    kind: StateKind
    eye: Eye
    keep: Tensor

    def __call__(self, shown: Tensor) -> Tensor:
        """Read the state."""
        if self.kind == "connectivity":
            return _correlations(torch.where(self.keep[:, None], shown, torch.nan)).flatten()
        summaries, (table, there) = self._tokens(shown)
        if self.kind == "summary":
            return torch.stack(summaries).mean(0)
        there = there & self.keep[:, None]
        number = there.sum(1).clamp(min=1)[:, None]
        table = torch.where(there[..., None], table, torch.zeros_like(table))
        mean = table.sum(1) / number
        apart = torch.where(there[..., None], table - mean[:, None], torch.zeros_like(table))
        spread = (apart.square().sum(1) / number + _ROUND).sqrt()
        both = torch.stack([mean, spread], 1)
        return torch.where(there.any(1)[:, None, None], both, torch.zeros_like(both)).flatten()

    def parts(self, rows: Tensor) -> Tensor:
        """Return states ``rows (R, S)`` cut into what belongs together: (R, parcels, -1), or (R, 1, S)."""
        return rows.view(len(rows), 1 if self.kind == "summary" else len(self.keep), -1)

    def only_kept(self, rows: Tensor) -> Tensor:
        """Return states ``rows (R, S)`` with 0 for the parcels that do not count."""
        if self.kind == "summary":
            return rows
        table = self.parts(rows) * self.keep[None, :, None]
        if self.kind == "connectivity":
            table = table * self.keep[None, None, :]
        return table.flatten(1)

    def given_to_others(self, difference: Tensor, order: NDArray[np.intp]) -> Tensor:
        """Return ``difference (S,)`` with its parcels (or entries, where it has none) in another order.

        Parameters
        ----------
        order : (P,) or (S,) places
        """
        chosen = torch.as_tensor(order, device=difference.device)
        if self.kind == "summary":
            return difference[chosen]
        table = difference.view(len(self.keep), -1)[chosen]
        return (table[:, chosen] if self.kind == "connectivity" else table).flatten()

    def drawn_order(self, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Return a random order for :meth:`given_to_others`; parcels that do not count stay where they are."""
        if self.kind == "summary":
            return np.asarray(rng.permutation(size), np.intp)
        order = np.arange(len(self.keep))
        places = np.flatnonzero(self.keep.cpu().numpy())
        order[places] = rng.permutation(places)
        return np.asarray(order, np.intp)

    def _tokens(self, shown: Tensor) -> tuple[list[Tensor], tuple[Tensor, Tensor]]:
        """Return the summary of every window, and (P, N, D) what is kept of every patch, (P, N) whether any is."""
        eye = self.eye
        whole = shown.shape[1] // eye.patch * eye.patch
        length = min(eye.length, whole)
        steps = length // eye.patch
        parcels, patches = shown.shape[0], whole // eye.patch
        summaries: list[Tensor] = []
        table: Tensor | None = None
        count = torch.zeros(parcels * patches, device=shown.device, dtype=shown.dtype)
        done = 0
        for start in window_starts(whole, length):
            latent, ids = self._embedded(eye.units(shown[:, start : start + length]))
            summaries.append(latent[0])
            step, parcel = ids % steps, ids // steps
            place = parcel * patches + start // eye.patch + step
            new = (ids >= 0) & (start // eye.patch + step >= done)  # windows may overlap
            if table is None:
                table = torch.zeros(parcels * patches, latent.shape[1], device=shown.device, dtype=shown.dtype)
            table = table.index_add(0, place[new], latent[1:][new])
            count = count.index_add(0, place[new], torch.ones_like(place[new], dtype=count.dtype))
            done = start // eye.patch + steps
        assert table is not None
        table = table / count.clamp(min=1)[:, None]
        return summaries, (table.view(parcels, patches, -1), count.view(parcels, patches) > 0)

    def _embedded(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """Return latents (1 + K, D) and patch ids (K,) of one window."""
        model = self.eye.model
        try:
            latent, ids = model.embed(window[None], self.eye.xyz, self.eye.tr_s)  # type: ignore[operator]
        except (NotImplementedError, ValueError, AttributeError) as error:
            raise BadInput(
                f"The model {model_id(model)} cannot embed this recording.", "Choose another model.", str(error)
            ) from error
        return latent[0], ids[0]


@dataclass(frozen=True)
class Expectation:
    """What the model expects of regions that are hidden from it, at the frames that are asked about.

    Attributes
    ----------
    hidden : (P, N) bool
    asked : (P, T) bool
    """

    eye: Eye
    hidden: Tensor
    asked: Tensor

    def __call__(self, shown: Tensor) -> Tensor:
        """Read the expectation: (asked frames,) SD, divided by the root of their number."""
        away = self.hidden.repeat_interleave(self.eye.patch, 1)[:, : shown.shape[1]]
        answer = self.eye.answer(torch.where(away, torch.zeros_like(shown), shown), self.hidden)
        return answer[self.asked] / self.asked.sum().sqrt()


def _correlations(shown: Tensor) -> Tensor:
    """Return the correlations (P, P); gaps count as the mean, parcels that are not measured correlate with none."""
    measured = torch.isfinite(shown)
    rows = torch.where(measured, shown, torch.zeros_like(shown))
    rows = torch.where(measured.any(1)[:, None], rows - rows.mean(1, keepdim=True), torch.zeros_like(rows))
    rows = rows / (rows.square().sum(1, keepdim=True) + _ROUND).sqrt()
    return rows @ rows.T
