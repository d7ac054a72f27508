"""Facts about this installation, to paste into a question: versions, screen, graphics, engine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from datetime import datetime
from typing import Any

PACKAGES = ("PySide6_Essentials", "pyqtgraph", "vtk", "qasync", "psygnal", "numpy", "pydantic", "distributed", "torch")


def facts(engine: dict[str, Any] | None = None, graphics: str | None = None) -> dict[str, Any]:
    """Return what is known without starting anything heavy.

    Parameters
    ----------
    engine : its info, when there is one
    graphics : what :func:`opengl` said; asked now when None, which takes half a second
    """
    from PySide6.QtCore import qVersion
    from PySide6.QtGui import QGuiApplication

    from brainlm_engine import __version__

    screens = [f"{s.size().width()}x{s.size().height()} at {s.devicePixelRatio():g}" for s in QGuiApplication.screens()]
    return {
        "brainlm_studio": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "qt": qVersion(),
        "qt_platform": QGuiApplication.platformName(),
        "screens": screens,
        "display": os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "none",
        "opengl": opengl() if graphics is None else graphics,
        "packages": {name: _version(name) for name in PACKAGES},
        "engine": _readable(engine) if engine else "not connected",
    }


def _readable(engine: dict[str, Any]) -> dict[str, Any]:
    """Write moments as dates and sizes in GB."""
    shown = dict(engine)
    for name in ("memory_total", "memory_free"):
        if name in shown:
            shown[name] = f"{shown[name] / 2**30:.1f} GB"
    if "started" in shown:
        shown["started"] = datetime.fromtimestamp(shown["started"]).astimezone().isoformat(" ", "seconds")
    return shown


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def opengl() -> str:
    """Return the renderer that would draw the 3D brain, or why there is none.

    Asked in a process of its own: on some computers asking ends the process.
    """
    import subprocess

    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"none: {error}"
    return done.stdout.strip() or f"none: the test ended with {done.returncode}"


_ASK = """
import os
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow
w = vtkRenderWindow()
w.SetOffScreenRendering(1)
w.Render()
wanted = ("OpenGL renderer", "OpenGL version")
lines = [line for line in w.ReportCapabilities().splitlines() if line.startswith(wanted)]
print("; ".join(line.split(":", 1)[1].strip() for line in lines))
w.Finalize()
"""


def written(found: dict[str, Any], indent: str = "") -> str:
    """Return facts as lines of text."""
    lines = []
    for key, value in found.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{indent}{name}", written(value, indent + "  ")]
        else:
            text = ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else value
            lines.append(f"{indent}{name}: {text}")
    return "\n".join(lines)
