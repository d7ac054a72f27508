"""How the input of a published model is scaled: what can be chosen, and a cohort's statistics when one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.state import AppState
from app.state.parts import COHORT
from app.text import tr

if TYPE_CHECKING:
    from app.views.panels.model import ModelPanel


class ScalingController:
    """Offers the scalings of the chosen model; statistics of a cohort are computed by a job, once, then kept."""

    def __init__(self, state: AppState, engine: EngineService, panel: ModelPanel) -> None:
        self._state, self._engine, self._panel = state, engine, panel
        model = state.model
        for field in ("models", "model_id", "scaling"):
            model.on(field).connect(self.show)
        state.train.on("cohorts").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        panel.scaling_chosen.connect(lambda key: state.edits.set(tr("edit.scaling"), model, scaling=key))
        self.show()

    def show(self, *_: object) -> None:
        """Show what can be chosen; a model that learned from z-scores leaves no choice."""
        model = self._state.model
        kinds = model.model.scalings if model.model is not None else ()
        offered = {kind: tr(f"model.scaling.{kind}") for kind in kinds if kind != "cohort"}
        if "cohort" in kinds:
            for cohort in self._state.train.cohorts:
                if not cohort.problem:
                    name = veiled(self._state, cohort.name)
                    offered[COHORT + cohort.path] = tr("model.scaling.cohort", name=name)
        self._panel.show_scalings(offered if len(kinds) > 1 else {}, model.scaling_used)

    async def ready(self, chosen: str) -> str:
        """Return what the engine is given for ``chosen``; statistics that it has not yet are computed first.

        Raises
        ------
        EngineError
            When they cannot be.
        """
        if not chosen.startswith(COHORT):
            return chosen
        folder = chosen.removeprefix(COHORT)
        name = next((cohort.name for cohort in self._state.train.cohorts if cohort.path == folder), "")
        job = await self._engine.submit("scaling_statistics", {"cohort": folder}, tr("job.scaling", name=name))
        done = await self._engine.finished(job.job_id)
        return str((done.result or {})["scaling_id"])
