"""The status bar: what runs, and the engine chip with device, memory and where the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QWidget

from app.text import tr
from app.theme import Theme
from app.theme.icons import icon
from app.views.forms import GRID, label, restyle
from app.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from app.state.parts import EngineState


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"


class EngineChip(QWidget):
    """A drawing and a sentence: 'CPU, 2 threads · 11.2 GB of 15.6 GB free'."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(6)
        self._chip, self._text = QLabel(), label(tr("chip.waiting"), "muted")
        self._shield, self._privacy = QLabel(), label(tr("chip.local"), "muted")
        self._privacy.setToolTip(tr("privacy.tip"))
        for widget in (self._chip, self._text, self._shield, self._privacy):
            row.addWidget(widget)
        row.insertSpacing(2, GRID)
        self.setAccessibleName(tr("chip.name"))
        self.setToolTip(tr("chip.idle_tip"))

    def set_engine(self, engine: EngineState) -> None:
        """Show the engine as it is."""
        info = engine.info
        text = tr(f"chip.{engine.status}") if engine.status != "ready" else ""
        if engine.status == "ready" and info is not None:
            free, total = _gigabytes(info.memory_free), _gigabytes(info.memory_total)
            text = tr("chip.ready", device=info.device, free=free, total=total)
            tip = tr("chip.tip", version=info.version, pid=info.pid, clients=info.clients, jobs=info.jobs_running)
            self.setToolTip(f"{tip}\n{tr('chip.idle_tip')}")
            self._privacy.setText(tr("chip.local") if info.local else tr("chip.remote", address=info.address))
        self._text.setText(text)
        restyle(self._text, role="danger" if engine.status in ("lost", "failed") else "muted")
        self.setAccessibleDescription(f"{text}. {self._privacy.text()}")

    def set_theme(self, theme: Theme) -> None:
        """Paint the drawings in the colours of ``theme``."""
        self._chip.setPixmap(icon("chip", theme).pixmap(QSize(16, 16)))
        self._shield.setPixmap(icon("shield", theme).pixmap(QSize(16, 16)))


class StatusBar(QStatusBar):
    """At the left what happens now, at the right the engine; the room for progress is always kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._now = ElidedLabel()
        self._now.setProperty("role", "muted")
        self._now.setMinimumWidth(1)
        self._bar = QProgressBar()
        self._bar.setFixedWidth(120)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self._bar.hide()
        research = label(tr("app.research"), "muted")
        research.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.chip = EngineChip()
        self.addWidget(self._bar)
        self.addWidget(self._now, 1)
        self.addPermanentWidget(research)
        self.addPermanentWidget(self.chip)

    def set_work(self, text: str, fraction: float | None) -> None:
        """Say what runs; ``fraction`` None = nothing does."""
        self._now.setText(text)
        self._bar.setVisible(fraction is not None)
        self._bar.setValue(int(1000 * (fraction or 0.0)))
        self._bar.setAccessibleName(text)
