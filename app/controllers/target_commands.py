"""What the commands do that copy a target, draw round regions, or show the difference only."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.controllers.asking import ask_file
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.perturb_extras import PerturbExtras
    from app.controllers.studio import Studio


class TargetCommands:
    """Thin: shows the workspace and its question, asks its controller."""

    _studio: Studio

    def _with_extras(self, name: str, do: Callable[[PerturbExtras], Coroutine[Any, Any, Any] | None]) -> None:
        """Show the workspace; when its page is there, do something with what goes with it."""
        room = self._studio.perturb_room
        if room is None:
            return

        async def begin() -> None:
            await room.ready()
            assert room.extras is not None
            work = do(room.extras)
            if work is not None:
                await work

        self._studio.state.shell.workspace = "perturb"
        self._studio.state.steer.put(question="follows")
        self._studio.start(begin(), tr(f"action.{name}"))

    def perturb_apart(self) -> None:
        """Show the difference only, or all three lines."""
        perturb = self._studio.state.perturb
        perturb.put(apart=not perturb.apart)

    def perturb_lasso(self) -> None:
        """Begin to draw round regions, or give it up."""
        perturb = self._studio.state.perturb
        wanted = not perturb.lasso
        self._with_extras("perturb_lasso", lambda _: only(lambda: perturb.put(lasso=wanted)))

    def perturb_brush(self) -> None:
        """Begin to paint over regions, or give it up."""
        perturb = self._studio.state.perturb
        wanted = not perturb.brush
        self._with_extras("perturb_brush", lambda _: only(lambda: perturb.put(brush=wanted)))

    def perturb_copy(self) -> None:
        """Ask which recording the target is to follow."""
        ask_file(
            self._studio.window, tr("perturb.copy.title"), (tr("open.filter"), tr("open.filter_all")),
            self._copy,
        )  # fmt: skip

    def _copy(self, path: str) -> None:
        self._studio.names.learn([path])
        self._with_extras("perturb_copy", lambda extras: extras.copier.copy(path))


def only(do: Callable[[], object]) -> None:
    """Do it; there is nothing to wait for."""
    do()
