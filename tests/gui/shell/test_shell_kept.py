"""What is kept between runs and what is told when it cannot be: session, fast copies, recent files, jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.controllers.studio import Options, Studio
from app.services import storage
from app.services.preferences import save_preferences, save_recent
from app.state.data import OpenScan
from app.state.notices import Notice
from app.state.preferences import Preferences
from app.state.session import Session
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import ErrorInfo, JobRecord, JobState

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def write_scan(path: Path, zoom: float, tr_s: float) -> Path:
    """A bright ball about the origin."""
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -zoom * 9.5
    x, y, z = np.meshgrid(*[zoom * (np.arange(20) - 9.5)] * 3, indexing="ij")
    ball = (x**2 + y**2 + z**2 < 60.0**2)[..., None] * (100 + np.arange(8))
    image = nib.Nifti1Image(ball.astype(np.float32), affine)
    image.header.set_zooms((zoom, zoom, zoom, tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def told(studio: Studio, key: str) -> list[Notice]:
    """The messages called ``key``."""
    return [n for n in studio.state.notices.waiting if n.key == key]


def job(state: JobState = JobState.RUNNING, **values: object) -> JobRecord:
    """A job as the engine tells of it."""
    made: dict[str, object] = {"job_id": "a", "kind": "cache", "title": "Fast copy", "state": state, "created": 1.0}
    return JobRecord.model_validate({**made, **values})


def test_a_session_that_cannot_be_saved_is_told_once(
    window: MainWindow, live: Live, brainlm_home: Path, tmp_path: Path
) -> None:
    path = write_scan(tmp_path / "one.nii", 8.0, 2.0)

    async def story(studio: Studio) -> None:
        assert await studio.open_path(path)
        studio.session._timer.stop()
        folder = storage.settings_dir()
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        folder.write_text("a file where the folder should be")
        studio.session.keep()
        (notice,) = told(studio, "session:unsaved")
        assert str(folder) in notice.text
        assert "Ctrl+S" in notice.next_step
        studio.state.notices.drop("session:unsaved")
        studio.session.keep()
        assert not told(studio, "session:unsaved"), "by itself it is told once"
        studio.commands.save_session()
        assert told(studio, "session:unsaved"), "who asks is answered"
        folder.unlink()
        studio.commands.save_session()
        assert not told(studio, "session:unsaved")

    live(story, window)


def test_the_session_can_be_reopened_though_it_is_not_offered(
    window: MainWindow, live: Live, until: Until, tmp_path: Path
) -> None:
    first = write_scan(tmp_path / "first.nii", 6.0, 2.0)
    second = write_scan(tmp_path / "second.nii", 8.0, 1.5)
    save_preferences(Preferences(offer_session=False))
    earlier = Session(
        closed=False, path=str(first), name="first.nii", shown="r2", second=str(second), workspace="model"
    )
    storage.write(storage.SESSION, earlier.model_dump(mode="json"))

    async def story(studio: Studio) -> None:
        state = studio.state
        assert not told(studio, "session:offer")
        await until(window.board["reopen"].isEnabled)
        assert await studio.session.reopen()
        assert state.model.shown == "r2"
        assert state.compare.path == str(second)
        assert state.shell.workspace == "model"
        assert studio.session.save()
        kept = Session.model_validate(storage.read(storage.SESSION))
        assert (kept.shown, kept.second) == ("r2", str(second))

    live(story, window)


def test_a_fast_copy_that_failed_is_told_calmly(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = write_scan(tmp_path / "one.nii", 8.0, 2.0)
    full = ErrorInfo(message="The disk is full.", next_step="Free some space.", details="ENOSPC")

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(path)
        assert isinstance(state.case.scan, OpenScan)
        state.case.cached = False
        failed = job(JobState.FAILED, params={"path": str(path)}, error=full)
        studio.engine.job_changed.emit(failed)
        (notice,) = told(studio, f"scan:copy:{path}")
        assert notice.tone == "info"
        assert "one.nii" in notice.text
        assert "slower" in notice.next_step
        assert "Free some space." in notice.next_step
        assert notice.buttons == (("again:a", "Try Again"),)
        studio.engine.job_changed.emit(job(JobState.FAILED, job_id="b", params={"path": "/other.nii"}, error=full))
        assert len([n for n in state.notices.waiting if n.key.startswith("scan:copy:")]) == 1
        window.strip.pressed.emit(notice.key, "again:a")
        for _ in range(500):
            await asyncio.sleep(0.02)
            if state.case.cached:
                break
        assert state.case.cached
        assert not told(studio, notice.key)

    live(story, window)


def test_the_selected_job_is_told_once(window: MainWindow, live: Live, qtbot: QtBot) -> None:
    async def story(studio: Studio) -> None:
        work, board, heard = studio.state.work, window.board, []
        window.jobs.selected.connect(heard.append)
        assert not board["job_cancel"].isEnabled()
        work.jobs = (job(),)
        window.jobs.select("a")
        for hundredth in range(1, 5):
            work.hear(job(fraction=hundredth / 100))
        work.hear(job(job_id="b", created=2.0))
        assert heard == ["a"]
        assert window.details._title.text() == "Fast copy"
        assert work.job is not None
        await asyncio.sleep(0.05)
        assert not board["job_again"].isEnabled()
        work.hear(job(JobState.INTERRUPTED))
        await asyncio.sleep(0.05)
        assert board["job_cancel"].statusTip() != ""
        assert "Interrupted" in [value.text() for _, value in window.details._cells]
        studio.pointing.clear()
        studio.state.view.selected = (3,)
        work.hear(job(JobState.FAILED))
        assert window.details._title.text() != "Fast copy", "Details stays at what was selected last"
        buttons = {b.text(): b for b in window.jobs.findChildren(QPushButton)}
        assert set(buttons) == {"Show the Job’s Log", "Run the Job Again", "Cancel the Job"}

    live(story, window, engine=False)


def test_log_and_messages_have_commands(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        state, board, strip = studio.state, window.board, window.strip
        state.work.note("a line to copy")
        await asyncio.sleep(0.05)
        board["log_copy"].trigger()
        assert "a line to copy" in QApplication.clipboard().text()
        state.notices.drop("brain:off")
        for key in ("a", "b", "c"):
            state.notices.tell(Notice(key, "info", f"Message {key}."))
        await asyncio.sleep(0.05)
        seen = [strip.notice.key if strip.notice is not None else ""]
        for name in ("message_next", "message_previous", "message_previous"):
            board[name].trigger()
            seen.append(strip.notice.key if strip.notice is not None else "")
        assert seen == ["c", "b", "c", "a"]
        strip._count.click()
        assert strip.notice is not None
        assert strip.notice.key == seen[0]

    live(story, window, engine=False)


@pytest.mark.parametrize("hidden", [False, True])
def test_recent_files_are_commands(window: MainWindow, live: Live, qtbot: QtBot, tmp_path: Path, hidden: bool) -> None:
    there = tmp_path / "Jane & John.nii"
    there.write_bytes(b"")
    save_recent((str(there), str(tmp_path / "gone.nii")))

    async def story(studio: Studio) -> None:
        studio.state.view.names_hidden = hidden
        studio.state.engine.status = "ready"  # files open as any other way of opening does
        opened: list[str] = []
        window.cases.recent_chosen.connect(opened.append)
        studio.boxes.palette()
        box = studio.boxes._palette
        qtbot.keyClicks(box._line, "case 1" if hidden else "jane & john")
        item = box._list.topLevelItem(0)
        assert item is not None
        assert item.text(0) == ("Case 1" if hidden else "Jane & John.nii")
        assert not hidden or "Jane" not in item.toolTip(0)
        studio.state.shell.recent = (str(tmp_path / "gone.nii"), str(there))  # the box outlives a change of the list
        qtbot.keyClick(box._line, Qt.Key.Key_Return)
        assert opened == [str(there)]
        assert not studio.shell._recent[0].isEnabled()

    live(story, window, Options(no_3d=True), engine=False)
