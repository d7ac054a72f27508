"""What may be done to a recording: G(X, θ) = X + change(θ), in several forms, within limits.

All forms are piecewise linear in time with two knots per time patch (but ``gaussian``), reach only regions and frames
that may be changed, and change no frame by more than ``most``: raw values pass through ``most * tanh(raw / most)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.steer import FormKind

_KNOTS = 2  # per time patch
_RANK = 2  # of the form low_rank
_SMALL = 0.02  # SD of random starts
_FLOOR = 1e-6  # SD squared: below it the size of a region's change is rounded off, so that its gradient exists


@dataclass(frozen=True)
class Canvas:
    """Where something may be changed.

    Attributes
    ----------
    measured : (P, T) float, z-scores, NaN where nothing was measured
    regions : (A,) int, parcels that may be changed
    frames : first frame, and the frame after the last
    patch : frames of a time patch
    most : SD
    labels : (P,) int, reference network of each parcel; -1 = none
    """

    measured: Tensor
    regions: Tensor
    frames: tuple[int, int]
    patch: int
    most: float
    labels: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hats", self._made_hats())

    @property
    def hats(self) -> Tensor:
        """(K, T): piecewise linear basis, 0 outside the frames."""
        made: Tensor = self._hats  # type: ignore[attr-defined]
        return made

    def _made_hats(self) -> Tensor:
        first, end = self.frames
        length = end - first
        knots = max(2, round(length / self.patch * _KNOTS) + 1)
        along = np.linspace(0, knots - 1, length) if length > 1 else np.zeros(1)
        basis = np.zeros((knots, self.measured.shape[1]))
        basis[:, first:end] = np.clip(1 - np.abs(along[None] - np.arange(knots)[:, None]), 0, 1)
        return torch.as_tensor(basis, dtype=self.measured.dtype, device=self.measured.device)

    def spread(self, rows: Tensor) -> Tensor:
        """Put ``rows (A, T)`` at the regions: (P, T), limited; 0 where nothing was measured."""
        rows = self.most * torch.tanh(rows / self.most)
        whole = torch.zeros_like(self.measured).index_add(0, self.regions, rows)
        return torch.where(torch.isfinite(self.measured), whole, torch.zeros_like(whole))


class Form:
    """One form of change: ``fresh`` makes θ, ``change`` what θ adds."""

    def __init__(self, kind: FormKind, canvas: Canvas) -> None:
        self.kind, self.canvas = kind, canvas
        knots, regions = canvas.hats.shape[0], len(canvas.regions)
        labels = canvas.labels[canvas.regions]
        self._groups, self._group = torch.unique(labels[labels >= 0]), labels
        shapes: dict[FormKind, tuple[tuple[int, ...], ...]] = {
            "additive": ((regions, knots),),
            "gain": ((regions, 1),),
            "network": ((len(self._groups), knots),),
            "low_rank": ((regions, _RANK), (_RANK, knots)),
            "gaussian": ((regions, 1), (2,)),
        }
        self._shapes = shapes[kind]

    def fresh(self, generator: torch.Generator | None) -> list[Tensor]:
        """Return θ: no change, or with ``generator`` a small random one; products of two factors never begin at 0."""
        like = self.canvas.measured
        if generator is None and self.kind == "low_rank":
            generator = torch.Generator().manual_seed(0)
        theta = [
            torch.zeros(shape) if generator is None else _SMALL * torch.randn(shape, generator=generator)
            for shape in self._shapes
        ]
        if self.kind == "low_rank":
            theta[1] = theta[1] / _SMALL
        if self.kind == "gaussian":
            theta[1] = theta[1] * 0
        return [each.to(like).requires_grad_(True) for each in theta]

    def change(self, theta: list[Tensor]) -> Tensor:
        """Return (P, T), SD."""
        canvas = self.canvas
        if self.kind == "additive":
            rows = theta[0] @ canvas.hats
        elif self.kind == "gain":
            inside = canvas.hats.sum(0)
            rows = theta[0] * torch.nan_to_num(canvas.measured[canvas.regions]) * inside
        elif self.kind == "network":
            member = (self._group[:, None] == self._groups[None]).to(theta[0])
            rows = member @ theta[0] @ canvas.hats
        elif self.kind == "low_rank":
            rows = theta[0] @ theta[1] @ canvas.hats
        else:
            rows = theta[0] * self._bump(theta[1])
        return canvas.spread(rows)

    def _bump(self, place: Tensor) -> Tensor:
        """Return (T,): a Gaussian inside the frames; ``place`` shifts its middle and its width from the usual ones."""
        first, end = self.canvas.frames
        span = end - first
        time = torch.arange(self.canvas.measured.shape[1], device=place.device, dtype=place.dtype)
        middle = first + span * torch.sigmoid(place[0])
        width = span / 4 * torch.exp(place[1])
        inside = (time >= first) & (time < end)
        return torch.exp(-0.5 * ((time - middle) / width) ** 2) * inside

    def sizes(self, change: Tensor) -> Tensor:
        """Return (A,) SD: root mean square of each region's change over the frames that may be changed."""
        first, end = self.canvas.frames
        return (change[self.canvas.regions, first:end].square().mean(1) + _FLOOR).sqrt()

    def steps(self, change: Tensor) -> Tensor:
        """Return the mean square step of the change, per time patch."""
        first, end = self.canvas.frames
        inside = change[self.canvas.regions, first:end]
        if inside.shape[1] < 2:
            return inside.sum() * 0
        return ((inside[:, 1:] - inside[:, :-1]) * self.canvas.patch).square().mean()


def magnitudes(change: NDArray[np.floating], allowed: NDArray[np.intp], frames: tuple[int, int]) -> NDArray[np.float32]:
    """Return (P,) SD: root mean square over the frames that may be changed; NaN for regions that may not."""
    out = np.full(len(change), np.nan, np.float32)
    out[allowed] = np.sqrt(np.square(change[allowed, frames[0] : frames[1]]).mean(1))
    return out
