"""The time bar: play, a slider over the frames, speed, and where we are in frames and time."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QToolButton, QWidget

from app.text import tr
from app.theme.icons import icon
from app.theme.tokens import DARK, THEMES, Theme
from app.views.clock import TimeUnit, clock
from app.widgets.ticks import number

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class TimeBar(QWidget):
    """Play/pause, scrub, speed; it asks, and shows only what it is told."""

    frame_requested = Signal(int)
    play_toggled = Signal(bool)
    speed_changed = Signal(float)
    """seconds of recording per second of clock"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._n_frames, self._tr_s = 0, 1.0
        self._unit: TimeUnit = "s"
        self._playing = False
        self.play = QToolButton(self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.where = QLabel(self)
        self.speed = QComboBox(self)
        self._build()
        self.play.clicked.connect(lambda: self.play_toggled.emit(not self._playing))
        self.slider.valueChanged.connect(self._slid)
        self.speed.activated.connect(lambda row: self.speed_changed.emit(SPEEDS[row]))
        self.set_theme(DARK)
        self.set_range(0, 1.0)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        for widget, stretch in ((self.play, 0), (self.slider, 1), (self.where, 0), (self.speed, 0)):
            row.addWidget(widget, stretch)
        self.play.setAutoRaise(True)
        self.play.setIconSize(QSize(20, 20))
        self.slider.setAccessibleName(tr("time.slider"))
        self.slider.setToolTip(tr("time.slider"))
        self.where.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.where.setAccessibleName(tr("time.where"))
        self.speed.setAccessibleName(tr("time.speed"))
        self.speed.setToolTip(tr("time.speed"))
        self.speed.addItems([tr("time.times", factor=number(speed)) for speed in SPEEDS])
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("time.name"))

    # ---------------------------------------------------------------- what it is told

    def set_range(self, n_frames: int, tr_s: float | None) -> None:
        """Frames of the recording and seconds per frame (None or 0 = unknown: frames only)."""
        self._n_frames, self._tr_s = n_frames, tr_s or 0.0
        enabled = n_frames > 1
        for widget in (self.play, self.slider, self.speed):
            widget.setEnabled(enabled)
        reason = "" if enabled else tr("time.nothing")
        self.play.setToolTip(reason or self._play_text())
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(n_frames - 1, 0))
        self.slider.setPageStep(max(1, n_frames // 20))
        self.slider.blockSignals(False)
        self._write()

    def set_frame(self, frame: int) -> None:
        """Where the cursor is; nothing is emitted."""
        if frame != self.slider.value():
            self.slider.blockSignals(True)
            self.slider.setValue(frame)
            self.slider.blockSignals(False)
        self._write()

    def set_playing(self, playing: bool) -> None:
        """Show play or pause."""
        self._playing = playing
        self._draw_play()

    def set_speed(self, speed: float) -> None:
        """Choose a speed without emitting."""
        nearest = min(range(len(SPEEDS)), key=lambda row: abs(SPEEDS[row] - speed))
        self.speed.setCurrentIndex(nearest)

    def set_time_unit(self, unit: TimeUnit) -> None:
        """Seconds, frames or clock."""
        self._unit = unit
        self._write()

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name."""
        self._theme = THEMES[theme] if isinstance(theme, str) else theme
        self._draw_play()

    # ---------------------------------------------------------------- inside

    def _play_text(self) -> str:
        return tr("time.pause" if self._playing else "time.play")

    def _draw_play(self) -> None:
        self.play.setIcon(icon("pause" if self._playing else "play", self._theme))
        self.play.setAccessibleName(self._play_text())
        if self._n_frames > 1:
            self.play.setToolTip(self._play_text())

    def _text(self, frame: int) -> str:
        if self._n_frames == 0:
            return "–"
        frames = tr("time.frame", frame=frame + 1, count=self._n_frames)
        if self._unit == "TR" or not self._tr_s:
            return frames
        here, end = frame * self._tr_s, (self._n_frames - 1) * self._tr_s
        if self._unit == "clock":
            return tr("time.label", place=f"{clock(here)} / {clock(end)}", frames=frames)
        return tr("time.label", place=f"{here:.1f} / {end:.1f} s", frames=frames)

    def _write(self) -> None:
        self.where.setText(self._text(self.slider.value()))
        # the widest text it can get, so that nothing jumps while playing
        widest = self.where.fontMetrics().horizontalAdvance(self._text(max(self._n_frames - 1, 0)))
        self.where.setMinimumWidth(widest + 4)
        self.where.setMaximumWidth(widest + 24)

    def _slid(self, frame: int) -> None:
        self._write()
        self.frame_requested.emit(frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space plays and pauses."""
        if event.key() == Qt.Key.Key_Space and self._n_frames > 1:
            self.play_toggled.emit(not self._playing)
        else:
            super().keyPressEvent(event)
