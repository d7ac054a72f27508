"""Confounds (fMRIPrep tables and alike): read, and taken out of parcel series by ordinary least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown
from brainlm_engine.recording import Recording

_NAMED = 12  # confounds named in a note; the steps name them all
_EMPTY = ("", "n/a", "nan", "na", "null", "none")


@dataclass(frozen=True)
class Confounds:
    """Numeric columns of a confounds table: ``values (frames, columns)`` float64 without gaps, ``names``, and
    ``fd_mm (frames,)`` when the table has framewise displacement.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    fd_mm: NDArray[np.float32] | None
    source: str


def read_confounds(path: Path, columns: Sequence[str] = ()) -> Confounds:
    """Read a TSV or CSV of confounds; empty cells (``n/a`` in the first rows) take their column's mean.

    Parameters
    ----------
    columns : names to use; all numeric columns when empty

    Raises
    ------
    BadInput
        For an unreadable or empty table, or a column that is not there.
    """
    path = Path(path)
    header, rows = table_rows(path)
    if unknown := [name for name in columns if name not in header]:
        raise BadInput(f"{shown(path)} has no column '{unknown[0]}'.", f"It has: {', '.join(header[:12])} ...")
    table = {name: _column([row[i] for row in rows]) for i, name in enumerate(header)}
    chosen = [name for name in (columns or header) if (column := table[name]) is not None and np.ptp(column) > 0]
    if not chosen:
        raise BadInput(f"{shown(path)} has no numeric column that changes.", "Give a TSV with one row per frame.")
    fd = next((table[n] for n in ("framewise_displacement", "FramewiseDisplacement") if table.get(n) is not None), None)
    values = np.stack([column for name in chosen if (column := table[name]) is not None], axis=1)
    return Confounds(values, tuple(chosen), None if fd is None else fd.astype(np.float32), shown(path))


def table_rows(
    path: Path, what: str = "confounds", how: str = "Give a TSV with a header and one row per frame."
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a TSV or CSV of ``what``, cells as text; BadInput, which says ``how``, for no table."""
    with reading(path):
        lines = [line for line in path.read_text("utf-8-sig", "replace").splitlines() if line.strip()]
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    rows = [[cell.strip() for cell in line.split(delimiter)] for line in lines]
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise BadInput(f"{shown(path)} is not a table of {what}.", how)
    return [name.strip('"') for name in rows[0]], rows[1:]


def is_empty(cell: str) -> bool:
    """Return True for what tables write where there is no number."""
    return cell.lower() in _EMPTY


def _column(cells: list[str]) -> NDArray[np.float64] | None:
    """Return a column with its gaps filled by its mean; None for text or nothing at all."""
    try:
        values = np.array([np.nan if is_empty(cell) else float(cell) for cell in cells])
    except ValueError:
        return None
    good = np.isfinite(values)
    if not good.any():
        return None
    values[~good] = values[good].mean()
    return values


def _listed(names: Sequence[str], most: int) -> str:
    """Return '2 confounds (trans_x, rot_z)', with no more than ``most`` names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{len(names)} confound{'s' * (len(names) != 1)} ({', '.join(names[:most])}{more})"


def regress_out(recording: Recording, confounds: Confounds) -> Recording:
    """Take the confounds out of every parcel by least squares, keeping each parcel's mean.

    Raises
    ------
    BadInput
        When the table has another number of frames, or as many columns as the recording has frames.
    """
    frames = recording.n_frames
    if len(confounds.values) != frames:
        raise BadInput(
            f"{confounds.source} has {len(confounds.values)} rows, {recording.name} has {frames} frames.",
            "Choose the confounds of this very run.",
        )
    centred = confounds.values - confounds.values.mean(0)
    basis, weights, _ = np.linalg.svd(centred / np.maximum(centred.std(0), 1e-12), full_matrices=False)
    basis = basis[:, weights > 1e-8 * weights[0]]
    if basis.shape[1] >= frames - 2:
        raise BadInput(
            f"{confounds.source} has {basis.shape[1]} independent columns for {frames} frames: nothing would be left.",
            "Choose fewer columns.",
        )
    series = recording.series.astype(np.float64)
    usable = ~recording.missing
    mean = series[usable].mean(1, keepdims=True)
    part = series[usable] - mean
    series[usable] = part - (part @ basis) @ basis.T + mean
    kept = recording.provenance
    step = f"regressed out {_listed(confounds.names, len(confounds.names))} from {confounds.source}"
    note = f"{confounds.source}: {_listed(confounds.names, _NAMED)} regressed out."
    provenance = {
        **kept, "steps": [*kept.get("steps", []), step], "notes": [*kept.get("notes", []), note],
    }  # fmt: skip
    return replace(recording, series=series.astype(np.float32), provenance=provenance)
