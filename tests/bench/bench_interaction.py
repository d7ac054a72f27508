"""The whole chain as a person feels it: open, prepare, scrub, drag and reconstruct in the real window.

    python tests/bench/bench_interaction.py [SCAN]          (needs a screen, or xvfb-run, or QT_QPA_PLATFORM=offscreen)

Without SCAN the demo case is made in a temporary home. Prints the longest time the window was blocked, frames per
second while scrubbing and crosshair updates per second, each beside its bar and a named reference of the same run.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.controllers.studio import Studio

SIZE = (1280, 800)
DRAGS = 200
PLAY_S = 6.0
REST_S = 3.0
FIRST_PAINT_S = 0.4


async def _measure(studio: Studio, scan: str | None) -> list[tuple[str, str, str, str]]:
    from app.tour.pulse import Pulse

    await asyncio.sleep(REST_S)  # the window has been on screen for a moment: its start is bench_startup.py's matter
    pulse = Pulse(studio.window)
    state = studio.state
    with pulse.phase("open"):
        assert await (studio.open_path(scan) if scan else studio.open_demo())
    with pulse.phase("first paint of View"):
        await asyncio.sleep(FIRST_PAINT_S)
    with pulse.phase("prepare"):
        assert await studio.prepared()
        while not state.case.cached:
            await asyncio.sleep(0.02)
    studio.show_workspace("view")
    await studio.settled()
    await asyncio.sleep(1.0)

    whole = []
    for _ in range(5):
        began = time.perf_counter()
        studio.window.grab()
        whole.append(time.perf_counter() - began)

    with pulse.phase("scrub"):
        scrub = await _painted_per_second(studio)

    began = time.perf_counter()
    with pulse.phase("crosshair"):
        for i in range(DRAGS):
            studio.pointing.point(-40 + 0.4 * i, -60 + 0.5 * i, 10 + 0.1 * (i % 40))
            await studio.settled()
            await asyncio.sleep(0)
    drag = DRAGS / (time.perf_counter() - began)

    studio.show_workspace("model")
    with pulse.phase("first paint of Model"):
        await asyncio.sleep(FIRST_PAINT_S)
    with pulse.phase("reconstruct"):
        await studio.reconstruct()
        while state.model.result is None and not state.model.problem:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.5)

    reference = _nibabel_updates(Path(state.case.path), state.case.scan.info.shape)
    repaint = 1 / statistics.median(whole)
    rows = [
        ("scrub: brain, slices, traces", f"{scrub:.1f} /s", ">= 25 /s", f"{scrub / repaint:.2f}x window.grab()"),
        ("crosshair drag, cached", f"{drag:.1f} /s", ">= 30 /s", f"{drag / reference:.1f}x nibabel slicing the file"),
    ]
    for phase in pulse.gaps_ms:
        gaps = sorted(pulse.gaps_ms[phase])
        beats = f"median {statistics.median(gaps):.1f} ms, 99 % {gaps[int(0.99 * (len(gaps) - 1))]:.0f} ms"
        rows.append(
            (
                f"longest block: {phase}",
                f"{pulse.longest_ms(phase):.0f} ms",
                "" if "paint" in phase else "< 50 ms",
                beats,
            )
        )
    return rows


async def _painted_per_second(studio: Studio) -> float:
    """Play so fast that every tick of the clock is another frame; count how often a new picture is really painted."""
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication

    canvas = studio.brains[0].canvas

    class Count(QObject):
        painted = 0

        drawn = 0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if watched is canvas and event.type() is QEvent.Type.Paint and canvas.frames != self.drawn:
                self.painted, self.drawn = self.painted + 1, canvas.frames
            return False

    count = Count()
    QApplication.instance().installEventFilter(count)
    studio.state.view.speed = 60 * studio.state.case.tr_s
    studio.state.view.playing = True
    await asyncio.sleep(1.0)
    before, began = count.painted, time.perf_counter()
    await asyncio.sleep(PLAY_S)
    rate = (count.painted - before) / (time.perf_counter() - began)
    studio.state.view.playing = False
    QApplication.instance().removeEventFilter(count)
    await studio.settled()
    return rate


def _nibabel_updates(path: Path, shape: tuple[int, ...]) -> float:
    """Crosshair updates per second by slicing the file with nibabel: three slices and one voxel over time."""
    import nibabel as nib

    image = nib.load(path)
    began = time.perf_counter()
    i, j, k, t = (n // 2 for n in shape)
    for part in ((i, slice(None), slice(None), t), (slice(None), j, slice(None), t), (slice(None), slice(None), k, t)):
        image.dataobj[part]
    image.dataobj[i, j, k]
    return 1 / (time.perf_counter() - began)


async def _run(scan: str | None) -> list[tuple[str, str, str, str]]:
    from PySide6.QtWidgets import QApplication

    from app import theme
    from app.__main__ import build_parser
    from app.bootstrap import begin, load_studio, show_window

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    options = build_parser().parse_args(["--size", f"{SIZE[0]}x{SIZE[1]}"])
    window = show_window(application, options)
    studio = await load_studio(window, options)
    await begin(studio)
    assert theme.current() is not None
    rows = await _measure(studio, scan)
    await studio.close()
    return rows


def main() -> int:
    """Measure and print a table."""
    scan = str(Path(sys.argv[1]).absolute()) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as home:
        os.environ["BRAINLM_HOME"] = home
        from app.bootstrap import choose_platform, make_application

        choose_platform(quiet=True)
        import qasync

        application = make_application()
        application.setQuitOnLastWindowClosed(False)
        loop = qasync.QEventLoop(application)
        asyncio.set_event_loop(loop)
        with loop:
            rows = loop.run_until_complete(_run(scan))
    print(f"window {SIZE[0]}x{SIZE[1]}, platform {application.platformName()}")
    for row in rows:
        print(f"{row[0]:36s} {row[1]:>12s}  bar {row[2]:>9s}  {row[3]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
