"""Scans made for one test."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

LAS_2MM = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])

MakeScan = Callable[..., Path]


@pytest.fixture
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the test's little scans like large ones, which are never held in memory whole."""
    monkeypatch.setattr("brainlm_engine.io.volume.SMALL_BYTES", 0)
    monkeypatch.setattr("brainlm_engine.io.nifti._VERIFY_BYTES", 0)


@pytest.fixture
def make_scan(tmp_path: Path) -> MakeScan:
    """Write a NIfTI: ``make_scan(name, data, affine=, tr=, unit=, slope=, inter=, nifti2=)``."""

    def write(
        name: str, data: Any, *, affine: Any = LAS_2MM, tr: float = 2.0, unit: str = "sec", slope: float = 1.0,
        inter: float = 0.0, nifti2: bool = False, dtype: Any = None,
    ) -> Path:  # fmt: skip
        cls = nib.Nifti2Image if nifti2 else nib.Nifti1Image
        image = cls(np.asarray(data), affine, dtype=dtype or np.asarray(data).dtype)
        if image.ndim > 3:
            image.header.set_zooms((*image.header.get_zooms()[:3], tr, *image.header.get_zooms()[4:]))
        image.header.set_xyzt_units("mm", unit)
        path = tmp_path / name
        image.to_filename(path)
        if slope != 1.0 or inter != 0.0:
            packed = path.suffix == ".gz"
            content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
            content[112:120] = np.array([slope, inter], "<f4").tobytes()
            path.write_bytes(gzip.compress(content, 1) if packed else content)
        return path

    return write
