"""Quick answers while a target is dragged: exact at a few values of it, straight lines in between.

How the answer depends on the value of one target is smooth, so two exact answers, 1.5 SD apart, say what lies between
them (:func:`Preview.answer` against :func:`intervene` is tested). A drag along the value costs two runs of the model
when it enters a new interval, and next to nothing inside it. Anything else that is dragged is asked for exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.perturb import HARD_SD, PreviewInfo, Scenario
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.effects import effects
from brainlm_engine.tasks.perturb.intervene import run_of
from brainlm_engine.tasks.perturb.window import Window, plan
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
STEP_SD = 1.5


@dataclass
class Preview:
    """What is held while one target is dragged: the unperturbed answer, and exact answers by value of the target."""

    model: MaskedModel
    recording: Recording
    scenario: Scenario
    moving: int
    scaling: InputScaling | None = None
    _exact: dict[float, Floats] = field(default_factory=dict)
    _plain: Floats | None = None

    def learn(self, scenario: Scenario, unperturbed: Floats, perturbed: Floats) -> None:
        """Take an exact answer that is there already, when it fits."""
        if self.fits(scenario, self.moving) and self._plain is None:
            self._plain = unperturbed
            self._exact[scenario.targets[self.moving].value] = perturbed

    def fits(self, scenario: Scenario, moving: int) -> bool:
        """Tell whether ``scenario`` differs from what is held by the value of the target that moves only."""
        return moving == self.moving and _without(scenario, moving) == _without(self.scenario, self.moving)

    def answer(self, scenario: Scenario) -> tuple[PreviewInfo, dict[str, Floats]]:
        """Answer for a value of the moving target; ``scenario`` must fit.

        Raises
        ------
        BadInput
            As :func:`brainlm_engine.tasks.perturb.intervene.intervene`.
        """
        clock = Clock()
        window = plan(self.model, self.recording, scenario, self.scaling)
        target = scenario.targets[self.moving]
        if target.shape in ("silence", "draw"):
            nodes: tuple[float, ...] = (target.value,)
        else:
            nodes = self._around(target.value)
        self._know(scenario, window, nodes)
        assert self._plain is not None
        made = self._exact[nodes[0]]
        if len(nodes) > 1:
            share = (target.value - nodes[0]) / (nodes[1] - nodes[0])
            made = (1 - share) * made + share * self._exact[nodes[1]]
        made = np.where(window.where, window.changed, made).astype(np.float32)
        made[~window.known] = np.nan
        found = effects(self._plain, made, window.asked)
        info = PreviewInfo(
            scenario=scenario, start=window.start, onset=window.onset, exact=len(nodes) == 1, seconds=clock.seconds
        )
        unperturbed = np.where(window.known[:, None], self._plain, np.nan).astype(np.float32)
        return info, {"unperturbed": unperturbed, "perturbed": made, "effect": found.effect}

    def _around(self, value: float) -> tuple[float, ...]:
        """Return the values whose exact answers say what ``value`` does: itself, or two that it lies between."""
        low = max(-HARD_SD, math.floor(value / STEP_SD) * STEP_SD)
        high = min(HARD_SD, low + STEP_SD)
        if value in self._exact or value == low:
            return (value,)
        near = [known for known in self._exact if low < known < high]
        return max([low, *(known for known in near if known < value)]), min([high, *(k for k in near if k > value)])

    def _know(self, scenario: Scenario, window: Window, nodes: tuple[float, ...]) -> None:
        """Ask the model, at once, at the values that are not known yet."""
        new = [value for value in nodes if value not in self._exact]
        shown = [_at(self, scenario, value).changed for value in new]
        if self._plain is None:
            shown.append(window.measured)
        if not shown:
            return
        run = run_of(self.model, self.recording, window, self.scaling)
        made = run.answers(np.stack(shown), np.repeat(window.hidden[None], len(shown), 0))
        self._exact.update(zip(new, made, strict=False))
        if self._plain is None:
            self._plain = made[-1]


def _at(preview: Preview, scenario: Scenario, value: float) -> Window:
    targets = list(scenario.targets)
    targets[preview.moving] = targets[preview.moving].model_copy(update={"value": value})
    there = scenario.model_copy(update={"targets": tuple(targets)})
    return plan(preview.model, preview.recording, there, preview.scaling)


def _without(scenario: Scenario, moving: int) -> tuple[object, ...]:
    targets = list(scenario.targets)
    if targets[moving].shape not in ("silence", "draw"):
        targets[moving] = targets[moving].model_copy(update={"value": 0.0})
    return (*targets, scenario.ahead)
