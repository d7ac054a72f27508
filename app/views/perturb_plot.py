"""One region in a perturbation: measured, unperturbed, perturbed with a band; where it is set, a span and a grip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QMouseEvent

from app.text import tr
from app.theme.tokens import Theme
from app.views.legend_plot import Entry, LegendPlot
from app.widgets.ticks import number, round_step, round_ticks
from brainlm_engine.api.perturb import HARD_SD, USUAL_SD, Target, level

Array = NDArray[Any]
#: values that a dragged grip clings to, and from how far
SNAPS, SNAP_SD = (0.0, 1.0, -1.0), 0.07
STEP_SD, FINE_SD = 0.1, 0.01
_DASH = (6.0, 4.0)
_LEAST_SD = 3.5  # of the axis, so that there is room to drag


class PerturbPlot(LegendPlot):
    """Lines of one region over the window, seconds from the recording's start.

    Emits ``frame_chosen(frame)``, in the recording, for a click.
    """

    frame_chosen = Signal(int)

    def __init__(self, kind: str, parent: Any = None) -> None:
        super().__init__(tr("perturb.axis.sd"), tr("perturb.axis.time"), parent)
        self._times: Array = np.zeros(0)
        self._series: dict[str, Array] = {}
        self._names: dict[str, str] = {}
        self._least = _LEAST_SD
        self._half: Array = np.zeros(0)
        self.measured, self.unperturbed, self.perturbed = (pg.PlotCurveItem() for _ in range(3))
        self._edges = (pg.PlotCurveItem(), pg.PlotCurveItem())
        self.band = pg.FillBetweenItem(*self._edges)
        self.cursor = pg.InfiniteLine(0, angle=90)
        for depth, item in enumerate((self.band, self.measured, self.unperturbed, self.perturbed, self.cursor)):
            item.setZValue(depth)
            self.addItem(item, ignoreBounds=True)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.setAccessibleName(tr(f"perturb.plot.{kind}.name"))
        self.setAccessibleDescription(tr(f"perturb.plot.{kind}.help"))
        self.setToolTip(tr(f"perturb.plot.{kind}.help"))

    def set_series(
        self, times: Array, measured: Array | None, unperturbed: Array | None, perturbed: Array | None,
        half: Array | None,
    ) -> None:  # fmt: skip
        """Draw (T,) SD at ``times`` in seconds; what is None is not known yet. ``half``: half width of the band."""
        self._times = times
        self._series = {
            name: values
            for name, values in (("measured", measured), ("unperturbed", unperturbed), ("perturbed", perturbed))
            if values is not None
        }
        self._half = half if half is not None and perturbed is not None else np.zeros(0)
        self.redraw()

    def set_names(self, **names: str) -> None:
        """Call lines by other names until the next call; they are drawn with the next series."""
        self._names = names

    def set_scale(self, least: float = _LEAST_SD) -> None:
        """The axis reaches at least so far, SD; it is drawn with the next series."""
        self._least = least

    def _clicked(self, event: Any) -> None:
        if len(self._times) > 1 and not event.double():
            at = self.view.mapSceneToView(event.scenePos()).x()
            self.frame_chosen.emit(max(0, round(at / float(self._times[1] - self._times[0]))))

    def set_cursor(self, seconds: float) -> None:
        """Show the time cursor."""
        self.cursor.setValue(seconds)

    def reach(self) -> float:
        """Half the height of the plot in SD."""
        seen = [np.nanmax(np.abs(values), initial=0.0) for values in self._series.values() if values.size]
        return float(min(max(self._least, *(1.08 * value for value in seen)), HARD_SD)) if seen else self._least

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "cursor"):
            return
        entries = self.lines()
        for name, item in (
            ("measured", self.measured), ("unperturbed", self.unperturbed), ("perturbed", self.perturbed)
        ):  # fmt: skip
            values = self._series.get(name)
            if values is None:
                item.setData([], [])
            else:
                item.setData(self._times, values, pen=self.pen(entries[name]), connect="finite")
        self._draw_band()
        self.cursor.setPen(pg.mkPen(self.theme.warning, width=1))
        self.set_entries([*(entry for name, entry in entries.items() if self._there(name)), *self.more_entries()])
        reach = self.reach()
        first, last = (self._times[0], self._times[-1]) if len(self._times) else (0.0, 1.0)
        self.view.setRange(xRange=(float(first), float(last)), yRange=(-reach, reach), padding=0)
        step = 1.0 if reach >= _LEAST_SD else round_step(2 * reach, 6)
        self.getAxis("left").setTicks([[(v, number(v, step)) for v in round_ticks(-reach, reach, 6)], []])
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(first, last, 6)], []])

    def _there(self, name: str) -> bool:
        return name in self._series or (name == "band" and self._half.size > 0)

    def lines(self) -> dict[str, Entry]:
        """Return how the lines look."""
        theme = self.theme
        return {
            "measured": Entry(self._name("measured"), theme.muted, 1.5),
            "unperturbed": Entry(self._name("unperturbed"), theme.text, 1.5, _DASH),
            "perturbed": Entry(self._name("perturbed"), theme.accent, 2.5),
            "band": Entry(self._name("band"), theme.accent, area=True),
        }

    def _name(self, line: str) -> str:
        return self._names.get(line) or tr(f"perturb.line.{line}")

    def more_entries(self) -> tuple[Entry, ...]:
        """Return what else the legend explains."""
        return ()

    def _draw_band(self) -> None:
        low, high = self._edges
        shown = self._half.size > 0
        made = self._series["perturbed"] if shown else np.zeros(0)
        low.setData(self._times if shown else [], made - self._half, pen=None, connect="finite")
        high.setData(self._times if shown else [], made + self._half, pen=None, connect="finite")
        colour = QColor(self.theme.accent)
        colour.setAlpha(46)
        self.band.setBrush(colour)


class TargetPlot(PerturbPlot):
    """The region that is set: its span can be dragged, and a grip at its value.

    Signals
    -------
    dragged(value, start_s, stop_s) : while something is dragged
    released() : it was let go
    nudged(value_steps, start_frames, stop_frames) : keys; the value in SD
    """

    dragged = Signal(float, float, float)
    released = Signal()
    nudged = Signal(float, int, int)

    def __init__(self, parent: Any = None) -> None:
        self._target: Target | None = None
        self._tr_s, self._taking = 1.0, False
        super().__init__("set", parent)
        self.unusual = [pg.LinearRegionItem(orientation="horizontal", movable=False) for _ in range(2)]
        self.span = pg.LinearRegionItem(movable=True, swapMode="block")
        self.wanted = pg.PlotCurveItem()
        self.grip = pg.TargetItem(movable=True, size=16, symbol="o")
        for depth, item in enumerate((*self.unusual, self.span, self.wanted, self.grip)):
            item.setZValue(-3 + depth if depth < 3 else 8 + depth)
            self.addItem(item, ignoreBounds=True)
        for region, side in zip(self.unusual, (1.0, -1.0), strict=True):
            region.setRegion(sorted((side * USUAL_SD, side * 2 * HARD_SD)))
        self.span.sigRegionChanged.connect(self._span_moved)
        self.span.sigRegionChangeFinished.connect(self._let_go)
        self.grip.sigPositionChanged.connect(self._grip_moved)
        self.grip.sigPositionChangeFinished.connect(self._let_go)
        self.redraw()

    def set_target(self, target: Target | None, tr_s: float) -> None:
        """Show the span and the grip of ``target``."""
        self._target, self._tr_s = target, tr_s
        self.redraw()

    def more_entries(self) -> tuple[Entry, ...]:
        """Return the target's line, and what is hatched when it is in sight."""
        if self._target is None:
            return ()
        wanted = Entry(tr("perturb.line.wanted"), self.theme.warning, 2.5)
        unusual = Entry(tr("perturb.line.unusual"), self.theme.danger, area=True)
        return (wanted, unusual) if self.reach() > USUAL_SD else (wanted,)

    def reach(self) -> float:
        """Half the height of the plot; the target's value is always in sight."""
        most = float(np.abs(level(self._target)).max()) if self._target is not None else 0.0
        return float(min(max(super().reach(), most + 0.6), HARD_SD + 0.6))

    def redraw(self) -> None:
        """Draw everything again."""
        super().redraw()
        if not hasattr(self, "grip"):
            return
        theme, target = self.theme, self._target
        for item in (self.span, self.wanted, self.grip):
            item.setVisible(target is not None)
        self._colour(theme)
        if target is None:
            return
        self._taking = True
        try:
            start, stop = target.start * self._tr_s, target.stop * self._tr_s
            self.span.setRegion((start, stop))
            values = level(target)
            times = (target.start + np.arange(len(values))) * self._tr_s
            self.wanted.setData(times, values, pen=pg.mkPen(theme.warning, width=2.5))
            self.grip.setPos((start + stop) / 2, self._grip_value(target))
        finally:
            self._taking = False

    def _grip_value(self, target: Target) -> float:
        return 0.0 if target.shape == "silence" else float(target.value)

    def _colour(self, theme: Theme) -> None:
        hatch = QColor(theme.danger)
        hatch.setAlpha(90)
        for region in self.unusual:
            region.setBrush(QBrush(hatch, Qt.BrushStyle.BDiagPattern))
            for edge in region.lines:
                edge.setPen(pg.mkPen(None))
        tint = QColor(theme.warning)
        tint.setAlpha(34)
        self.span.setBrush(tint)
        self.span.setHoverBrush(tint)
        for edge in self.span.lines:
            edge.setPen(pg.mkPen(theme.warning, width=2))
            edge.setHoverPen(pg.mkPen(theme.accent, width=4))
        self.grip.setPen(pg.mkPen(theme.text, width=2))
        self.grip.setBrush(pg.mkBrush(theme.warning))
        self.grip.setHoverPen(pg.mkPen(theme.accent, width=3))
        self.grip.setHoverBrush(pg.mkBrush(theme.warning))

    # ---------------------------------------------------------------- dragging

    def _span_moved(self, *_: object) -> None:
        if self._taking or self._target is None:
            return
        start, stop = self.span.getRegion()
        self.dragged.emit(float(self._target.value), float(start), float(stop))

    def _grip_moved(self, *_: object) -> None:
        if self._taking or self._target is None:
            return
        value = clung(float(self.grip.pos().y()))
        target = self._target
        self.dragged.emit(value, target.start * self._tr_s, target.stop * self._tr_s)

    def _let_go(self, *_: object) -> None:
        if not self._taking:
            self.released.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the accessible description."""
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = FINE_SD if fine else STEP_SD
        key, target = Qt.Key(event.key()), self._target
        if target is None:
            event.ignore()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.nudged.emit(step if key == Qt.Key.Key_Up else -step, 0, 0)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            frames = 1 if key == Qt.Key.Key_Right else -1
            self.nudged.emit(0.0, 0 if fine else frames, frames)
        elif key == Qt.Key.Key_Home:
            self.nudged.emit(-target.value, 0, 0)
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Set the region to its mean."""
        if self._target is not None:
            self.nudged.emit(-self._target.value, 0, 0)
        event.accept()


def clung(value: float) -> float:
    """Return ``value`` within what is possible, at a round one when it is close."""
    near = min(SNAPS, key=lambda snap: abs(snap - value))
    held = near if abs(near - value) < SNAP_SD else value
    return min(max(held, -HARD_SD), HARD_SD)
