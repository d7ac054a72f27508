"""How long until the window is on screen, and what was imported for it.

Each start is a process of its own, measured from just before it is made to the first paint; the reference of the same
run is an empty QMainWindow started the same way. Prints medians, their ratio, and every module that must not be there.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

STARTS = 7
BAR_S = 1.0
FORBIDDEN = ("torch", "nilearn", "sklearn", "pandas", "vtk", "scipy", "nibabel")
BEFORE_PAINT = ("numpy", "pyqtgraph", "vtkmodules", "pydantic", "distributed", "qasync")

EMPTY = """
import sys, time
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        print(time.time() - float(sys.argv[1]), flush=True)
        application.quit()
application = QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
application.exec()
"""

STUDIO = """
import sys, time
from app.__main__ import build_parser
from app import bootstrap
from app.views.main_window import MainWindow
import app.views.main_window
began, names = float(sys.argv[1]), sys.argv[2].split(",")
made = MainWindow.__init__
def init(self):
    made(self)
    self.painted.connect(lambda: print(time.time() - began, *(n for n in names if n in sys.modules), flush=True))
MainWindow.__init__ = init
options = build_parser().parse_args(["--size", "1280x800"])
application = bootstrap.make_application()
window = bootstrap.show_window(application, options)
application.processEvents()
"""


def start(code: str, home: str) -> tuple[float, list[str]]:
    """Start ``code`` once; return seconds to the first paint and the forbidden modules found."""
    env = {**os.environ, "BRAINLM_HOME": home}
    if not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        env.setdefault("QT_QPA_PLATFORM", "offscreen")
    names = ",".join((*FORBIDDEN, *BEFORE_PAINT))
    done = subprocess.run(
        [sys.executable, "-c", code, repr(time.time()), names], env=env, capture_output=True, text=True, check=True
    )
    first, *found = done.stdout.split()
    return float(first), found


def main() -> int:
    """Print the figures; 1 when a forbidden module was imported."""
    with tempfile.TemporaryDirectory() as home:
        for code in (EMPTY, STUDIO):
            start(code, home)
        empty, studio, found = [], [], set()
        for _ in range(STARTS):
            empty.append(start(EMPTY, home)[0])
            seconds, modules = start(STUDIO, home)
            studio.append(seconds)
            found |= set(modules)
    reference, ours = statistics.median(empty), statistics.median(studio)
    print(f"window on screen (warm, median of {STARTS}): {ours:.2f} s, bar {BAR_S:.1f} s")
    print(f"empty QMainWindow, same run: {reference:.2f} s; ratio {ours / reference:.2f}")
    print(f"modules that must not be there: {', '.join(sorted(found)) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
