"""The three slices through the crosshair: at once from what is in memory, from the engine for any other frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers import display
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.data import Array
from app.state.stamps import Stamp
from app.views.slice_grid import dark_borders
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply, SliceInfo

if TYPE_CHECKING:
    from app.views.pages.view import ViewPage

Wish = tuple[Stamp, str, int, display.Voxel]


class Slicing:
    """Holds the volume that is in memory and asks for the slices that are not."""

    def __init__(self, state: AppState, engine: EngineService, page: ViewPage) -> None:
        self._state, self._engine, self._page = state, engine, page
        self._grey = (0.0, 1.0)
        self._local: Array | None = None
        self.latest: Latest[Wish, Reply[SliceInfo]] = Latest(self._fetch, self._deliver, self._failed)

    def clear(self) -> None:
        """Forget the scan that was shown."""
        self.latest.forget()
        self._local = None
        self._page.slices.clear()

    def hold(self, volume: Array, affine: Array, grey: tuple[float, float]) -> None:
        """Show ``volume (x, y, z)``: a scan's first frame, or the brain of an atlas under a table."""
        self._local, self._grey = volume, grey
        self._page.slices.set_grid(volume.shape, affine, dark_borders(volume, *grey, affine))
        self._page.slices.set_crosshair(self._state.view.crosshair_mm)
        self.want()

    def want(self) -> None:
        """Show the slices through the crosshair at the present frame."""
        scan, view, grid, volume = self._state.case.scan, self._state.view, self._state.case.labels, self._local
        if volume is None or scan is None:
            return
        affine = scan.affine if scan.is_volume else grid.affine if grid is not None else np.eye(4)
        i, j, k = display.to_voxel(view.crosshair_mm, affine, volume.shape)
        if not scan.is_volume or view.frame == 0:
            self.latest.forget()
            self._page.slices.set_slices(volume[i], volume[:, j], volume[:, :, k], *self._grey)
            self._page.probe.show_values(value=display.number(float(volume[i, j, k])) if scan.is_volume else "")
        elif self._engine.state.status == "ready":
            self.latest.wish((Stamp.of(self._state.case.revision), scan.info.scan_id, view.frame, (i, j, k)))

    async def _fetch(self, wish: Wish) -> Reply[SliceInfo]:
        _, scan_id, frame, ijk = wish
        return await self._engine.client.slices(scan_id, frame, ijk)

    def _deliver(self, wish: Wish, reply: Reply[SliceInfo]) -> None:
        back_at_first = self._state.view.frame == 0 and wish[2] != 0
        if not wish[0].fits(self._state.case.revision) or back_at_first:
            return
        arrays = reply.arrays
        self._page.slices.set_slices(arrays["sagittal"], arrays["coronal"], arrays["axial"], *self._grey)
        self._page.probe.show_values(value=display.number(reply.message.value))

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        self._state.work.note(str(error))
