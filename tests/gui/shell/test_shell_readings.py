"""The numbers beside the drawings belong to the scan on screen, and millimetres to the space it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.controllers.studio import Studio
from app.state.data import OpenScan
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import ScanInfo, SpaceReport

Live = Callable[..., None]
NONE = tr("probe.none")


def numbers(studio: Studio) -> dict[str, str]:
    """Everything the two panels say."""
    assert studio.viewing is not None
    page = studio.viewing._page
    values = {**page.probe._values, **page.quality._values}
    return {name: label.text() for name, label in values.items()}


def test_a_table_shows_no_number_of_the_scan_before(window: MainWindow, live: Live, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    np.savetxt(tmp_path / "series.1D", rng.normal(100, 5, (40, 30)), fmt="%.3f")

    async def story(studio: Studio) -> None:
        assert await studio.open_demo(20)
        assert await studio.prepared()
        studio.player.go(7)
        await studio.settled()
        before = numbers(studio)
        kept = ("region", "voxel", "value", "parcel", "fd", "dvars", "tsnr", "coverage", "missing")
        assert all(before[name] not in ("", NONE) for name in kept), before

        assert await studio.open_path(tmp_path / "series.1D")
        after = numbers(studio)
        assert after.pop("region") == tr("probe.outside")
        assert after.pop("mm") != NONE
        assert after.pop("fd") == tr("quality.fd.needed")
        assert set(after.values()) == {NONE}, after
        studio.commands.close_case()
        assert set(numbers(studio).values()) == {NONE}

    live(story, window)


@pytest.mark.parametrize(
    ("verdict", "said"), [("mni", "probe.mm"), ("unknown", "probe.scanner_mm"), ("not_mni", "probe.scanner_mm")]
)
def test_millimetres_are_mni_only_where_that_is_known(window: MainWindow, live: Live, verdict: str, said: str) -> None:
    info = ScanInfo(
        scan_id="x", path="/x/x.nii", name="x.nii", kind="volume", format="NIfTI-1", n_frames=2, shape=(4, 4, 4, 2),
        affine=tuple(map(tuple, np.eye(4))), space=SpaceReport(verdict=verdict, overlap=0.5, text="Perhaps."),
    )  # fmt: skip

    async def story(studio: Studio) -> None:
        assert studio.viewing is not None
        names = studio.viewing._page.probe._names
        window.show_page("view")
        studio.state.case.scan = OpenScan(info, np.ones((4, 4, 4), np.float32))
        assert names["mm"].text() == tr(said)
        assert names["mm"].width() >= names["mm"].sizeHint().width()
        table = info.model_copy(update={"kind": "table", "space": None, "affine": None, "shape": (3, 9)})
        studio.state.case.scan = replace(studio.state.case.scan, info=table, first=np.ones((3, 9), np.float32))
        assert names["mm"].text() == tr("probe.mm")

    live(story, window, engine=False)
