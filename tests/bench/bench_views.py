"""How fast the views draw at 1280 x 800, against the textbook way of drawing the same thing in the same run.

Runs without a display (``QT_QPA_PLATFORM=offscreen``, the default here) and in Xvfb
(``QT_QPA_PLATFORM=xcb xvfb-run python ...``).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QWidget

from app.theme.tokens import DARK
from app.views.brain import BrainView
from app.views.slices import SliceView
from app.views.traces import TraceView
from brainlm_engine.atlas import load_atlas, load_surfaces

FRAMES, TR = 1200, 0.72
ROUNDS = 40


class Window(QWidget):
    """The three views as they stand in the View workspace."""

    def __init__(self) -> None:
        super().__init__()
        self.atlas = load_atlas("mni424")
        rng = np.random.default_rng(0)
        self.series = rng.normal(size=(self.atlas.n_parcels, FRAMES)).astype(np.float32)
        self.volume = rng.normal(size=self.atlas.labels.shape).astype(np.float32)
        self.slices, self.brain, self.traces = SliceView(), BrainView(), TraceView()
        grid = QGridLayout(self)
        grid.addWidget(self.slices, 0, 0)
        grid.addWidget(self.brain, 0, 1)
        grid.addWidget(self.traces, 1, 0, 1, 2)
        for view in (self.slices, self.brain, self.traces):
            view.set_theme(DARK)
        self.resize(1280, 800)
        self.show()
        self.brain.set_surfaces(load_surfaces())
        atlas = self.atlas
        self.brain.set_atlas(atlas.surface_left, atlas.surface_right, atlas.labels, atlas.affine, atlas.structures)
        self.slices.set_grid(atlas.labels.shape, atlas.affine)
        self.slices.set_labels(atlas.labels)
        self.traces.set_series(self.series, TR, atlas.names, "SD")
        self.traces.set_order(np.argsort(atlas.networks), atlas.networks)
        while not (self.brain.driver and self.brain.canvas.parts.blobs) and self.brain.available:
            QApplication.processEvents()
        self.traces.show_start()

    def scrub(self, i: int) -> None:
        """One step of time: brain and slices recoloured, the cursor moved."""
        values = self.series[:, i % FRAMES]
        self.brain.set_values(values, -3, 3, "vik")
        self.slices.set_overlay(values, -3, 3, "vik")
        self.traces.set_cursor(i % FRAMES)

    def cross(self, i: int) -> None:
        """One step of the crosshair: three slices, labels, the ring on the brain."""
        x, y, z = 20 + i % 50, 30 + i % 55, 20 + (2 * i) % 50
        mm = self.atlas.affine[:3, :3] @ (x, y, z) + self.atlas.affine[:3, 3]
        self.slices.set_crosshair(mm)
        self.slices.set_slices(self.volume[x], self.volume[:, y], self.volume[:, :, z], -3, 3)
        self.brain.set_crosshair(mm)

    def pan(self, i: int) -> None:
        """All 424 traces panned and zoomed."""
        width = 900 + 10 * (i % 20)
        self.traces.set_time_range(i % 100, i % 100 + width)


def measure(step: Callable[[int], None], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median wall and CPU milliseconds of a step with everything it paints."""
    wall, cpu = [], []
    for i in range(rounds + 3):
        begin, used = time.perf_counter(), time.process_time()
        step(i)
        QApplication.processEvents()
        wall.append((time.perf_counter() - begin) * 1e3)
        cpu.append((time.process_time() - used) * 1e3)
    return statistics.median(wall[3:]), statistics.median(cpu[3:])


def line(name: str, ours: tuple[float, float], bar: float, reference: str, theirs: tuple[float, float]) -> None:
    """One row of the report."""
    print(
        f"{name:<46} {1e3 / ours[0]:6.1f} /s (bar {bar:.0f})  cpu {ours[1]:5.1f} ms  "
        f"{theirs[0] / ours[0]:4.1f}x as fast as {reference} ({1e3 / theirs[0]:.1f} /s)"
    )


def reference_scrub(window: Window) -> tuple[float, float]:
    """VTK's defaults (8 samples per pixel), window-to-image filter, one infinite line over one item per trace."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkWindowToImageFilter

    from app.views.brain_mesh import make_mesh
    from app.views.brain_scene import MeshActor

    surfaces, size = load_surfaces(), window.brain.canvas.size()
    view, renderer = vtkRenderWindow(), vtkRenderer()
    view.SetOffScreenRendering(True)
    view.SetMultiSamples(8)
    view.SetSize(size.width(), size.height())
    view.AddRenderer(renderer)
    meshes = {}
    for side in ("left", "right"):
        mesh = make_mesh(surfaces[f"pial_{side}_vertices"], surfaces[f"pial_{side}_faces"])
        meshes[side] = MeshActor(mesh)
        renderer.AddActor(meshes[side].actor)
    label, holder = QLabel(), traces_one_by_one(window.series)
    cursor = pg.InfiniteLine(0)
    holder.addItem(cursor)
    label.resize(size)
    label.show()

    def step(i: int) -> None:
        values = window.series[:, i % FRAMES]
        for side, owner in (("left", window.atlas.surface_left), ("right", window.atlas.surface_right)):
            grey = np.clip(values[np.maximum(owner, 0)] * 40 + 128, 0, 255).astype(np.uint8)
            colours = numpy_to_vtk(np.repeat(grey[:, None], 3, 1), deep=True)
            meshes[side].polydata.GetPointData().SetScalars(colours)
        view.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(view)
        grab.Update()
        data = grab.GetOutput()
        width, height, _ = data.GetDimensions()
        pixels = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()
        label.setPixmap(
            pg.QtGui.QPixmap.fromImage(QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888))
        )
        cursor.setValue(i % FRAMES)

    found = measure(step, 15)
    view.Finalize()
    label.close()
    holder.close()
    return found


def traces_one_by_one(series: Any) -> Any:
    """The textbook plot: one PlotDataItem per trace."""
    plot = pg.PlotWidget()
    plot.resize(1260, 400)
    for row, values in enumerate(series):
        plot.plot(values / 5 + row)
    plot.show()
    return plot


def reference_crosshair(window: Window) -> tuple[float, float]:
    """Three pyqtgraph ImageViews given a new picture each."""
    views = [pg.ImageView() for _ in range(3)]
    for view in views:
        view.resize(210, 390)
        view.show()

    def step(i: int) -> None:
        x, y, z = 20 + i % 50, 30 + i % 55, 20 + (2 * i) % 50
        for view, values in zip(views, (window.volume[x], window.volume[:, y], window.volume[:, :, z]), strict=True):
            view.setImage(values)

    found = measure(step, 15)
    for view in views:
        view.close()
    return found


def reference_pan(window: Window) -> tuple[float, float]:
    """One PlotDataItem per trace, panned the same way."""
    plot = traces_one_by_one(window.series)
    found = measure(lambda i: plot.setXRange(i % 100, i % 100 + 900 + 10 * (i % 20), padding=0), 15)
    plot.close()
    return found


def main() -> int:
    """Print one row per figure."""
    app = QApplication.instance() or QApplication(sys.argv)
    window = Window()
    QApplication.processEvents()
    print(f"{window.width()} x {window.height()}, {app.platformName()}, {window.brain.driver or window.brain.reason}")  # type: ignore[attr-defined]
    size = window.brain.canvas.size()
    before = window.brain.canvas.frames
    scrub = measure(window.scrub)
    drawn = window.brain.canvas.frames - before
    sharp = "full resolution" if window.brain.canvas.sharp else "reduced resolution while moving"
    print(f"brain {size.width()} x {size.height()} px, {drawn} of {ROUNDS + 3} pictures drawn, {sharp}")
    window.brain.set_layout("panels")
    panels = measure(window.scrub)
    window.brain.set_layout("whole")
    textbook = reference_scrub(window)
    line("time scrub: brain, slices, trace cursor", scrub, 25, "VTK defaults + one item per trace", textbook)
    line("time scrub, four views and deep panels", panels, 25, "VTK defaults + one item per trace", textbook)
    line(
        "crosshair: three slices, ring on the brain",
        measure(window.cross),
        30,
        "three ImageViews",
        reference_crosshair(window),
    )
    textbook = reference_pan(window)
    window.traces.show_start()
    line("pan/zoom, readable rows of 424 x 1200", measure(window.pan), 40, "one item per trace, all rows", textbook)
    window.traces.show_all_rows()
    line("pan/zoom, all 424 x 1200", measure(window.pan), 40, "one item per trace", textbook)
    window.brain.finalize()
    return 0


if __name__ == "__main__":
    sys.exit(main())
