"""What the commands of the menus Model and Networks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.controllers.asking import ask_file, ask_folder, ask_where
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from app.state import AppState
    from app.views.main_window import MainWindow

#: kinds of files of networks, and how their names end
NETWORK_FILES = {"csv": "csv", "nii": "nii.gz", "dlabel": "dlabel.nii"}


class ModelCommands:
    """Thin: shows the page, asks the controller that knows how."""

    if TYPE_CHECKING:
        _studio: Studio
        _state: AppState
        _window: MainWindow

        def show_workspace(self, name: str) -> None:
            """Show a workspace."""

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
        ask_file(
            self._window,
            tr("model.mask.load.title"),
            (
                tr("model.mask.filter"),
                tr("open.filter_all"),
            ),
            self._studio.load_mask,
        )

    def mask_save(self) -> None:
        """Ask where the mask on screen is to be written."""
        ask_where(self._window, tr("model.mask.save.title"), {tr("model.mask.filter"): "csv"}, self._studio.save_mask)

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
        ask_where(
            self._window,
            tr("forecast.export.title"),
            {tr("forecast.export.filter"): "csv"},
            self._studio.export_forecast,
        )

    def states(self) -> None:
        """Find states along the recording."""
        self.show_model_tab("states")
        self._studio.start(self._studio.states(), tr("action.states"))

    def states_export(self) -> None:
        """Ask where the states are to be written as a table."""
        ask_where(
            self._window, tr("states.export.title"), {tr("states.export.filter"): "csv"}, self._studio.export_states
        )

    def report_evaluate(self) -> None:
        """Ask for a cohort to evaluate the chosen model on."""
        self.show_model_tab("report")
        ask_folder(
            self._window,
            tr("report.choose.title"),
            lambda path: self._studio.start(self._studio.evaluate_model(path), tr("action.report_evaluate")),
        )

    def report_export(self) -> None:
        """Ask where the report card is to be written."""
        kinds = {tr("report.export.md"): "md", tr("report.export.html"): "html"}
        ask_where(self._window, tr("report.export.title"), kinds, self._studio.export_report)

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
        ask_where(self._window, tr("networks.export.title"), kinds, self._studio.export_networks)

    def networks_group(self) -> None:
        """Ask for a cohort's folder and find the networks of its people's mean map, as a job."""
        self.show_workspace("networks")
        ask_folder(
            self._window,
            tr("networks.group.folder"),
            lambda path: self._studio.start(self._studio.networks_of_group(path), tr("action.networks_group")),
        )

    def networks_picture(self, what: str) -> None:
        """Ask where the picture of the brain or of the matrix is to be written."""
        ask_where(
            self._window,
            tr("networks.picture.title"),
            {tr("networks.picture.filter"): "png"},
            lambda path: self._studio.networks_picture(what, path),
        )

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
            self._save("attention.export", lambda path: self._studio.start(attending.export(path), path))

    def contrast_cohort(self) -> None:
        """Ask for a cohort folder to contrast."""
        self.show_model_tab("attention")
        ask_folder(self._window, tr("train.cohort.title"), self._studio.contrast_folder)

    def contrast(self) -> None:
        """Contrast people by the form."""
        self.show_model_tab("attention")
        self._studio.start(self._studio.contrast(), tr("action.contrast"))

    def contrast_export(self) -> None:
        """Ask where the contrast is to be written as a table."""
        attending = self._studio.attending
        if attending is not None:
            self._save("contrast.export", lambda path: self._studio.start(attending.contrast.export(path), path)
            )  # fmt: skip

    def _save(self, key: str, done: Callable[[str], object]) -> None:
        """Ask for the name of a table to be written."""
        ask_where(self._window, tr(f"{key}.title"), {tr("attention.export.filter"): "csv"}, done)
