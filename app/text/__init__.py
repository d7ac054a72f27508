"""Every word a person reads in the window, behind one :func:`tr`."""

from __future__ import annotations

from app.text.actions import ACTIONS
from app.text.attention import ATTENTION
from app.text.case import CASE
from app.text.compare import COMPARE
from app.text.drawing import DRAWING
from app.text.effective import EFFECTIVE
from app.text.forecast import FORECAST
from app.text.motion import MOTION
from app.text.networks import NETWORKS
from app.text.perturb import PERTURB
from app.text.repair import REPAIR
from app.text.report import REPORT
from app.text.scenarios import SCENARIOS
from app.text.shell import SHELL
from app.text.states import STATES
from app.text.steer import STEER
from app.text.tips import TIPS
from app.text.training import TRAINING
from app.text.workspaces import WORKSPACES

_TEXT: dict[str, str] = {
    **ACTIONS, **SHELL, **CASE, **COMPARE, **WORKSPACES, **DRAWING, **MOTION, **FORECAST, **STATES, **NETWORKS,
    **PERTURB, **STEER, **SCENARIOS, **EFFECTIVE, **REPAIR, **REPORT, **ATTENTION, **TIPS, **TRAINING,
}  # fmt: skip


def tr(key: str, **values: object) -> str:
    """Return the sentence called ``key`` with its ``{placeholders}`` filled.

    Raises
    ------
    KeyError
        When no such sentence exists: a bug, never shown to a person.
    """
    text = _TEXT[key]
    return text.format(**values) if values else text


def has(key: str) -> bool:
    """Return True when a sentence called ``key`` exists."""
    return key in _TEXT
