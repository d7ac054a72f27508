"""The time bars of both pages on the one time cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.player import Player
from app.state import AppState

if TYPE_CHECKING:
    from app.views.timebar import TimeBar


class TimeController:
    """Play, scrub, speed and unit of time."""

    def __init__(self, state: AppState, player: Player, bars: tuple[TimeBar, ...]) -> None:
        self._state, self._player, self._bars = state, player, bars
        self._connect()
        self._length_changed()

    def _connect(self) -> None:
        """All connections of the time bars."""
        view, case = self._state.view, self._state.case
        for field in ("scan", "recording"):
            case.on(field).connect(self._length_changed)
        for bar in self._bars:
            bar.frame_requested.connect(self._player.go)
            bar.play_toggled.connect(lambda playing: view.put(playing=playing))
            bar.speed_changed.connect(lambda speed: view.put(speed=speed))
            view.on("frame").connect(bar.set_frame)
            view.on("playing").connect(bar.set_playing)
            view.on("speed").connect(bar.set_speed)
            view.on("time_unit").connect(bar.set_time_unit)

    def _length_changed(self, *_: object) -> None:
        case, view = self._state.case, self._state.view
        known = case.recording is not None or (case.scan is not None and case.scan.info.tr_s is not None)
        for bar in self._bars:
            bar.set_range(case.n_frames, case.tr_s if known else None)
            bar.set_frame(view.frame)
            bar.set_time_unit(view.time_unit)
