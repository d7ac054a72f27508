"""What the commands of the question "What would it take?" do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.controllers.asking import ask_file, ask_folder, ask_where
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.steering import SteerController
    from app.controllers.studio import Studio

#: kinds of files of a change, and how their names end
CHANGE_FILES = {"csv": "csv", "nii": "nii.gz", "dscalar": "dscalar.nii", "all": "safetensors"}


class SteerCommands:
    """Thin: shows the workspace and the question, asks its controller."""

    _studio: Studio

    def _steering(self, name: str, do: Callable[[SteerController], Coroutine[Any, Any, Any] | None]) -> None:
        """Show the question; when the page is there, do something with its controller."""
        room = self._studio.perturb_room
        if room is None:
            return

        async def begin() -> None:
            await room.ready()
            assert room.steering is not None
            work = do(room.steering)
            if work is not None:
                await work

        self._studio.state.shell.workspace = "perturb"
        self._studio.state.steer.put(question="take")
        self._studio.start(begin(), tr(f"action.{name}"))

    def show_question(self, question: str) -> None:
        """Show one of both questions."""
        self._studio.state.shell.workspace = "perturb"
        self._studio.state.steer.put(question=question)

    def steer(self) -> None:
        """Search a change."""
        self._steering("steer", lambda controller: controller.search())

    def steer_stop(self) -> None:
        """End the search; the best so far is the answer."""
        self._steering("steer_stop", lambda controller: controller.enough())

    def steer_file(self) -> None:
        """Ask for a recording whose state is the target."""
        ask_file(
            self._studio.window, tr("steer.file.title"), (tr("steer.file.filter"),),
            self._take_file,
        )  # fmt: skip

    def _take_file(self, path: str) -> None:
        self._studio.names.learn([path])
        self._steering("steer_file", lambda controller: controller.choose_file(path))

    def steer_cohort(self) -> None:
        """Ask for a cohort folder."""
        ask_folder(
            self._studio.window, tr("steer.cohort.title"),
            lambda path: self._steering("steer_cohort", lambda controller: controller.choose_cohort(path)),
        )  # fmt: skip

    def steer_demo(self) -> None:
        """Make people at rest and in a task."""
        self._steering("steer_demo", lambda controller: controller.make_demo())

    def steer_export(self) -> None:
        """Ask where the change is to be written, and as what."""
        kinds = {tr(f"steer.export.{kind}"): ending for kind, ending in CHANGE_FILES.items()}
        ask_where(
            self._studio.window, tr("steer.export.title"), kinds,
            lambda path: self._steering("steer_export", lambda controller: controller.export(path)),
        )  # fmt: skip
