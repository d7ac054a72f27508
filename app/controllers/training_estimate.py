"""What a training will take, asked of the engine beside the form; never while one runs, which would slow both."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from PySide6.QtCore import QObject, QTimer

from app.actions.refusal import misfit, refusal
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.text import has, tr
from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.training import TrainingEstimate

#: Parameters from which on a model is made for a graphics card.
LARGE = 20_000_000
#: The form is quiet for so long before it is asked about.
QUIET_MS = 400
_ASKS = (
    "size", "cohort", "cohorts", "choices", "masks", "batch", "threads", "device", "devices", "precision", "scaling",
    "variety", "launch", "nodes", "active",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked about: ``key`` says it in one word; ``stamp`` is of this one time that it is asked."""

    key: str
    params: dict[str, Any] = field(compare=False)
    stamp: str = field(default_factory=lambda: uuid4().hex, compare=False)


class EstimateController:
    """Asks when what decides it changes while the workspace is on screen; each combination once.

    The form is never waited for: the question goes out when it has been quiet for a moment, a question that was
    overtaken before it went out is dropped, and one that is overtaken on its way is given up in the engine.
    """

    def __init__(self, state: AppState, engine: EngineService, parent: QObject) -> None:
        self._state, self._engine = state, engine
        self._known: dict[str, TrainingEstimate] = {}
        self.latest: Latest[Question, TrainingEstimate] = Latest(self._ask, self._take, self._failed)
        self._leaving: Latest[str, None] = Latest(self._leave, lambda *_: None, lambda _: None)
        self._quiet = QTimer(parent)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self._send)
        for name in _ASKS:
            state.train.on(name).connect(self.wanted)
        state.shell.on("workspace").connect(self.wanted)

    def wanted(self, *_: object) -> None:
        """Show what is known for the present settings; ask soon when nothing is."""
        train, question = self._state.train, self.question()
        known = self._known.get(question.key) if question is not None else None
        here = self._state.shell.workspace == "train" and self._state.engine.status == "ready"
        asks = question is not None and known is None and not train.active and here
        if (asked := self.latest.asked) is not None and (not asks or asked != question):
            self._leaving.wish(asked.stamp)
        if not asks:
            self._quiet.stop()
            self.latest.forget()
        elif self.latest.asked != question:
            self._quiet.start()
        train.put(estimate=known, trouble=("", ""), measuring=asks)

    def _send(self) -> None:
        question = self.question()
        if question is not None and not self._state.train.active:
            self.latest.wish(question)

    def question(self) -> Question | None:
        """Return what there is to ask about the form, None when it is plain that there is nothing."""
        train = self._state.train
        if train.chosen is None or train.model_size is None or train.launch != "here" or misfit(train)[0]:
            return None
        params = {**train.learning(), "steps": 1}
        return Question(json.dumps(params, sort_keys=True), params)

    async def _ask(self, question: Question) -> TrainingEstimate:
        return await self._engine.client.pretrain_estimate(question.params, question.stamp)

    async def _leave(self, stamp: str) -> None:
        await self._engine.client.leave_estimate(stamp)

    def _take(self, question: Question, told: TrainingEstimate) -> None:
        if told.fits:  # memory may become free
            self._known[question.key] = told
        if question == self.question():
            self._state.train.put(estimate=told, measuring=False)

    def _failed(self, error: Exception) -> None:
        """Settings that the engine refuses cannot be started; without any answer they still can."""
        train, asked = self._state.train, self.latest.asked
        again = asked is None or asked == self.question()
        if isinstance(error, Cancelled):
            if again:  # it was left for another, and is wanted after all
                self._quiet.start()
            return
        self._state.work.note(str(error))
        if not again:
            return
        trouble = (error.message, error.next_step) if isinstance(error, BadInput) else ("", "")
        train.put(trouble=trouble, measuring=False)

    async def settled(self) -> None:
        """Wait until nothing is on its way and nothing waits to be asked."""
        if self._quiet.isActive():
            self._quiet.stop()
            self._send()
        await self.latest.settled()
        await self._leaving.settled()

    async def stop(self) -> None:
        """Ask no more."""
        self._quiet.stop()
        await self.latest.stop()
        await self._leaving.stop()

    def words(self) -> tuple[str, str]:
        """Return the line under the settings and its role of the style sheet."""
        train = self._state.train
        if told := refusal(train):
            return veiled(self._state, told), "danger"
        if train.launch != "here":
            return tr("train.estimate.elsewhere"), "muted"
        steps, seconds, known = train.expected_steps, train.expected_seconds, train.estimate
        if known is not None and steps is not None and seconds is not None:
            free = in_bytes(known.memory_free)
            values = {
                "memory": in_bytes(known.memory),
                "free": free,
                "time": in_words(seconds),
                "steps": rounded(steps),
            }
            parts = tr("train.estimate.parts", n=known.parts) if known.parts > 1 else ""
            return f"{tr('train.estimate.text', **values)}{parts}", "muted"
        if train.measuring:
            return tr("train.estimate.measuring"), "muted"
        return (tr("train.estimate.later") if train.active else ""), "muted"

    def caution(self) -> str:
        """Return what is to be known of a model before it is chosen for good, '' when there is nothing."""
        train, size = self._state.train, self._state.train.model_size
        if size is None:
            return ""
        needs = tr("train.size.needs", parcels=size.parcels, frames=size.frames) if size.parcels else ""
        if size.n_parameters < LARGE or train.device != "cpu":
            return needs
        text, known = tr("train.size.for_card"), train.estimate
        if known is not None and known.step_s:
            text = tr("train.size.slow", time=in_words(1000 * known.step_s))
        can = train.choices is not None and len(train.choices.devices) > 1
        return " ".join(filter(None, (needs, text, tr("train.size.choose_card") if can else "")))


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


def in_bytes(count: int) -> str:
    """Return '320 MiB' or '1.3 GiB'."""
    if count < 1 << 30:
        return f"{count / (1 << 20):.0f} MiB"
    gib = count / (1 << 30)
    return f"{gib:.1f} GiB" if gib < 10 else f"{gib:.0f} GiB"
