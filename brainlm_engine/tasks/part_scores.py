"""The same scores per parcel, per network and per frame: of every method, over hidden frames only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.messages import NetworkScores, Score
from brainlm_engine.files import written_whole
from brainlm_engine.tasks.scoring import TITLES

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
NO_NETWORK = "none"
_SUMS = 8  # frames scored, squared error, squares about the centre, truth, guess, truth², guess², truth * guess


class PartSums:
    """What scores of parts are made of, of every method; several windows add up.

    Attributes
    ----------
    by_parcel : method -> (8, parcels) sums over frames
    by_frame : method -> (8, frames) sums over parcels
    """

    def __init__(self, parcels: int, frames: int) -> None:
        self._size = parcels, frames
        self.by_parcel: dict[str, Doubles] = {}
        self.by_frame: dict[str, Doubles] = {}

    def add(self, method: str, truth: Floats, guess: Floats, scored: Bools, *, centre: Floats, start: int = 0) -> None:
        """Count a window that begins at frame ``start``; arrays as in :func:`brainlm_engine.tasks.scoring.sums`."""
        wanted, given = np.where(scored, truth, 0).astype(np.float64), np.where(scored, guess, 0).astype(np.float64)
        about = np.where(scored, truth - centre, 0).astype(np.float64)
        terms = scored, (given - wanted) ** 2, about**2, wanted, given, wanted**2, given**2, wanted * given
        parcels, frames = self._size
        rows = self.by_parcel.setdefault(method, np.zeros((_SUMS, parcels)))
        columns = self.by_frame.setdefault(method, np.zeros((_SUMS, frames)))
        for index, term in enumerate(terms):
            rows[index] += term.sum(1)
            columns[index, start : start + truth.shape[1]] += term.sum(0)

    def arrays(self) -> dict[str, Floats]:
        """Return ``by_parcel (methods, 3, parcels)`` and ``by_frame (methods, 3, frames)``: R2, r and MSE."""
        parcels, frames = self._size
        return {
            "by_parcel": _stacked(list(self.by_parcel.values()), parcels),
            "by_frame": _stacked(list(self.by_frame.values()), frames),
        }

    def networks(self, networks: Sequence[str]) -> tuple[NetworkScores, ...]:
        """Return the scores of every network in which something was hidden; () where no parcel has one.

        Parameters
        ----------
        networks : (parcels,) names, '' = none: those come last
        """
        if not any(networks) or not self.by_parcel:
            return ()
        names, found = np.array(networks), []
        for name in sorted(dict.fromkeys(networks), key=lambda each: not each):
            members = names == name
            pooled = {method: sums[:, members].sum(1) for method, sums in self.by_parcel.items()}
            if next(iter(pooled.values()))[0]:
                scores = tuple(_score(method, sums) for method, sums in pooled.items())
                found.append(NetworkScores(network=name or NO_NETWORK, n_parcels=int(members.sum()), scores=scores))
        return tuple(found)


def numbers(sums: Doubles) -> Doubles:
    """Return R2, r and MSE, (3, parts), of ``sums (8, parts)``; NaN where they mean nothing."""
    n, error, total, truth, guess, truth2, guess2, product = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(total > 0, 1 - error / total, np.nan)
        spread = np.sqrt(np.maximum(truth2 - truth**2 / n, 0) * np.maximum(guess2 - guess**2 / n, 0))
        r = np.where(spread > 1e-12, (product - truth * guess / n) / spread, np.nan)
        return np.stack([r2, r, np.where(n > 0, error / n, np.nan)])


def write_scores(
    path: Path,
    scores: Sequence[Score],
    networks: Sequence[NetworkScores],
    arrays: dict[str, NDArray[np.generic]],
    *,
    names: Sequence[str] = (),
    start: int = 0,
    tr_s: float = 1.0,
) -> None:
    """Write a long table: part (recording, network, parcel or frame), its name, method, R2, r, MSE.

    Frames are counted from the beginning of the recording; ``start`` is the first of the window.
    """
    methods = [score.method for score in scores]
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("part", "index", "name", "method", "r2", "r", "mse"))
        for score in scores:
            table.writerow(("recording", "", "", score.method, *_written(score.r2, score.r, score.mse)))
        for network in networks:
            for score in network.scores:
                table.writerow(("network", "", network.network, score.method, *_written(score.r2, score.r, score.mse)))
        for part, at, name in _parts(arrays, names, start, tr_s):
            values = np.asarray(arrays[f"by_{part}"])[:, :, at]
            for method, row in zip(methods, values, strict=True):
                if np.isfinite(row).any():
                    table.writerow((part, at + start * (part == "frame"), name, method, *_written(*map(float, row))))


def _parts(
    arrays: dict[str, NDArray[np.generic]], names: Sequence[str], start: int, tr_s: float
) -> Iterator[tuple[str, int, str]]:
    for parcel in range(arrays["by_parcel"].shape[2]):
        yield "parcel", parcel, names[parcel] if parcel < len(names) else ""
    for frame in range(arrays["by_frame"].shape[2]):
        yield "frame", frame, f"{(frame + start) * tr_s:.3f} s"


def _written(*values: float) -> list[str]:
    return [f"{value:.6g}" if np.isfinite(value) else "" for value in values]


def _stacked(sums: list[Doubles], parts: int) -> Floats:
    if not sums:
        return np.zeros((0, 3, parts), np.float32)
    return np.stack([numbers(each) for each in sums]).astype(np.float32)


def _score(method: str, sums: Doubles) -> Score:
    r2, r, mse = (float(value) for value in numbers(sums[:, None])[:, 0])
    return Score(method=method, title=TITLES.get(method, method), r2=r2, r=r, mse=mse)
