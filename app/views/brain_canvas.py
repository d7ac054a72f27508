"""The drawing area of the brain view: VTK's pixels, with letters, captions, crosshair and cube painted over them."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.text import tr
from app.theme.tokens import Theme
from app.views.brain_actors import BrainActors
from app.views.brain_layout import Panel, fitted, four_views, whole_brain
from app.views.brain_overlay import BrainOverlay
from app.views.brain_parts import HEMISPHERES, BrainParts, Picked
from app.views.orientation_cube import clicked_view
from app.views.render_turns import render_turns
from app.widgets.colour_map import hex_rgb
from app.widgets.focus_ring import paint_focus_ring

Array = NDArray[Any]
log = logging.getLogger(__name__)

KEY_VIEWS = ("left", "right", "front", "back", "top", "bottom")
SLOW_MS = 30.0
REST_MS = 200
REHEARSAL = (400, 360)


class BrainCanvas(QWidget):
    """Shows the brain, turns it with the mouse and the keyboard, and tells what was clicked."""

    parcel_clicked = Signal(int)
    crosshair_requested = Signal(float, float, float)
    layout_changed = Signal(str)
    step_requested = Signal(int)
    grip_pulled = Signal(float, bool)
    """pixels upwards since the parcel was grasped, and whether Shift is held"""
    grip_released = Signal()

    def __init__(self, parts: BrainParts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parts = parts
        self.over = BrainOverlay(parts)
        self.message = tr("brain.preparing")
        self.layout_name = "whole"
        self.view = "left"
        self.render_ms = 0.0
        self._begun_ms = 0.0  # more while a picture is begun and not yet taken
        self._turn = [0.0, 0.0]
        self._zoom = 1.0
        self._pan = [0.0, 0.0]
        self._scene: Any = None
        self._actors = BrainActors(parts)
        self._panels: list[Panel] | None = None
        self._image = QImage()
        self._pixels: Array | None = None
        self._stale = True
        self._placed = False
        self._quick = False
        self._press: QPointF | None = None
        self._last = QPointF()
        self._dragged = False
        self.grips: frozenset[int] = frozenset()
        """parcels that a drag pulls up or down rather than turning the brain"""
        self._gripped = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.sharpen)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("brain.name"))
        self.setAccessibleDescription(tr("brain.help"))
        self.setMinimumSize(160, 120)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(520, 400)

    # ---------------------------------------------------------------- what is shown

    def attach(self, scene: Any, actors: BrainActors) -> None:
        """From now on draw these actors with ``scene``."""
        self._scene, self._actors = scene, actors
        scene.set_background(hex_rgb(self.over.theme.canvas))
        self.replace_panels()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of ``theme``."""
        self.over.theme = theme
        if self._scene is not None:
            self._scene.set_background(hex_rgb(theme.canvas))
        self.redraw()

    def redraw(self) -> None:
        """The 3D picture is out of date; it is drawn once, in its turn, however often this is called."""
        self._stale = True
        if self._scene is None or not self.parts.ready:
            self.update()
        elif self.isVisible():
            render_turns().ask(self)

    @property
    def drawing(self) -> bool:
        """True until the newest picture is on show."""
        return self._stale or self._begun_ms > 0

    def draw_waiting(self) -> None:
        """Begin a picture if the one on show is out of date; in the next turn, take it.

        Both at once would block the window for as long as a driver without a graphics card draws.
        """
        if self._scene is None or not self.parts.ready:
            return
        if self._begun_ms:
            self._finish()
            self.update()
        elif self._stale:
            self._begin()
        if self.drawing:
            render_turns().ask(self)

    def replace_panels(self) -> None:
        """Parts, layout or size changed."""
        self._panels, self._placed = None, False
        self.redraw()

    def look_from(self, view: str) -> None:
        """One of the six preset views, on the whole brain."""
        self.view = view
        self.set_layout_name("whole")
        self.reset_camera()

    def set_layout_name(self, name: str) -> None:
        """``whole`` or ``panels``."""
        if name == self.layout_name:
            return
        self.layout_name = name
        self.reset_camera()
        self.layout_changed.emit(name)

    def reset_camera(self) -> None:
        """Undo turning, zooming and moving."""
        self._turn, self._zoom, self._pan = [0.0, 0.0], 1.0, [0.0, 0.0]
        self.replace_panels()

    def panels(self) -> list[Panel]:
        """Panels as they stand now, cameras included."""
        if self._panels is None:
            self._panels = self._make_panels()
        return [self._moved(panel) for panel in self._panels]

    def _make_panels(self) -> list[Panel]:
        parts = self.parts.parts()
        if not parts:
            return []
        width, height = float(max(self.width(), 1)), float(max(self.height(), 1))
        deep = tuple(part for part in parts if part not in HEMISPHERES)
        cortex = tuple(part for part in parts if part in HEMISPHERES)
        if self.layout_name == "panels":
            panels = four_views((width, height), deep)
        else:
            outside = tuple(p for p in deep if self.parts.surface == "pial" and p == "cerebellum")
            inset = tuple(part for part in deep if part not in outside)
            panels = whole_brain((width, height), self.view, (*cortex, *outside), inset)
        return fitted(panels, self.parts.points)

    def _moved(self, panel: Panel) -> Panel:
        side = -1.0 if panel.mirrored else 1.0
        camera = panel.camera.turned(side * self._turn[0], self._turn[1])
        if panel.key != "inset":
            camera = camera.zoomed(self._zoom).panned(side * self._pan[0], self._pan[1])
        return replace(panel, camera=camera)

    # ---------------------------------------------------------------- drawing

    def sharpen(self) -> None:
        """Nothing moves any more: draw every pixel."""
        if self._quick:
            self._quick = False
            self.redraw()

    def _ratio(self) -> float:
        full = self.devicePixelRatioF()
        return full * 0.6 if self._quick else full

    @property
    def frames(self) -> int:
        """Pictures drawn so far."""
        return int(self._scene.frames) if self._scene is not None else 0

    @property
    def sharp(self) -> bool:
        """The picture has every pixel; False while it moves on a slow driver."""
        return not self._quick

    def in_motion(self) -> None:
        """Pictures follow each other quickly: on a slow driver, draw fewer pixels until it rests."""
        self._rest.start()
        if not self._quick and self.render_ms > SLOW_MS:
            self._quick = True

    def _begin(self) -> None:
        """Begin the picture."""
        panels = self.panels()
        self._stale = False
        if not panels:
            return
        began = time.perf_counter()
        size = (max(self.width(), 1), max(self.height(), 1))
        if not self._placed:
            self._scene.set_panels(panels, self._actors.of_panels(panels), size)
            self._placed = True
        self._scene.set_resolution(size, self._ratio())
        self._actors.light(panels)
        self._scene.look(panels)
        self._scene.begin()
        self._begun_ms = (time.perf_counter() - began) * 1e3

    def _finish(self) -> None:
        """Take the picture that was begun."""
        began = time.perf_counter()
        self._pixels, width, height = self._scene.finish()
        self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        spent, self._begun_ms = self._begun_ms + (time.perf_counter() - began) * 1e3, 0.0
        if not self._quick:
            self.render_ms = spent if self._scene.frames < 4 else 0.8 * self.render_ms + 0.2 * spent

    def rehearse(self) -> None:
        """Draw without showing."""
        if self.width() < REHEARSAL[0] or self.height() < REHEARSAL[1]:
            self.resize(*REHEARSAL)
        self._begin()
        if self._begun_ms:
            self._finish()
        self._image, self._stale = QImage(), True

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The newest picture there is, then everything flat on top of it; a newer one comes in its turn."""
        painter = QPainter(self)
        if self._scene is None or not self.parts.ready:
            self._paint_message(painter)
            painter.end()
            return
        if self._stale:
            render_turns().ask(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), QColor(self.over.theme.canvas))
            painter.end()
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._quick)
        painter.translate(0, self.height())
        painter.scale(1, -1)  # VTK's first row is the lowest
        painter.drawImage(QRectF(0, 0, self.width(), self.height()), self._image)
        painter.restore()
        whole = self.layout_name == "whole"
        self.over.paint(painter, self.panels(), (self.width(), self.height()), self.font(), cube=whole)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.rect()), self.over.theme)
        painter.end()

    def _paint_message(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(self.over.theme.canvas))
        painter.setPen(QColor(self.over.theme.muted))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.message)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Frame everything again."""
        super().resizeEvent(event)
        self.replace_panels()

    # ---------------------------------------------------------------- mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start of a click or a drag."""
        self._press = self._last = event.position()
        self._dragged = False
        left = event.button() == Qt.MouseButton.LeftButton
        found = self._picked(event.position()) if left and self.grips else None
        self._gripped = found is not None and found.parcel in self.grips

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn; with Shift, the middle or the right button: move."""
        if self._press is None:
            return
        if not self._dragged and (event.position() - self._press).manhattanLength() < 4:
            return
        self._dragged = True
        if self._gripped:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.grip_pulled.emit(self._press.y() - event.position().y(), fine)
            return
        step = event.position() - self._last
        self._last = event.position()
        moving = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if moving or event.buttons() & (Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton):
            self._move(step.x(), step.y())
        else:
            self._rotate(step.x() * 0.5, step.y() * 0.5)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press without a drag chooses what is under it."""
        pressed, self._press = self._press, None
        gripped, self._gripped = self._gripped, False
        if gripped and self._dragged:
            self.grip_released.emit()
        if pressed is not None and not self._dragged and event.button() == Qt.MouseButton.LeftButton:
            self._click(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the preset view when the background is double-clicked."""
        if event.button() == Qt.MouseButton.LeftButton and self._picked(event.position()) is None:
            self.reset_camera()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self._scale(1.0015 ** event.angleDelta().y())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the accessible description."""
        key, shift = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        arrows = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
        elif key in arrows:
            dx, dy = arrows[Qt.Key(key)]
            self._move(dx * 12, dy * 12) if shift else self._rotate(dx * 6, dy * 6)
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_6:
            self.look_from(KEY_VIEWS[key - Qt.Key.Key_1])
        elif key == Qt.Key.Key_7:
            self.set_layout_name("whole" if self.layout_name == "panels" else "panels")
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.reset_camera()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._scale(1 / 1.15 if key == Qt.Key.Key_Minus else 1.15)
        elif key in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self.step_requested.emit(1 if key == Qt.Key.Key_Period else -1)
        else:
            super().keyPressEvent(event)

    def _rotate(self, right: float, up: float) -> None:
        self.in_motion()
        self._turn[0] += right
        base = self._panels[0].camera.elevation if self._panels else 0.0
        self._turn[1] = float(np.clip(self._turn[1] + up, -90 - base, 90 - base))
        self.redraw()

    def _move(self, dx: float, dy: float) -> None:
        if self._panels:
            self.in_motion()
            mm = 2 * self._panels[0].camera.scale / self._zoom / self._panels[0].box[3]
            self._pan = [self._pan[0] + dx * mm, self._pan[1] - dy * mm]
            self.redraw()

    def _scale(self, factor: float) -> None:
        self.in_motion()
        self._zoom = float(np.clip(self._zoom * factor, 0.4, 8.0))
        self.redraw()

    def parcel_at(self, point: QPointF) -> int:
        """Return the parcel that is seen at a pixel; -1 = none."""
        found = self._picked(point)
        return found.parcel if found is not None else -1

    def _picked(self, point: QPointF) -> Picked | None:
        for panel in reversed(self.panels()):
            if panel.contains(point.x(), point.y()):
                found = self.parts.pick(panel, point.x(), point.y())
                if found is not None:
                    return found
        return None

    def _click(self, point: QPointF) -> None:
        panels = self.panels()
        if self.layout_name == "whole" and panels:
            view = clicked_view(panels[0].camera, self.over.cube_area(self.height()), point)
            if view:
                self.look_from(view)
                return
        found = self._picked(point)
        if found is None:
            return
        if found.parcel >= 0:
            self.parcel_clicked.emit(found.parcel)
        self.crosshair_requested.emit(*found.mm)
