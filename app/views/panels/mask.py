"""What is hidden from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSlider, QSpinBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, roomy

if TYPE_CHECKING:
    from brainlm_engine.api.messages import MaskSpec

KINDS = ("random", "parcels", "network", "span", "painted", "none")


class MaskPanel(QWidget):
    """Emits ``changed(field, value)`` of a MaskSpec; below the kind stands what that kind needs."""

    changed = Signal(str, object)

    def __init__(self, files: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = choices((k, tr(f"model.kind.{k}")) for k in KINDS)
        self._kind.activated.connect(lambda _=0: self.changed.emit("kind", self._kind.currentData()))
        self._ratio, self._percent = QSlider(Qt.Orientation.Horizontal), label("", "")
        self._ratio.setRange(5, 95)
        self._ratio.setPageStep(5)
        self._ratio.valueChanged.connect(lambda value: self.changed.emit("ratio", value / 100.0))
        self._percent.setMinimumWidth(36)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._seed = QSpinBox()
        self._seed.setRange(0, 99999)
        self._seed.valueChanged.connect(lambda value: self.changed.emit("seed", value))
        self._network = choices(())
        self._network.activated.connect(lambda _=0: self.changed.emit("network", self._network.currentData()))
        self._from, self._to = QSpinBox(), QSpinBox()
        for box in (self._from, self._to, self._seed):
            roomy(box)
        tips = ((self._ratio, "ratio"), (self._seed, "seed"), (self._network, "network"))
        for control, name in (*tips, (self._from, "from"), (self._to, "from")):
            control.setToolTip(tr(f"model.{name}.tip"))
        for box in (self._from, self._to):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(lambda _=0: self._span())
        self._patches = self._n_parcels = 0
        self._parcels = label(tr("model.none_selected"), "muted", wrap=True)
        self._painted = label("", "muted", wrap=True)
        painted = self._painted_page(files)
        pages = (self._random_page(), self._parcels, self._network_page(), self._span_page(), painted, QWidget())
        self._needs = dict(zip(KINDS, pages, strict=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("model.mask"), "heading"))
        form = Form()
        form.row(tr("model.kind"), self._kind, tip=tr("model.kind.tip"))
        column.addLayout(form)
        for page in pages:
            column.addWidget(page)

    def _random_page(self) -> QWidget:
        ratio = QWidget()
        row = QHBoxLayout(ratio)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._ratio, 1)
        row.addWidget(self._percent)
        self._ratio.setAccessibleName(tr("model.ratio"))
        return _page((tr("model.ratio"), ratio), (tr("model.seed"), self._seed))

    def _network_page(self) -> QWidget:
        return _page((tr("model.network"), self._network))

    def _span_page(self) -> QWidget:
        span = QWidget()
        row = QHBoxLayout(span)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._from, 1)
        row.addWidget(label(tr("model.to"), "muted"))
        row.addWidget(self._to, 1)
        self._from.setAccessibleName(tr("model.from"))
        self._to.setAccessibleName(f"{tr('model.from')} … {tr('model.to')}")
        return _page((tr("model.from"), span))

    def _painted_page(self, files: dict[str, QAction]) -> QWidget:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        grid.addWidget(self._painted, 0, 0, 1, 2)
        for place, action in enumerate(files.values()):  # three in one row would widen the panel
            grid.addWidget(ActionButton(action), 1 + place // 2, place % 2)
        return page

    def set_choices(self, networks: tuple[str, ...], patches: int, parcels: int = 0) -> None:
        """Offer these networks, and spans of up to ``patches`` patches of ``parcels`` parcels."""
        self._patches, self._n_parcels = patches, parcels
        if [self._network.itemData(i) for i in range(self._network.count())] != list(networks):
            self._network.clear()
            for name in networks:
                self._network.addItem(name, name)
        item = self._kind.model().item(KINDS.index("network"))  # type: ignore[attr-defined]
        item.setEnabled(bool(networks))
        item.setToolTip("" if networks else tr("model.no_networks"))
        for box, low in ((self._from, 0), (self._to, 1)):
            box.blockSignals(True)
            box.setRange(low, max(patches, 1))
            box.blockSignals(False)

    def show_mask(self, mask: MaskSpec, parcels: str) -> None:
        """Show the mask as it is; ``parcels`` says in words which parcels are selected."""
        choose(self._kind, mask.kind)
        for kind, page in self._needs.items():
            page.setVisible(kind == mask.kind)
        for box, value in ((self._ratio, round(100 * mask.ratio)), (self._seed, mask.seed)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self._percent.setText(f"{round(100 * mask.ratio)} %")
        choose(self._network, mask.network)
        if mask.span is not None:
            for box, value in zip((self._from, self._to), mask.span, strict=True):
                box.blockSignals(True)
                box.setValue(value)
                box.blockSignals(False)
        of = self._patches * self._n_parcels
        self._painted.setText(tr("model.painted", n=len(mask.patches), of=of) if of else tr("model.painted.nothing"))
        self._parcels.setText(parcels or tr("model.none_selected"))

    def _span(self) -> None:
        low = self._from.value()
        self.changed.emit("span", (low, max(self._to.value(), low + 1)))


def _page(*rows: tuple[str, QWidget]) -> QWidget:
    page = QWidget()
    form = Form()
    form.setContentsMargins(0, 0, 0, 0)
    for text, control in rows:
        form.row(text, control)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.addLayout(form)
    return page
