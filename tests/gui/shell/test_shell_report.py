"""The Report card tab: what the engine keeps of the chosen model, evaluated as a job, written to a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from brainlm_engine.simulate import simulate_cohort
from tests.gui.shell.test_shell_model import unexpected

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_the_card_of_the_chosen_model(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    simulate_cohort(cohort, 8, n_frames=220)

    async def story(studio: Studio) -> None:
        state = studio.state
        await until(lambda: state.model.model is not None)
        window.board["tab_report"].trigger()
        await until(lambda: state.report.card is not None)
        await studio.settled()
        assert studio.reporting is not None
        page, card = studio.reporting.page, state.report.card
        assert card is not None
        assert card.model_id == state.model.model_id
        said = page.text.toPlainText()
        assert card.title in said
        assert dict(card.facts)["Parameters"] in said

        job = studio.start(studio.evaluate_model(str(cohort), ("embeddings",)), "evaluating")
        await until(lambda: bool(state.report.evaluating))
        assert not window.board["report_evaluate"].isEnabled()
        assert await job
        await studio.settled()
        kept = await studio.engine.client.report_card(card.model_id)
        assert state.report.card == kept
        new = next(each for each in kept.evaluations if each.data.startswith("held-out simulated people of cohort"))
        said = page.text.toPlainText()
        for row in new.tables[0].rows:
            assert row[0] in said
            assert row[1] in said
        assert any(note.startswith("No embeddings") for note in new.notes)
        for name in ("card.md", "card.html"):
            out = tmp_path / name
            assert await studio.reporting.export(str(out))
            assert new.tables[0].rows[0][1] in out.read_text(encoding="utf-8")
        assert not await studio.reporting.export(str(tmp_path / "card.md" / "inside.md"))
        assert any("inside.md cannot be written" in notice.text for notice in state.notices.waiting)
        state.notices.drop("report:one")
        assert unexpected(studio) == []

    live(story, window)
