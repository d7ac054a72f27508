"""The voxel under the crosshair over time, in the strip below the traces, beside head motion and DVARS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers import display
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.data import FD_LIMIT_MM, Array
from app.state.stamps import Stamp
from app.text import tr
from app.widgets.qc_strip import Line
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply, SeriesInfo

if TYPE_CHECKING:
    from app.views.pages.view import ViewPage

Wish = tuple[Stamp, str, display.Voxel, bool]


class VoxelTrace:
    """Asks for the series of the voxel at the crosshair; the newest wish wins."""

    def __init__(self, state: AppState, engine: EngineService, page: ViewPage) -> None:
        self._state, self._engine, self._page = state, engine, page
        self._series: Array | None = None
        self._asked: Wish | None = None
        self.latest: Latest[Wish, Reply[SeriesInfo]] = Latest(self._fetch, self._deliver, self._failed)
        state.case.on("cached").connect(self.want)

    def clear(self) -> None:
        """Forget the scan that was shown."""
        self.latest.forget()
        self._series = self._asked = None

    def want(self, *_: object) -> None:
        """Ask for the voxel under the crosshair, unless that was asked last."""
        case, scan = self._state.case, self._state.case.scan
        if scan is None or not scan.is_volume or self._engine.state.status != "ready":
            return
        ijk = display.to_voxel(self._state.view.crosshair_mm, scan.affine, scan.first.shape)
        wish = (Stamp.of(case.revision), scan.info.scan_id, ijk, case.cached)
        if wish != self._asked:
            self._asked = wish
            self.latest.wish(wish)

    def show(self) -> None:
        """Put what is known into the strip: head motion, DVARS, and the voxel."""
        recording, motion, lines = self._state.case.recording, self._state.case.motion, []
        if motion is not None and motion.fd_mm is not None:
            lines.append(Line(tr("quality.fd.line"), motion.fd_mm, tr("unit.mm"), limit=FD_LIMIT_MM))
        if recording is not None:
            lines.append(Line(tr("quality.dvars"), recording.dvars, tr("unit.dvars")))
        if self._series is not None and np.isfinite(self._series).any():
            lines.append(_line(self._series))
        self._page.strip.set_lines(*lines)

    async def _fetch(self, wish: Wish) -> Reply[SeriesInfo]:
        return await self._engine.client.series(wish[1], wish[2])

    def _deliver(self, wish: Wish, reply: Reply[SeriesInfo]) -> None:
        if wish[0].fits(self._state.case.revision):
            self._series = reply.arrays["series"]
            self.show()

    def _failed(self, error: Exception) -> None:
        self._asked = None
        if not isinstance(error, EngineError):
            raise error
        if error.code != "still_loading":
            self._state.work.note(str(error))


def _line(series: Array) -> Line:
    """Return the voxel's series as % signal change about its mean, or as it is when it has no mean to speak of."""
    mean, spread = float(np.nanmean(series)), float(np.nanstd(series))
    if abs(mean) <= spread:
        return Line(tr("probe.trace"), series)
    return Line(tr("probe.trace"), 100.0 * (series / mean - 1.0), tr("unit.percent_short"))
