"""What the program has to tell or to ask: shown one at a time in a strip of fixed height, never in a dialog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.state.model import State
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Question

Tone = Literal["info", "success", "warning", "danger", "question"]


@dataclass(frozen=True)
class Notice:
    """One message: a sentence, a next step, details to fold out, buttons ``(id, label)``, or a question."""

    key: str
    tone: Tone
    text: str
    next_step: str = ""
    details: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    question: Question | None = None

    @classmethod
    def of_error(cls, error: EngineError, key: str = "") -> Notice:
        """Return the notice of a failure."""
        tone: Tone = "warning" if error.code in ("bad_input", "cancelled") else "danger"
        return cls(key or f"error:{error.message}", tone, error.message, error.next_step, error.details)


def _pressing(notice: Notice) -> int:
    """Errors first, then what must be answered, in the order it was asked; then the rest, newest first.

    A question with a default may stay for long: good news, which goes by itself, comes before it.
    """
    if notice.question is not None:
        return 1 if notice.question.required else (2 if notice.tone == "warning" else 4)
    return {"danger": 0, "warning": 2, "success": 3, "question": 4, "info": 5}[notice.tone]


class Notices(State):
    """All messages that wait for the person, the most pressing first."""

    waiting: tuple[Notice, ...] = ()

    def tell(self, notice: Notice) -> None:
        """Add a message; one with the same key is replaced."""
        rest = tuple(n for n in self.waiting if n.key != notice.key)
        together = (*rest, notice) if notice.question is not None else (notice, *rest)
        self.waiting = tuple(sorted(together, key=_pressing))

    def drop(self, key: str) -> None:
        """Remove the message called ``key``; a key that ends in ``:`` removes all that begin with it."""
        self.waiting = tuple(
            n for n in self.waiting if not (n.key == key or (key.endswith(":") and n.key.startswith(key)))
        )
