"""How long a training will take, from two steps measured in the engine; never while one runs, which would slow both."""

from __future__ import annotations

import math
from typing import Any

from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.training import WINDOW_FRAMES
from app.text import has, tr
from brainlm_engine.api.training import TrainingSpeed

#: Parameters from which on a model is made for a graphics card.
LARGE = 20_000_000
Question = tuple[str, int, tuple[tuple[str, Any], ...]]
_ASKS = ("size", "cohort", "cohorts", "choices", "batch", "threads", "device", "active")


class SpeedController:
    """Measures when what decides the speed changes while the workspace is on screen; each combination once."""

    def __init__(self, state: AppState, engine: EngineService) -> None:
        self._state, self._engine = state, engine
        self._known: dict[Question, TrainingSpeed] = {}
        self.latest: Latest[Question, TrainingSpeed] = Latest(self._ask, self._take, self._failed)
        for field in _ASKS:
            state.train.on(field).connect(self.wanted)
        state.shell.on("workspace").connect(self.wanted)

    def wanted(self, *_: object) -> None:
        """Show what is known for the present settings; measure it when nothing is."""
        train, question = self._state.train, self._question()
        train.speed = self._known.get(question) if question is not None else None
        here = self._state.shell.workspace == "train" and self._state.engine.status == "ready"
        if question is None or train.speed is not None or train.active or not here:
            train.measuring = self.latest.busy
            self.latest.forget()
            return
        train.measuring = True
        self.latest.wish(question)

    def _question(self) -> Question | None:
        train, cohort, size = self._state.train, self._state.train.chosen, self._state.train.model_size
        if cohort is None or size is None:
            return None
        settings = {
            "batch": train.batch, "threads": train.threads, "device": train.device,
            "window_frames": min(WINDOW_FRAMES, cohort.n_frames),
        }  # fmt: skip
        return size.size_id, cohort.n_parcels, tuple(settings.items())

    async def _ask(self, question: Question) -> TrainingSpeed:
        size, parcels, settings = question
        return await self._engine.client.training_speed(size, parcels, dict(settings))

    def _take(self, question: Question, speed: TrainingSpeed) -> None:
        self._known[question] = speed
        train = self._state.train
        if question == self._question():
            train.put(speed=speed, measuring=False)

    def _failed(self, error: Exception) -> None:
        """An estimate is a courtesy: without it the training can still be started."""
        self._state.train.measuring = False
        self._state.work.note(str(error))

    def estimate(self) -> str:
        """Return steps and time of the next training in words."""
        train = self._state.train
        steps, seconds, speed = train.expected_steps, train.expected_seconds, train.speed
        if speed is not None and steps is not None and seconds is not None:
            if speed.scaled_from:
                return tr("train.estimate.scaled", steps=rounded(steps), time=in_words(seconds))
            return tr("train.estimate.text", steps=rounded(steps), time=in_words(seconds), step_s=f"{speed.step_s:.2g}")
        if train.measuring:
            return tr("train.estimate.measuring")
        return tr("train.estimate.later") if train.active else ""

    def caution(self) -> str:
        """Return what is to be known of a large model on a computer without a graphics card, '' otherwise."""
        train, size = self._state.train, self._state.train.model_size
        if size is None or size.n_parameters < LARGE or train.device != "cpu":
            return ""
        text, speed = tr("train.size.for_card"), train.speed
        if speed is not None:
            time, tried = in_words(1000 * speed.step_s), size_name(speed.scaled_from or size.size_id).lower()
            text = tr("train.size.slow", time=time, size=tried)
        can = train.choices is not None and len(train.choices.devices) > 1
        return f"{text} {tr('train.size.choose_card')}" if can else text


def size_name(size_id: str) -> str:
    """Return what a size of model is called; one that this version has no word for, by its id."""
    return tr(f"train.size.{size_id}") if has(f"train.size.{size_id}") else size_id.capitalize()


def in_words(seconds: float) -> str:
    """Return '40 s', '12 min' or '3.5 h'."""
    if seconds < 90:
        return tr("train.time.s", n=round(seconds))
    if seconds < 90 * 60:
        return tr("train.time.min", n=round(seconds / 60))
    if seconds < 72 * 3600:
        return tr("train.time.h", n=f"{seconds / 3600:.1f}".removesuffix(".0"))
    return tr("train.time.d", n=round(seconds / 86400))


def rounded(count: int) -> str:
    """Return a number of which two digits are honest."""
    if count < 100:
        return str(count)
    unit = 10 ** (int(math.log10(count)) - 1)
    return f"{round(count / unit) * unit:,}".replace(",", "\u202f")
