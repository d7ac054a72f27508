"""Builds the View and the Model page once pyqtgraph and VTK are loaded, a piece at a time so that nothing blocks."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from app import theme
from app.state.notices import Notice
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from app.views.curves import CurveView
    from app.views.training_preview import PreviewView

HEAVY = (
    "pyqtgraph",
    "app.views.slices",
    "app.views.traces",
    "app.views.carpet",
    "app.views.timebar",
    "app.views.brain",
    "app.views.pages.train",
    "app.controllers.training",
)


async def build_pages(studio: Studio) -> None:
    """Make both pages, their controllers, and connect them."""
    for name in HEAVY:
        await asyncio.to_thread(importlib.import_module, name)
    from app.controllers.comparing import CompareController
    from app.controllers.model_tabs import TABS, ModelTabs
    from app.controllers.modelling import ModelController
    from app.controllers.network_workspace import NetworkWorkspace
    from app.controllers.perturb_workspace import PerturbWorkspace
    from app.controllers.repairing import RepairController
    from app.controllers.timing import TimeController
    from app.controllers.training import TrainingController
    from app.controllers.viewing import ViewController
    from app.controllers.whole_recording import WholeRecording
    from app.views.brain import BrainView
    from app.views.carpet import CarpetView
    from app.views.pages.model import ACTIONS as MODEL_ACTIONS
    from app.views.pages.model import ModelPage
    from app.views.pages.train import ACTIONS, TrainPage
    from app.views.pages.view import ViewPage
    from app.views.slices import SliceView
    from app.views.tabbed import TabbedPage
    from app.views.timebar import TimeBar
    from app.views.traces import TraceView

    window, state = studio.window, studio.state
    off = studio.options.no_3d or not state.preferences.enable_3d
    slices, first = SliceView(), BrainView(no_3d=off)
    await asyncio.sleep(0)
    view = ViewPage(slices, first, TraceView(), CarpetView(), TimeBar())
    window.add_page("view", view)
    await asyncio.sleep(0)
    measured, answer = BrainView(no_3d=off), BrainView(no_3d=off)
    actions = {name: window.board[name] for name in MODEL_ACTIONS}
    model = ModelPage(
        measured=measured, answer=answer, traces=TraceView(), carpet=CarpetView(), time_bar=TimeBar(), actions=actions
    )
    tabs = TabbedPage(TABS, tr("forecast.building"))
    tabs.add("reconstruct", model)
    window.add_page("model", tabs)
    await asyncio.sleep(0)
    train = TrainPage({name: window.board[name] for name in ACTIONS}, *(await train_drawings()))
    window.add_page("train", train)
    await asyncio.sleep(0)
    ahead = BrainView(no_3d=off)  # of the Forecast tab: making a 3D scene takes longer than a person should wait
    await asyncio.sleep(0)
    grouped = BrainView(no_3d=off)  # of the Networks workspace
    await asyncio.sleep(0)
    looking = BrainView(no_3d=off)  # of the Attention tab
    await asyncio.sleep(0)
    pulled = BrainView(no_3d=off)  # of the Perturb workspace
    await asyncio.sleep(0)
    studio.brains = (first, measured, answer, ahead, grouped, looking, pulled)
    studio.viewing = ViewController(state, studio.engine, view, studio.player, studio.pointing)
    studio.comparing = CompareController(state, studio.engine, view, studio.pointing, studio.tasks)
    studio.modelling = ModelController(state, studio.engine, model, studio.player, studio.pointing)
    studio.timing = TimeController(state, studio.player, (view.time_bar, model.time_bar))
    studio.tabs = ModelTabs(studio, tabs, ahead, looking)
    studio.network_room = NetworkWorkspace(studio, grouped)
    studio.perturb_room = PerturbWorkspace(studio, pulled)
    studio.whole = WholeRecording(state, studio.engine, studio.modelling)
    studio.repairing = RepairController(state, studio.engine, window, studio.tasks, studio.modelling)
    await asyncio.sleep(0)
    studio.training = TrainingController(state, studio.engine, train, studio.tasks, studio.modelling)
    for controller in (studio.viewing, studio.modelling.drawing, studio.training.drawing):
        controller.set_theme(theme.current())
    for brain in studio.brains:
        brain.set_surface(state.view.surface)
        brain.set_layout(state.view.brain_layout)
        state.view.on("brain_layout").connect(brain.set_layout)
        brain.layout_changed.connect(lambda name: state.view.put(brain_layout=name))
        brain.prepare()
        await asyncio.sleep(0.05)

    def without_series(phase: str) -> None:
        model.set_empty(tr(f"view.{phase}" if phase in ("asking", "failed") else "model.nothing"))

    state.case.on("phase").connect(without_series)

    def show_panel(shown: bool) -> None:
        for page in (view, train):
            page.side.setVisible(shown)

    def availability(_: object = None) -> None:
        state.shell.brain3d = first.available
        if not first.available:
            reason = tr("no3d.asked") if off else first.reason
            state.notices.tell(Notice("brain:off", "info", tr("no3d", reason=reason)))

    state.shell.on("panel").connect(show_panel)
    show_panel(state.shell.panel)
    model.side.setVisible(state.shell.panel)
    first.availability_changed.connect(availability)
    availability()
    window.show_page(state.shell.workspace)
    if studio.engine.state.status == "ready":
        studio.start(studio.training.load(), tr("train.settings"))


async def train_drawings() -> tuple[CurveView, CurveView, PreviewView]:
    """Make the drawings of the Train page, one per turn of the event loop: R2, loss, preview."""
    from app.views.curves import CurveView
    from app.views.training_preview import PreviewView

    r2 = CurveView(tr("train.r2"), tr("train.axis.r2"), from_zero=True)
    await asyncio.sleep(0)
    loss = CurveView(tr("train.loss"), tr("train.axis.loss"))
    await asyncio.sleep(0)
    return r2, loss, PreviewView()
