"""From the command line to the first paint, and only then the rest."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.display import draw_without_display, has_display
from app.services import storage
from app.text import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.controllers.studio import Studio
    from app.views.main_window import MainWindow


def run(options: argparse.Namespace) -> int:
    """Show the window and run until it is closed; or print facts, or make the tour."""
    gc.disable()  # until begin() is through: imports make a hundred thousand objects that stay
    if options.tour is not None:
        draw_without_display()
    if not choose_platform(quiet=options.diagnose):
        sys.stderr.write(tr("app.no_display") + "\n")
        return 2
    try:
        app = make_application()
    except ImportError as error:
        sys.stderr.write(tr("app.no_qt", cause=str(error)) + "\n")
        return 2
    if options.diagnose:
        return diagnose(options)
    window = show_window(app, options)
    return run_loop(app, window, options)


def choose_platform(quiet: bool) -> bool:
    """Without a display draw into memory when nobody needs to see it; False when somebody does.

    Must be called before the first Qt and the first VTK import.
    """
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if has_display() and chosen not in ("offscreen", "minimal"):
        return True
    if not chosen:
        if not quiet:
            return False
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not has_display():
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    return True


def make_application() -> QApplication:
    """Return the Qt application."""
    from PySide6.QtWidgets import QApplication

    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("BrainLM Studio")
    app.setDesktopFileName("brainlm-studio")
    return app


def show_window(app: QApplication, options: argparse.Namespace) -> MainWindow:
    """Show the window in the look it had last time."""
    from app import theme
    from app.views.main_window import MainWindow

    look: dict[str, Any] = storage.read(storage.WINDOW)
    theme.apply(options.theme or str(look.get("theme", "dark")), app)
    window = MainWindow()
    window.set_theme(theme.current())
    window.resize(*(options.size or _saved_size(look)))
    window.board.refresh(None)
    window.show_page("cases")
    if options.size is None and look.get("maximised"):
        window.showMaximized()
    else:
        window.show()
    app.processEvents()
    return window


def _saved_size(look: dict[str, Any]) -> tuple[int, int]:
    size = look.get("size")
    if isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and 320 <= n <= 16384 for n in size):
        return size[0], size[1]
    return 1280, 800


def run_loop(app: QApplication, window: MainWindow, options: argparse.Namespace) -> int:
    """Run asyncio on Qt's loop until the window is closed."""
    import qasync

    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        return int(loop.run_until_complete(_live(window, options)))


async def _live(window: MainWindow, options: argparse.Namespace) -> int:
    studio = await load_studio(window, options)
    sys.excepthook = lambda _kind, error, _trace: studio.tell_failure(error)
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: studio.tell_failure(context.get("exception") or RuntimeError(context["message"]))
    )
    if options.tour is not None:
        await begin(studio)
        tour = importlib.import_module("app.tour")
        code = int(await tour.run(studio, options.tour))
        await studio.close()
        return code
    studio.start(begin(studio), tr("app.name"))
    await studio.closed.wait()
    return 0


async def begin(studio: Studio) -> None:
    """Build the pages and find the engine; then free Python's collector of everything that is there to stay.

    A full collection looks at every object and would stop the window for 60 ms at some moment of its own choosing;
    with the start's objects set aside it takes a few.
    """
    try:
        await studio.begin()
    finally:
        gc.freeze()
        gc.enable()


async def load_studio(window: MainWindow, options: argparse.Namespace) -> Studio:
    """Import state and controllers in a thread, so that the window answers meanwhile, and join them to it."""
    module = await asyncio.to_thread(importlib.import_module, "app.controllers.studio")
    touring = options.tour is not None
    chosen = module.Options(
        paths=tuple(str(Path(path).absolute()) for path in options.paths),
        no_3d=options.no_3d,
        address=options.engine,
        theme=options.theme,
        demo=options.demo,
        offer_session=not touring and not options.demo,
    )
    studio: Studio = module.Studio(window, chosen)
    look = storage.read(storage.WINDOW)
    mood = str(look.get("mood", "review"))
    studio.shell.set_mood(mood if mood in ("review", "lab") else "review")
    if isinstance(look.get("layout"), str) and not touring and options.size is None:
        window.restore_layout(look["layout"])
    studio.state.shell.put(panel=bool(look.get("panel", True)), docks=window.visible_docks())
    return studio


def diagnose(options: argparse.Namespace) -> int:
    """Print facts about this installation; the engine is asked when it runs, never started."""
    from app.services.diagnosis import facts, written

    sys.stdout.write(written(facts(asyncio.run(_engine_info(options.engine)))) + "\n")
    return 0


async def _engine_info(address: str | None) -> dict[str, Any] | None:
    from brainlm_engine.api.client import EngineClient
    from brainlm_engine.api.errors import EngineError

    try:
        client = await EngineClient.connect(address, start=False)
    except EngineError:
        return None
    info = (await client.info()).model_dump()
    await client.close()
    return info
