"""What the commands of the menu Perturb do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.controllers.asking import ask_file, ask_where
from app.text import tr
from brainlm_engine.api.scenario_file import SUFFIX

if TYPE_CHECKING:
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

    def _with_file(self, what: str) -> Callable[[str], None]:
        """Return what opens, saves or exports with the file that was chosen."""
        return lambda path: self._perturbing(f"perturb_{what}", lambda controller: getattr(controller, what)(path))


def _only(do: Callable[[], object]) -> None:
    """Do it; there is nothing to wait for."""
    do()
