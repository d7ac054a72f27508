"""The numbers beside the drawings: the probe at the crosshair, and the quality of the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers import display
from app.state import AppState
from app.text import tr
from app.widgets import ticks

if TYPE_CHECKING:
    from app.views.pages.view import ViewPage


class Readings:
    """Writes the two panels; what the open scan does not have is blank, never the number of the scan before."""

    def __init__(self, state: AppState, page: ViewPage) -> None:
        self._state, self._page = state, page

    def scan_changed(self) -> None:
        """Another scan, or none: say whose millimetres these are, and forget every value of the one before."""
        scan = self._state.case.scan
        if scan is not None:
            space = scan.info.space
            self._page.probe.set_space(not scan.is_volume or (space is not None and space.verdict == "mni"))
        self._page.probe.show_values(value="")
        self.probe()
        self.quality()

    def probe(self, *_: object) -> None:
        """What is under the crosshair."""
        view, case = self._state.view, self._state.case
        if case.scan is None:
            self._page.probe.show_values(region="", network="", mm="", voxel="", value="", parcel="")
            return
        atlas, parcel, scan = case.atlas, view.parcel, case.scan
        ijk = display.to_voxel(view.crosshair_mm, scan.affine, scan.first.shape) if scan.is_volume else ()
        self._page.probe.show_values(
            region=atlas.name(parcel) if atlas is not None and parcel >= 0 else tr("probe.outside"),
            network=atlas.network(parcel) if atlas is not None else "",
            mm="  ".join(ticks.number(v, 1.0) for v in view.crosshair_mm),
            voxel="  ".join(str(v) for v in ijk),
        )
        self.parcel_value()

    def parcel_value(self) -> None:
        """The value of the parcel under the crosshair at the time cursor."""
        recording, view = self._state.case.recording, self._state.view
        text = ""
        if recording is not None and 0 <= view.parcel < recording.info.n_parcels:
            series, unit = display.overlay_series(recording, view)
            value = float(series[view.parcel, min(view.frame, series.shape[1] - 1)])
            text = f"{display.number(value)} {unit}" if np.isfinite(value) else tr("probe.missing")
        self._page.probe.show_values(parcel=text)

    def quality(self) -> None:
        """How good the whole recording is, and its frame at the time cursor."""
        recording = self._state.case.recording
        tsnr = coverage = missing = ""
        if recording is not None:
            parcels = recording.info.n_parcels
            known = recording.tsnr[np.isfinite(recording.tsnr)]
            tsnr = f"{np.median(known):.0f}" if known.size else ""
            coverage = f"{int((recording.coverage >= 0.5).sum())} / {parcels}"
            missing = f"{int(recording.missing.sum())} / {parcels}"
        self._page.quality.show_values(tsnr=tsnr, coverage=coverage, missing=missing)
        self.frame_quality()

    def frame_quality(self) -> None:
        """The measures that belong to the frame at the time cursor."""
        self._page.quality.show_values(fd=self._head_motion(), dvars=self._dvars())

    def _head_motion(self) -> str:
        motion, frame = self._state.case.motion, self._state.view.frame
        if self._state.case.scan is None:
            return ""
        if motion is None or motion.fd_mm is None:
            return tr("quality.fd.needed")
        mean = tr("quality.fd.mean", mean=f"{motion.mean_mm:.2f}")
        here = frame < motion.fd_mm.size and bool(np.isfinite(motion.fd_mm[frame]))
        return tr("quality.fd.value", fd=f"{motion.fd_mm[frame]:.2f}", mean=mean) if here else mean

    def _dvars(self) -> str:
        recording, frame = self._state.case.recording, self._state.view.frame
        if recording is None or frame >= recording.dvars.size:
            return ""
        text = display.number(float(recording.dvars[frame]))
        return f"{text} {tr('unit.dvars')}" if text else ""
