"""Scans made for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

LAS_2MM = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])

MakeScan = Callable[..., Path]


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
        if slope != 1.0 or inter != 0.0:
            image.header.set_slope_inter(slope, inter)
        path = tmp_path / name
        image.to_filename(path)
        return path

    return write
