"""What every question of the Perturb workspace is: pieces that are drawn while it is on show, a turn for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.services.turns import Turns
from app.state import AppState

if TYPE_CHECKING:
    from app.state.steer import Question
    from app.views.pages.perturb import PerturbPage


class QuestionView:
    """Draws while its question is on show and a recording is there; otherwise nothing is drawn."""

    question: Question

    def __init__(self, state: AppState, page: PerturbPage) -> None:
        self._state, self._page = state, page
        self.turns = Turns(page)

    def pieces(self) -> tuple[Callable[[], object], ...]:
        """Return what is drawn, in this order."""
        raise NotImplementedError

    def follow(self, part: Any, *fields: str) -> None:
        """Draw anew when one of these fields changes."""
        for field in fields:
            part.on(field).connect(self.show)

    def follow_the_rest(self) -> None:
        """Draw anew when what all questions depend on changes, and now."""
        state = self._state
        self.follow(state.steer, "question")
        self.follow(state.shell, "workspace")
        self.follow(state.view, "selected", "names_hidden")
        self.follow(state.case, "recording", "atlas")
        self.show()

    @property
    def on_show(self) -> bool:
        """True when this is the question a person looks at, of a recording."""
        state = self._state
        here = state.shell.workspace == "perturb" and state.steer.question == self.question
        return here and state.case.recording is not None

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        if self.on_show:
            self.turns.take(*self.pieces())
        else:
            self.turns.drop()

    def name(self, parcel: int) -> str:
        """Return what a parcel is called."""
        atlas = self._state.case.atlas
        return atlas.name(parcel) if atlas is not None else str(parcel + 1)

    async def settled(self) -> None:
        """Wait until everything is drawn."""
        while self.turns.busy:
            await asyncio.sleep(0.005)
