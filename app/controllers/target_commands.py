"""What the commands do that copy a target, draw round regions, or show the difference only."""

from __future__ import annotations

from app.controllers.asking import ask_file
from app.controllers.room_commands import RoomCommands
from app.text import tr


class TargetCommands(RoomCommands):
    """Thin: shows the workspace and its question, asks its controller."""

    def perturb_apart(self) -> None:
        """Show the difference only, or all three lines."""
        perturb = self._studio.state.perturb
        perturb.put(apart=not perturb.apart)

    def perturb_lasso(self) -> None:
        """Begin to draw round regions, or give it up."""
        perturb = self._studio.state.perturb
        wanted = not perturb.lasso
        self._in_room("perturb_lasso", lambda _: perturb.put(lasso=wanted), "follows")

    def perturb_brush(self) -> None:
        """Begin to paint over regions, or give it up."""
        perturb = self._studio.state.perturb
        wanted = not perturb.brush
        self._in_room("perturb_brush", lambda _: perturb.put(brush=wanted), "follows")

    def perturb_copy(self) -> None:
        """Ask which recording the target is to follow."""
        ask_file(
            self._studio.window, tr("perturb.copy.title"), (tr("open.filter"), tr("open.filter_all")),
            self._copy,
        )  # fmt: skip

    def _copy(self, path: str) -> None:
        self._studio.names.learn([path])
        self._in_room("perturb_copy", lambda room: room.extras.copier.copy(path), "follows")
