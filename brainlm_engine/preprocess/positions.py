"""Where the regions of a table lie: coordinate files, and whether given positions can be true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown

#: farthest a region can be from the MNI origin, mm
_HEAD_MM = 140.0
_PERMUTATIONS = 200
#: columns that say which region a row is, the most telling first
_ID_NAMES = ("roi", "roi_id", "id", "index", "label", "number", "no", "parcel", "region", "name")


@dataclass(frozen=True)
class PositionCheck:
    """Do near regions correlate more than far ones?

    Attributes
    ----------
    near_r, far_r : mean correlation of the nearest and the farthest tenth of region pairs
    rank_r : Spearman correlation of correlation with distance (negative when positions are right)
    z : ``rank_r`` in standard deviations of shuffled positions
    ok : True when the positions clearly belong to the signals
    text : one sentence for the person
    """

    near_r: float
    far_r: float
    rank_r: float
    z: float
    ok: bool
    text: str


@dataclass(frozen=True)
class Places:
    """``xyz (parcels, 3)`` float32, MNI mm, and ``note``: what a person must be told of their order, '' for nothing."""

    xyz: NDArray[np.float32]
    note: str = ""


def read_coordinates(path: Path) -> NDArray[np.float32]:
    """Read region positions; see :func:`read_places`."""
    return read_places(path).xyz


def read_places(path: Path, names: Sequence[str] = ()) -> Places:
    """Read region positions from a text file: columns named x, y, z, or the last three of 3 or 4 numeric columns.

    A column that says which region a row is (``roi``, ``id``, ``label``, ...; without a header the first of four) puts
    the rows in order: that of ``names`` when it holds just these, else that of its numbers when they are 1 to R.

    Parameters
    ----------
    names : of the table's regions, in its order

    Raises
    ------
    BadInput
        When the file holds no positions inside a head.
    """
    path = Path(path)
    rows = _rows(path)
    header = [cell.strip("\"'# ").lower() for cell in rows[0]] if rows else []
    columns = _xyz_columns(header)
    body = rows[1:] if _number(rows[0][-1] if rows else "") is None else rows
    try:
        picked = [
            [_number(row[c]) for c in columns] if columns else [_number(cell) for cell in row[-3:]] for row in body
        ]
        xyz = np.array(picked, np.float64)
    except (IndexError, ValueError, TypeError) as error:
        raise _no_positions(path, str(error)) from error
    if xyz.ndim != 2 or xyz.shape[1:] != (3,) or len(xyz) < 2 or not np.isfinite(xyz).all():
        raise _no_positions(path, f"shape {xyz.shape}")
    if np.abs(xyz).max() > _HEAD_MM:
        raise BadInput(
            f"{shown(path)} holds positions up to {np.abs(xyz).max():.0f} from the centre, which is outside any head.",
            "Give the positions in MNI millimetres.",
        )
    if np.ptp(xyz, axis=0).max() < 5:
        raise BadInput(
            f"{shown(path)} holds positions within {np.ptp(xyz, axis=0).max():.1f} of each other: not millimetres.",
            "Give the positions in MNI millimetres.",
        )
    order, note = _order(path, header if columns else [], body, names)
    return Places(xyz[order].astype(np.float32), note)


def _order(path: Path, header: list[str], body: list[list[str]], names: Sequence[str]) -> tuple[NDArray[np.intp], str]:
    """Return the rows in the order of the regions, and a note when that is not the file's own order."""
    as_they_are = np.arange(len(body))
    title = next((name for name in _ID_NAMES if name in header), "")
    if not title and (header or len(body[0]) != 4):
        return as_they_are, ""
    column = header.index(title) if title else 0
    ids = [_id(row[column] if column < len(row) else "") for row in body]
    wanted = [_id(name) for name in names]
    if len(set(wanted)) != len(wanted) or sorted(wanted) != sorted(ids):
        wanted = sorted(ids, key=lambda text: int(text) if text.isdecimal() else -1)
        if not any(wanted == [str(i + first) for i in range(len(ids))] for first in (0, 1)):
            return as_they_are, ""
    place = {text: row for row, text in enumerate(ids)}
    order = np.array([place[text] for text in wanted])
    if (order == as_they_are).all():
        return order, ""
    which = f"column '{title}'" if title else "first column"
    return order, f"The positions in {shown(path)} were put in the order of the regions by its {which}."


def _id(text: str) -> str:
    """Return the name or number of a region as it is compared: '#2' and '2.0' are '2'."""
    text = text.strip("\"'# \t").lower()
    value = _number(text)
    return str(int(value)) if value is not None and value == int(value) else text


def _rows(path: Path) -> list[list[str]]:
    with reading(path):
        if path.is_dir():
            raise IsADirectoryError(str(path))
        data = path.read_bytes()[:5_000_000]
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = [line for line in data.decode(encoding, "replace").splitlines() if line.strip()]
    if lines and ";" in lines[-1]:
        return [[cell.replace(",", ".") for cell in line.split(";")] for line in lines]
    return [line.replace(",", " ").split() if "\t" not in line else line.split("\t") for line in lines]


def _xyz_columns(header: list[str]) -> list[int]:
    for names in (("x", "y", "z"), ("mni_x", "mni_y", "mni_z"), ("x_mni", "y_mni", "z_mni"), ("r", "a", "s")):
        if all(name in header for name in names):
            return [header.index(name) for name in names]
    return []


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _no_positions(path: Path, details: str) -> BadInput:
    return BadInput(
        f"{shown(path)} holds no table of region positions.",
        "Give a text file with one row per region and the columns x, y, z in MNI millimetres.",
        details,
    )


def positions_fit(series: NDArray[np.float32], xyz: NDArray[np.float32], seed: int = 0) -> PositionCheck:
    """Check positions against signals: in a brain, near regions correlate more than far ones.

    Parameters
    ----------
    series : (parcels, frames), missing parcels NaN
    xyz : (parcels, 3) MNI mm
    """
    usable = np.isfinite(series).all(1) & np.isfinite(xyz).all(1)
    x, place = series[usable].astype(np.float64), xyz[usable].astype(np.float64)
    x = x - x.mean(1, keepdims=True)
    spread = np.sqrt((x * x).sum(1))
    x, place = x[spread > 0] / spread[spread > 0, None], place[spread > 0]
    n = len(x)
    if n < 8 or x.shape[1] < 10:
        return PositionCheck(np.nan, np.nan, np.nan, 0.0, False, "Too few regions or frames to check the positions.")
    upper = np.triu_indices(n, 1)
    links = _rank((x @ x.T)[upper])
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    ranked = np.zeros((n, n))
    ranked[upper] = _rank(apart[upper])
    ranked += ranked.T
    rank_r = _product(links, ranked[upper])
    rng = np.random.default_rng(seed)
    null = np.empty(_PERMUTATIONS)
    for i in range(_PERMUTATIONS):
        p = rng.permutation(n)
        null[i] = _product(links, ranked[p[upper[0]], p[upper[1]]])
    z = (rank_r - float(null.mean())) / max(float(null.std()), 1e-9)
    nearest = np.argsort(apart[upper])
    tenth = max(1, len(nearest) // 10)
    r = (x @ x.T)[upper]
    near_r, far_r = float(r[nearest[:tenth]].mean()), float(r[nearest[-tenth:]].mean())
    ok = z < -4 and near_r > far_r
    verdict = "the positions fit the signals" if ok else "the positions do not seem to belong to these signals"
    text = f"Near regions correlate r = {near_r:.2f}, far ones r = {far_r:.2f}: {verdict}."
    return PositionCheck(near_r, far_r, rank_r, float(z), ok, text)


def _product(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the mean product; not through BLAS, whose threads take longer than the sum on a busy machine."""
    return float(np.einsum("i,i->", one, other)) / len(one)


def _rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks scaled to mean 0 and standard deviation 1."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    ranks -= ranks.mean()
    scaled: NDArray[np.float64] = ranks / ranks.std()
    return scaled
