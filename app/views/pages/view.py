"""The View workspace: slices and brain above, traces and carpet below, settings at the right, time at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.text import tr
from app.views.page_frame import PageFrame, Titled
from app.views.panels.overlay import OverlayPanel
from app.views.panels.parcels import ParcelPanel
from app.views.panels.probe import ProbePanel
from app.views.panels.quality import QualityPanel
from app.widgets.qc_strip import QCStrip

if TYPE_CHECKING:
    from app.views.brain import BrainView
    from app.views.carpet import CarpetView
    from app.views.slices import SliceView
    from app.views.timebar import TimeBar
    from app.views.traces import TraceView


class ViewPage(PageFrame):
    """One crosshair and one time cursor in four drawings."""

    def __init__(
        self, slices: SliceView, brain: BrainView, traces: TraceView, carpet: CarpetView, time_bar: TimeBar
    ) -> None:
        super().__init__(tr("view.empty"))
        self.slices, self.brain, self.traces, self.carpet, self.time_bar = slices, brain, traces, carpet, time_bar
        self.strip = QCStrip()
        self.trace_box = Titled(tr("view.traces"), traces, self.strip)
        self.carpet_box = Titled(tr("view.carpet"), carpet)
        self.place([slices, brain], [self.trace_box, self.carpet_box], [time_bar])
        self.above.setSizes([560, 360])
        self.beneath.setSizes([560, 360])
        self.rows.setSizes([405, 275])
        self.overlay, self.probe, self.quality, self.parcels = (
            OverlayPanel(),
            ProbePanel(),
            QualityPanel(),
            ParcelPanel(),
        )
        self.set_panel([self.overlay, self.probe, self.quality, self.parcels], stretch=3)
