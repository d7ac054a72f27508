"""How a session ends: what lies on disk after the case and the window are closed, and what the next start offers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from app.controllers.session import OFFER
from app.controllers.studio import Options, Studio
from app.services import storage
from app.state.session import Session
from app.views.main_window import MainWindow

Live = Callable[..., None]


def write_scan(path: Path, zoom: float) -> Path:
    """A small scan of a few volumes."""
    image = nib.Nifti1Image(np.random.default_rng(0).random((12, 12, 12, 6), np.float32), np.diag([zoom] * 3 + [1.0]))
    image.header.set_zooms((zoom, zoom, zoom, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def told(studio: Studio, key: str) -> bool:
    """Whether the message called ``key`` waits."""
    return any(notice.key == key for notice in studio.state.notices.waiting)


def on_disk() -> Session:
    """The session as the next start finds it."""
    return Session.model_validate(storage.read(storage.SESSION))


def leave(path: Path, pid: int = 0) -> None:
    """A session with ``path`` open that was never closed."""
    left = Session(closed=False, pid=pid, path=str(path), name=path.name)
    storage.write(storage.SESSION, left.model_dump(mode="json"))


def test_closing_the_case_and_then_the_window_is_closing_properly(
    window: MainWindow, live: Live, tmp_path: Path
) -> None:
    before, now = write_scan(tmp_path / "before.nii", 8.0), write_scan(tmp_path / "now.nii", 6.0)
    leave(before)

    async def story(studio: Studio) -> None:
        assert told(studio, OFFER)
        assert await studio.open_path(now)
        assert told(studio, OFFER), "the other file was not opened yet"
        studio.session.keep()
        assert not on_disk().closed
        studio.shell.refresh_actions()
        window.board["close_case"].trigger()
        assert studio.state.case.scan is None
        assert (on_disk().path, on_disk().closed) == (str(now), True)

    live(story, window)
    assert (on_disk().path, on_disk().closed) == (str(now), True), "the older session is not written over the newer"


def test_the_offer_goes_when_its_own_file_is_opened(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = write_scan(tmp_path / "before.nii", 8.0)
    leave(path)

    async def story(studio: Studio) -> None:
        assert told(studio, OFFER)
        assert await studio.open_path(path)
        assert not told(studio, OFFER)

    live(story, window)


def test_an_offer_that_was_not_taken_is_not_made_again(window: MainWindow, live: Live, tmp_path: Path) -> None:
    leave(write_scan(tmp_path / "before.nii", 8.0))

    async def story(studio: Studio) -> None:
        studio.session.start()
        assert told(studio, OFFER)

    live(story, window, engine=False)
    assert on_disk().closed


def test_the_session_of_another_window_is_left_alone(window: MainWindow, live: Live, tmp_path: Path) -> None:
    wait = "import sys; sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", wait, "brainlm-studio"], stdin=subprocess.PIPE)
    leave(write_scan(tmp_path / "before.nii", 8.0), other.pid)

    async def story(studio: Studio) -> None:
        studio.session.start()
        assert not told(studio, OFFER)

    try:
        live(story, window, Options(no_3d=True), engine=False)
        assert not on_disk().closed
    finally:
        other.communicate()
