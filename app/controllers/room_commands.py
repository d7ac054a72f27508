"""What all commands of the menu Perturb have in common: they show the workspace, then ask a part of its page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from app.text import tr

if TYPE_CHECKING:
    from app.controllers.perturb_workspace import Parts
    from app.controllers.studio import Studio
    from app.state.steer import Question


class RoomCommands:
    """Thin: shows the workspace, and waits for what is asked of its parts."""

    _studio: Studio

    def _in_room(self, name: str, do: Callable[[Parts], object], question: Question | None = None) -> None:
        """Show the workspace (and ``question``); when its page is there, do something, and wait for it."""
        studio, room = self._studio, self._studio.perturb_room
        if room is None:
            return

        async def begin() -> None:
            await room.ready()
            work = do(room.parts)
            if isinstance(work, Coroutine):
                await work

        studio.state.shell.workspace = "perturb"
        if question is not None:
            studio.state.steer.put(question=question)
        studio.start(begin(), tr(f"action.{name}"))
