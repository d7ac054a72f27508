"""The Report card tab: reads the card of the chosen model, has it evaluated, writes it to a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import theme
from app.controllers.failures import tell_error
from app.controllers.veil import veiled, veiled_model
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.networks import write_bytes
from brainlm_engine.api.report_card import ReportCard, as_html, as_markdown

if TYPE_CHECKING:
    from app.theme import Theme
    from app.views.pages.report import ReportPage

KEY = "report:one"
KIND = "report"


class ReportController:
    """What is on screen is the card of the model that is chosen."""

    def __init__(self, state: AppState, engine: EngineService, page: ReportPage) -> None:
        self._state, self._engine, self.page = state, engine, page
        self.latest: Latest[str, ReportCard] = Latest(self._ask, self._take, self._failed)
        for field in ("model_id", "models"):
            state.model.on(field).connect(self.want)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.want)
        for field in ("card", "evaluating"):
            state.report.on(field).connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        self.want()

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "report"

    def want(self, *_: object) -> None:
        """Ask for the card of the chosen model."""
        state = self._state
        if state.report.card is not None and state.report.card.model_id != state.model.model_id:
            state.report.put(card=None)
        if self._on_show and state.model.model is not None and self._engine.state.status == "ready":
            self.latest.wish(state.model.model_id)
        self.show()

    async def _ask(self, model_id: str) -> ReportCard:
        return await self._engine.client.report_card(model_id)

    def _take(self, model_id: str, card: ReportCard) -> None:
        if model_id == self._state.model.model_id:
            self._state.report.put(card=card)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        tell_error(self._state, error, KEY)

    def show(self, *_: object) -> None:
        """Draw the card."""
        state, card = self._state, self._state.report.card
        self.page.set_filled(card is not None)
        if not self._on_show or card is None:
            return
        model = state.model.model
        title = veiled_model(state, model).title if model is not None else ""
        told = "" if card.evaluations else tr("report.none")
        told = tr("report.running") if state.report.evaluating == card.model_id else told
        self.page.panel.show_state(tr("report.model", title=title), told)
        self.page.show_html(veiled(state, as_html(card, border=theme.current().border)))

    async def evaluate(self, data: str, parts: tuple[str, ...] = ()) -> bool:
        """Evaluate the chosen model on a cohort as a job; True when its card is up to date."""
        state, model = self._state, self._state.model.model
        if model is None:
            return False
        model_id, title = model.model_id, veiled_model(state, model).title
        state.report.put(evaluating=model_id)
        try:
            params: dict[str, Any] = {"model": model_id, "data": data}
            if parts:
                params["parts"] = list(parts)
            job = await self._engine.submit(KIND, params, tr("report.job", title=title))
            await self._engine.finished(job.job_id)
            card = await self._engine.client.report_card(model_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        finally:
            state.report.put(evaluating="")
        if state.model.model_id == model_id:
            state.report.put(card=card)
        state.notices.tell(Notice(KEY, "success", tr("report.done", title=title)))
        return True

    async def export(self, path: str) -> bool:
        """Write the card on show as Markdown or as a web page, by the ending of ``path``; False when it cannot."""
        card, name = self._state.report.card, Path(path).name
        if card is None:
            return False
        html = name.lower().endswith((".html", ".htm"))
        text = f"<!doctype html><meta charset='utf-8'><body>{as_html(card)}</body>" if html else as_markdown(card)
        try:
            await asyncio.to_thread(write_bytes, text.encode("utf-8"), Path(path))
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        self._state.notices.tell(Notice(KEY, "success", tr("report.export.done", name=name)))
        return True

    def set_theme(self, chosen: Theme) -> None:
        """Repaint the tables' lines."""
        self.page.set_theme(chosen)
        self.show()
