"""What each command of :mod:`app.actions.lists` does. A command's ``callback`` is a method here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QInputDialog

from app.actions.action import Action
from app.controllers.asking import ask_file, ask_where
from app.controllers.display import default_look
from app.controllers.model_commands import ModelCommands
from app.controllers.perturb_commands import PerturbCommands
from app.controllers.steer_commands import SteerCommands
from app.controllers.target_commands import TargetCommands
from app.controllers.train_commands import TrainCommands
from app.services.preferences import save_recent
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio


class Commands(ModelCommands, PerturbCommands, TargetCommands, SteerCommands, TrainCommands):
    """Thin: finds the controller that knows how, and asks it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._state = studio.state
        self._window = studio.window

    def run(self, action: Action) -> None:
        """Do the command of ``action``."""
        method = getattr(self, action.callback)
        if action.argument:
            method(action.argument)
        else:
            method()
        self._studio.shell.refresh_actions()

    # ------------------------------------------------------------ file

    def open_dialog(self) -> None:
        """Ask for a file; the dialog does not stop the window."""
        ask_file(
            self._window,
            tr("open.title"),
            (
                tr("open.filter"),
                tr("open.filter_all"),
            ),
            lambda path: self._studio.start(self._studio.open_path(path), tr("action.open")),
        )

    def open_demo(self) -> None:
        """Make and open the demo case."""
        self._studio.start(self._studio.open_demo(), tr("action.open_demo"))

    def reopen_session(self) -> None:
        """Bring the earlier session back."""
        self._studio.start(self._studio.session.reopen(), tr("action.reopen"))

    def choose_atlas(self) -> None:
        """Ask for another atlas for the open scan."""
        self._studio.choose_atlas(self._studio.opening.choose_atlas)

    def prepare_again(self) -> None:
        """Make the parcel series that were stopped or failed."""
        self._studio.opening.preparation.again()

    def ask_questions(self) -> None:
        """Ask again what the open file does not say clearly."""
        self._studio.opening.questions.ask_all()

    def motion_dialog(self) -> None:
        """Ask for the table of head motion of the open scan."""
        ask_file(
            self._window,
            tr("motion.title"),
            (
                tr("motion.filter"),
                tr("open.filter_all"),
            ),
            lambda path: self._studio.start(self._studio.choose_motion(path), tr("action.motion")),
        )

    def compare_dialog(self) -> None:
        """Ask for a scan to stand beside the open one."""
        ask_file(
            self._window,
            tr("compare.title"),
            (
                tr("compare.filter"),
                tr("open.filter_all"),
            ),
            lambda path: self._studio.start(self._studio.compare(path), tr("action.compare")),
        )

    def close_comparison(self) -> None:
        """Show the open scan alone again."""
        if self._studio.comparing is not None:
            self._studio.comparing.close()

    def close_case(self) -> None:
        """Close the open case."""
        self._studio.session.keep(closed=True)
        self._studio.opening.close_case()

    def save_session(self) -> None:
        """Write the session now."""
        self._studio.session.save_now()

    def clear_recent(self) -> None:
        """Forget recent files."""
        self._state.shell.recent = ()
        save_recent(())

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    # ------------------------------------------------------------ edit

    def undo(self) -> None:
        """Take the last change back."""
        self._state.edits.undo()

    def redo(self) -> None:
        """Make it again."""
        self._state.edits.redo()

    def clear_selection(self) -> None:
        """Select no parcel."""
        self._studio.pointing.clear()

    def preferences(self) -> None:
        """Open the preferences."""
        self._studio.boxes.preferences()

    # ------------------------------------------------------------ view

    def show_workspace(self, name: str) -> None:
        """Go to a workspace."""
        self._studio.show_workspace(name)

    def set_overlay(self, name: str) -> None:
        """Choose what is painted over brain and slices."""
        self._set_look(overlay=name)

    def set_scale(self, name: str) -> None:
        """Choose the scale of activity."""
        self._set_look(scale=name)

    def _set_look(self, **changes: str) -> None:
        view = self._state.view
        overlay, scale = changes.get("overlay", view.overlay), changes.get("scale", view.scale)
        look = {**changes, **default_look(self._state.case.recording, overlay, scale)}
        self._state.edits.set(tr("edit.overlay"), view, **look)

    def toggle_radiological(self) -> None:
        """Swap left and right of the slices."""
        view = self._state.view
        self._state.edits.set(tr("edit.display"), view, radiological=not view.radiological)

    def toggle_names(self) -> None:
        """Hide or show names."""
        self._state.view.names_hidden = not self._state.view.names_hidden

    def set_surface(self, name: str) -> None:
        """Choose the pial or the inflated surface."""
        self._state.edits.set(tr("edit.display"), self._state.view, surface=name)

    def set_brain_layout(self, name: str) -> None:
        """Both hemispheres from both sides, or one large brain."""
        self._state.edits.set(tr("edit.display"), self._state.view, brain_layout=name)

    def brain_from(self, side: str) -> None:
        """Look at the brain from a side."""
        for brain in self._studio.brains:
            brain.view_from(side)  # type: ignore[arg-type]

    # ------------------------------------------------------------ time

    def toggle_play(self) -> None:
        """Play or pause."""
        self._studio.player.toggle()

    def step_frame(self, by: str) -> None:
        """Move by one frame."""
        self._studio.player.step(int(by))

    def go_frame(self, which: str) -> None:
        """Go to the first or last frame."""
        self._studio.player.go(0 if which == "first" else self._state.case.n_frames - 1)

    def change_speed(self, factor: str) -> None:
        """Play faster or slower."""
        self._studio.player.change_speed(float(factor))

    def set_time_unit(self, unit: str) -> None:
        """Show time in seconds, frames or clock."""
        self._state.view.put(time_unit=unit)

    # ------------------------------------------------------------ engine

    def restart_engine(self) -> None:
        """Bring the engine back."""
        self._studio.start(self._studio.engine_life.restart(), tr("action.engine_restart"))

    def show_job_log(self) -> None:
        """Put the log of the selected job into the Log dock."""
        job_id = self._state.work.selected
        self._studio.start(self._studio.engine_life.show_log(job_id), tr("action.job_log"))

    def run_job_again(self) -> None:
        """Start the selected job once more."""
        job_id = self._state.work.selected
        self._studio.start(self._studio.engine_life.run_again(job_id), tr("action.job_again"))

    def cancel_job(self) -> None:
        """Ask the selected job to stop."""
        self._studio.start(self._studio.engine_life.cancel(self._state.work.selected), tr("action.job_cancel"))

    def copy_log(self) -> None:
        """Put the log into the clipboard."""
        self._window.log.copy()

    def diagnostics(self) -> None:
        """Show the facts of this installation."""
        self._studio.start(self._studio.boxes.diagnostics(), tr("action.diagnostics"))

    # ------------------------------------------------------------ window, help

    def toggle_dock(self, name: str) -> None:
        """Show or hide a dock."""
        self._window.show_dock(name, name not in self._window.visible_docks())

    def toggle_panel(self) -> None:
        """Show or hide the side panel."""
        self._state.shell.panel = not self._state.shell.panel

    def set_mood(self, mood: str) -> None:
        """Arrange the window for reviewing or for the lab."""
        self._studio.shell.set_mood(mood)

    def set_theme(self, name: str) -> None:
        """Choose the dark or the light theme."""
        self._state.preferences.put(theme=name)

    def save_layout(self) -> None:
        """Ask for a name and keep the arrangement."""
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("layout.save"))
        dialog.setLabelText(tr("layout.name"))
        dialog.textValueSelected.connect(self._studio.shell.save_layout)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def restore_layout(self) -> None:
        """Ask which saved arrangement."""
        self._studio.boxes.choose_layout()

    def reset_layout(self) -> None:
        """Arrange the window as the mood has it."""
        self._studio.shell.set_mood(self._state.shell.mood)

    def step_message(self, by: str) -> None:
        """Show the next message, or the one before."""
        self._window.strip.step(int(by))

    def page_picture(self) -> None:
        """Ask where the picture of the page is to be written."""
        ask_where(
            self._window,
            tr("picture.title"),
            {tr("picture.filter"): "png"},
            lambda path: self._studio.start(self._studio.save_picture(path), tr("action.page_picture")),
        )

    def full_screen(self) -> None:
        """Fill the screen, or stop doing so."""
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def help(self) -> None:
        """Open the help pages."""
        self._studio.boxes.help()

    def about(self) -> None:
        """Say what this program is."""
        self._studio.boxes.about()

    def command_palette(self) -> None:
        """Open the command palette."""
        self._studio.boxes.palette()
