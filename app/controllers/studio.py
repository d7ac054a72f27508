"""The program: state, services, window and controllers, joined.

What a script, a test or the tour may call: :meth:`Studio.open_path`, :meth:`Studio.open_demo`, :meth:`Studio.prepared`,
:meth:`Studio.reconstruct`, :meth:`Studio.show_workspace`, :meth:`Studio.set_theme`, :meth:`Studio.settled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import theme
from app.controllers.asking import ask_file
from app.controllers.boxes import Boxes
from app.controllers.commands import Commands
from app.controllers.details import DetailsController
from app.controllers.engine import EngineController
from app.controllers.failures import LOST, tell_error
from app.controllers.fast_copies import FastCopies
from app.controllers.motion import MotionController
from app.controllers.opening import OpenController
from app.controllers.player import Player
from app.controllers.pointing import Pointing
from app.controllers.questions import QUESTION
from app.controllers.session import OFFER, SessionController
from app.controllers.shell import ShellController
from app.controllers.veil import Names
from app.services.engine import EngineService
from app.services.pictures import write_picture
from app.services.preferences import load_preferences, load_recent
from app.services.shelf import Shelf
from app.services.tasks import Tasks
from app.state import AppState
from app.state.data import Forecast, Reconstruction
from app.state.notices import Notice
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.api.errors import EngineError

if TYPE_CHECKING:
    from app.controllers.attention import AttentionController
    from app.controllers.comparing import CompareController
    from app.controllers.forecasting import ForecastController
    from app.controllers.model_tabs import ModelTabs
    from app.controllers.modelling import ModelController
    from app.controllers.network_workspace import NetworkWorkspace
    from app.controllers.networks import NetworksController
    from app.controllers.perturb_workspace import PerturbWorkspace
    from app.controllers.repairing import RepairController
    from app.controllers.report import ReportController
    from app.controllers.states import StatesController
    from app.controllers.timing import TimeController
    from app.controllers.training import TrainingController
    from app.controllers.viewing import ViewController
    from app.controllers.whole_recording import WholeRecording
    from app.services.turns import Turns
    from app.state.attention_maps import AttentionRead
    from app.state.data import NetworksFound, StatesFound
    from app.views.brain import BrainView
    from app.views.render_turns import RenderTurns


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    paths: tuple[str, ...] = ()
    no_3d: bool = False
    address: str | None = None
    theme: str | None = None
    demo: bool = False
    offer_session: bool = True


class Studio:
    """One window and everything behind it."""

    def __init__(self, window: MainWindow, options: Options | None = None) -> None:
        self.window, self.options = window, options or Options()
        self.state = _first_state(self.options)
        self.names = Names(self.state)  # first: it must know a name before anything shows it
        self.engine = EngineService(self.state.engine)
        self.shelf = Shelf(self.engine)
        self.tasks = Tasks(self._failed)
        self.player = Player(self.state, window)
        self.pointing = Pointing(self.state)
        self.opening = OpenController(self.state, self.engine, self.shelf, self.tasks)
        self.fast_copies = FastCopies(self.state, self.engine)
        self.motion = MotionController(self.state, self.engine, self.tasks)
        self.engine_life = EngineController(self.state, self.engine, window, self.tasks, self.opening)
        self.session = SessionController(self.state, self.opening, self.compare, window)
        self.shell = ShellController(self.state, window)
        self.details = DetailsController(self.state, window)
        self.boxes = Boxes(self.state, window, self.shell)
        self.commands = Commands(self)
        self.viewing: ViewController | None = None
        self.comparing: CompareController | None = None
        self.modelling: ModelController | None = None
        self.whole: WholeRecording | None = None
        self.repairing: RepairController | None = None
        self.tabs: ModelTabs | None = None
        self.forecasting: ForecastController | None = None
        self.stating: StatesController | None = None
        self.reporting: ReportController | None = None
        self.network_room: NetworkWorkspace | None = None
        self.perturb_room: PerturbWorkspace | None = None
        self.networking: NetworksController | None = None
        self.attending: AttentionController | None = None
        self.timing: TimeController | None = None
        self.training: TrainingController | None = None
        self.brains: tuple[BrainView, ...] = ()
        self._supplied = False
        self.closed = asyncio.Event()
        self._connect()

    def _connect(self) -> None:
        """All connections that belong to no single controller."""
        window = self.window
        window.board.wanted.connect(self.commands.run)
        window.dropped.connect(self.drop)
        window.link_refused.connect(lambda: self.state.notices.tell(Notice("open:link", "info", tr("open.link"))))
        window.cases.recent_chosen.connect(lambda path: self.start(self.open_path(path), tr("action.open")))
        window.closing.connect(self._closing)
        window.strip.pressed.connect(self._notice_pressed)
        window.strip.answered.connect(self._answered)
        theme.switch().changed.connect(self._theme_changed)
        self.engine.connected.connect(lambda: self.start(self._supply(), tr("chip.name")))

    # ------------------------------------------------------------ life

    async def begin(self) -> None:
        """After the first paint: engine and drawings side by side, then what the command line names."""
        self.session.restore_form()
        connecting = self.tasks.start(self.engine_life.start(self.options.address), tr("chip.name"))
        await self._build_pages()
        if self.options.offer_session:
            self.session.start()
        await asyncio.wait([connecting])
        await self._supply()
        if self.options.paths:
            self.drop(list(self.options.paths))
        elif self.options.demo:
            self.start(self.open_demo(), tr("action.open_demo"))

    async def _build_pages(self) -> None:
        from app.controllers.pages import build_pages

        await build_pages(self)

    async def _supply(self) -> None:
        """Give the pages what only the engine has, once both are there."""
        if self.modelling is None or self.engine.state.status != "ready" or self._supplied:
            return
        self._supplied = True
        await self.modelling.load_models()
        surfaces = await self.shelf.surfaces()
        for brain in self.brains:
            brain.set_surfaces(surfaces)
            await asyncio.sleep(0)
        with contextlib.suppress(EngineError):  # a preferred atlas may be gone; each scan names its own
            atlas = await self.shelf.atlas(self.state.case.atlas_id)
            for page in (self.viewing, self.modelling.drawing):
                if page is not None:
                    page.draw_atlas(atlas)
                    await asyncio.sleep(0)

    async def close(self) -> None:
        """Save, stop, let the engine go."""
        if self.closed.is_set():
            return
        theme.switch().changed.disconnect(self._theme_changed)
        self.state.view.playing = False
        self.player.stop()
        self.session.stop()
        self.session.save(closed=True)
        self.shell.save_window()
        if self.viewing is not None:
            await self.viewing.slices.stop()
            await self.viewing.voxel.latest.stop()
        if self.comparing is not None:
            await self.comparing.stop()
        if self.forecasting is not None:
            await self.forecasting.latest.stop()
        if self.stating is not None:
            await self.stating.latest.stop()
        if self.reporting is not None:
            await self.reporting.latest.stop()
        if self.networking is not None:
            await self.networking.stop()
        if self.attending is not None:
            await self.attending.stop()
        if self.perturb_room is not None:
            await self.perturb_room.stop()
        if self.training is not None:
            await self.training.close()
        await self.tasks.stop()
        await self.engine.close()
        for brain in self.brains:
            brain.finalize()
        self.closed.set()

    def _closing(self) -> None:
        if not self.closed.is_set():
            self.start(self.close(), tr("action.quit"))

    def start(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run ``work`` beside the window; its failure becomes a message."""
        return self.tasks.start(work, what)

    def _failed(self, error: BaseException, what: str) -> None:
        self.engine_life.failed(error, what)

    def tell_failure(self, error: BaseException) -> None:
        """Tell of a failure that nothing else caught; the window goes on."""
        sys.stderr.write("".join(traceback.format_exception(error)))
        self._failed(error, tr("app.name"))

    # ------------------------------------------------------------ what can be asked for

    async def open_path(self, path: str | Path, answers: dict[str, str] | None = None) -> bool:
        """Open a scan; True when its first volume is on screen."""
        return await self.opening.open_path(str(path), answers)

    async def open_demo(self, n_frames: int = 490) -> bool:
        """Make the demo case (once) and open it."""
        return await self.opening.open_demo(n_frames)

    async def compare(self, path: str | Path) -> bool:
        """Show a second scan beside the open one; True when it is on screen."""
        return await self.comparing.open_path(path) if self.comparing is not None else False

    async def choose_motion(self, path: str | Path) -> bool:
        """Take the head motion of the open scan from a table; False when it does not fit."""
        self.names.learn([str(path)])
        return await self.motion.choose(str(path))

    async def prepared(self) -> bool:
        """Wait for the parcel series of the open scan; False when they could not be made."""
        return await self.opening.prepared()

    async def reconstruct(self) -> Reconstruction | None:
        """Reconstruct the present window; None when it could not be done or was overtaken."""
        return await self.modelling.reconstruct() if self.modelling is not None else None

    async def reconstruct_all(self) -> bool:
        """Reconstruct the whole recording as a job and show it; True when it is done."""
        return await self.whole.run(self.shell.name()) if self.whole is not None else False

    def load_mask(self, path: str) -> None:
        """Hide from the model what a file says."""
        if self.modelling is not None:
            self.start(self.modelling.painting.load(path), tr("action.mask_load"))

    def save_mask(self, path: str) -> None:
        """Write the mask on screen."""
        if self.modelling is not None:
            self.start(self.modelling.painting.save(path), tr("action.mask_save"))

    async def forecast(self) -> Forecast | None:
        """Forecast from the chosen moment; None when it could not be done."""
        if self.tabs is None:
            return None
        await self.tabs.ready("forecast")
        return await self.forecasting.forecast() if self.forecasting is not None else None

    async def forecast_all(self) -> bool:
        """Forecast along the whole recording as a job; True when it is done."""
        if self.tabs is None:
            return False
        await self.tabs.ready("forecast")
        return await self.forecasting.along(self.shell.name()) if self.forecasting is not None else False

    def export_forecast(self, path: str) -> None:
        """Write the forecast on show as a table."""
        if self.forecasting is not None:
            self.start(self.forecasting.export(path), tr("action.forecast_export"))

    async def states(self) -> StatesFound | None:
        """Find states along the recording; None when it could not be done."""
        if self.tabs is None:
            return None
        await self.tabs.ready("states")
        return await self.stating.find() if self.stating is not None else None

    def export_states(self, path: str) -> None:
        """Write the states on show as a table."""
        if self.stating is not None:
            self.start(self.stating.export(path), tr("action.states_export"))

    async def evaluate_model(self, data: str, parts: tuple[str, ...] = ()) -> bool:
        """Evaluate the chosen model on a cohort as a job; True when its report card is up to date."""
        if self.tabs is None:
            return False
        await self.tabs.ready("report")
        self.names.learn([data])
        return await self.reporting.evaluate(data, parts) if self.reporting is not None else False

    def export_report(self, path: str) -> None:
        """Write the report card on show."""
        if self.reporting is not None:
            self.start(self.reporting.export(path), tr("action.report_export"))

    async def networks(self) -> NetworksFound | None:
        """Find the networks of the recording, controls included; None when it could not be done."""
        if self.network_room is None:
            return None
        await self.network_room.ready()
        return await self.networking.find() if self.networking is not None else None

    async def networks_of_group(self, folder: str) -> bool:
        """Find the networks of the mean map of a cohort's people, as a job; True when it is done."""
        self.names.learn([folder])
        if self.network_room is None:
            return False
        await self.network_room.ready()
        return await self.networking.group(folder) if self.networking is not None else False

    def export_networks(self, path: str) -> None:
        """Write the networks on show: a table, a volume or labels on the surface, by the ending of ``path``."""
        if self.networking is not None:
            self.start(self.networking.files.export(path), tr("action.networks_export"))

    def networks_picture(self, what: str, path: str) -> None:
        """Write a picture of the 'brain' or the 'matrix' with the networks on show."""
        if self.networking is not None:
            self.start(self.networking.files.picture(what, path), tr(f"action.networks_{what}"))

    async def attention(self) -> AttentionRead | None:
        """Read the attention of the recording; None when it could not be done."""
        controller = await self._attending()
        return await controller.read() if controller is not None else None

    async def occlude_all(self) -> bool:
        """Hide every parcel of the recording in turn, as a job; True when it is done."""
        controller = await self._attending()
        return await controller.occlude_all(self.shell.name()) if controller is not None else False

    async def contrast(self) -> bool:
        """Contrast people by the form, as a job; True when it is done."""
        controller = await self._attending()
        return await controller.contrast.run() if controller is not None else False

    def contrast_folder(self, path: str) -> None:
        """Contrast people of this folder."""
        self.names.learn([path])

        async def choose() -> None:
            controller = await self._attending()
            if controller is not None:
                controller.contrast.choose(path)

        self.start(choose(), tr("action.contrast_cohort"))

    async def _attending(self) -> AttentionController | None:
        if self.tabs is not None:
            await self.tabs.ready("attention")
        return self.attending

    async def save_picture(self, path: str) -> bool:
        """Write what the page on show draws as a PNG; False when it could not be."""
        try:
            await write_picture(self.window.drawings, path)
        except EngineError as error:
            tell_error(self.state, error, "picture")
            return False
        self.state.notices.tell(Notice("picture", "success", tr("picture.done", name=Path(path).name)))
        return True

    def choose_atlas(self, chosen: Callable[[str], None]) -> None:
        """Ask for an atlas; one that was added meanwhile joins the list."""
        self.boxes.choose_atlas(chosen)
        if self.engine.state.status == "ready":
            self.start(self.engine_life.list_atlases(), tr("action.choose_atlas"))

    def show_workspace(self, name: str) -> None:
        """Go to a workspace; entering Model for the first time with a recording reconstructs its first window."""
        self.state.shell.workspace = name
        model = self.state.model
        if name == "model" and model.result is None and not model.running and self.engine.state.status == "ready":
            self.start(self.reconstruct(), tr("action.reconstruct"))

    def set_theme(self, name: str) -> None:
        """Show the dark or the light theme."""
        self.state.preferences.put(theme=name)

    async def drawn(self) -> None:
        """Wait until what is to be drawn is drawn, 3D pictures included."""
        from app.services.turns import pace
        from app.views.render_turns import render_turns

        while pace().busy or render_turns().busy:
            await asyncio.sleep(0.001)

    async def settled(self) -> None:
        """Wait until no slice, no 3D picture and no reconstruction is on its way."""
        from app.views.render_turns import render_turns

        await asyncio.sleep(0)
        drawing: list[Turns | RenderTurns] = []
        if self.viewing is not None and self.modelling is not None:
            drawing += [self.viewing.turns, self.modelling.drawing.turns]
        if self.training is not None:
            drawing.append(self.training.drawing.turns)
        drawing.append(render_turns())
        while self.state.model.running or any(turns.busy for turns in drawing):
            await asyncio.sleep(0.005)
        if self.viewing is not None:
            await self.viewing.slices.settled()
            await self.viewing.voxel.latest.settled()
        if self.comparing is not None:
            await self.comparing.settled()
        if self.forecasting is not None:
            await self.forecasting.latest.settled()
            while self.forecasting.drawing.turns.busy:
                await asyncio.sleep(0.005)
        if self.stating is not None:
            await self.stating.latest.settled()
        if self.reporting is not None:
            await self.reporting.latest.settled()
        if self.networking is not None:
            await self.networking.settled()
        if self.attending is not None:
            await self.attending.settled()
        if self.perturb_room is not None:
            await self.perturb_room.settled()
        if self.training is not None:
            await self.training.settled()

    def drop(self, paths: list[str]) -> None:
        """Open the first of ``paths``; more than one at a time is said, not queued."""
        if len(paths) > 1:
            self.state.notices.tell(Notice("open:many", "info", tr("open.many", n=len(paths))))
        self.start(self.open_path(paths[0]), tr("action.open"))

    # ------------------------------------------------------------ messages

    def _notice_pressed(self, key: str, button: str) -> None:
        notice = next((n for n in self.state.notices.waiting if n.key == key), None)
        if button == "details" and notice is not None:
            self.shell.toggle_details(notice)
            return
        if button == "dismiss" or key in (LOST, OFFER):
            self.window.fold_out.hide()
            self.state.notices.drop(key)
            if key.startswith(QUESTION):
                self.opening.questions.dismiss(key)
        if button == "atlas":
            self.commands.choose_atlas()
        if button == "prepare":
            self.opening.preparation.again()
        if button.startswith("open:"):
            self.state.notices.drop(key)
            self.start(self.open_path(button.removeprefix("open:")), tr("action.open"))
        if button.startswith("again:"):
            self.state.notices.drop(key)
            self.start(self.engine_life.run_again(button.removeprefix("again:")), tr("action.job_again"))
        if button == "restart":
            self.start(self.engine_life.restart(), tr("action.engine_restart"))
        if button in ("train_open", "train_resume"):
            self.state.notices.drop(key)
            self.commands.run(self.window.board.actions[button])
        if button == "reopen":
            self.start(self.session.reopen(), tr("action.reopen"))

    def _answered(self, key: str, value: str) -> None:
        question = key.removeprefix(QUESTION)
        if value == "file:":
            ask_file(
                self.window,
                tr("open.coordinates"),
                (tr("open.coordinates_filter"),),
                lambda path: self._answered(key, path),
            )
            return
        if (question, value) == ("space", "atlas"):
            self.choose_atlas(self.opening.choose_atlas_for_space)
            return
        self.names.learn([value] if question == "positions" else [])
        self.start(self.opening.answer(question, value), tr("edit.answer"))

    def _theme_changed(self, chosen: theme.Theme) -> None:
        drawing = self.modelling.drawing if self.modelling is not None else None
        training = self.training.drawing if self.training is not None else None
        forecasts = self.forecasting.drawing if self.forecasting is not None else None
        states = self.stating.drawing if self.stating is not None else None
        networks = self.networking.drawing if self.networking is not None else None
        attention = self.attending.drawing if self.attending is not None else None
        later = (training, forecasts, states, networks, attention, self.reporting, self.perturb_room)
        for controller in (self.viewing, self.comparing, drawing, *later):
            if controller is not None:
                controller.set_theme(chosen)


def _first_state(options: Options) -> AppState:
    state = AppState(preferences=load_preferences())
    preferences = state.preferences
    if options.theme in theme.THEMES:
        preferences.put(theme=options.theme)
    state.shell.recent = load_recent()
    state.case.atlas_id = preferences.atlas_id
    state.view.put(
        scale=preferences.scale, time_unit=preferences.time_unit, radiological=preferences.radiological,
        names_hidden=preferences.names_hidden,
    )  # fmt: skip
    return state
