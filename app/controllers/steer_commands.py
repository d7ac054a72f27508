"""What the commands of the question "What would it take?" do."""

from __future__ import annotations

from app.controllers.asking import ask_file, ask_folder, ask_where
from app.controllers.room_commands import RoomCommands
from app.text import tr

#: kinds of files of a change, and how their names end
CHANGE_FILES = {"csv": "csv", "nii": "nii.gz", "dscalar": "dscalar.nii", "all": "safetensors"}


class SteerCommands(RoomCommands):
    """Thin: shows the workspace and the question, asks its controller."""

    def show_question(self, question: str) -> None:
        """Show one of the questions."""
        self._studio.state.shell.workspace = "perturb"
        self._studio.state.steer.put(question=question)

    def steer(self) -> None:
        """Search a change."""
        self._in_room("steer", lambda room: room.steering.search(), "take")

    def steer_stop(self) -> None:
        """End the search; the best so far is the answer."""
        self._in_room("steer_stop", lambda room: room.steering.enough(), "take")

    def steer_file(self) -> None:
        """Ask for a recording whose state is the target."""
        ask_file(
            self._studio.window, tr("steer.file.title"), (tr("steer.file.filter"),),
            self._take_file,
        )  # fmt: skip

    def _take_file(self, path: str) -> None:
        self._studio.names.learn([path])
        self._in_room("steer_file", lambda room: room.steering.choose_file(path), "take")

    def steer_cohort(self) -> None:
        """Ask for a cohort folder."""
        ask_folder(
            self._studio.window, tr("steer.cohort.title"),
            lambda path: self._in_room("steer_cohort", lambda room: room.steering.choose_cohort(path), "take"),
        )  # fmt: skip

    def steer_demo(self) -> None:
        """Make people at rest and in a task."""
        self._in_room("steer_demo", lambda room: room.steering.make_demo(), "take")

    def steer_export(self) -> None:
        """Ask where the change is to be written, and as what."""
        kinds = {tr(f"steer.export.{kind}"): ending for kind, ending in CHANGE_FILES.items()}
        ask_where(
            self._studio.window, tr("steer.export.title"), kinds,
            lambda path: self._in_room("steer_export", lambda room: room.steering.export(path), "take"),
        )  # fmt: skip
