"""Head motion in the window: found beside the scan, chosen, refused, forgotten with the scan, back with the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QLabel

from app.controllers.studio import Studio
from app.text import tr
from app.views.main_window import MainWindow

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
FRAMES = 20


def head_motion(studio: Studio) -> str:
    """What the Quality panel says."""
    assert studio.viewing is not None
    return studio.viewing._page.quality._values["fd"].text()


def details(studio: Studio) -> str:
    """What the Details dock says."""
    return "\n".join(label.text() for label in studio.window.details.findChildren(QLabel))


def strip_names(studio: Studio) -> list[str]:
    assert studio.viewing is not None
    return [line.name for line in studio.viewing._page.strip._lines]


async def check_demo(studio: Studio, until: Until) -> Path:
    """The demo case moves, and says where that is known from."""
    state = studio.state
    assert await studio.open_demo(FRAMES)
    await until(lambda: state.case.motion is not None)
    assert await studio.prepared()
    studio.show_workspace("view")
    await studio.settled()
    assert strip_names(studio) == ["FD", "DVARS", "Voxel"]
    assert studio.viewing is not None
    line = studio.viewing._page.strip._lines[0]
    assert (line.unit, line.limit, len(line.values)) == ("mm", 0.5, FRAMES)
    assert head_motion(studio).startswith("mean 0.")
    studio.player.go(4)
    assert head_motion(studio) == f"{line.values[4]:.2f}, mean {np.nanmean(line.values):.2f} mm"
    assert "sub-demo_task-visual_desc-confounds_timeseries.tsv, found beside the scan" in details(studio)
    assert "nothing is regressed out" in details(studio)
    assert f"0 of {FRAMES} frames above 0.5 mm" in details(studio)
    return Path(state.case.path)


async def check_chosen(studio: Studio, folder: Path) -> Path:
    """A table that does not fit is one sentence and changes nothing; one that fits takes the place of the other."""
    state = studio.state
    before = state.case.motion
    short = folder / "short.tsv"
    short.write_text("framewise_displacement\nn/a\n0.2\n")
    assert not await studio.choose_motion(short)
    told = [n for n in state.notices.waiting if n.key == "scan:motion"]
    assert told[0].text == f"short.tsv has 2 rows, {Path(state.case.path).name} has {FRAMES} frames."
    assert state.case.motion is before
    own = folder / "own.tsv"
    own.write_text("framewise_displacement\nn/a\n" + "0.75\n" * (FRAMES - 1))
    assert await studio.choose_motion(own)
    assert not [n for n in state.notices.waiting if n.key == "scan:motion"]
    assert head_motion(studio) == "0.75, mean 0.75 mm"
    assert "own.tsv, chosen by you" in details(studio)
    assert f"{FRAMES - 1} of {FRAMES} frames" in details(studio)
    studio.commands.toggle_names()
    assert "own.tsv" not in details(studio)
    studio.commands.toggle_names()
    return own


def test_head_motion_of_the_scan_on_screen(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "table.1D", np.random.default_rng(1).normal(9, 1, (FRAMES, 30)), fmt="%.3f")

    async def story(studio: Studio) -> None:
        state = studio.state
        scan = await check_demo(studio, until)
        own = await check_chosen(studio, tmp_path)
        assert window.board["motion"].isEnabled()
        assert await studio.open_path(scan, {})  # the same scan again keeps what was chosen
        await until(lambda: state.case.motion is not None)
        assert state.case.motion_path == str(own)
        assert head_motion(studio).endswith("mean 0.75 mm")
        assert studio.session.save()

        assert await studio.open_path(tmp_path / "table.1D")
        await until(lambda: state.case.motion is not None)
        assert state.case.motion_path == ""
        assert head_motion(studio) == tr("quality.fd.needed")
        assert "FD" not in strip_names(studio)
        assert tr("motion.none") in details(studio)

        studio.session._earlier = studio.session._read()
        assert await studio.session.reopen()
        await until(lambda: head_motion(studio).endswith("mean 0.75 mm"))
        studio.commands.close_case()
        assert head_motion(studio) == tr("quality.none")

    live(story, window)
