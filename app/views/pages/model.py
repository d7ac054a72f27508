"""The Model workspace: the measured brain beside the reconstructed one, the traces of both, the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.views.page_frame import PageFrame, Titled
from app.views.panels.mask import MaskPanel
from app.views.panels.model import ModelPanel, WindowPanel
from app.views.panels.network_scores import NetworkScorePanel
from app.views.panels.scores import ScorePanel
from app.widgets.qc_strip import QCStrip

if TYPE_CHECKING:
    from app.views.brain import BrainView
    from app.views.carpet import CarpetView
    from app.views.timebar import TimeBar
    from app.views.traces import TraceView

ACTIONS = ("reconstruct", "another_mask", "mask_load", "mask_save", "mask_clear")


class ModelPage(PageFrame):
    """Measured at the left, the model's answer at the right; hidden patches shaded in the traces and the carpet."""

    def __init__(
        self,
        *,
        measured: BrainView,
        answer: BrainView,
        traces: TraceView,
        carpet: CarpetView,
        time_bar: TimeBar,
        actions: dict[str, QAction],
    ) -> None:
        super().__init__(tr("model.nothing"))
        self.measured, self.answer = measured, answer
        self.traces, self.carpet, self.time_bar = traces, carpet, time_bar
        self.measured_box = Titled(tr("model.measured"), measured)
        self.answer_box = Titled(tr("model.reconstructed"), answer)
        self.errors = QCStrip()
        self.errors.setAccessibleName(tr("model.error.name"))
        self.errors.hide()
        self.trace_box = Titled(tr("model.traces"), traces, self.errors)
        self.carpet_box = Titled(tr("view.carpet"), carpet)
        self.place([self.measured_box, self.answer_box], [self.trace_box, self.carpet_box], [time_bar])
        self.above.setSizes([460, 460])
        self.beneath.setSizes([600, 320])
        self.rows.setSizes([340, 340])
        files = {name: actions[name] for name in ("mask_load", "mask_save", "mask_clear")}
        self.model, self.mask_panel, self.scores = ModelPanel(), MaskPanel(files), ScorePanel()
        self.network_scores = NetworkScorePanel()
        self.window_panel = WindowPanel(actions["reconstruct"], actions["another_mask"])
        self.set_panel([self.model, self.mask_panel, self.window_panel, self.scores, self.network_scores])
