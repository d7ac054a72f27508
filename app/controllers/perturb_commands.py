"""What the commands of the menu Perturb do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.controllers.asking import ask_file, ask_where
from app.text import tr
from brainlm_engine.api.scenario_file import SUFFIX

if TYPE_CHECKING:
    from app.controllers.perturb_workspace import PerturbWorkspace
    from app.controllers.perturbing import PerturbController
    from app.controllers.studio import Studio

#: kinds of files of an effect, and how their names end
EFFECT_FILES = {"csv": "csv", "nii": "nii.gz", "dscalar": "dscalar.nii"}


class PerturbCommands:
    """Thin: shows the workspace, asks its controller."""

    _studio: Studio

    def _perturbing(self, name: str, do: Callable[[PerturbController], Coroutine[Any, Any, Any] | None]) -> None:
        """Show the workspace; when its page is there, do something with its controller."""
        room = self._studio.perturb_room
        if room is None:
            return

        async def begin() -> None:
            work = do(await room.ready())
            if work is not None:
                await work

        self._studio.state.shell.workspace = "perturb"
        self._studio.start(begin(), tr(f"action.{name}"))

    def perturb(self) -> None:
        """Ask what follows."""
        self._perturbing("perturb", lambda controller: controller.find())

    def perturb_add(self) -> None:
        """Set the selected regions."""
        self._perturbing("perturb_add", lambda controller: _only(controller.editor.add))

    def perturb_remove(self) -> None:
        """Take the chosen target away."""
        self._perturbing("perturb_remove", lambda controller: _only(controller.editor.remove))

    def perturb_network(self) -> None:
        """Set whole networks."""
        self._perturbing("perturb_network", lambda controller: _only(controller.editor.whole_network))

    def show_perturbed(self, shown: str) -> None:
        """Choose what the brain is coloured by."""
        self._studio.state.perturb.put(shown=shown)

    def perturb_open(self) -> None:
        """Ask for a scenario."""
        ask_file(self._studio.window, tr("perturb.open.title"), (tr("perturb.file.filter"),), self._with_file("open"))

    def perturb_save(self) -> None:
        """Ask where the scenario is to be written."""
        kinds = {tr("perturb.file.filter"): SUFFIX.lstrip(".")}
        ask_where(self._studio.window, tr("perturb.save.title"), kinds, self._with_file("save"))

    def perturb_export(self) -> None:
        """Ask where the effect is to be written, and as what."""
        kinds = {tr(f"perturb.export.{kind}"): ending for kind, ending in EFFECT_FILES.items()}
        ask_where(self._studio.window, tr("perturb.export.title"), kinds, self._with_file("export"))

    def _room(self, name: str, do: Callable[[PerturbWorkspace], object]) -> None:
        """Show the workspace; when its page is there, do something with one of its parts."""
        room = self._studio.perturb_room
        if room is None:
            return

        async def begin() -> None:
            await room.ready()
            work = do(room)
            if isinstance(work, Coroutine):
                await work

        self._studio.state.shell.workspace = "perturb"
        self._studio.start(begin(), tr(f"action.{name}"))

    def perturb_keep(self) -> None:
        """Put the answer aside."""
        self._room("perturb_keep", lambda room: room.comparison.keep())

    def perturb_unkeep(self) -> None:
        """Take the chosen scenario out of the comparison."""
        self._room("perturb_unkeep", lambda room: room.comparison.remove())

    def perturb_report(self) -> None:
        """Ask where a report is to be written."""
        kinds = {tr("report.perturb.filter"): "html"}
        ask_where(
            self._studio.window, tr("report.perturb.ask"), kinds,
            lambda path: self._room("perturb_report", lambda room: room.report.write(path)),
        )  # fmt: skip

    def perturb_gif(self) -> None:
        """Ask where an animation is to be written."""
        ask_where(
            self._studio.window, tr("gif.ask"), {tr("gif.filter"): "gif"},
            lambda path: self._room("perturb_gif", lambda room: room.report.animate(path)),
        )  # fmt: skip

    def effective(self) -> None:
        """Move every region in turn."""
        self._studio.state.steer.put(question="map")
        self._room("effective", lambda room: room.effective.run())

    def effective_export(self) -> None:
        """Ask where the maps are to be written."""
        ask_where(
            self._studio.window, tr("effective.export.title"), {tr("effective.export.all"): "safetensors"},
            lambda path: self._room("effective_export", lambda room: room.effective.export(path)),
        )  # fmt: skip

    def sweep(self) -> None:
        """Ask the grid."""
        self._studio.state.steer.put(question="sweep")
        self._room("sweep", lambda room: room.sweeping.run())

    def sweep_export(self) -> None:
        """Ask where the sweep is to be written, and as what."""
        kinds = {tr("sweep.export.csv"): "csv", tr("sweep.export.all"): "safetensors"}
        ask_where(
            self._studio.window, tr("sweep.export.title"), kinds,
            lambda path: self._room("sweep_export", lambda room: room.sweeping.export(path)),
        )  # fmt: skip

    def _with_file(self, what: str) -> Callable[[str], None]:
        """Return what opens, saves or exports with the file that was chosen."""
        return lambda path: self._perturbing(f"perturb_{what}", lambda controller: getattr(controller, what)(path))


def _only(do: Callable[[], object]) -> None:
    """Do it; there is nothing to wait for."""
    do()
