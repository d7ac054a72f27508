"""The brain drawn by VTK into memory: meshes in, RGBA pixels out. No window, no widget, no interactor.

Off-screen rendering into an image is the one way that works on X11, Wayland, without a display and in ``grab()``.
Renders must happen in the GUI thread; :meth:`BrainScene.close` must be called, VTK keeps 8 MB otherwise.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  (registers the OpenGL classes)
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints, vtkStringOutputWindow, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow

from app.text import tr
from app.views.brain_camera import Camera
from app.views.brain_layout import Panel
from app.views.brain_mesh import Mesh, make_mesh

Array = NDArray[Any]


#: VTK's last resorts when no driver answers: the base class draws nothing, the OSMesa one ends in a crash
UNUSABLE = frozenset({"vtkOSOpenGLRenderWindow", "vtkRenderWindow"})


class NoOpenGL(RuntimeError):
    """3D drawing does not work on this computer; the text says why."""


class MeshActor:
    """A mesh on the graphics card whose colours, light included, can be replaced at every frame."""

    def __init__(self, mesh: Mesh, *, hide_back: bool = True) -> None:
        self.mesh = mesh
        self.polydata = _polydata(mesh)
        self._colours = numpy_to_vtk(np.full((len(mesh.vertices), 3), 160, np.uint8), deep=True)
        self.polydata.GetPointData().SetScalars(self._colours)
        self._pixels = vtk_to_numpy(self._colours)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self.polydata)
        mapper.SetColorModeToDirectScalars()
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        surface = self.actor.GetProperty()
        surface.LightingOff()
        surface.SetBackfaceCulling(hide_back)

    def paint(self, colours: Array) -> None:
        """(n, 3) uint8, one per vertex."""
        self._pixels[:] = colours
        self._colours.Modified()
        self.polydata.Modified()


class OutlineActor:
    """Line segments in one colour, e.g. round the selected parcels."""

    def __init__(self, width: float = 2.5) -> None:
        self.polydata = vtkPolyData()
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self.polydata)
        mapper.ScalarVisibilityOff()
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.GetProperty().SetLineWidth(width)
        self.actor.GetProperty().LightingOff()
        self.actor.SetVisibility(False)

    def draw(self, ends: Array, rgb: tuple[int, int, int]) -> None:
        """(2 * segments, 3) end points in pairs; none hides the outline."""
        self.actor.SetVisibility(len(ends) > 0)
        points = vtkPoints()
        points.SetData(numpy_to_vtk(np.ascontiguousarray(ends, np.float32), deep=True))
        lines = vtkCellArray()
        pairs = np.arange(len(ends), dtype=np.int64)
        lines.SetData(2, numpy_to_vtkIdTypeArray(pairs, deep=True))
        self.polydata.SetPoints(points)
        self.polydata.SetLines(lines)
        self.polydata.Modified()
        self.actor.GetProperty().SetColor(*(channel / 255 for channel in rgb))


def _polydata(mesh: Mesh) -> vtkPolyData:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.faces.astype(np.int64).ravel(), deep=True))
    polydata = vtkPolyData()
    polydata.SetPoints(points)
    polydata.SetPolys(cells)
    return polydata


class BrainScene:
    """An off-screen render window with one renderer per panel."""

    def __init__(self) -> None:
        _choose_window_class()
        self._messages = vtkStringOutputWindow()
        vtkStringOutputWindow.SetInstance(self._messages)
        self._window = vtkRenderWindow()
        if self._window.GetClassName() in UNUSABLE:
            raise NoOpenGL(_first_line(self._messages.GetOutput()) or tr("brain.no_driver"))
        self._window.SetOffScreenRendering(True)
        self._window.SetShowWindow(False)
        self._window.SetMultiSamples(0)
        self._window.SetSwapBuffers(False)
        self._renderers: dict[str, vtkRenderer] = {}
        self._bytes = vtkUnsignedCharArray()
        self._background = (0, 0, 0)
        self._backdrop = vtkRenderer()  # clears what no panel covers
        self._backdrop.SetBackgroundAlpha(1.0)
        self._window.AddRenderer(self._backdrop)
        self.frames = 0
        if not self._window.SupportsOpenGL():
            reason = _first_line(self._messages.GetOutput()) or tr("brain.no_driver")
            self.close()
            raise NoOpenGL(reason)

    @property
    def renderer_name(self) -> str:
        """Graphics driver in words, e.g. for the diagnosis."""
        for line in str(self._window.ReportCapabilities()).splitlines():
            if "renderer string" in line:
                return line.split(":", 1)[1].strip()
        return ""

    def set_background(self, rgb: tuple[int, int, int]) -> None:
        """Colour behind the brain."""
        self._background = rgb
        for renderer in (self._backdrop, *self._renderers.values()):
            renderer.SetBackground(*(channel / 255 for channel in rgb))

    def set_resolution(self, size: tuple[int, int], ratio: float) -> None:
        """Draw ``size`` widget pixels with ``ratio`` device pixels each."""
        width, height = round(size[0] * ratio), round(size[1] * ratio)
        if (width, height) != tuple(self._window.GetSize()):
            self._window.SetSize(width, height)

    def set_panels(
        self, panels: Sequence[Panel], actors: Mapping[str, Sequence[vtkActor]], size: tuple[int, int]
    ) -> None:
        """Place one renderer per panel in a picture of ``size`` widget pixels."""
        width, height = size
        for key in set(self._renderers) - {panel.key for panel in panels}:
            self._window.RemoveRenderer(self._renderers[key])
            self._renderers.pop(key).RemoveAllViewProps()
        for panel in panels:
            renderer = self._renderers.get(panel.key) or self._new_renderer(panel.key)
            x, y, w, h = panel.box
            low, high = 1 - (y + h) / height, 1 - y / height
            renderer.SetViewport(max(x / width, 0), max(low, 0), min((x + w) / width, 1), min(high, 1))
            renderer.RemoveAllViewProps()
            for actor in actors.get(panel.key, ()):
                renderer.AddActor(actor)

    def _new_renderer(self, key: str) -> vtkRenderer:
        renderer = vtkRenderer()
        renderer.SetBackground(*(channel / 255 for channel in self._background))
        renderer.SetBackgroundAlpha(1.0)
        renderer.SetAutomaticLightCreation(False)
        renderer.GetActiveCamera().ParallelProjectionOn()
        self._window.AddRenderer(renderer)
        self._renderers[key] = renderer
        return renderer

    def look(self, panels: Sequence[Panel]) -> None:
        """Point every renderer's camera as its panel says."""
        for panel in panels:
            renderer, seen = self._renderers[panel.key], panel.camera
            right, up, toward = seen.axes()
            focus = np.array(seen.focus) - seen.pan[0] * right - seen.pan[1] * up
            camera = renderer.GetActiveCamera()
            camera.SetFocalPoint(*focus)
            camera.SetPosition(*(focus + 400.0 * toward))
            camera.SetViewUp(*up)
            camera.SetParallelScale(seen.scale)
            camera.SetClippingRange(50.0, 800.0)

    def begin(self) -> None:
        """Begin a picture; a driver without a graphics card goes on with it beside this thread."""
        self._window.Render()

    def finish(self) -> tuple[Array, int, int]:
        """Wait for the picture that was begun.

        Returns
        -------
        pixels : (height * width * 4,) uint8 view, RGBA, bottom row first; valid until the next call
        width, height : device pixels
        """
        width, height = self._window.GetSize()
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, self._bytes, 0)
        self.frames += 1
        return vtk_to_numpy(self._bytes).ravel(), width, height

    def warm_up(self) -> None:
        """Draw a triangle of every kind once: shaders are compiled now and not when the first scan opens."""
        mesh = make_mesh(10.0 * np.eye(3), np.array([[0, 1, 2]]))
        line = OutlineActor()
        line.draw(mesh.vertices[:2], (0, 0, 0))
        panel = Panel("warm-up", ("left",), (0.0, 0.0, 16.0, 16.0), Camera())
        self.set_panels([panel], {panel.key: [MeshActor(mesh).actor, line.actor]}, (16, 16))
        self.set_resolution((16, 16), 1.0)
        self.look([panel])
        self.begin()
        self.finish()

    def messages(self) -> str:
        """What VTK complained about so far."""
        return str(self._messages.GetOutput())

    def close(self) -> None:
        """Give the graphics memory back. The scene cannot be used afterwards."""
        for renderer in self._renderers.values():
            renderer.RemoveAllViewProps()
            self._window.RemoveRenderer(renderer)
        self._renderers.clear()
        self._window.RemoveRenderer(self._backdrop)
        self._window.Finalize()


def _choose_window_class() -> None:
    """Without a display VTK must be told to use EGL; its own search can end in a crash."""
    no_display = not os.environ.get("DISPLAY")
    if sys.platform.startswith("linux") and no_display:
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def _first_line(text: str) -> str:
    """The sentence of VTK's first message, without file name and address."""
    sentences = [line.split("): ", 1)[1].strip() for line in text.splitlines() if "): " in line]
    return sentences[0] if sentences else ""
