"""A table of parcel series, opened: read once, turned the right way, its faults found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ScanInfo
from brainlm_engine.files import fingerprint
from brainlm_engine.io.arrangement import Arrangement, arranged
from brainlm_engine.io.faults import full_path, reading, shown
from brainlm_engine.io.own import own_of_recording
from brainlm_engine.io.raw_table import RawTable
from brainlm_engine.io.repetition import Repetition, from_header, parse_tr, unknown
from brainlm_engine.io.series_faults import CheckedSeries, checked
from brainlm_engine.io.sidecar import Sidecar, read_sidecar
from brainlm_engine.io.sniff import Sniffed
from brainlm_engine.recording import Recording


class TableScan:
    """One table of region series.

    Attributes
    ----------
    matrix : (parcels, frames) float32; missing regions hold NaN
    missing : (parcels,) bool
    names : per region, '1', '2', ... where the file has none
    tr_s : seconds per frame, None when unknown
    simulated : True when the .json beside it says so
    own : what this program wrote about the series, None for any other table
    """

    def __init__(
        self,
        path: Path,
        stamp: str,
        *,
        table: RawTable,
        arrangement: Arrangement,
        series: CheckedSeries,
        tr: Repetition,
        sidecar: Sidecar,
    ) -> None:
        self.path = path
        self._stamp = stamp
        self._table = table
        self._arrangement = arrangement
        self._series = series
        self._repetition = tr
        self.matrix: NDArray[np.float32] = series.series
        self.missing: NDArray[np.bool_] = series.missing
        own = sidecar.own
        self.own = own if own is not None and len(own.xyz) == len(series.missing) else None
        self.names = _names(table, arrangement.frames_are_rows, len(series.missing))
        if self.own is not None and self.own.names:
            self.names = self.own.names
        self.tr_s = tr.tr_s
        self.simulated = sidecar.simulated
        self._sidecar = sidecar

    @classmethod
    def read(cls, found: Sniffed, answers: Mapping[str, str]) -> TableScan:
        """Read a sniffed table.

        Raises
        ------
        BadInput
            When it holds no table of region series.
        """
        if found.kind == "recording":
            return cls._of_recording(found.path, answers)
        sidecar = read_sidecar(found.path)
        table = _raw(found, answers, sidecar)
        if table.values.size == 0 or min(table.values.shape) == 0:
            raise BadInput(f"{shown(found.path)} holds no numbers.", "Export it again with its time series.")
        arrangement = arranged(table, answers)
        values = table.values.T if arrangement.frames_are_rows else table.values
        if values.shape[1] < 2:
            raise BadInput(
                f"{shown(found.path)} holds one frame, not a time series.", "Open a table with one row per frame."
            )
        names = _names(table, arrangement.frames_are_rows, len(values))
        series = checked(values, names)
        if series.missing.all():
            raise BadInput(
                f"{shown(found.path)} holds no region whose values change over time.",
                "Export it again with its signals.",
            )
        with reading(found.path):
            stamp = fingerprint(found.path)
        tr = _repetition(sidecar, table, answers)
        return cls(found.path, stamp, table=table, arrangement=arrangement, series=series, tr=tr, sidecar=sidecar)

    @classmethod
    def _of_recording(cls, path: Path, answers: Mapping[str, str]) -> TableScan:
        """Read a recording of our own: nothing of it has to be guessed."""
        recording = Recording.load(path)
        with reading(path):
            stamp = fingerprint(path)
        simulated = recording.provenance.get("simulated") is True
        own = own_of_recording(recording)
        table = RawTable(
            recording.series.astype(np.float64), "BrainLM recording", recording.names or None, None,
            tr_s=recording.tr_s, frames_are_rows=False,
        )  # fmt: skip
        source = "answer" if "tr" in answers else str(recording.provenance.get("tr_source") or "header")
        tr = Repetition(parse_tr(answers["tr"]) if "tr" in answers else recording.tr_s, source)
        series = CheckedSeries(recording.series, recording.missing, ())
        return cls(
            path, stamp, table=table, arrangement=Arrangement(False, None, ""), series=series, tr=tr,
            sidecar=Sidecar(recording.tr_s, simulated, own),
        )  # fmt: skip

    @property
    def name(self) -> str:
        """The file's name, fit for one line."""
        return shown(self.path)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.matrix.shape[1])

    @property
    def n_parcels(self) -> int:
        """Number of regions, missing ones included."""
        return int(self.matrix.shape[0])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found and assumed."""
        told = (
            *self._sidecar.notes,
            *(self.own.notes if self.own is not None else ()),
            self._arrangement.note,
            *self._table.notes,
            *self._series.notes,
            *self._repetition.notes,
        )
        notes = tuple(note for note in dict.fromkeys(told) if note)
        if self.n_frames < 20:
            notes += (f"Only {self.n_frames} frames: too few for most analyses.",)
        elif self.n_frames < 60:
            notes += (f"{self.n_frames} frames are few: correlations between regions will be uncertain.",)
        return notes

    @property
    def info(self) -> ScanInfo:
        """What is known of the table."""
        low, high = np.nanmin(self.matrix), np.nanmax(self.matrix)
        turn = self._arrangement.question if self.own is None else None  # our own can be read in one way only
        return ScanInfo(
            scan_id=self._stamp, path=full_path(self.path), name=self.name, kind="table", format=self._table.format,
            n_frames=self.n_frames, tr_s=self.tr_s, tr_source=self._repetition.source,
            shape=(self.n_parcels, self.n_frames), dtype="float32",
            value_range=(float(low), float(high) if high > low else float(low) + 1.0),
            unit=self.own.unit if self.own is not None else "raw",
            questions=(*self._table.questions, *((turn,) if turn else ()), *self._repetition.questions),
            notes=self.notes, simulated=self.simulated, cached=True,
        )  # fmt: skip


def _raw(found: Sniffed, answers: Mapping[str, str], sidecar: Sidecar) -> RawTable:
    if found.kind == "text":
        from brainlm_engine.io.table_text import read_text

        return read_text(found.path, found.gzipped, sidecar.own.names if sidecar.own is not None else ())
    from brainlm_engine.io.table_files import read_binary

    return read_binary(found, answers)


def _names(table: RawTable, frames_are_rows: bool, n_parcels: int) -> tuple[str, ...]:
    names = table.column_names if frames_are_rows else table.row_names
    return names if names and len(names) == n_parcels else tuple(str(i + 1) for i in range(n_parcels))


def _repetition(sidecar: Sidecar, table: RawTable, answers: Mapping[str, str]) -> Repetition:
    if table.tr_s is not None:
        return from_header(table.tr_s, "sec", answers)
    if sidecar.tr_s is not None and "tr" not in answers:
        note = f"TR {sidecar.tr_s:g} s taken from the .json file beside the table."
        return Repetition(sidecar.tr_s, "header", (), (note,))
    return unknown(answers)
