"""Starting the program: what it imports, what it says without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import build_parser

FORBIDDEN = ("torch", "nilearn", "sklearn", "pandas", "nibabel", "scipy", "vtk", "matplotlib")
BEFORE_PAINT = (*FORBIDDEN, "numpy", "pyqtgraph", "vtkmodules", "pydantic", "distributed", "qasync")

WINDOW_ONLY = """
import sys
from app.__main__ import build_parser
from app import bootstrap
options = build_parser().parse_args(["--size", "1000x700"])
application = bootstrap.make_application()
window = bootstrap.show_window(application, options)
print(*(name for name in sys.argv[1].split(",") if name in sys.modules))
"""

WHOLE = """
import asyncio, sys
import qasync
from app.__main__ import build_parser
from app import bootstrap
options = build_parser().parse_args(["--size", "1000x700"])
application = bootstrap.make_application()
window = bootstrap.show_window(application, options)
loop = qasync.QEventLoop(application)
asyncio.set_event_loop(loop)

async def story():
    studio = await bootstrap.load_studio(window, options)
    await studio.begin()
    assert studio.engine.state.status == "ready", studio.engine.state.problem
    for _ in range(100):
        await asyncio.sleep(0.05)
        if studio.brains[0].driver:
            break
    print(*(name for name in sys.argv[1].split(",") if name in sys.modules))
    await studio.engine.client.stop_engine()
    await studio.close()

with loop:
    loop.run_until_complete(story())
"""


def run(code: str, names: tuple[str, ...], home: Path) -> str:
    """Run ``code`` in a process of its own and return what it printed."""
    settings = {
        "QT_QPA_PLATFORM": "offscreen",
        "BRAINLM_HOME": str(home),
        "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, ",".join(names)],
        env={**os.environ, **settings},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_heavy_before_the_first_paint(tmp_path: Path) -> None:
    assert run(WINDOW_ONLY, BEFORE_PAINT, tmp_path) == ""


def test_the_engines_libraries_never_enter_the_window(tmp_path: Path) -> None:
    assert run(WHOLE, FORBIDDEN, tmp_path) == ""


def start(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start ``brainlm-studio`` without a display."""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    env |= {"BRAINLM_HOME": str(home), **settings}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], env=env, check=False, capture_output=True, text=True, timeout=120
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_it_says_what_is_missing(tmp_path: Path) -> None:
    done = start(home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "display" in done.stderr


def test_diagnose_works_without_a_display(tmp_path: Path) -> None:
    done = start("--diagnose", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "opengl:" in done.stdout
    assert "engine: not connected" in done.stdout


@pytest.mark.parametrize("size", ["huge", "10x10", "1280", "1280x"])
def test_a_wrong_size_is_one_sentence(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["--size", size])
    assert end.value.code == 2
    assert "is no size" in capsys.readouterr().err


CLOSED = """
import sys
from PySide6.QtCore import QTimer
from app import bootstrap
from app.__main__ import build_parser
from app.controllers.studio import Studio

begin = Studio.begin
async def begin_and_close(self):
    await begin(self)
    client = self.engine.client
    QTimer.singleShot(100, self.window.close)
    import asyncio
    await asyncio.sleep(0)
    await client.stop_engine()
Studio.begin = begin_and_close
sys.exit(bootstrap.run(build_parser().parse_args(["--no-3d"])))
"""


def test_closing_the_window_ends_the_program(tmp_path: Path) -> None:
    assert run(CLOSED, (), tmp_path) == ""
    assert (tmp_path / "settings" / "window.json").exists()
