"""Two scans side by side, linked: the same place in mm, the same moment in seconds, until the first one goes."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from app.controllers.studio import Studio
from app.state.compare import linked_moment
from app.views.main_window import MainWindow
from app.views.slices import SliceView

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
FIRST, SECOND = "first.nii", "second scan.nii.gz"


def write_scan(path: Path, shape: tuple[int, int, int, int], zoom: float, tr_s: float) -> Path:
    """A scan centred on the origin whose value at x and frame t is 100 + x mm + 1000 t, 0 outside a ball."""
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = [-zoom * (n - 1) / 2 for n in shape[:3]]
    mm = [affine[a, a] * np.arange(shape[a]) + affine[a, 3] for a in range(3)]
    x, y, z = np.meshgrid(*mm, indexing="ij")
    ball = x**2 + y**2 + z**2 < 60.0**2
    values = np.stack([np.where(ball, 100 + x + 1000 * t, 0) for t in range(shape[3])], axis=-1)
    image = nib.Nifti1Image(values.astype(np.float32), affine)
    image.header.set_zooms((zoom, zoom, zoom, tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scans of different grids and TRs, a table, and a file that is nothing."""
    write_scan(tmp_path / FIRST, (24, 24, 24, 12), 6.0, 2.0)
    write_scan(tmp_path / SECOND, (41, 37, 39, 8), 4.0, 1.5)
    (tmp_path / "series.csv").write_text("a,b\n" + "".join(f"{np.sin(t):.3f},{np.cos(t):.3f}\n" for t in range(30)))
    (tmp_path / "broken.nii").write_bytes(b"no scan")
    return tmp_path


@pytest.mark.parametrize(
    ("frame", "tr_s", "other", "count", "expected"),
    [
        (0, 2.0, 1.5, 8, (0, False, True)),
        (3, 2.0, 1.5, 8, (4, False, True)),
        (5, 2.0, 1.5, 8, (6, False, True)),
        (6, 2.0, 1.5, 8, (7, True, True)),
        (3, 0.7, 2.1, 8, (1, False, True)),
        (6, None, 1.5, 8, (6, False, False)),
        (9, 2.0, None, 8, (7, True, False)),
    ],
)
def test_time_is_linked_by_seconds_or_by_frame(
    frame: int, tr_s: float | None, other: float | None, count: int, expected: tuple[int, bool, bool]
) -> None:
    moment = linked_moment(frame, tr_s, other, count)
    assert (moment.frame, moment.ended, moment.by_seconds) == expected


def second_of(studio: Studio) -> SliceView:
    """The drawing of the second scan."""
    assert studio.comparing is not None
    drawing = studio.comparing._shown._view
    assert drawing is not None
    return drawing


def probe(studio: Studio, row: str) -> str:
    """One line of the probe."""
    assert studio.viewing is not None
    return studio.viewing._page.probe._values[row].text()


async def check_refusals(studio: Studio, folder: Path) -> None:
    """A table and a broken file: one sentence each, no comparison."""
    assert not await studio.compare(folder / "series.csv")
    told = [n for n in studio.state.notices.waiting if n.key == "compare:open"]
    assert [n.text for n in told] == ["series.csv is a table; the comparison shows 4D scans."]
    assert not await studio.compare(folder / "broken.nii")
    told = [n for n in studio.state.notices.waiting if n.key == "compare:open"]
    assert len(told) == 1
    assert "broken.nii" in told[0].text
    assert studio.state.compare.scan is None
    assert not studio.state.compare.wished


async def check_place(studio: Studio) -> None:
    """Dragging in either moves both to the same mm."""
    state, second = studio.state, second_of(studio)
    assert studio.viewing is not None
    first = studio.viewing._page.slices
    studio.pointing.point(20.0, -8.0, 12.0)
    await studio.settled()
    for drawing in (first, second):
        assert drawing._grid is not None
        mm = drawing._grid.to_mm(np.array(drawing.ijk, float))
        assert np.abs(mm - (20.0, -8.0, 12.0)).max() <= drawing._grid.zooms.max() / 2
    assert float(probe(studio, "second")) == pytest.approx(120, abs=2)
    second._step(0, 3)
    await studio.settled()
    assert state.view.crosshair_mm == (32.0, -8.0, 12.0)
    assert float(probe(studio, "value")) == pytest.approx(132, abs=3)
    assert float(probe(studio, "second")) == 132
    studio.pointing.point(500.0, 0.0, 0.0)
    await studio.settled()
    assert probe(studio, "second") == "outside this scan"
    studio.pointing.point(0.0, 0.0, 0.0)


async def check_time(studio: Studio) -> None:
    """Linked by seconds; beyond its end the last frame stays and the caption says so."""
    second = second_of(studio)
    studio.player.go(3)
    await studio.settled()
    assert probe(studio, "second") == "4 100"
    assert "frame 5 of 8" in second.caption.text()
    assert "ended" not in second.caption.text()
    studio.player.go(11)
    await studio.settled()
    assert probe(studio, "second") == "7 100"
    assert "frame 8 of 8 · ended" in second.caption.text()
    studio.player.go(0)
    await studio.settled()
    assert probe(studio, "second") == "100"


def check_looks(studio: Studio) -> None:
    """One radiological flag, one theme; names hidden in both captions."""
    second = second_of(studio)
    studio.commands.toggle_radiological()
    assert all(pane._radiological for pane in second.panes)
    studio.set_theme("light")
    assert second._theme.name == "light"
    studio.set_theme("dark")
    assert second.caption.text().startswith(SECOND)
    studio.commands.toggle_names()
    assert SECOND not in second.caption.text() + str(studio.window.jobs.model.index(0, 0).data())
    studio.commands.toggle_names()


async def check_room(studio: Studio, until: Until) -> None:
    """The brain gives way to two scans, and comes back where there is room."""
    assert studio.viewing is not None
    page, second = studio.viewing._page, second_of(studio)
    assert page.brain.isHidden()
    assert abs(page.slices.width() - second.width()) <= 1
    studio.window.resize(2400, 1000)
    await until(page.brain.isVisible)
    assert abs(page.slices.width() - second.width()) <= 1
    studio.window.resize(1280, 800)
    await until(page.brain.isHidden)


async def check_engine_back(studio: Studio, until: Until) -> None:
    """After a crash of the engine the second scan is asked for again."""
    state = studio.state
    before, info = state.compare.scan, state.engine.info
    assert info is not None
    os.kill(info.pid, signal.SIGKILL)
    await until(lambda: state.engine.status == "lost")
    assert await studio.engine_life.restart()
    await until(lambda: state.compare.scan is not before)
    studio.player.go(3)
    await studio.settled()
    assert "frame 5 of 8" in second_of(studio).caption.text()
    assert float(probe(studio, "second").replace(" ", "")) > 4000


def test_two_scans_on_one_crosshair_and_one_time(window: MainWindow, live: Live, until: Until, folder: Path) -> None:
    async def story(studio: Studio) -> None:
        state = studio.state
        assert not await studio.compare(folder / SECOND)
        assert await studio.open_path(folder / FIRST)
        await check_refusals(studio, folder)
        assert await studio.compare(folder / SECOND)
        await until(studio.window.board["compare_close"].isEnabled)
        second = second_of(studio)
        assert second.isVisible()
        await check_room(studio, until)
        await check_place(studio)
        await check_time(studio)
        check_looks(studio)
        await until(lambda: state.compare.cached)
        studio.commands.close_comparison()
        assert state.compare.scan is None
        assert second.isHidden()
        assert studio.viewing is not None
        assert studio.viewing._page.brain.isVisible()
        assert studio.viewing._page.slices.caption.text() == ""

    live(story, window)


def test_the_comparison_goes_with_the_first_scan(window: MainWindow, live: Live, until: Until, folder: Path) -> None:
    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(folder / FIRST)
        assert await studio.compare(folder / SECOND)
        assert await studio.open_path(folder / FIRST, {"space": "mni"})
        assert state.compare.scan is not None
        await check_engine_back(studio, until)
        assert await studio.open_path(folder / SECOND)
        assert state.compare.scan is None
        assert await studio.compare(folder / FIRST)
        studio.commands.close_case()
        assert state.compare.scan is None
        assert second_of(studio).isHidden()

    live(story, window)
