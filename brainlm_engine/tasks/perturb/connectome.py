"""Structural connectomes from tables: strengths of connections between parcels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput

_NEXT = "Give a square table of numbers, parcels by parcels (.csv, .tsv, .txt or .npy), without names."


def read_connectome(path: Path) -> NDArray[np.float64]:
    """Return strengths (P, P); empty cells and 'nan' are not known.

    Raises
    ------
    BadInput
        When the file is not there, holds no numbers, or is not square.
    """
    table: NDArray[np.float64]
    try:
        if path.suffix.lower() == ".npy":
            table = np.asarray(np.load(path, allow_pickle=False), np.float64)
        else:
            lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
            mark = next((mark for mark in (",", "\t", ";") if lines and mark in lines[0]), None)
            table = np.array([[float(cell or "nan") for cell in line.split(mark)] for line in lines])
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror or error}.", _NEXT) from None
    except (ValueError, EOFError, UnicodeDecodeError):
        raise BadInput(f"{path.name} is no table of numbers.", _NEXT) from None
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise BadInput(f"{path.name} is {' x '.join(map(str, table.shape))}, not square.", _NEXT)
    return table
