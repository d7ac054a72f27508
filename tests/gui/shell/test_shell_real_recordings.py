"""Real recordings through the whole chain in the window: opened, asked about, prepared, reconstructed, scored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.controllers.studio import Studio
from app.state.data import Reconstruction
from app.views.main_window import MainWindow

Live = Callable[..., None]
pytestmark = pytest.mark.shared_data


async def reconstructed(studio: Studio) -> Reconstruction:
    """Go to the Model workspace and return the answer on show there."""
    studio.show_workspace("model")
    await studio.reconstruct()
    await studio.settled()
    result = studio.state.model.result
    assert result is not None, studio.state.model.problem
    assert {score.method for score in result.info.scores} >= {"model", "mean"}
    assert result.info.verdict
    assert not [notice.text for notice in studio.state.notices.waiting if notice.tone == "danger"]
    return result


def test_a_scan_in_mni_space(window: MainWindow, live: Live, shared_data: Path) -> None:
    (path,) = (shared_data / "nifti").glob("brcdata*5vol.nii.gz")

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(path)
        assert await studio.prepared()
        assert state.case.recording is not None
        assert state.case.recording.series.shape == (424, 5)
        assert state.case.tr_s == 2.0
        assert (state.case.recording.coverage > 0.5).sum() > 400
        studio.show_workspace("view")
        studio.pointing.point(-12.0, -88.0, 4.0)
        studio.player.go(3)
        await studio.settled()
        assert studio.viewing is not None
        assert np.ptp(studio.viewing._page.slices.panes[0].image.image) > 0
        result = await reconstructed(studio)
        assert result.predicted.shape == (424, 5)

    live(story, window)


def test_a_table_of_200_regions(window: MainWindow, live: Live, shared_data: Path) -> None:
    path = sorted((shared_data / "abide" / "raw_1D_examples").glob("NYU*.1D"))[0]
    coordinates = shared_data / "abide" / "cc200_coordinates.csv"

    async def story(studio: Studio) -> None:
        state = studio.state
        assert await studio.open_path(path)
        assert state.case.phase == "asking"
        asked = {n.question.question_id for n in state.notices.waiting if n.question is not None}
        assert asked >= {"tr", "positions"}
        await studio.opening.answer("tr", "2.0")
        await studio.opening.answer("positions", str(coordinates))
        assert await studio.prepared()
        assert state.case.recording is not None
        assert state.case.recording.info.n_parcels == 200
        assert state.case.recording.info.n_frames > 100
        result = await reconstructed(studio)
        scores = {score.method: score.r2 for score in result.info.scores}
        assert scores["model"] > 0.2 > scores["mean"]  # one real person, fixed seed

        studio.state.shell.put(model_tab="forecast")
        forecast = await studio.forecast()
        assert forecast is not None, state.forecast.problem
        assert forecast.of("forecast").shape[0] == 200
        studio.state.shell.put(model_tab="states")
        states = await studio.states()
        assert states is not None, state.states.problem
        assert states.info.windows * states.info.window_frames <= state.case.recording.info.n_frames
        studio.state.shell.put(model_tab="attention")
        attention = await studio.attention()
        assert attention is not None, state.attention.problem
        assert attention.arrays["maps"].shape[2:] == (200, 200)
        studio.show_workspace("networks")
        networks = await studio.networks()
        assert networks is not None, state.networks.problem
        right = {score.method: score.accuracy for score in networks.info.scores}
        assert right["attention"] > right["noise"] + 0.15
        assert "overlap" in networks.info.reference_from or "mm" in networks.info.reference_from
        state.perturb.nulls = 4
        studio.pointing.pick(20)
        window.board["perturb_add"].trigger()
        assert studio.perturb_room is not None
        controller = await studio.perturb_room.ready()
        await studio.settled()
        follows = state.perturb.result
        assert follows is not None, state.perturb.problem
        assert follows.info.nulls == 4
        asked = await studio.engine.client.perturb(
            state.case.recording.info.recording_id, state.model.model_id, state.perturb.scenario()
        )
        assert np.allclose(asked.arrays["effect"], follows.arrays["effect"], atol=1e-5, equal_nan=True)
        assert controller.page.follows.verdict.text() == follows.info.verdict
        state.steer.put(question="take", aim="activity")
        await studio.perturb_room.parts.steering.search()
        await studio.settled()
        steered = state.steer.result
        assert steered is not None, state.steer.problem
        assert steered.info.left < 0.7
        assert controller.page.take.verdict.text() == steered.info.verdict
        assert not [notice.text for notice in state.notices.waiting if notice.tone == "danger"]

    live(story, window)
