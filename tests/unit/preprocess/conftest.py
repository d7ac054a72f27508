"""A little brain for one test."""

from __future__ import annotations

import numpy as np
import pytest

from brainlm_engine.atlas import Atlas


@pytest.fixture
def small_atlas() -> Atlas:
    """Sixty blocks of 4 x 4 x 4 voxels of 3 mm."""
    labels = np.zeros((20, 24, 16), np.int16)
    corners = [(i, j, k) for i in range(1, 17, 5) for j in range(1, 21, 5) for k in range(1, 13, 5)][:60]
    for number, (i, j, k) in enumerate(corners, 1):
        labels[i : i + 4, j : j + 4, k : k + 4] = number
    n = len(corners)
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = [-30, -36, -24]
    xyz = ((np.array(corners) + 1.5) * 3 + affine[:3, 3]).astype(np.float32)
    names = tuple(f"area {i}" for i in range(n))
    none = np.full(10242, -1, np.int16)
    return Atlas(
        "small",
        "Small",
        labels,
        affine,
        xyz,
        names,
        ("Visual",) * n,
        ("Visual",),
        ("cortex",) * n,
        ("L",) * n,
        none,
        none,
    )
