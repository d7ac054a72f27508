"""The whole way with the real engine: a scan goes in, the model's answer comes out, the engine dies and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from app.controllers.studio import Studio
from app.services import storage
from app.state.session import Session
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import JobState

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def write_table(path: Path, frames: int = 120) -> Path:
    """A table of 424 smooth series, one column per parcel of the program's own atlas."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((frames + 8, 424)).astype(np.float32)
    smooth = np.stack([np.convolve(noise[:, p], np.ones(8) / 8, "valid") for p in range(424)], axis=1)[:frames]
    np.savetxt(path, smooth + 100.0, delimiter="\t", fmt="%.4f")
    return path


async def check_open(studio: Studio) -> None:
    """A demo scan: first volume, slices at other frames, recording, one crosshair."""
    state, view = studio.state, studio.state.view
    assert await studio.open_demo(60)
    assert state.shell.workspace == "view"
    assert state.case.scan is not None
    assert state.case.scan.first.ndim == 3
    assert await studio.prepared()
    recording = state.case.recording
    assert recording is not None
    assert recording.series.shape == (424, 60)
    assert np.isfinite(recording.sd[~recording.missing]).all()
    assert view.parcel >= 0
    assert studio.viewing is not None
    assert state.case.atlas is not None
    shown = studio.viewing._page.probe._values["region"].text()
    assert shown == state.case.atlas.name(view.parcel)
    studio.pointing.pick(100)
    assert view.parcel == 100
    assert view.selected == (100,)
    studio.player.go(30)
    await studio.settled()
    assert view.frame == 30
    studio.player.go(10_000)
    assert view.frame == 59


async def check_model(studio: Studio) -> None:
    """A window reconstructed; other settings make it outdated; undo makes it right again."""
    state = studio.state
    studio.show_workspace("model")
    await studio.settled()
    result = state.model.result
    assert result is not None, state.notices.waiting
    assert result.measured.shape == result.predicted.shape
    assert result.info.scores[0].r2 == result.info.scores[0].r2
    assert not state.model.outdated
    mask = state.model.mask.model_copy(update={"ratio": 0.5})
    state.edits.set("Change Mask", state.model, mask=mask)
    assert state.model.outdated
    state.edits.undo()
    assert not state.model.outdated


async def check_lost(studio: Studio, until: Until) -> None:
    """A killed engine is noticed within two seconds; the window keeps what it shows; Restart brings it back."""
    state = studio.state
    info = state.engine.info
    assert info is not None
    os.kill(info.pid, signal.SIGKILL)
    await until(lambda: state.engine.status == "lost", seconds=2.5)
    assert "engine stopped" in state.notices.waiting[0].text
    assert state.case.recording is not None
    assert not studio.window.board["open"].isEnabled() or await _soon_disabled(studio)
    assert await studio.engine_life.restart()
    assert state.engine.status == "ready"
    assert all(n.key != "engine:lost" for n in state.notices.waiting)
    studio.show_workspace("view")
    studio.player.go(12)
    await studio.settled()
    assert not [line for line in state.work.log if "does not hold this scan" in line]
    studio.show_workspace("model")
    assert await studio.reconstruct() is not None


async def _soon_disabled(studio: Studio) -> bool:
    await asyncio.sleep(0.05)
    return not studio.window.board["open"].isEnabled()


def test_from_scan_to_reconstruction_and_through_a_crash(window: MainWindow, live: Live, until: Until) -> None:
    async def story(studio: Studio) -> None:
        await check_open(studio)
        await check_model(studio)
        await check_lost(studio, until)
        assert studio.session.save()

    live(story, window)
    session = Session.model_validate(storage.read(storage.SESSION))
    assert session.closed
    assert session.workspace == "model"
    assert session.path


async def check_bad_files(studio: Studio, folder: Path) -> None:
    """Each bad file becomes one sentence; nothing else changes."""
    (folder / "empty.nii").write_bytes(b"")
    (folder / "words.csv").write_text("this is\nno table at all\n")
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for path in (*sorted(folder.glob("*.*")), folder, folder / "gone.nii"):
        assert not await studio.open_path(path), path
        told = [n for n in studio.state.notices.waiting if n.key == "scan:open"]
        assert len(told) == 1
        assert told[0].text.endswith((".", "?")), told[0]
        assert "Traceback" not in told[0].text
        assert studio.state.case.scan is None
        assert studio.state.case.wanted == ""


async def check_table(studio: Studio, path: Path) -> None:
    """A table asks for its TR and its regions' places; then it has a recording."""
    state = studio.state
    assert await studio.open_path(path)
    asked = {n.question.question_id for n in state.notices.waiting if n.question is not None}
    assert "tr" in asked
    assert state.case.phase == "asking"
    await studio.opening.answer("tr", "2.0")
    if state.case.phase == "asking":
        await studio.opening.answer("positions", "mni424")
    assert await studio.prepared(), state.notices.waiting
    assert state.case.recording is not None
    assert state.case.tr_s == 2.0
    studio.commands.toggle_names()
    assert path.name not in studio.window.windowTitle()
    assert path.name not in "".join(str(studio.window.jobs.model.index(0, 0).data()))
    studio.commands.toggle_names()
    studio.commands.close_case()
    assert state.case.scan is None
    assert state.shell.workspace == "cases"
    assert state.shell.recent == (str(path),)


async def check_cancel(studio: Studio, until: Until) -> None:
    """A job is stopped from the dock, its log can be read, and it can be run again."""
    job = await studio.engine.submit("demo", {"n_frames": 400}, "Long work")
    work = studio.state.work
    await until(lambda: (found := work.find(job.job_id)) is not None and found.state is JobState.RUNNING)
    assert studio.window.jobs.model.rowCount() >= 1
    studio.window.jobs.select(job.job_id)
    cancel = studio.window.board["job_cancel"]
    await until(cancel.isEnabled)
    cancel.trigger()
    await until(lambda: (found := work.find(job.job_id)) is not None and found.state.ended, seconds=20)
    last = work.find(job.job_id)
    assert last is not None
    assert last.state is JobState.CANCELLED
    await studio.engine_life.show_log(job.job_id)
    assert "Long work" in "\n".join(work.log)
    await until(studio.window.board["job_again"].isEnabled)
    assert not cancel.isEnabled()
    studio.window.board["job_again"].trigger()
    await until(lambda: work.jobs[0].job_id != job.job_id)
    assert (work.jobs[0].kind, work.jobs[0].params) == (job.kind, job.params)
    await studio.engine_life.cancel(work.jobs[0].job_id)


def test_bad_files_a_table_and_a_cancelled_job(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    path = write_table(tmp_path / "424 series 🧠.tsv")

    async def story(studio: Studio) -> None:
        await check_bad_files(studio, folder)
        await check_table(studio, path)
        await check_cancel(studio, until)

    live(story, window)


@pytest.mark.parametrize("closed", [True, False])
def test_the_session_is_offered_not_loaded(window: MainWindow, live: Live, tmp_path: Path, closed: bool) -> None:
    path = write_table(tmp_path / "earlier.tsv", frames=60)
    earlier = Session(
        closed=closed, path=str(path), name=path.name, answers={"tr": "1.0", "positions": "mni424"},
        workspace="view", view={"frame": 9, "overlay": "coverage"},
    )  # fmt: skip
    storage.write(storage.SESSION, earlier.model_dump(mode="json"))

    async def story(studio: Studio) -> None:
        state = studio.state
        assert state.case.scan is None
        assert state.shell.last_session == "earlier.tsv"
        offered = any(n.key == "session:offer" for n in state.notices.waiting)
        assert offered is not closed
        assert await studio.session.reopen()
        assert await studio.prepared()
        assert (state.view.frame, state.view.overlay) == (9, "coverage")
        assert not any(n.key == "session:offer" for n in state.notices.waiting)

    live(story, window)
