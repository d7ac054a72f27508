"""What the commands of the menu Perturb do."""

from __future__ import annotations

from collections.abc import Callable

from app.controllers.asking import ask_file, ask_where
from app.controllers.room_commands import RoomCommands
from app.text import tr
from brainlm_engine.api.scenario_file import SUFFIX

#: kinds of files of an effect, and how their names end
EFFECT_FILES = {"csv": "csv", "nii": "nii.gz", "dscalar": "dscalar.nii"}


class PerturbCommands(RoomCommands):
    """Thin: shows the workspace, asks its controller."""

    def perturb(self) -> None:
        """Ask what follows."""
        self._in_room("perturb", lambda room: room.follows.find(), "follows")

    def perturb_add(self) -> None:
        """Set the selected regions."""
        self._in_room("perturb_add", lambda room: room.follows.editor.add(), "follows")

    def perturb_remove(self) -> None:
        """Take the chosen target away."""
        self._in_room("perturb_remove", lambda room: room.follows.editor.remove(), "follows")

    def perturb_network(self) -> None:
        """Set whole networks."""
        self._in_room("perturb_network", lambda room: room.follows.editor.whole_network(), "follows")

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

    def perturb_keep(self) -> None:
        """Put the answer aside."""
        self._in_room("perturb_keep", lambda room: room.comparison.keep())

    def perturb_unkeep(self) -> None:
        """Take the chosen scenario out of the comparison."""
        self._in_room("perturb_unkeep", lambda room: room.comparison.remove())

    def perturb_report(self) -> None:
        """Ask where a report is to be written."""
        kinds = {tr("report.perturb.filter"): "html"}
        ask_where(
            self._studio.window, tr("report.perturb.ask"), kinds,
            lambda path: self._in_room("perturb_report", lambda room: room.report.write(path)),
        )  # fmt: skip

    def perturb_gif(self) -> None:
        """Ask where an animation is to be written."""
        ask_where(
            self._studio.window, tr("gif.ask"), {tr("gif.filter"): "gif"},
            lambda path: self._in_room("perturb_gif", lambda room: room.report.animate(path)),
        )  # fmt: skip

    def effective(self) -> None:
        """Move every region in turn."""
        self._in_room("effective", lambda room: room.effective.run(), "map")

    def effective_export(self) -> None:
        """Ask where the maps are to be written."""
        ask_where(
            self._studio.window, tr("effective.export.title"), {tr("effective.export.all"): "safetensors"},
            lambda path: self._in_room("effective_export", lambda room: room.effective.export(path)),
        )  # fmt: skip

    def sweep(self) -> None:
        """Ask the grid."""
        self._in_room("sweep", lambda room: room.sweeping.run(), "sweep")

    def sweep_export(self) -> None:
        """Ask where the sweep is to be written, and as what."""
        kinds = {tr("sweep.export.csv"): "csv", tr("sweep.export.all"): "safetensors"}
        ask_where(
            self._studio.window, tr("sweep.export.title"), kinds,
            lambda path: self._in_room("sweep_export", lambda room: room.sweeping.export(path)),
        )  # fmt: skip

    def _with_file(self, what: str) -> Callable[[str], None]:
        """Return what opens, saves or exports with the file that was chosen."""
        return lambda path: self._in_room(f"perturb_{what}", lambda room: getattr(room.follows, what)(path))
