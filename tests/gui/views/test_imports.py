"""The window must be on screen before heavy libraries are imported."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import app.views.brain, app.views.slices, app.views.traces, app.views.carpet, app.views.timebar
heavy = ("vtkmodules", "vtk", "torch", "nilearn", "sklearn", "pandas", "matplotlib", "nibabel", "scipy")
print(sorted(name for name in heavy if name in sys.modules))
"""


def test_views_import_without_vtk() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"
