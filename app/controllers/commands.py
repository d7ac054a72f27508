"""What each command of :mod:`app.actions.lists` does. A command's ``callback`` is a method here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QInputDialog

from app.actions.action import Action
from app.controllers.display import default_look
from app.controllers.perturb_commands import PerturbCommands
from app.services.preferences import save_recent
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio

#: kinds of files of networks, and how their names end
NETWORK_FILES = {"csv": "csv", "nii": "nii.gz", "dlabel": "dlabel.nii"}


class Commands(PerturbCommands):
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
        dialog = QFileDialog(self._window, tr("open.title"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("open.filter"), tr("open.filter_all")])
        dialog.fileSelected.connect(lambda path: self._studio.start(self._studio.open_path(path), tr("action.open")))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

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
        dialog = QFileDialog(self._window, tr("motion.title"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("motion.filter"), tr("open.filter_all")])
        dialog.fileSelected.connect(
            lambda path: self._studio.start(self._studio.choose_motion(path), tr("action.motion"))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def compare_dialog(self) -> None:
        """Ask for a scan to stand beside the open one."""
        dialog = QFileDialog(self._window, tr("compare.title"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("compare.filter"), tr("open.filter_all")])
        dialog.fileSelected.connect(lambda path: self._studio.start(self._studio.compare(path), tr("action.compare")))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

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

    # ------------------------------------------------------------ model, engine

    def reconstruct(self) -> None:
        """Reconstruct the window with the present settings."""
        self._studio.start(self._studio.reconstruct(), tr("action.reconstruct"))

    def another_mask(self) -> None:
        """Draw another mask and reconstruct."""
        assert self._studio.modelling is not None
        self._studio.modelling.another_mask()
        self.reconstruct()

    def reconstruct_all(self) -> None:
        """Reconstruct the whole recording as a job."""
        self._studio.start(self._studio.reconstruct_all(), tr("action.reconstruct_all"))

    def repair(self) -> None:
        """Show the box in which a recording is repaired."""
        assert self._studio.repairing is not None
        self._studio.repairing.open()

    def mask_load(self) -> None:
        """Ask for a file with a mask."""
        dialog = QFileDialog(self._window, tr("model.mask.load.title"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("model.mask.filter"), tr("open.filter_all")])
        dialog.fileSelected.connect(self._studio.load_mask)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def mask_save(self) -> None:
        """Ask where the mask on screen is to be written."""
        dialog = QFileDialog(self._window, tr("model.mask.save.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("model.mask.filter"))
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(self._studio.save_mask)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def mask_clear(self) -> None:
        """Hide nothing of the painted mask any more."""
        assert self._studio.modelling is not None
        self._studio.modelling.painting.clear()

    def show_result(self, shown: str) -> None:
        """Choose what the second brain shows."""
        self._state.model.put(shown=shown)

    def show_model_tab(self, name: str) -> None:
        """Show a tab of the Model workspace."""
        self._state.shell.put(model_tab=name)
        self.show_workspace("model")

    def forecast(self) -> None:
        """Forecast from the chosen moment."""
        self.show_model_tab("forecast")
        self._studio.start(self._studio.forecast(), tr("action.forecast"))

    def forecast_all(self) -> None:
        """Forecast along the whole recording as a job."""
        self.show_model_tab("forecast")
        self._studio.start(self._studio.forecast_all(), tr("action.forecast_all"))

    def forecast_export(self) -> None:
        """Ask where the forecast is to be written as a table."""
        dialog = QFileDialog(self._window, tr("forecast.export.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("forecast.export.filter"))
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(self._studio.export_forecast)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def states(self) -> None:
        """Find states along the recording."""
        self.show_model_tab("states")
        self._studio.start(self._studio.states(), tr("action.states"))

    def states_export(self) -> None:
        """Ask where the states are to be written as a table."""
        dialog = QFileDialog(self._window, tr("states.export.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("states.export.filter"))
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(self._studio.export_states)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def report_evaluate(self) -> None:
        """Ask for a cohort to evaluate the chosen model on."""
        self.show_model_tab("report")
        dialog = QFileDialog(self._window, tr("report.choose.title"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(
            lambda path: self._studio.start(self._studio.evaluate_model(path), tr("action.report_evaluate"))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def report_export(self) -> None:
        """Ask where the report card is to be written."""
        dialog = QFileDialog(self._window, tr("report.export.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([tr("report.export.md"), tr("report.export.html")])
        dialog.fileSelected.connect(self._studio.export_report)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def networks(self) -> None:
        """Find the networks of the recording."""
        self.show_workspace("networks")
        self._studio.start(self._studio.networks(), tr("action.networks"))

    def show_networks(self, shown: str) -> None:
        """Choose what the brain and the matrix are coloured and ordered by."""
        self._state.networks.put(shown=shown)

    def networks_export(self) -> None:
        """Ask where the networks are to be written, and as what."""
        kinds = {tr(f"networks.export.{kind}"): ending for kind, ending in NETWORK_FILES.items()}
        dialog = QFileDialog(self._window, tr("networks.export.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(kinds))
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(kinds[chosen]))
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(self._studio.export_networks)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def networks_group(self) -> None:
        """Ask for a cohort's folder and find the networks of its people's mean map, as a job."""
        self.show_workspace("networks")
        dialog = QFileDialog(self._window, tr("networks.group.folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(
            lambda path: self._studio.start(self._studio.networks_of_group(path), tr("action.networks_group"))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def networks_picture(self, what: str) -> None:
        """Ask where the picture of the brain or of the matrix is to be written."""
        dialog = QFileDialog(self._window, tr("networks.picture.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("networks.picture.filter"))
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(lambda path: self._studio.networks_picture(what, path))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def attention(self) -> None:
        """Read the attention of the recording."""
        self.show_model_tab("attention")
        self._studio.start(self._studio.attention(), tr("action.attention"))

    def occlude_all(self) -> None:
        """Hide every parcel in turn as a job."""
        self.show_model_tab("attention")
        self._studio.start(self._studio.occlude_all(), tr("action.occlude_all"))

    def attention_export(self) -> None:
        """Ask where the attention is to be written as tables."""
        attending = self._studio.attending
        if attending is not None:
            self._save("attention.export", "csv", lambda path: self._studio.start(attending.export(path), path))

    def attention_picture(self) -> None:
        """Ask where the picture is to be written."""
        attending = self._studio.attending
        if attending is not None:
            self._save("attention.picture", "png", attending.save_picture)

    def contrast_cohort(self) -> None:
        """Ask for a cohort folder to contrast."""
        self.show_model_tab("attention")
        dialog = QFileDialog(self._window, tr("train.cohort.title"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._studio.contrast_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def contrast(self) -> None:
        """Contrast people by the form."""
        self.show_model_tab("attention")
        self._studio.start(self._studio.contrast(), tr("action.contrast"))

    def contrast_export(self) -> None:
        """Ask where the contrast is to be written as a table."""
        attending = self._studio.attending
        if attending is not None:
            self._save(
                "contrast.export", "csv", lambda path: self._studio.start(attending.contrast.export(path), path)
            )  # fmt: skip

    def _save(self, key: str, suffix: str, done: Callable[[str], object]) -> None:
        """Ask for the name of a file to be written."""
        dialog = QFileDialog(self._window, tr(f"{key}.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("attention.picture.filter" if suffix == "png" else "attention.export.filter"))
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(done)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def train_start(self) -> None:
        """Start a training with the settings of the form."""
        self.show_workspace("train")
        self._training("start")

    def train_pause(self) -> None:
        """Pause the training on show."""
        self._training("pause")

    def train_resume(self) -> None:
        """Go on with the training on show."""
        self.show_workspace("train")
        self._training("resume")

    def train_lower(self) -> None:
        """Go on with the training on show, with half its learning rate."""
        self.show_workspace("train")
        self._training("lower")

    def train_stop(self) -> None:
        """End the training on show and keep its model."""
        self._training("stop")

    def train_evaluate(self) -> None:
        """Compare the finished model with simple methods."""
        self._training("evaluate")

    def train_clone(self) -> None:
        """Put the settings of the training on show into the form."""
        if self._studio.training is not None:
            self._studio.training.clone()

    def train_open(self) -> None:
        """Use the finished model in the Model workspace."""
        training = self._state.train.on_show
        if training is not None and training.usable:
            self._state.model.put(model_id=training.model_id)
            self.show_workspace("model")

    def _training(self, what: str) -> None:
        training = self._studio.training
        if training is not None:
            self._studio.start(getattr(training, what)(), tr(f"action.train_{what}"))

    def make_cohort(self, size: str) -> None:
        """Make a demo cohort."""
        training = self._studio.training
        if training is not None:
            self.show_workspace("train")
            self._studio.start(training.cohorts.make(size), tr(f"action.cohort_{size}"))

    def cohort_dialog(self) -> None:
        """Ask for a folder of recordings."""
        training = self._studio.training
        if training is None:
            return
        self.show_workspace("train")
        dialog = QFileDialog(self._window, tr("train.cohort.title"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(
            lambda path: self._studio.start(training.cohorts.choose(path), tr("action.cohort_choose"))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

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
        dialog = QFileDialog(self._window, tr("picture.title"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("picture.filter"))
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(
            lambda path: self._studio.start(self._studio.save_picture(path), tr("action.page_picture"))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

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
