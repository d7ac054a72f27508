"""Searching a change: L-BFGS or Adam on a frozen model, from several starts, until told that it is enough."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.steer import Method

_ADAM_RATE = 0.02  # SD per step
_EVALUATIONS = 1.5  # per step of L-BFGS, at most
_STILL = 1e-7  # a search whose loss or gradient changes less has ended


@dataclass
class Found:
    """Where one search ended.

    Attributes
    ----------
    theta : the best, detached
    loss, left : its loss, and its distance as a share of the distance before
    curve : the distance of the best so far, after every look at the model
    """

    theta: list[Tensor] = field(default_factory=list)
    loss: float = float("inf")
    left: float = 1.0
    curve: list[float] = field(default_factory=list)


class _Enough(Exception):
    """A person has seen enough."""


class _Lost(Exception):
    """A step led to where the model's answer is no number."""


def search(
    objective: Callable[[list[Tensor]], tuple[Tensor, Tensor]],
    theta: list[Tensor],
    method: Method,
    steps: int,
    go_on: Callable[[Found], bool],
) -> tuple[Found, bool]:
    """Return the best that was found, and whether it ended before it was done.

    Parameters
    ----------
    objective : ``theta`` to (loss, squared distance as a share of the one before), scalars
    go_on : told after every look at the model; False ends the search

    Raises
    ------
    BadInput
        When the loss or a gradient is no number from the first step on.
    """
    found = Found()

    def look() -> float:
        for each in theta:
            each.grad = None
        loss, squared = objective(theta)
        loss.backward()  # type: ignore[no-untyped-call]
        now, left = float(loss.detach()), float(squared.detach().clamp(min=0).sqrt())
        whole = all(each.grad is None or bool(torch.isfinite(each.grad).all()) for each in theta)
        if not math.isfinite(now) or not whole:
            if not found.curve:
                raise BadInput(
                    "The model’s gradient is no number at this recording: no change can be searched.",
                    "Choose another model or another state.",
                )
            raise _Lost
        if now < found.loss:
            found.theta, found.loss, found.left = [each.detach().clone() for each in theta], now, left
        found.curve.append(found.left)
        if not go_on(found):
            raise _Enough
        return now

    try:
        if method == "adam":
            _adam(look, theta, steps)
        else:
            optimiser = torch.optim.LBFGS(
                theta, max_iter=steps, max_eval=max(2, round(_EVALUATIONS * steps)), history_size=10,
                tolerance_grad=_STILL, tolerance_change=_STILL, line_search_fn="strong_wolfe",
            )  # fmt: skip
            optimiser.step(look)  # type: ignore[no-untyped-call]
    except _Lost:
        return found, False  # the best so far stands
    except _Enough:
        return found, True
    return found, False


def _adam(look: Callable[[], float], theta: list[Tensor], steps: int) -> None:
    optimiser = torch.optim.Adam(theta, lr=_ADAM_RATE)
    for _ in range(steps):
        look()
        optimiser.step()
    look()
