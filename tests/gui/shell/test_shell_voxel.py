"""The voxel under the crosshair over time: the strip shows the file's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from app.controllers.studio import Studio
from app.views.main_window import MainWindow

Live = Callable[..., None]


def test_the_strip_follows_the_crosshair(window: MainWindow, live: Live, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    data = rng.normal(500, 20, (12, 14, 10, 30)).astype(np.float32)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-24, -28, -20)
    image = nib.Nifti1Image(data, affine)
    image.header.set_zooms((4, 4, 4, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "scan.nii")

    async def story(studio: Studio) -> None:
        assert await studio.open_path(tmp_path / "scan.nii")
        assert studio.viewing is not None
        for ijk in ((3, 4, 5), (8, 9, 2)):
            studio.pointing.point(*(affine[:3, :3] @ ijk + affine[:3, 3]))
            await studio.settled()
            line = studio.viewing._page.strip._lines[-1]
            assert line.name == "Voxel"
            change = 100 * (data[ijk] / data[ijk].mean() - 1)
            np.testing.assert_allclose(line.values, change, atol=1e-3)

    live(story, window)
