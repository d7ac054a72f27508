"""Reports and animations of scenarios: one page with pictures, figures and a recipe; the difference as it spreads."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.failures import tell_error
from app.controllers.networks_drawing import called
from app.controllers.perturb_targets import row_of
from app.controllers.scenario_comparing import kept_cells
from app.controllers.veil import veiled, veiled_model
from app.services.animation import write_gif
from app.services.html_page import Picture, Section, Table, page_text
from app.services.pictures import png_of
from app.state import AppState
from app.state.notices import Notice
from app.state.perturb import Kept, Perturbed
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.networks import write_bytes
from brainlm_engine.api.perturb import CAPTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from PySide6.QtWidgets import QWidget

    from app.views.pages.perturb import PerturbPage

KEY = "perturb:report"
_MOST_FRAMES = 48


class PerturbReport:
    """Writes what is on show; names are veiled where the window veils them."""

    def __init__(self, state: AppState, page: PerturbPage, drawn: Callable[[], Awaitable[None]]) -> None:
        self._state, self._page, self._drawn = state, page, drawn

    async def write(self, path: str) -> bool:
        """Write the report of the scenario on show, or of all that are kept; False when it could not be."""
        state, perturb = self._state, self._state.perturb
        if state.steer.question == "take":
            return await self._steered(path)
        compared = state.steer.question == "compare" and bool(perturb.kept)
        made = perturb.kept if compared else ()
        if not compared and perturb.result is not None:
            made = (Kept(tr("report.perturb.title"), perturb.result),)
        if not made:
            return False
        await self._drawn()
        sections = []
        if compared:
            heads = tuple(tr(f"kept.column.{name}") for name in ("name", "reach", "null", "p", "most"))
            rows = tuple(_veiled_cells(state, each) for each in made)
            sections.append(Section(tr("report.perturb.compared"), table=Table(heads, rows)))
        pictures = (await self._picture(self._page.rows, tr("report.perturb.traces")),)
        sections.append(Section(tr("report.perturb.brain"), pictures=pictures))
        for each in made:
            sections += self._sections(each, veiled(state, each.name) if compared else tr("report.perturb.targets"))
        facts = self._facts(made[0].result.info.model_id)
        page = page_text(tr("report.perturb.title"), self._lead(), sections, facts)
        return await self._written(write_bytes_later(page.encode(), path), path, "report.perturb.done")

    async def _steered(self, path: str) -> bool:
        """Write the report of what it would take."""
        state, found = self._state, self._state.steer.result
        if found is None:
            return False
        await self._drawn()
        info = found.info
        judged = bool(info.spec.shuffles) and np.isfinite(info.networks[0].p) if info.networks else False
        heads = ("perturb.column.network", "steer.column.size", "steer.column.share")
        rows = tuple(
            (called(row.network), number(row.magnitude, 0.001), number(row.share, 0.01),
             *((number(row.p, 0.01),) if judged else ()))
            for row in info.networks
        )  # fmt: skip
        table = Table(tuple(tr(each) for each in (*heads, *(("perturb.column.p",) if judged else ()))), rows)
        spec = info.spec.model_dump(mode="json")
        if state.view.names_hidden:
            spec["aim"].update(recordings=[], cohort="")
        recipe = json.dumps(spec, ensure_ascii=False)
        sections = [
            Section(
                tr("steer.result"), veiled(state, info.toward), verdict=veiled(state, info.verdict), table=table,
                pictures=(await self._picture(self._page.rows, tr("report.perturb.steered")),),
            ),
            Section(tr("report.perturb.notes"), " ".join(veiled(state, note) for note in info.notes)),
            Section(tr("report.perturb.recipe"), tr("report.perturb.recipe.steer", recipe=recipe)),
        ]  # fmt: skip
        page = page_text(tr("steer.result"), self._lead(), sections, self._facts(info.model_id))
        return await self._written(write_bytes_later(page.encode(), path), path, "report.perturb.done")

    def _lead(self) -> str:
        state = self._state
        recording, model = state.case.recording, state.model.model
        name = veiled(state, recording.info.name) if recording is not None else ""
        title = veiled_model(state, model).title if model is not None else ""
        return tr("report.perturb.lead", recording=name, model=title)

    def _facts(self, model_id: str) -> dict[str, str]:
        recording = self._state.case.recording
        name = veiled(self._state, recording.info.name) if recording is not None else ""
        return {"Model": model_id, "Recording": name, "": CAPTION}

    async def animate(self, path: str) -> bool:
        """Write the difference on the brain from the onset on; False when there is none, or it could not be written."""
        state, result = self._state, self._state.perturb.result
        if result is None:
            return False
        state.notices.tell(Notice(KEY, "info", tr("gif.making")))
        first = result.info.start + result.info.onset
        last = result.info.start + result.arrays["perturbed"].shape[1] - 1
        last = min(last, result.info.start + result.info.measured_frames - 1)
        frames = np.unique(np.linspace(first, last, min(_MOST_FRAMES, last - first + 1)).round().astype(int))
        shown, before, question = state.perturb.shown, state.view.frame, state.steer.question
        state.steer.put(question="follows")
        state.perturb.put(shown="difference")
        images = []
        try:
            for frame in frames:
                state.view.frame = int(frame)
                await self._drawn()
                images.append(self._page.brain_box.grab().toImage())
        finally:
            state.perturb.put(shown=shown)
            state.view.frame = before
            state.steer.put(question=question)
        return await self._written(write_gif(images, path), path, "gif.done")

    async def _written(self, writing: Awaitable[None], path: str, done: str) -> bool:
        try:
            await writing
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        self._state.notices.tell(Notice(KEY, "success", tr(done, name=Path(path).name)))
        return True

    # ------------------------------------------------------------ pieces

    @staticmethod
    async def _picture(widget: QWidget, caption: str) -> Picture:
        content = await asyncio.to_thread(png_of, widget.grab().toImage())
        coded = base64.b64encode(content).decode()
        return Picture(f"data:image/png;base64,{coded}", caption)

    def _sections(self, kept: Kept, title: str) -> list[Section]:
        state, info = self._state, kept.result.info
        atlas, tr_s = state.case.atlas, state.case.tr_s
        told = []
        for target in info.scenario.targets:
            names = [atlas.name(region) if atlas is not None else str(region + 1) for region in target.regions]
            listed = ", ".join(names[:6]) + (f" (+{len(names) - 6})" if len(names) > 6 else "")
            told.append(row_of(target, listed, tr_s)[1])
        made = [Section(title, "; ".join(told), verdict=veiled(state, info.verdict), table=_networks(kept.result))]
        if info.notes:
            text = " ".join(veiled(state, note) for note in info.notes)
            made.append(Section(tr("report.perturb.notes"), text))
        recipe = json.dumps(info.scenario.model_dump(mode="json"), ensure_ascii=False)
        made.append(Section(tr("report.perturb.recipe"), tr("report.perturb.recipe.text", recipe=recipe)))
        return made


async def write_bytes_later(content: bytes, path: str) -> None:
    """Write off the GUI thread; EngineError when it cannot be written."""
    await asyncio.to_thread(write_bytes, content, Path(path))


def _veiled_cells(state: AppState, kept: Kept) -> tuple[str, ...]:
    name, *others = kept_cells(kept)
    return veiled(state, name), *others


def _networks(result: Perturbed) -> Table | None:
    info = result.info
    if not info.networks:
        return None
    columns = ("network", "effect", "specific", *(("p",) if info.nulls else ()))
    rows = tuple(
        (called(row.network), number(row.effect, 0.001), number(row.specific, 0.001),
         *((number(row.p, 0.01),) if info.nulls else ()))
        for row in info.networks
    )  # fmt: skip
    return Table(tuple(tr(f"perturb.column.{name}") for name in columns), rows)
