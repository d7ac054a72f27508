"""A dozen parcels of a validation person as the model fills them in while it learns."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent

from app.views.traces import TraceView


class PreviewView(TraceView):
    """Traces of few parcels: all of them are on screen, however high the plot is."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give every row its share of the new height."""
        super().resizeEvent(event)
        if hasattr(self, "answer") and self.n_parcels:  # Qt asks before it is built
            self.show_all_rows()
