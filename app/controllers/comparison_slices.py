"""The second scan's slices: where the crosshair is, and when the time cursor is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app import theme
from app.controllers import display
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.compare import Moment, linked_moment
from app.state.data import OpenScan
from app.state.stamps import Stamp
from app.text import tr
from app.views.slice_grid import Grid, dark_borders
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply, ScanInfo, SliceInfo

if TYPE_CHECKING:
    from app.controllers.pointing import Pointing
    from app.theme import Theme
    from app.views.pages.beside import Beside
    from app.views.pages.view import ViewPage
    from app.views.slices import SliceView

Wish = tuple[Stamp, str, int, display.Voxel]


class SecondSlices:
    """Draws the second scan beside the first; the drawing is made when it is first wanted."""

    def __init__(self, state: AppState, engine: EngineService, page: ViewPage, pointing: Pointing) -> None:
        self._state, self._engine, self._page, self._pointing = state, engine, page, pointing
        self._theme = theme.current()
        self._view: SliceView | None = None
        self._beside: Beside | None = None
        self._grey = (0.0, 1.0)
        self.latest: Latest[Wish, Reply[SliceInfo]] = Latest(self._fetch, self._deliver, self._failed)
        self._connect()

    def _connect(self) -> None:
        """All connections of the second scan."""
        state, view = self._state, self._state.view
        state.compare.on("scan").connect(self._scan_changed)
        state.shell.on("workspace").connect(self._want)
        view.on("crosshair_mm").connect(self._crosshair_changed)
        view.on("frame").connect(self._want)
        view.on("radiological").connect(self._side_changed)
        view.on("names_hidden").connect(self._captions)
        for field in ("scan", "recording"):
            state.case.on(field).connect(self._want)

    def _made(self) -> SliceView:
        if self._view is None:
            from app.views.pages.beside import Beside
            from app.views.slices import SliceView

            self._view = SliceView()
            self._view.setAccessibleName(tr("slices.name_second"))
            self._view.bar.hide()  # colours of the overlay belong to the first scan's recording
            self._view.crosshair_moved.connect(self._pointing.point)
            self._beside = Beside(self._page.above, self._view, self._page.brain)
            self._view.set_theme(self._theme)  # in its place: the style sheet has spoken before
        return self._view

    # ------------------------------------------------------------ the scan

    def _scan_changed(self, scan: OpenScan | None) -> None:
        self.latest.forget()
        self._page.probe.show_second(scan is not None)
        if scan is None:
            if self._beside is not None:
                self._beside.hide()
            first = self._state.case.scan
            if first is not None and first.is_volume:
                self._page.slices.set_caption("")
            return
        drawing = self._made()
        assert self._beside is not None
        self._grey = display.grey_limits(scan.first)
        drawing.set_grid(scan.first.shape, scan.affine, dark_borders(scan.first, *self._grey, scan.affine))
        drawing.set_radiological(self._state.view.radiological)
        self._beside.show()
        self._crosshair_changed()

    def _side_changed(self, radiological: bool) -> None:
        if self._view is not None:
            self._view.set_radiological(radiological)

    def set_theme(self, theme: Theme) -> None:
        """Repaint."""
        self._theme = theme
        if self._view is not None:
            self._view.set_theme(theme)

    # ------------------------------------------------------------ where and when

    def _crosshair_changed(self, *_: object) -> None:
        if self._view is not None and self._state.compare.scan is not None:
            self._view.set_crosshair(self._state.view.crosshair_mm)
            self._want()

    def moment(self) -> Moment:
        """Return where the second scan stands now."""
        case, scan = self._state.case, self._state.compare.scan
        assert scan is not None
        known = case.recording is not None or (case.scan is not None and bool(case.scan.info.tr_s))
        tr_s = case.tr_s if known else None
        return linked_moment(self._state.view.frame, tr_s, scan.info.tr_s, scan.info.n_frames)

    def _want(self, *_: object) -> None:
        """Show the second scan's slices through the crosshair at the time cursor."""
        scan, drawing = self._state.compare.scan, self._view
        if scan is None or drawing is None or self._state.case.scan is None or self._state.shell.workspace != "view":
            return
        self._captions()
        now, (i, j, k) = self.moment(), drawing.ijk
        if now.frame == 0:
            volume = scan.first
            self.latest.forget()
            drawing.set_slices(volume[i], volume[:, j], volume[:, :, k], *self._grey)
            self._probe(scan, float(volume[i, j, k]))
        elif self._engine.state.status == "ready":
            stamp = Stamp.of(self._state.compare.revision)
            self.latest.wish((stamp, scan.info.scan_id, now.frame, (i, j, k)))

    async def _fetch(self, wish: Wish) -> Reply[SliceInfo]:
        _, scan_id, frame, ijk = wish
        return await self._engine.client.slices(scan_id, frame, ijk)

    def _deliver(self, wish: Wish, reply: Reply[SliceInfo]) -> None:
        scan, drawing = self._state.compare.scan, self._view
        if scan is None or drawing is None or not wish[0].fits(self._state.compare.revision):
            return
        if self.moment().frame == 0:  # the first volume is on screen already
            return
        arrays = reply.arrays
        drawing.set_slices(arrays["sagittal"], arrays["coronal"], arrays["axial"], *self._grey)
        self._probe(scan, reply.message.value)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        self._state.work.note(str(error))

    def _probe(self, scan: OpenScan, value: float) -> None:
        x, y, z = (int(n) for n in scan.first.shape)
        inside = Grid((x, y, z), scan.affine).inside(np.array(self._state.view.crosshair_mm))
        self._page.probe.show_values(second=display.number(value) if inside else tr("compare.outside"))

    # ------------------------------------------------------------ captions

    def _captions(self, *_: object) -> None:
        first, second = self._state.case.scan, self._state.compare.scan
        if first is None or second is None or self._view is None:
            return
        hidden, now = self._state.view.names_hidden, self.moment()
        frame = tr("compare.frame", frame=self._state.view.frame + 1, count=self._state.case.n_frames)
        name = tr("title.hidden") if hidden else first.info.name
        self._page.slices.set_caption(_caption(name, first.info, frame))
        notes = [tr("compare.frame", frame=now.frame + 1, count=second.info.n_frames)]
        if now.ended:
            notes.append(tr("compare.ended"))
        if not now.by_seconds:
            notes.append(tr("compare.by_frame"))
        if _apart(first.info, second.info):
            notes.append(tr("compare.apart"))
        name = tr("compare.hidden") if hidden else second.info.name
        self._view.set_caption(_caption(name, second.info, *notes))


def _caption(name: str, info: ScanInfo, *notes: str) -> str:
    """Name above; space, unit and notes below."""
    space = tr(f"space.{info.space.verdict}") if info.space is not None else tr("space.unknown")
    unit = tr("unit.raw") if info.unit == "raw" else info.unit
    origin = (tr("tag.simulated"),) if info.simulated else ()
    return f"{name}\n" + " · ".join((*origin, space, unit, *notes))


def _apart(first: ScanInfo, second: ScanInfo) -> bool:
    """Return True when one scan is in MNI space and the other is not: the same mm are not the same place."""
    verdicts = {info.space.verdict if info.space is not None else "unknown" for info in (first, second)}
    return {"mni", "not_mni"} <= verdicts
