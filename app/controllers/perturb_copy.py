"""A target copied from another recording, and one drawn round on the brain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app import theme
from app.controllers.failures import tell_error
from app.controllers.other_recording import read_other
from app.controllers.perturb_targets import KEY
from app.controllers.pointing import Pointing
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.state import AppState
from app.state.data import Array, Recording
from app.state.notices import Notice
from app.text import tr
from app.views.brain_lasso import LassoSheet, enclosed, touched
from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.api.perturb import HARD_SD, Target

if TYPE_CHECKING:
    from app.controllers.perturbing import PerturbController

_DIGITS = 3


class TargetCopier:
    """Reads another recording with the same atlas; the chosen target follows its regions' mean activity there."""

    def __init__(self, state: AppState, engine: EngineService, controller: PerturbController) -> None:
        self._state, self._engine, self._controller = state, engine, controller

    async def copy(self, path: str | Path) -> bool:
        """Let the chosen target follow the recording at ``path``; False when it does not fit."""
        state, recording, target = self._state, self._state.case.recording, self._state.perturb.target
        if recording is None or target is None:
            return False
        name = Path(path).name
        shown, revision = veiled(state, name), state.case.revision
        state.notices.drop(KEY)
        state.work.note(tr("perturb.copy.busy", name=shown))
        try:
            other = await self._read(str(path), recording.info.atlas_id)
            values = copied(other, target, state.case.tr_s, recording.info.n_parcels, shown)
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        if state.case.revision != revision or state.perturb.target != target:
            return False  # overtaken: another case, or the target was changed meanwhile
        self._controller.editor.change(shape="draw", values=values, add=False)
        state.notices.tell(Notice(KEY, "success", tr("perturb.copy.done", name=shown)))
        return True

    async def _read(self, path: str, atlas_id: str) -> Recording:
        recording_id = await read_other(self._state, self._engine, path, atlas_id)
        reply = await self._engine.client.recording(recording_id)
        return await asyncio.to_thread(Recording.of, reply.message, dict(reply.arrays))


def copied(other: Recording, target: Target, tr_s: float, parcels: int, name: str) -> tuple[float, ...]:
    """Return (frames,) SD: the mean of the target's regions in ``other``, in the same seconds.

    Raises
    ------
    BadInput
        When ``other`` has other regions, or nothing was measured there.
    """
    if other.info.n_parcels != parcels:
        raise BadInput(
            tr("perturb.copy.parcels", name=name, there=other.info.n_parcels, here=parcels),
            tr("perturb.copy.parcels.next"),
        )
    ratio = tr_s / other.info.tr_s
    start, stop = round(target.start * ratio), max(round(target.stop * ratio), round(target.start * ratio) + 1)
    there: Array = np.asarray(other.sd[list(target.regions), start:stop], np.float64)
    known = there[np.isfinite(there).any(1)] if there.size else there
    if not known.size or there.shape[1] < stop - start:
        raise BadInput(tr("perturb.copy.missing", name=name), tr("perturb.copy.missing.next"))
    mean = np.clip(np.nan_to_num(np.nanmean(known, axis=0)), -HARD_SD, HARD_SD)
    return tuple(round(float(value), _DIGITS) for value in mean)


class Lasso:
    """One drag over the brain; the regions inside it, or under it, are selected and become one target."""

    def __init__(self, state: AppState, controller: PerturbController, pointing: Pointing) -> None:
        self._state, self._controller, self._pointing = state, controller, pointing
        self.sheet: LassoSheet | None = None
        state.perturb.on("lasso").connect(lambda on: self._switched(on, brush=False))
        state.perturb.on("brush").connect(lambda on: self._switched(on, brush=True))
        for signal in (state.shell.on("workspace"), state.steer.on("question"), state.case.on("recording")):
            signal.connect(self._give_up)

    def _give_up(self, *_: object) -> None:
        self._state.perturb.put(lasso=False, brush=False)

    def _switched(self, on: bool, *, brush: bool) -> None:
        sheet, self.sheet = self.sheet, None
        if sheet is not None:
            sheet.hide()
            sheet.deleteLater()
        if on:
            self._state.perturb.put(**{"lasso" if brush else "brush": False})
            self.sheet = LassoSheet(self._controller.page.brain, theme.current(), brush=brush)
            self.sheet.drawn.connect(self._drawn)
            self.sheet.given_up.connect(self._give_up)

    def _drawn(self, line: Array) -> None:
        state, recording = self._state, self._state.case.recording
        missing = recording.missing if recording is not None else np.zeros(0, bool)
        inside = (touched if state.perturb.brush else enclosed)(self._controller.page.brain, line)
        regions = tuple(parcel for parcel in inside if parcel < len(missing) and not missing[parcel])
        self._give_up()
        if not regions:
            state.notices.tell(Notice(KEY, "info", tr("perturb.lasso.none"), tr("perturb.lasso.none.next")))
            return
        self._pointing.choose(regions)
        self._controller.editor.add()
