"""The Model workspace while the case changes under it, and the whole recording on show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from app.controllers.studio import Studio
from app.views.main_window import MainWindow

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def write_table(path: Path, frames: int, seed: int) -> Path:
    """A table of 424 smooth series."""
    noise = np.random.default_rng(seed).standard_normal((frames + 8, 424)).astype(np.float32)
    smooth = np.stack([np.convolve(noise[:, p], np.ones(8) / 8, "valid") for p in range(424)], axis=1)[:frames]
    np.savetxt(path, smooth, delimiter="\t", fmt="%.4f")
    return path


ANSWERS = {"tr": "1.0", "positions": "mni424"}


def unexpected(studio: Studio) -> list[str]:
    return [notice.text for notice in studio.state.notices.waiting if notice.tone == "danger"]


def test_another_scan_and_another_atlas_under_a_result(
    window: MainWindow, live: Live, until: Until, tmp_path: Path
) -> None:
    first, second = write_table(tmp_path / "a.tsv", 120, 1), write_table(tmp_path / "b.tsv", 90, 2)

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(first, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        assert await studio.open_path(second, ANSWERS)  # the drawings of the first are still on their way
        assert state.model.result is None
        assert await studio.prepared()
        await studio.settled()
        assert unexpected(studio) == []
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        assert state.model.result is not None
        assert state.model.result.measured.shape[1] <= 90
        studio.commands.close_case()
        await studio.settled()
        assert unexpected(studio) == []

    live(story, window)


def test_a_failing_piece_does_not_stop_the_others(qtbot: object, capsys: object) -> None:
    from PySide6.QtCore import QObject

    from app.services.turns import Turns

    page, diary = QObject(), []
    turns = Turns(page)

    def fails() -> None:
        raise ValueError("this piece fails")

    turns.take(lambda: diary.append("first"), fails, lambda: diary.append("last"))
    with qtbot.captureExceptions() as raised:  # type: ignore[attr-defined]
        qtbot.waitUntil(lambda: not turns.busy)  # type: ignore[attr-defined]
        qtbot.wait(20)  # type: ignore[attr-defined]
    assert diary == ["first", "last"]
    assert [str(error) for _kind, error, _trace in raised] == ["this piece fails"]


def test_the_whole_recording_is_shown(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "long.tsv", 250, 3)

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        assert await studio.reconstruct_all()
        await studio.settled()
        result = state.model.result
        assert result is not None
        assert result.info.whole
        assert result.predicted.shape == (424, 250)
        assert studio.modelling is not None
        page = studio.modelling._page
        assert page.traces.n_frames == page.carpet.plot.n_frames == 250
        told = [n.text for n in state.notices.waiting if n.key == "model:all"]
        assert len(told) == 1
        assert result.info.verdict in told[0]
        assert not state.model.outdated
        state.model.mask = state.model.mask.model_copy(update={"seed": 7})
        assert state.model.outdated
        again = await studio.reconstruct()
        assert again is not None
        assert not again.info.whole
        await studio.settled()
        assert page.traces.n_frames == again.info.n_frames

    live(story, window)


def test_an_answer_about_another_recording_is_dropped(
    window: MainWindow, live: Live, until: Until, tmp_path: Path
) -> None:
    first, second = write_table(tmp_path / "a.tsv", 120, 1), write_table(tmp_path / "b.tsv", 90, 2)

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(first, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        asked = asyncio.ensure_future(studio.reconstruct())
        await asyncio.sleep(0)
        assert state.model.running
        assert await studio.open_path(second, ANSWERS)
        assert await asked is None
        assert await studio.prepared()
        await studio.settled()
        assert state.model.result is None
        assert not state.model.running
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        assert state.model.result is not None
        assert state.model.result.info.recording_id == state.case.recording.info.recording_id  # type: ignore[union-attr]

    live(story, window)


def test_a_span_reaches_to_the_end_at_another_tr(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "slow.tsv", 176, 4)

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(path, {"tr": "2.0", "positions": "mni424"})
        assert await studio.prepared()
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None)
        assert studio.modelling is not None
        panel = studio.modelling._page.mask_panel
        assert state.model.result is not None
        patches = state.model.result.mask.shape[1]
        assert patches == 25
        panel.changed.emit("kind", "span")
        assert panel._to.maximum() == patches
        assert state.model.mask.span == (12, 14)
        assert "175 frames" in studio.modelling._page.window_panel._text.text()
        kinds = panel._kind.model()
        assert kinds.item(2).isEnabled()  # type: ignore[attr-defined]
        panel.set_choices((), patches)
        assert not kinds.item(2).isEnabled()  # type: ignore[attr-defined]

    live(story, window)
