"""The View workspace: state on one side, four drawings and four panels on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers import display
from app.controllers.pointing import Pointing
from app.controllers.readings import Readings
from app.controllers.slicing import Slicing, Wish
from app.controllers.voxel_trace import VoxelTrace
from app.services.engine import EngineService
from app.services.latest import Latest
from app.services.shelf import REACH_MM
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Atlas
from app.text import tr
from app.theme import Theme
from brainlm_engine.api.messages import Reply, SliceInfo

if TYPE_CHECKING:
    from app.controllers.player import Player
    from app.views.pages.view import ViewPage


class ViewController:
    """Keeps the drawings of the View page on one crosshair and one time cursor."""

    def __init__(
        self, state: AppState, engine: EngineService, page: ViewPage, player: Player, pointing: Pointing
    ) -> None:
        self._state, self._page, self._player, self._pointing = state, page, player, pointing
        self._drawn: Atlas | None = None
        self._slicing = Slicing(state, engine, page)
        self.voxel = VoxelTrace(state, engine, page)
        self._readings = Readings(state, page)
        self.turns = Turns(page)
        self._connect()
        self._look_changed()
        self._scan_changed()
        self._recording_changed()

    def _connect(self) -> None:
        """All connections of this page."""
        state, page, view, case = self._state, self._page, self._state.view, self._state.case
        case.on("scan").connect(self._scan_changed)
        case.on("labels").connect(self._labels_changed)
        case.on("atlas").connect(self._atlas_changed)
        case.on("recording").connect(self._recording_changed)
        case.on("motion").connect(self._motion_changed)
        case.on("phase").connect(self._waiting)
        state.shell.on("workspace").connect(self._refresh)
        view.on("crosshair_mm").connect(self._crosshair_changed)
        view.on("parcel").connect(self._readings.probe)
        view.on("frame").connect(self._frame_changed)
        view.on("selected").connect(self._selection_changed)
        view.on("radiological").connect(page.slices.set_radiological)
        view.on("surface").connect(page.brain.set_surface)
        view.on("time_unit").connect(self._unit_changed)
        view.on("scale").connect(self._recording_changed)
        for field in ("overlay", "cmap", "low", "high", "threshold", "opacity", "scale", "surface"):
            view.on(field).connect(self._look_changed)
        page.slices.crosshair_moved.connect(self._pointing.point)
        page.brain.crosshair_requested.connect(self._pointing.point)
        page.brain.parcel_clicked.connect(self._pointing.pick)
        page.parcels.chosen.connect(self._pointing.choose)
        page.overlay.changed.connect(self._look_wanted)
        page.strip.frame_requested.connect(self._player.go)
        page.traces.time_range_changed.connect(page.strip.set_time_range)
        page.traces.view.sigResized.connect(self._align_strip)
        for drawing in (page.traces, page.carpet):
            drawing.frame_requested.connect(self._player.go)
            drawing.parcel_clicked.connect(self._pointing.pick)

    @property
    def slices(self) -> Latest[Wish, Reply[SliceInfo]]:
        """The request for slices that is on its way."""
        return self._slicing.latest

    @property
    def _shown(self) -> bool:
        return self._state.shell.workspace == "view"

    # ------------------------------------------------------------ data

    def _scan_changed(self, *_: object) -> None:
        scan, page = self._state.case.scan, self._page
        page.set_filled(scan is not None)
        self._slicing.clear()
        self.voxel.clear()
        self.voxel.show()
        self._readings.scan_changed()
        if scan is None:
            return
        page.slices.set_radiological(self._state.view.radiological)
        if scan.is_volume:
            page.slices.set_labels(None)
            self._slicing.hold(scan.first, scan.affine, display.grey_limits(scan.first))
            self.voxel.want()
            page.slices.set_caption("")

    def _labels_changed(self, *_: object) -> None:
        grid, scan = self._state.case.labels, self._state.case.scan
        if grid is None:
            return
        if scan is not None and not scan.is_volume:
            self._slicing.hold((grid.labels > 0).astype(np.float32), grid.affine, (0.0, 2.5))
            atlas = self._state.case.atlas
            drawn = atlas is not None and not atlas.info.atlas_id
            key = "positions.drawn" if drawn else "table.drawn"
            self._page.slices.set_caption(tr(key, mm=f"{REACH_MM:g}"))
        self._page.slices.set_labels(grid.labels)
        self._pointing.find()
        self._look_changed()

    def _atlas_changed(self, *_: object) -> None:
        atlas, page = self._state.case.atlas, self._page
        if atlas is None:
            page.parcels.set_parcels((), ())
            return
        self.draw_atlas(atlas)
        names = [atlas.name(p) for p in range(atlas.info.n_parcels)]
        page.parcels.set_parcels(names, atlas.info.networks or [""] * len(names))
        self._crosshair_changed()

    def draw_atlas(self, atlas: Atlas) -> None:
        """Give the brain its parcels; the same atlas again costs nothing."""
        if atlas is not self._drawn:
            self._drawn = atlas
            self._page.brain.set_atlas(
                atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
            )

    def _recording_changed(self, *_: object) -> None:
        page = self._page
        if self._state.case.recording is None:
            self.turns.drop()
            page.brain.set_values(None)
            page.slices.set_overlay(None)
            self.voxel.show()
            self._readings.quality()
            self._readings.parcel_value()
            self._waiting()
            return
        self.turns.take(
            self._show_traces, self._show_carpet, self._look_changed, self._show_readings, self._selection_changed,
            self._place_cursors,
        )  # fmt: skip

    def _show_traces(self) -> None:
        case, page = self._state.case, self._page
        if case.recording is None:
            return
        series, unit = display.overlay_series(case.recording, self._state.view)
        names = [case.atlas.name(p) for p in range(series.shape[0])] if case.atlas is not None else []
        with page.traces.at_once():
            page.traces.set_series(series, case.recording.info.tr_s, names, unit)
            page.traces.set_shaded(case.recording.filled)
            if case.atlas is not None:
                page.traces.set_networks(case.atlas.info.networks, case.atlas.info.structures)
        page.trace_box.set_waiting("")

    def _show_carpet(self) -> None:
        case, page = self._state.case, self._page
        if case.recording is None:
            return
        with page.carpet.at_once():
            page.carpet.set_series(case.recording.sd, case.recording.info.tr_s)
            page.carpet.set_mask(case.recording.filled)
            repaired = ".repaired" if case.recording.filled is not None else ""
            page.carpet_box.set_title(tr(f"view.carpet{repaired}"))
            page.trace_box.set_title(tr(f"view.traces{repaired}"))
            if case.atlas is not None:
                page.carpet.set_networks(case.atlas.info.networks, case.atlas.info.structures)
        page.carpet_box.set_waiting("")

    def _show_readings(self) -> None:
        self._unit_changed()
        self.voxel.show()
        self._readings.quality()

    def _motion_changed(self, *_: object) -> None:
        self.voxel.show()
        self._readings.frame_quality()

    def _waiting(self, *_: object) -> None:
        """Say in the empty drawings what they wait for."""
        case = self._state.case
        if case.recording is None:
            for box in (self._page.trace_box, self._page.carpet_box):
                box.set_waiting(tr(f"view.{case.phase}" if case.phase in ("asking", "failed") else "view.waiting"))
        if case.scan is not None and not case.scan.is_volume and case.labels is None:
            why = case.phase if case.phase in ("asking", "failed") else "waiting"
            self._page.slices.clear(tr(f"view.no_slices.{why}"))

    # ------------------------------------------------------------ where and when

    def _crosshair_changed(self, *_: object) -> None:
        mm = self._state.view.crosshair_mm
        self._page.slices.set_crosshair(mm)
        self._page.brain.set_crosshair(mm)
        self._slicing.want()
        self.voxel.want()
        self._readings.probe()

    def _frame_changed(self, *_: object) -> None:
        if not self._shown:
            return
        if self._state.view.overlay == "activity":
            self._paint()
        self._place_cursors()

    def _place_cursors(self) -> None:
        """Everything but the colours that goes with the time."""
        if not self._shown:
            return
        frame, page = self._state.view.frame, self._page
        page.traces.set_cursor(frame)
        page.strip.set_cursor(frame)
        page.carpet.set_cursor(frame)
        self._slicing.want()
        self._readings.frame_quality()
        self._readings.parcel_value()

    def _align_strip(self, *_: object) -> None:
        """Begin and end the quality strip where the traces above it do."""
        traces, area = self._page.traces, self._page.traces.view.sceneBoundingRect()
        self._page.strip.set_gutter(round(area.left()), round(traces.viewport().width() - area.right()))

    def _selection_changed(self, *_: object) -> None:
        selected = self._state.view.selected
        for drawing in (self._page.brain, self._page.traces, self._page.slices):
            drawing.set_selected(selected)
        self._page.parcels.set_selected(selected)
        if selected:
            self._page.traces.reveal(selected[0])

    def _unit_changed(self, *_: object) -> None:
        for drawing in (self._page.traces, self._page.carpet):
            drawing.set_time_unit(self._state.view.time_unit)

    def _refresh(self, *_: object) -> None:
        if self._shown:
            self._frame_changed()

    # ------------------------------------------------------------ overlay

    def _look_wanted(self, field: str, value: object) -> None:
        state, changes = self._state, {field: value}
        if field in ("overlay", "scale"):
            overlay = str(value) if field == "overlay" else state.view.overlay
            scale = str(value) if field == "scale" else state.view.scale
            changes |= display.default_look(state.case.recording, overlay, scale)
        state.edits.set(tr("edit.overlay"), state.view, **changes)

    def _look_changed(self, *_: object) -> None:
        self._page.overlay.show_view(self._state.view, self._painted().unit)
        self._paint()

    def _painted(self) -> display.Painted:
        return display.painted(self._state.case, self._state.view)

    def _paint(self) -> None:
        look, page, view = self._painted(), self._page, self._state.view
        page.brain.set_values(look.values, look.low, look.high, look.cmap)
        page.brain.set_unit(look.unit)
        page.slices.set_unit(look.unit)
        page.slices.set_overlay(
            look.values, look.low, look.high, look.cmap, threshold=look.threshold, opacity=view.opacity
        )
        if look.values is not None and (not view.playing or view.frame % 5 == 0):
            page.parcels.set_values([display.number(float(v)) for v in look.values])

    # ------------------------------------------------------------ look

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        page = self._page
        for drawing in (page.slices, page.brain, page.traces, page.carpet, page.strip, page.time_bar):
            drawing.set_theme(theme)
