"""The brain view: cortex coloured by parcel, subcortex and cerebellum with it, a colour bar with its unit.

Drag turns, the wheel zooms, Shift-drag moves, a click chooses a parcel and moves the crosshair; keys 1 to 6 look from
the six sides, 7 switches to four views. Without OpenGL, or when asked, parcels are shown as discs in flat projections.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.brain_actors import BrainActors
from app.views.brain_camera import VIEWS
from app.views.brain_canvas import BrainCanvas
from app.views.brain_flat import FlatBrain, centres
from app.views.brain_loader import BrainLoader, Loaded
from app.views.brain_parts import DEEP, BrainParts, Surface
from app.widgets.colour_bar import ColourBar
from app.widgets.colour_map import colour_map, hex_rgb, symmetric

Array = NDArray[Any]
log = logging.getLogger(__name__)


class BrainView(QWidget):
    """A brain a person can turn, with one colour per parcel.

    Parameters
    ----------
    no_3d : never touch OpenGL, show the flat projections

    Attributes
    ----------
    available : 3D works (True until it turns out otherwise)
    reason : why not, one sentence
    """

    parcel_clicked = Signal(int)
    crosshair_requested = Signal(float, float, float)
    layout_changed = Signal(str)
    """'whole' or 'panels', also when changed by a key"""
    availability_changed = Signal(bool)
    grip_pulled = Signal(float, bool)
    """pixels upwards since a parcel of :meth:`set_grips` was grasped, and whether Shift is held"""
    grip_released = Signal()

    def __init__(self, no_3d: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.available = not no_3d
        self.reason = tr("brain.reason_asked") if no_3d else ""
        self._theme = DARK
        self._parts = BrainParts()
        self._actors = BrainActors(self._parts)
        self._values: Array | None = None
        self._range = (-1.0, 1.0)
        self._cmap = "vik"
        self._colours: Array | None = None
        self._selected: tuple[int, ...] = ()
        self._n_parcels = 0
        self._scene: Any = None
        self._revision = 0
        self._closed = False
        self.canvas = BrainCanvas(self._parts, self)
        self.flat = FlatBrain(self)
        self.bar = ColourBar(self)
        self._loader = BrainLoader(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget, stretch in ((self.canvas, 1), (self.flat, 1), (self.bar, 0)):
            row.addWidget(widget, stretch)
        self.setAutoFillBackground(True)
        self._connect()
        self._show_fallback(not self.available, tr("brain.off_asked"))
        self.set_theme(DARK)

    def _connect(self) -> None:
        for source in (self.canvas, self.flat):
            source.parcel_clicked.connect(self.parcel_clicked)
            source.crosshair_requested.connect(self.crosshair_requested)
            source.step_requested.connect(self._step)
        self.canvas.layout_changed.connect(self.layout_changed)
        self.canvas.grip_pulled.connect(self.grip_pulled)
        self.canvas.grip_released.connect(self.grip_released)
        self._loader.loaded.connect(self._take_loaded)
        self._loader.failed.connect(self._give_up)
        self.destroyed.connect(_Closer(self.__dict__))

    # ---------------------------------------------------------------- data

    def set_surfaces(self, arrays: Mapping[str, Array]) -> None:
        """fsaverage5 meshes: ``{pial,inflated}_{left,right}_{vertices,faces}``, ``sulc_{left,right}``; MNI mm."""
        self._parts.set_surfaces(arrays)
        self._actors.forget()
        self._rebuild()
        QTimer.singleShot(0, self, self._rehearse)

    def set_atlas(
        self, surface_left: Array, surface_right: Array, labels: Array, affine: Array, structures: Sequence[str]
    ) -> None:
        """Which parcel is where.

        Parameters
        ----------
        surface_left, surface_right : (10242,) int16 parcel per vertex, -1 = none
        labels : (X, Y, Z) int16, 0 = none, value - 1 = parcel
        affine : (4, 4) voxel to MNI mm
        structures : 'cortex', 'subcortex' or 'cerebellum' per parcel
        """
        self._n_parcels = len(structures)
        self._parts.set_parcels(surface_left, surface_right, {})
        self._actors.forget(DEEP)
        self._revision += 1
        if self.available:
            self._loader.load(self._revision, np.asarray(labels), np.asarray(affine), np.array(structures))
        else:
            self.flat.set_centres(centres(np.asarray(labels), np.asarray(affine), self._n_parcels))
        self._atlas = (np.asarray(labels), np.asarray(affine))
        self.set_selected(())
        self._rebuild()

    def set_values(self, values: Array | None, lo: float = -1.0, hi: float = 1.0, cmap: str = "vik") -> None:
        """Colour the parcels.

        Parameters
        ----------
        values : (V,) float, NaN = grey; None takes all colour away
        lo, hi : ends of the colour map; a diverging map is made symmetric about zero
        cmap : name of a palette
        """
        self._values = None if values is None else np.asarray(values, np.float32)
        self._colours = None
        self._range = symmetric(lo, hi) if colour_map(cmap).diverging else (lo, hi)
        self._cmap = cmap
        if values is None:
            self.bar.clear()
        else:
            self.bar.set_range(*self._range, cmap)
        self.canvas.in_motion()
        self._repaint_parts()

    def set_colours(self, rgb: Array) -> None:
        """Colour the parcels by kind rather than by value: (V, 3) uint8."""
        self.set_values(None)
        self._colours = np.asarray(rgb, np.uint8)
        self._repaint_parts()

    def set_selected(self, parcels: Iterable[int]) -> None:
        """Outline these parcels."""
        self._selected = tuple(int(parcel) for parcel in parcels)
        self.flat.set_selected(frozenset(self._selected))
        self._draw_outlines()

    def set_grips(self, parcels: Iterable[int]) -> None:
        """Let a drag that begins on one of these parcels pull it up or down rather than turn the brain."""
        self.canvas.grips = frozenset(int(parcel) for parcel in parcels)

    def set_surface(self, name: Surface) -> None:
        """'pial' (as in life) or 'inflated' (sulci opened)."""
        if name != self._parts.surface:
            self._parts.surface = name
            self._rebuild()
            self._draw_outlines()

    def set_crosshair(self, mm: Sequence[float] | None) -> None:
        """Place of the crosshair in MNI mm, None hides it."""
        self.canvas.over.crosshair = None if mm is None else np.asarray(mm, np.float64)
        self.canvas.update()

    # ---------------------------------------------------------------- looks

    def view_from(self, side: Literal["left", "right", "front", "back", "top", "bottom"]) -> None:
        """One of the six preset views."""
        if side not in VIEWS:
            raise KeyError(side)
        self.canvas.look_from(side)

    def set_layout(self, name: Literal["whole", "panels"]) -> None:
        """'whole' for one large brain, 'panels' for lateral and medial views side by side."""
        self.canvas.set_layout_name(name)

    def set_title(self, text: str) -> None:
        """What the colours are, e.g. 'Measured' or 'R² of hidden patches'."""
        self.canvas.over.title = self.flat.title = text
        self.canvas.update()
        self.flat.update()

    def set_unit(self, text: str) -> None:
        """Unit on the colour bar."""
        self.bar.set_unit(text)

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name."""
        self._theme = THEMES[theme] if isinstance(theme, str) else theme
        for widget in (self.canvas, self.flat, self.bar):
            widget.set_theme(self._theme)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), self._theme.canvas)
        self.setPalette(palette)
        self._repaint_parts()
        self._draw_outlines()

    @property
    def driver(self) -> str:
        """Graphics driver in words, '' before the first picture."""
        return str(self._scene.renderer_name) if self._scene is not None else ""

    def finalize(self) -> None:
        """Give the graphics memory back; called by itself when the widget is destroyed."""
        self._loader.wait()
        _Closer(self.__dict__)()

    # ---------------------------------------------------------------- loading

    def prepare(self) -> None:
        """Load VTK and compile its shaders now, so that the first scan does not pay for them."""
        if self.available and self._scene is None and not self._closed:
            self._loader.start()

    def _rehearse(self) -> None:
        """Draw once while nobody looks: meshes go to the graphics memory now and not when the first scan opens."""
        if self._scene is not None and self._parts.ready and not self._closed and not self.isVisible():
            self.canvas.rehearse()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to load VTK once the widget is on screen; what stands there until then is a sentence."""
        super().showEvent(event)
        QTimer.singleShot(0, self.prepare)

    def _take_loaded(self, result: Loaded) -> None:
        """VTK is imported and perhaps an atlas is meshed; drawing begins here, in the GUI thread."""
        if self._closed or not self.available:
            return
        if self._scene is None:
            try:
                self._scene = result.scene_module.BrainScene()
                self._scene.warm_up()
            except RuntimeError as error:
                self._give_up(str(error))
                return
            self.canvas.message = tr("brain.no_surfaces")
            self.canvas.attach(self._scene, self._actors)
            QTimer.singleShot(0, self, self._rehearse)
        if result.blobs is not None and result.revision == self._revision:
            self._parts.set_blobs(result.blobs)
            self._actors.forget(DEEP)
            self._rebuild()
            self._draw_outlines()

    def _give_up(self, detail: str) -> None:
        if self._closed or not self.available:
            return
        self.available = False
        self.reason = tr("brain.reason_opengl", detail=detail)
        log.warning(self.reason)
        if self._n_parcels:
            self.flat.set_centres(centres(*self._atlas, self._n_parcels))
        self._show_fallback(True, tr("brain.off_no_opengl"))
        self._repaint_parts()
        self.availability_changed.emit(False)

    def _show_fallback(self, flat: bool, message: str) -> None:
        self.canvas.setVisible(not flat)
        self.flat.setVisible(flat)
        self.flat.message = message
        self.setFocusProxy(self.flat if flat else self.canvas)

    # ---------------------------------------------------------------- drawing

    def _table(self) -> Array:
        """(V + 1, 3) uint8, row parcel + 1."""
        grey = hex_rgb(self._theme.brain_grey)
        table = np.empty((self._n_parcels + 1, 3), np.uint8)
        table[:] = grey
        if self._colours is not None:
            count = min(len(self._colours), self._n_parcels)
            table[1 : count + 1] = self._colours[:count]
        elif self._values is not None:
            count = min(len(self._values), self._n_parcels)
            table[1 : count + 1] = colour_map(self._cmap).rgb(self._values[:count], *self._range, nan=grey)
        return table

    def _repaint_parts(self) -> None:
        table = self._table()
        if self.available:
            self._actors.paint(table)
            self.canvas.redraw()
        else:
            self.flat.set_colours(table[1:])

    def _draw_outlines(self) -> None:
        self.canvas.over.marks = self._actors.outline(self._selected, hex_rgb(self._theme.text))
        self.canvas.redraw()

    def _rebuild(self) -> None:
        self._repaint_parts()
        self.canvas.replace_panels()

    def _step(self, by: int) -> None:
        """Keyboard: the next or previous parcel."""
        if self._n_parcels:
            start = self._selected[-1] if self._selected else (-1 if by > 0 else 0)
            self.parcel_clicked.emit((start + by) % self._n_parcels)


class _Closer:
    """Frees the scene of a widget that may already be gone: holds its attributes, not the widget."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes

    def __call__(self, *_args: object) -> None:
        attributes = self._attributes
        attributes["_closed"] = True
        scene, attributes["_scene"] = attributes.get("_scene"), None
        if scene is not None:
            scene.close()
