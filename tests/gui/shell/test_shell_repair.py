"""Masks painted by hand, scores per network and over time, and Repair Recording, in the real window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot
from test_shell_accessible import silent

from app.controllers.repairing import spans_of_text
from app.controllers.studio import Studio
from app.views.carpet import CarpetPlot
from app.views.main_window import MainWindow
from app.views.mask_brush import MaskBrush
from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas import load_atlas
from brainlm_engine.recording import Recording

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """160 frames of mni424: three parcels without signal, one frame that jumps."""
    atlas, rng = load_atlas("mni424"), np.random.default_rng(0)
    waves = np.stack([np.ones(424), *(atlas.xyz.T / 50)])
    slow = np.stack([np.convolve(rng.standard_normal(170), np.ones(11), "valid") for _ in waves])
    series = (1000 + 5 * waves.T @ slow + rng.standard_normal((424, 160))).astype(np.float32)
    series[:, 80] += 200
    series[[7, 80, 300]] = 0
    made = Recording(
        series, 0.72, atlas.xyz, np.zeros(424, bool), np.ones(424, np.float32), "mni424", atlas.names, atlas.networks,
        name="bad",
    )  # fmt: skip
    made.save(path := tmp_path / "bad.safetensors")
    return path


def point(plot: CarpetPlot, frame: float, row: float) -> QPoint:
    return plot.mapFromScene(plot.view.mapViewToScene(QPointF(frame, row)))


def test_a_stroke_hides_and_shows_patches(qtbot: QtBot) -> None:
    plot = CarpetPlot()
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    plot.set_values(np.zeros((6, 100), np.float32), 1.0, 1.0, "vik", [])
    plot.set_order([5, 4, 3, 2, 1, 0], [""] * 6)
    plot.show_all()
    brush, told = MaskBrush(plot), []
    brush.painted.connect(told.append)
    clicked: list[int] = []
    plot.parcel_clicked.connect(clicked.append)

    def drag(*places: tuple[float, float]) -> None:
        spots = [point(plot, *place) for place in places]
        qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=spots[0])
        for spot in spots[1:]:
            qtbot.mouseMove(plot.viewport(), spot)
            plot.mouseMoveEvent(_moved(spot))
        qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=spots[-1])

    drag((30, 0.5))
    assert clicked == [5], "without a canvas a click chooses the row"
    brush.set_canvas(np.zeros((6, 5), bool), 20)
    drag((30, 0.5), (70, 2.5))
    assert np.argwhere(told[0]).tolist() == [[3, 3], [4, 2], [5, 1]]
    assert clicked == [5]
    brush.set_canvas(told[0], 20)
    drag((30, 0.5))
    assert not told[1][5].any()
    assert told[1].sum() == 2
    brush.set_canvas(told[1], 20)
    plot.set_selected((4, 0))
    plot.set_cursor(45)
    qtbot.keyClick(plot, Qt.Key.Key_Space)
    assert not told[2][4, 2]
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=point(plot, 5, 3.5))
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=point(plot, 5, 3.5))
    assert len(told) == 3, "Escape gives a stroke up"
    brush.set_canvas(None)
    qtbot.keyClick(plot, Qt.Key.Key_Space)
    assert len(told) == 3


def _moved(spot: QPoint) -> object:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(spot), QPointF(spot), left, left, none)


def test_a_mask_is_painted_saved_loaded_and_undone(
    window: MainWindow, live: Live, until: Until, recording: Path, tmp_path: Path
) -> None:
    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(recording)
        assert await studio.prepared()
        studio.show_workspace("model")
        await until(lambda: state.model.result is not None, 60)
        await studio.settled()
        assert studio.modelling is not None
        painting, page = studio.modelling.painting, studio.modelling._page
        result = state.model.result
        assert result is not None
        strip = page.errors
        assert strip.isVisible()
        assert strip.n_frames == result.info.n_frames
        assert page.network_scores.isVisible()
        assert [part.network for part in result.info.networks][-1] == "none"
        studio.modelling._mask_wanted("kind", "painted")
        assert np.array_equal(painting.painted(), result.mask), "begins with what is hidden"
        assert all(brush.active for brush in painting.brushes)
        painting.clear()
        mask = np.zeros(result.mask.shape, bool)
        mask[10:60, 2:5] = True
        state.edits.set("other", state.view, frame=3)  # strokes within a second are one step
        painting.paint(mask)
        assert len(state.model.mask.patches) == 150
        assert state.model.outdated
        answer = await studio.reconstruct()
        assert answer is not None
        assert np.array_equal(answer.mask, mask)
        assert await painting.save(str(tmp_path / "m.csv"))
        state.edits.undo()
        assert len(state.model.mask.patches) == 0
        assert await painting.load(str(tmp_path / "m.csv"))
        assert len(state.model.mask.patches) == 150
        (tmp_path / "wrong.csv").write_text("0,1\n")
        assert not await painting.load(str(tmp_path / "wrong.csv"))
        assert any("wrong.csv holds 1 x 2 values" in notice.text for notice in state.notices.waiting)
        studio.modelling._mask_wanted("kind", "random")
        assert not any(brush.active for brush in painting.brushes)

    live(story, window, timeout=240)


def test_a_recording_is_repaired_and_opened_again(
    window: MainWindow, live: Live, until: Until, recording: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mended.safetensors"

    async def story(studio: Studio) -> None:
        state = studio.state
        assert window.board["repair"].toolTip()
        assert await studio.open_path(recording)
        assert await studio.prepared()
        studio.commands.repair()
        assert studio.repairing is not None
        dialog = studio.repairing.dialog
        assert dialog is not None
        assert not dialog.write.isEnabled()
        assert silent(dialog) == []
        info = await studio.repairing.look()
        assert info is not None
        assert info.parcels == (7, 80, 300)
        assert info.written == ""
        assert dialog.write.isEnabled()
        assert "3 parcels without signal." in dialog._found.text()
        box: QCheckBox = dialog.signs["dvars"]
        box.click()
        assert not dialog.write.isEnabled(), "other settings, another result"
        box.click()
        assert dialog.write.isEnabled()
        dialog.frames.setText("a:b")
        assert await studio.repairing.look() is None
        assert "no span of frames" in dialog._found.text()
        dialog.frames.clear()
        dialog.choose_method("ridge")
        assert await studio.repairing.write(str(recording)) is None, "the original is never written to"
        before = recording.read_bytes()
        done = await studio.repairing.write(str(out))
        assert done is not None
        assert {kind.method for kind in done.kinds} == {"ridge"}
        assert recording.read_bytes() == before
        notice = next(n for n in state.notices.waiting if n.key == "model:repair")
        assert notice.buttons[0][0] == f"open:{out}"
        dialog.reject()
        studio._notice_pressed("model:repair", notice.buttons[0][0])
        await until(lambda: state.case.scan is not None and state.case.scan.info.name == out.name, 60)
        await until(lambda: state.case.recording is not None, 60)
        studio.show_workspace("view")
        await studio.settled()
        case = state.case.recording
        assert case is not None
        assert case.filled is not None
        assert case.filled[[7, 80, 300]].all()
        assert studio.viewing is not None
        page = studio.viewing._page
        assert "filled in" in page.carpet_box.title
        assert np.array_equal(page.carpet.plot._mask, case.filled)
        facts = dict(studio.details._shown[1])
        assert "not measured" in facts["Filled in"]
        assert "studio-tiny" in facts["Repair"]
        assert "Ridge" in facts["Repair"]

    live(story, window, timeout=240)


def test_a_repair_that_is_stopped_writes_nothing(
    window: MainWindow, live: Live, until: Until, recording: Path, tmp_path: Path
) -> None:
    async def story(studio: Studio) -> None:
        import asyncio

        assert await studio.open_path(recording)
        assert await studio.prepared()
        studio.commands.repair()
        repairing = studio.repairing
        assert repairing is not None
        assert repairing.dialog is not None
        task = asyncio.ensure_future(repairing.write(str(tmp_path / "new.safetensors")))
        await until(lambda: repairing._job not in ("", "…"), 60)
        await repairing.stop()
        assert await task is None
        assert not (tmp_path / "new.safetensors").exists()
        assert repairing.dialog.look.text() == "Look"
        repairing.dialog.reject()

    live(story, window, timeout=240)


def test_frames_as_they_are_typed() -> None:
    assert spans_of_text("120:140, 300;5-7") == ((120, 140), (300, 301), (5, 7))
    assert spans_of_text(" ") == ()
    with pytest.raises(BadInput, match="no span of frames"):
        spans_of_text("12,x")


def test_old_recordings_have_no_marker() -> None:
    from app.state.data import Recording as Shown
    from brainlm_engine.api.messages import RecordingInfo

    info = RecordingInfo(recording_id="a", name="n", atlas_id="", n_parcels=2, n_frames=3, tr_s=1.0, unit="raw")
    series = {"series": np.ones((2, 3), np.float32)}
    assert Shown.of(info, series).filled is None
    repaired = info.model_copy(update={"provenance": {"repairs": [{"filled": {"parcels": [1], "frames": [[0, 1]]}}]}})
    filled = Shown.of(repaired, series).filled
    assert filled is not None
    assert filled.tolist() == [[True, False, False], [True, True, True]]
    assert replace(Shown.of(info, series), filled=filled).filled is filled
