"""Playing time: the clock decides which frame is due; frames that come too late are skipped, never queued."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer

from app.state import AppState

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Player(QObject):
    """Moves ``view.frame`` while ``view.playing``."""

    def __init__(self, state: AppState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._since = 0.0
        self._from = 0
        self._shown = -1
        state.view.on("playing").connect(self._switch)
        state.view.on("speed").connect(self._rebase)

    def span(self) -> tuple[int, int]:
        """Return the frames that are played, ``[first, after last)``: the window in the Model workspace, else all."""
        state = self._state
        result = state.model.result
        if state.shell.workspace == "model" and result is not None:
            return result.info.start, result.info.start + result.info.n_frames
        return 0, max(1, state.case.n_frames)

    def toggle(self) -> None:
        """Play or pause."""
        self._state.view.playing = not self._state.view.playing

    def step(self, by: int) -> None:
        """Move by frames, inside the recording."""
        self.go(self._state.view.frame + by)

    def go(self, frame: int) -> None:
        """Go to a frame; playing goes on from there."""
        last = max(0, self._state.case.n_frames - 1)
        self._state.view.frame = min(max(frame, 0), last)
        self._rebase()

    def change_speed(self, factor: float) -> None:
        """Take the next faster or slower speed."""
        now = self._state.view.speed
        faster = factor > 1
        options = [s for s in SPEEDS if (s > now if faster else s < now)]
        if options:
            self._state.view.speed = options[0] if faster else options[-1]

    def stop(self) -> None:
        """End the timer."""
        self._timer.stop()

    def _switch(self, playing: bool) -> None:
        if playing and self._state.case.n_frames > 1:
            self._rebase()
            self._timer.start(round(1000 / self._state.preferences.frame_limit))
        else:
            self._timer.stop()

    def _rebase(self, *_: object) -> None:
        self._since, self._from = time.perf_counter(), self._state.view.frame
        self._shown = self._from

    def _tick(self) -> None:
        view = self._state.view
        if view.frame != self._shown:
            self._rebase()
        first, end = self.span()
        passed = (time.perf_counter() - self._since) * view.speed / self._state.case.tr_s
        due = int(self._from + passed)
        if due >= end or due < first:
            due = first
            view.frame = due
            self._rebase()
        self._shown = due
        view.frame = due
