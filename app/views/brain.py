"""The brain view: cortex coloured by parcel, subcortex and cerebellum with it, a colour bar with its unit.

Drag turns, the wheel zooms, Shift-drag moves, a click chooses a parcel and moves the crosshair; keys 1 to 6 look from
the six sides, 7 switches to four views. Without OpenGL, or when asked, parcels are shown as discs in flat projections.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.brain_camera import VIEWS
from app.views.brain_canvas import BrainCanvas
from app.views.brain_flat import FlatBrain
from app.views.brain_parts import DEEP, BrainParts, Part, Surface
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
    _loaded = Signal(object)

    def __init__(self, no_3d: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.available = not no_3d
        self.reason = tr("brain.reason_asked") if no_3d else ""
        self._theme = DARK
        self._parts = BrainParts()
        self._values: Array | None = None
        self._range = (-1.0, 1.0)
        self._cmap = "vik"
        self._selected: tuple[int, ...] = ()
        self._n_parcels = 0
        self._scene: Any = None
        self._meshes: dict[tuple[str, str], Any] = {}
        self._outlines: dict[str, Any] = {}
        self._atlas_turn = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self.canvas = BrainCanvas(self._parts, self)
        self.flat = FlatBrain(self)
        self.bar = ColourBar(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget, stretch in ((self.canvas, 1), (self.flat, 1), (self.bar, 0)):
            row.addWidget(widget, stretch)
        self._connect()
        self._show_fallback(not self.available, tr("brain.off_asked"))

    def _connect(self) -> None:
        for source in (self.canvas, self.flat):
            source.parcel_clicked.connect(self.parcel_clicked)
            source.crosshair_requested.connect(self.crosshair_requested)
            source.step_requested.connect(self._step)
        self.canvas.layout_changed.connect(self.layout_changed)
        self._loaded.connect(self._finish_loading)
        self.destroyed.connect(_Closer(self.__dict__))

    # ---------------------------------------------------------------- data

    def set_surfaces(self, arrays: Mapping[str, Array]) -> None:
        """fsaverage5 meshes: ``{pial,inflated}_{left,right}_{vertices,faces}``, ``sulc_{left,right}``; MNI mm."""
        self._parts.set_surfaces(arrays)
        self._meshes.clear()
        self.canvas.message = tr("brain.preparing")
        self._load()
        self._rebuild()

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
        self._drop_meshes(DEEP)
        self.flat.set_centres(_centres(np.asarray(labels), np.asarray(affine), self._n_parcels))
        self._atlas_turn += 1
        if self.available:
            self._load((self._atlas_turn, surface_left, surface_right, labels, affine, np.array(structures)))
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
        self._range = symmetric(lo, hi) if colour_map(cmap).diverging else (lo, hi)
        self._cmap = cmap
        if values is None:
            self.bar.clear()
        else:
            self.bar.set_range(*self._range, cmap)
        self.canvas.in_motion()
        self._repaint_parts()

    def set_selected(self, parcels: Iterable[int]) -> None:
        """Outline these parcels."""
        self._selected = tuple(int(parcel) for parcel in parcels)
        self.flat.set_selected(frozenset(self._selected))
        self._draw_outlines()

    def set_surface(self, name: Surface) -> None:
        """'pial' (as in life) or 'inflated' (sulci opened)."""
        if name != self._parts.surface:
            self._parts.surface = name
            self._rebuild()
            self._draw_outlines()

    def set_crosshair(self, mm: Sequence[float] | None) -> None:
        """Place of the crosshair in MNI mm, None hides it."""
        place = None if mm is None else np.asarray(mm, np.float64)
        self.canvas.crosshair = self.flat.crosshair = place
        self.canvas.update()

    # ---------------------------------------------------------------- looks

    def view_from(self, side: Literal["left", "right", "front", "back", "top", "bottom"]) -> None:
        """One of the six preset views."""
        if side not in VIEWS:
            raise KeyError(side)
        self.canvas.look_from(side)

    def set_layout(self, name: Any) -> None:
        """'whole' for one large brain, 'panels' for lateral and medial views side by side."""
        if not isinstance(name, str):  # QWidget's own setLayout has another name; be strict about ours
            raise TypeError(name)
        self.canvas.set_layout_name(name)

    def set_deep_visible(self, visible: bool) -> None:
        """Show or hide subcortex and cerebellum."""
        self.canvas.deep = visible
        self.canvas.replace_panels()

    def set_cortex_opacity(self, opacity: float) -> None:
        """1 is solid; below, the subcortex shows through."""
        self.canvas.opacity = float(np.clip(opacity, 0.05, 1.0))
        for (_surface, part), mesh in self._meshes.items():
            if part not in DEEP:
                mesh.set_opacity(self.canvas.opacity)
        self.canvas.replace_panels()

    def set_title(self, text: str) -> None:
        """What the colours are, e.g. 'Measured' or 'R² of hidden patches'."""
        self.canvas.title = self.flat.title = text
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
        self.setAutoFillBackground(True)
        self._repaint_parts()
        self._draw_outlines()

    @property
    def driver(self) -> str:
        """Graphics driver in words, '' before the first picture."""
        return str(self._scene.renderer_name) if self._scene is not None else ""

    def finalize(self) -> None:
        """Give the graphics memory back; called by itself when the widget is destroyed."""
        _Closer(self.__dict__)()

    # ---------------------------------------------------------------- loading, off the GUI thread where possible

    def _load(self, atlas: tuple[Any, ...] | None = None) -> None:
        """Import VTK and mesh the deep parcels in a thread; only drawing needs the GUI thread."""
        if not self.available or self._closed:
            return

        def work() -> None:
            result: Any
            try:
                from app.views import brain_scene

                result = (brain_scene, atlas and (atlas[0], atlas[1], atlas[2], _deep(*atlas[3:])))
            except Exception as error:  # whatever VTK's libraries do here, the window must open
                log.exception("3D view could not be loaded")
                result = error
            try:
                self._loaded.emit(result)
            except RuntimeError:  # the widget is gone
                log.debug("brain view closed while loading")

        before = self._thread
        self._thread = threading.Thread(
            target=lambda: (before and before.join(), work()), name="brain-view", daemon=True
        )
        self._thread.start()

    def _finish_loading(self, result: Any) -> None:
        if self._closed or not self.available:
            return
        if isinstance(result, Exception):
            self._give_up(str(result))
            return
        module, atlas = result
        if self._scene is None:
            try:
                self._scene = module.BrainScene()
            except RuntimeError as error:
                self._give_up(str(error))
                return
            self.canvas.attach(self._scene, self._actors)
        if atlas is not None and atlas[0] == self._atlas_turn:
            self._parts.set_parcels(atlas[1], atlas[2], atlas[3])
            self._drop_meshes(DEEP)
        self._rebuild()
        self._draw_outlines()

    def _give_up(self, detail: str) -> None:
        self.available = False
        self.reason = tr("brain.reason_opengl", detail=detail)
        log.warning(self.reason)
        self._show_fallback(True, tr("brain.off_no_opengl"))
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
        if self._values is not None:
            count = min(len(self._values), self._n_parcels)
            table[1 : count + 1] = colour_map(self._cmap).rgb(self._values[:count], *self._range, nan=grey)
        return table

    def _drop_meshes(self, parts: Iterable[Part]) -> None:
        gone = set(parts)
        self._meshes = {key: mesh for key, mesh in self._meshes.items() if key[1] not in gone}

    def _actors(self) -> dict[str, list[Any]]:
        """VTK actors of every part, made when first needed."""
        from app.views.brain_scene import MeshActor, OutlineActor

        actors = {}
        for part in self._parts.parts():
            key = ("" if part in DEEP else self._parts.surface, part)
            if key not in self._meshes:
                self._meshes[key] = MeshActor(self._parts.mesh(part), per_face=part in DEEP)
                if part not in DEEP:
                    self._meshes[key].set_opacity(self.canvas.opacity)
            outline = self._outlines.setdefault(part, OutlineActor())
            actors[part] = [self._meshes[key].actor, outline.actor]
        self._repaint_parts()
        self._draw_outlines()
        return actors

    def _repaint_parts(self) -> None:
        table = self._table()
        self.flat.set_colours(table[1:])
        for (surface, part), mesh in self._meshes.items():
            if surface in ("", self._parts.surface):
                mesh.paint(self._parts.colours(part, table))  # type: ignore[arg-type]
        self.canvas.redraw()

    def _draw_outlines(self) -> None:
        marks = []
        colour = hex_rgb(self._theme.text)
        for part in self._parts.parts():
            ends = self._parts.outline(part, self._selected) if self._selected else np.zeros((0, 3))
            if part in self._outlines:
                self._outlines[part].draw(ends, colour)
            if part in DEEP and len(ends) == 0:
                found = [self._parts.centre(parcel) for parcel in self._selected]
                marks += [spot for spot in found if spot is not None and spot[0] == part]
        self.canvas.marks = marks
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


def _deep(labels: Array, affine: Array, structures: Array) -> dict[Part, Any]:
    """Blobs of the subcortex and of the cerebellum."""
    from app.views.brain_mesh import blobs

    made = {part: blobs(labels, affine, np.flatnonzero(structures == part)) for part in DEEP}
    return {part: blob for part, blob in made.items() if blob is not None}


def _centres(labels: Array, affine: Array, n_parcels: int) -> Array:
    """(V, 3) centre of gravity of every parcel in mm, NaN when it has no voxel."""
    where = np.argwhere(labels > 0)
    parcel = labels[tuple(where.T)].astype(int) - 1
    count = np.bincount(parcel, minlength=n_parcels).astype(float)
    sums = np.stack([np.bincount(parcel, weights=where[:, i], minlength=n_parcels) for i in range(3)], axis=1)
    with np.errstate(invalid="ignore"):
        ijk = sums[:n_parcels] / count[:n_parcels, None]
    return np.asarray(ijk @ affine[:3, :3].T + affine[:3, 3])
