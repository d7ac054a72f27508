"""A mask painted by hand over traces and carpet, loaded from a file and saved to one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.failures import tell_error
from app.state import AppState
from app.state.data import Array
from app.state.notices import Notice
from app.text import tr
from app.views.mask_brush import MaskBrush
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.mask_file import MaskWindow, read_mask, write_mask
from brainlm_engine.api.messages import MaskSpec

if TYPE_CHECKING:
    from app.controllers.model_drawing import ModelDrawing
    from app.views.pages.model import ModelPage

KEY = "model:mask"


class MaskPainting:
    """Joins the brushes with ``model.mask``; what is painted is undone like any other change of the mask."""

    def __init__(self, state: AppState, page: ModelPage, drawing: ModelDrawing) -> None:
        self._state, self._page, self._drawing = state, page, drawing
        self.brushes = (MaskBrush(page.traces), MaskBrush(page.carpet.plot))
        for brush in self.brushes:
            brush.painted.connect(self.paint)
        for field in ("mask", "result", "model_id", "models"):
            state.model.on(field).connect(self.show)
        state.case.on("recording").connect(self.show)
        drawing.painted = self._shaded
        self.show()

    def paint(self, mask: Array) -> None:
        """Hide what ``mask (parcels, patches)`` says."""
        patches = tuple((int(parcel), int(patch)) for parcel, patch in np.argwhere(mask))
        changed = self._state.model.mask.model_copy(update={"kind": "painted", "patches": patches})
        self._state.edits.set(tr("edit.mask"), self._state.model, mask=changed)
        self.show()

    def clear(self) -> None:
        """Show every patch."""
        window = self.window()
        if window is not None:
            self.paint(np.zeros((window.n_parcels, window.n_patches), bool))

    def window(self) -> MaskWindow | None:
        """Return the window that is painted on; None without recording or model."""
        case, model = self._state.case, self._state.model.model
        if case.recording is None or model is None:
            return None
        patch = model.frames_per_patch(case.tr_s)
        patches = max(1, self._drawing.window // patch)
        names = case.atlas.info.names if case.atlas is not None else ()
        start = self._state.model.start
        return MaskWindow(case.recording.info.n_parcels, patches, patch, start, case.tr_s, names)

    def painted(self) -> Array | None:
        """Return the painted mask (parcels, patches); None when nothing is being painted."""
        window, mask = self.window(), self._state.model.mask
        if window is None or mask.kind != "painted":
            return None
        made = np.zeros((window.n_parcels, window.n_patches), bool)
        for parcel, patch in mask.patches:
            if parcel < window.n_parcels and patch < window.n_patches:
                made[parcel, patch] = True
        return made

    def on_screen(self) -> Array | None:
        """Return what is hidden on screen, painted or answered; None when nothing is."""
        painted, result = self.painted(), self._state.model.result
        if painted is not None:
            return painted
        return result.mask if result is not None and not result.info.whole else None

    def show(self, *_: object) -> None:
        """Let the brushes paint, or not, and shade what is painted."""
        shaded = self._shaded()
        for brush in self.brushes:
            brush.set_canvas(*(shaded or (None, 1)))
        self._drawing.shade()

    def _shaded(self) -> tuple[Array, int] | None:
        """Return the painted mask and frames per patch, when it is what should be on screen."""
        mask, window, result = self.painted(), self.window(), self._state.model.result
        if mask is None or window is None or (result is not None and result.info.whole):
            return None
        return mask, window.patch_frames

    # ------------------------------------------------------------ files

    async def load(self, path: str) -> bool:
        """Take the mask from a file; False when it does not fit."""
        window, name = self.window(), Path(path).name
        if window is None:
            return False
        try:
            spec = await asyncio.to_thread(read_mask, Path(path), window)
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        if window != self.window():
            return False  # another scan or window came meanwhile
        self._state.notices.tell(Notice(KEY, "success", tr("model.mask.loaded", name=name, n=len(spec.patches))))
        self._take(spec)
        return True

    def _take(self, spec: MaskSpec) -> None:
        changed = self._state.model.mask.model_copy(update={"kind": "painted", "patches": spec.patches})
        self._state.edits.set(tr("edit.mask"), self._state.model, mask=changed)
        self.show()

    async def save(self, path: str) -> bool:
        """Write what is hidden on screen; False when it could not be."""
        mask = self.on_screen()
        if mask is None:
            return False
        try:
            await asyncio.to_thread(write_mask, Path(path), mask)
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        self._state.notices.tell(Notice(KEY, "success", tr("model.mask.saved", name=Path(path).name)))
        return True
