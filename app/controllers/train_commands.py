"""What the commands of the menu Train do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.asking import ask_folder
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from app.state import AppState
    from app.views.main_window import MainWindow


class TrainCommands:
    """Thin: shows the page, asks the training's controller."""

    if TYPE_CHECKING:
        _studio: Studio
        _state: AppState
        _window: MainWindow

        def show_workspace(self, name: str) -> None:
            """Show a workspace."""

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
        ask_folder(
            self._window,
            tr("train.cohort.title"),
            lambda path: self._studio.start(training.cohorts.choose(path), tr("action.cohort_choose")),
        )
