"""What goes with perturbations: copies from other recordings, a line drawn round regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.perturb_copy import Lasso, TargetCopier
from app.state import AppState
from app.views.panels.perturb_more import ACTIONS, MorePanel

if TYPE_CHECKING:
    from app.controllers.perturbing import PerturbController
    from app.controllers.studio import Studio


class PerturbExtras:
    """Joins them with the page of the workspace."""

    def __init__(self, studio: Studio, controller: PerturbController) -> None:
        state = studio.state
        self._controller = controller
        self.copier = TargetCopier(state, studio.engine, controller)
        self.more = MorePanel({name: studio.window.board[name] for name in ACTIONS})
        controller.page.add_section(self.more)
        self.more.apart_chosen.connect(lambda on: state.perturb.put(apart=on))
        for signal in (state.perturb.on("apart"), state.steer.on("question")):
            signal.connect(lambda _: self._show(state))
        self._show(state)
        self.lasso = Lasso(state, controller, studio.pointing)
        controller.page.panel.changed.connect(lambda field, value: self._chosen(studio, field, value))

    def _chosen(self, studio: Studio, field: str, value: object) -> None:
        """The shape 'copy' asks for a recording; until it has one, the target stays as it is."""
        if field == "shape" and value == "copy":
            studio.commands.perturb_copy()
            self._controller.drawing.show()

    def _show(self, state: AppState) -> None:
        self.more.setVisible(state.steer.question == "follows")
        self.more.show_state(state.perturb.apart)
