"""The Model workspace: the measured brain beside the reconstructed one, the traces of both, the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.views.page_frame import PageFrame, Titled
from app.views.panels.mask import MaskPanel
from app.views.panels.model import ModelPanel, WindowPanel
from app.views.panels.scores import ScorePanel

if TYPE_CHECKING:
    from app.views.brain import BrainView
    from app.views.carpet import CarpetView
    from app.views.timebar import TimeBar
    from app.views.traces import TraceView


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
        self.trace_box, self.carpet_box = Titled(tr("model.traces"), traces), Titled(tr("view.carpet"), carpet)
        self.place([self.measured_box, self.answer_box], [self.trace_box, self.carpet_box], [time_bar])
        self.above.setSizes([460, 460])
        self.beneath.setSizes([600, 320])
        self.rows.setSizes([340, 340])
        self.model, self.mask_panel, self.scores = ModelPanel(), MaskPanel(), ScorePanel()
        self.window_panel = WindowPanel(actions["reconstruct"], actions["another_mask"])
        self.set_panel([self.model, self.mask_panel, self.window_panel, self.scores])
