"""Is there a screen? If not, which way the window can still be drawn."""

from __future__ import annotations

import os
import shutil
import sys


def has_display() -> bool:
    """Tell whether a window can be shown to a person."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def draw_without_display() -> None:
    """Prepare this process to draw the real window where there is no screen.

    With Xvfb the program starts itself again inside a virtual X display (this call then does not return); without it
    Qt draws to memory and VTK goes through EGL. Does nothing when there is a screen.
    """
    if has_display() or os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        _use_egl_if_offscreen()
        return
    xvfb_run = shutil.which("xvfb-run")
    if xvfb_run and shutil.which("Xvfb") and shutil.which("xauth"):
        screen = ["-a", "-s", "-screen 0 2560x1440x24 +extension GLX"]
        command = [xvfb_run, *screen, sys.executable, "-m", "app", *sys.argv[1:]]
        os.execv(xvfb_run, command)  # noqa: S606  (our own program again, no shell)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    _use_egl_if_offscreen()


def _use_egl_if_offscreen() -> None:
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen" and not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
