"""Targets as a person edits them: added, dragged, nudged, typed, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.state.notices import Notice
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.perturb import HARD_SD, Target

if TYPE_CHECKING:
    from app.state import AppState

KEY = "perturb:target"
FIRST_VALUE, FIRST_S, HISTORY_S = 1.5, 40.0, 72.0


class TargetEditor:
    """Every finished change is one step that can be undone; what is dragged is none until it is let go."""

    def __init__(self, state: AppState) -> None:
        self._state = state

    def add(self) -> bool:
        """Set the selected regions to +1.5 SD for 40 s from the time cursor on; False when none is selected."""
        state, recording = self._state, self._state.case.recording
        regions = state.view.selected
        if recording is None:
            return False
        if not regions:
            state.notices.tell(Notice(KEY, "info", tr("perturb.no_region"), tr("perturb.no_region.next")))
            return False
        state.notices.drop(KEY)
        frames, tr_s = recording.info.n_frames, state.case.tr_s
        length = max(1, min(round(FIRST_S / tr_s), frames))
        start = state.view.frame or min(round(HISTORY_S / tr_s), frames // 3)
        start = min(max(0, start), frames - length)
        made = Target(regions=tuple(regions), start=start, stop=start + length, value=FIRST_VALUE)
        targets = (*state.perturb.targets, made)
        state.perturb.chosen = len(targets) - 1
        if state.perturb.watched in regions:
            state.perturb.watched = -1
        self._set(targets, tr("perturb.edit.add"))
        return True

    def remove(self) -> None:
        """Take the chosen target away."""
        perturb = self._state.perturb
        targets = tuple(each for place, each in enumerate(perturb.targets) if place != perturb.chosen)
        self._set(targets, tr("perturb.edit.remove"))

    def whole_network(self) -> None:
        """Set all regions of the networks that the chosen target's regions belong to."""
        state, target = self._state, self._state.perturb.target
        atlas, recording = state.case.atlas, state.case.recording
        if target is None or atlas is None or recording is None:
            return
        networks = atlas.info.networks
        wanted = {networks[region] for region in target.regions if region < len(networks) and networks[region]}
        members = tuple(
            parcel for parcel, network in enumerate(networks) if network in wanted and not recording.missing[parcel]
        )
        self.change(regions=tuple(dict.fromkeys((*target.regions, *members))))

    def change(self, **values: Any) -> None:
        """Change fields of the chosen target as one step."""
        target = self._state.perturb.target
        if target is not None:
            self._replace(target.model_copy(update=values))

    def typed(self, field: str, value: object) -> None:
        """Take what was typed or chosen in the form; times are in seconds."""
        target, tr_s = self._state.perturb.target, self._state.case.tr_s
        if target is None or value == "copy":  # for which a recording is asked first
            return
        if field in ("start", "stop") and isinstance(value, float):
            frame = round(value / tr_s)
            start, stop = (frame, target.stop) if field == "start" else (target.start, frame)
            self._replace(self._placed(target, start, stop))
        elif field == "shape" and value == "draw" and not target.values:
            self.change(shape=value, values=self._measured(target))
        else:
            self.change(**{field: value})

    def dragged(self, value: float, start_s: float, stop_s: float) -> Target | None:
        """Return the chosen target as it is dragged just now."""
        target, tr_s = self._state.perturb.target, self._state.case.tr_s
        if target is None:
            return None
        moved = target.model_copy(update={"value": round(min(max(value, -HARD_SD), HARD_SD), 3)})
        return self._placed(moved, round(start_s / tr_s), round(stop_s / tr_s))

    def nudge(self, value: float, start: int, stop: int) -> None:
        """Move value (SD) and ends (frames) by so much."""
        target = self._state.perturb.target
        if target is None:
            return
        level = round(min(max(target.value + value, -HARD_SD), HARD_SD), 3)
        moved = target.model_copy(update={"value": level})
        if start == stop:
            frames = self._frames
            shift = min(max(start, -target.start), frames - target.stop) if frames >= target.stop else 0
            self._replace(moved.model_copy(update={"start": target.start + shift, "stop": target.stop + shift}))
        else:
            self._replace(self._placed(moved, target.start + start, target.stop + stop))

    def let_go(self) -> None:
        """Make a step of what was dragged."""
        perturb = self._state.perturb
        dragged = perturb.dragged
        if dragged is not None:
            perturb.dragged = None
            self._replace(dragged)

    def open(self, targets: tuple[Target, ...], ahead: int) -> None:
        """Bring targets back that were saved."""
        perturb = self._state.perturb
        perturb.chosen, perturb.whose = 0 if targets else -1, whose(self._state)
        self._state.edits.set(tr("perturb.edit.open"), perturb, targets=targets, ahead=ahead)

    @property
    def _frames(self) -> int:
        recording = self._state.case.recording
        return (recording.info.n_frames if recording is not None else 0) + self._state.perturb.ahead

    def _placed(self, target: Target, start: int, stop: int) -> Target:
        """Return ``target`` inside the recording, a frame long at least."""
        last = max(1, self._frames)
        start = min(max(0, start), last - 1)
        return target.model_copy(update={"start": start, "stop": min(max(start + 1, stop), last)})

    def _measured(self, target: Target) -> tuple[float, ...]:
        """Return what was measured in the target's first region: something to draw on from."""
        recording = self._state.case.recording
        if recording is None:
            return (0.0,)
        series = recording.sd[target.regions[0], target.start : target.stop]
        return tuple(map(float, np.nan_to_num(series))) or (0.0,)

    def _replace(self, target: Target) -> None:
        perturb = self._state.perturb
        targets = list(perturb.targets)
        if 0 <= perturb.chosen < len(targets):
            targets[perturb.chosen] = target
            self._set(tuple(targets), tr("perturb.edit"))

    def _set(self, targets: tuple[Target, ...], told: str) -> None:
        perturb = self._state.perturb
        perturb.whose = whose(self._state)
        self._state.edits.set(told, perturb, targets=targets)
        if perturb.chosen >= len(targets):
            perturb.chosen = len(targets) - 1


def whose(state: AppState) -> tuple[str, str]:
    """Return which case targets made now are of: its path and its atlas."""
    return state.case.path, state.case.atlas_id


def row_of(target: Target, name: str, tr_s: float) -> tuple[str, str]:
    """Return a target as a row, and as it is said aloud; ``name`` is of its regions."""
    sign = "+" if target.value > 0 else ""
    words = {
        "regions": name, "value": sign + number(target.value, 0.01 if round(target.value, 1) != target.value else 0.1),
        "start": number(target.start * tr_s, 1.0), "stop": number(target.stop * tr_s, 1.0),
        "shape": tr(f"perturb.shape.{target.shape}").lower(),
    }  # fmt: skip
    return tr("perturb.row", **words), tr("perturb.row.said", **words)
