"""The Train workspace with the real engine: a model learns, is paused, goes on, survives a killed engine, is used."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot

from app import theme
from app.controllers.studio import Studio
from app.controllers.training_estimate import in_bytes, in_words, rounded
from app.state import AppState
from app.state.training import Training, TrainState
from app.text import tr
from app.views.curves import CurveView
from app.views.main_window import MainWindow
from app.views.pages.train import TrainPage
from app.widgets.colour_bar import small_font
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.training import CohortInfo, ModelSize, TrainingChoices, TrainingEstimate, TrainingInfo
from brainlm_engine.simulate import simulate_cohort

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
FRAMES = 120


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve simulated people, 120 frames each."""
    return simulate_cohort(tmp_path_factory.mktemp("cohorts") / "twelve people", 12, n_frames=FRAMES).folder


def page_of(studio: Studio) -> TrainPage:
    assert studio.training is not None
    return studio.training.drawing._page


async def ready(studio: Studio, until: Until, people: Path, **settings: object) -> None:
    """On the page, with a cohort and the smallest model."""
    train = studio.state.train
    studio.show_workspace("train")
    await until(lambda: train.choices is not None)
    assert studio.training is not None
    assert await studio.training.cohorts.choose(str(people))
    train.put(size="mini", budget="steps", batch=1, threads=1, variety=False, **settings)
    await studio.settled()


def on_show(studio: Studio) -> TrainingInfo:
    training = studio.state.train.on_show
    assert training is not None
    return training


def points(studio: Studio) -> list[int]:
    detail = studio.state.train.detail
    return [point.step for point in detail.info.points] if detail is not None else []


def complaints(studio: Studio) -> list[str]:
    return [notice.text for notice in studio.state.notices.waiting if notice.tone in ("danger", "warning")]


async def check_learning(studio: Studio, until: Until) -> None:
    """The curves get points, the preview shows hidden patches, and the estimate is there before the start."""
    page, train, board = page_of(studio), studio.state.train, studio.window.board
    assert not board["train_pause"].isEnabled()
    assert "steps" in page.settings._estimate.text()
    board["train_start"].trigger()
    await until(lambda: len(points(studio)) >= 2, seconds=90)
    assert page.r2.steps[:2] == tuple(points(studio)[:2])
    assert len(page.loss.values) == len(page.r2.values)
    assert tr("train.level.ridge_people") in [name for name, _ in page.r2.levels]
    assert page.preview.n_parcels == 12
    assert train.detail is not None
    assert np.isfinite(train.detail.arrays["predicted"]).any()
    assert not board["train_start"].isEnabled()
    assert tr("reason.no_training") in board["train_start"].toolTip()


async def check_pause_and_resume(studio: Studio, until: Until) -> None:
    """Paused it keeps its steps; resumed it counts on."""
    board = studio.window.board
    board["train_pause"].trigger()
    await until(lambda: on_show(studio).state is JobState.CANCELLED, seconds=60)
    await studio.settled()
    paused = on_show(studio).step
    assert paused > 0
    assert tr("train.head.resume", step=paused) == page_of(studio).head._note.text()
    board["train_resume"].trigger()
    await until(lambda: bool(points(studio)) and points(studio)[-1] > paused, seconds=90)
    assert points(studio) == sorted(set(points(studio)))


async def check_a_scan_meanwhile(studio: Studio) -> None:
    """A scan is opened, and its parcel series made, while the training goes on."""
    assert await studio.open_demo(60)
    assert await studio.prepared()
    assert on_show(studio).state is JobState.RUNNING


async def check_use(studio: Studio, until: Until) -> None:
    """Stopped with the model kept, it is compared with simple methods, listed, and answers."""
    state, board = studio.state, studio.window.board
    board["train_stop"].trigger()
    await until(lambda: on_show(studio).usable and on_show(studio).evaluation is not None, seconds=150)
    await studio.settled()
    training = on_show(studio)
    assert training.evaluation is not None
    result = page_of(studio).result
    assert result._verdict.text() == training.evaluation.verdict
    assert not result._simulated.isHidden()
    assert training.model_id in [model.model_id for model in state.model.models]
    assert complaints(studio) == []
    board["train_open"].trigger()
    await until(lambda: state.model.result is not None, seconds=60)
    assert state.model.result is not None
    assert state.model.result.info.model_id == training.model_id


def test_a_model_learns_pauses_goes_on_and_is_used(window: MainWindow, live: Live, until: Until, people: Path) -> None:
    async def story(studio: Studio) -> None:
        await ready(studio, until, people, steps=4000)
        assert window._stack.currentWidget() is page_of(studio)
        await check_learning(studio, until)
        await check_pause_and_resume(studio, until)
        await check_a_scan_meanwhile(studio)
        await check_use(studio, until)
        await check_clone(studio)

    live(story, window, timeout=280)


async def check_clone(studio: Studio) -> None:
    """The settings of a training come back into the form, as one step that can be undone."""
    train = studio.state.train
    studio.show_workspace("train")
    train.put(size="tiny", batch=8, seed=5)
    studio.window.board["train_clone"].trigger()
    assert (train.size, train.batch, train.seed, train.budget) == ("mini", 1, 0, "steps")
    studio.state.edits.undo()
    assert (train.size, train.batch, train.seed) == ("tiny", 8, 5)


def test_a_killed_engine_offers_resume_and_the_training_goes_on(
    window: MainWindow, live: Live, until: Until, people: Path
) -> None:
    async def story(studio: Studio) -> None:
        state, board = studio.state, studio.window.board
        await ready(studio, until, people, steps=4000)
        assert studio.training is not None
        assert await studio.training.start()
        await until(lambda: len(points(studio)) >= 3, seconds=90)
        last = points(studio)[-1]
        assert state.engine.info is not None
        os.kill(state.engine.info.pid, signal.SIGKILL)
        await until(lambda: state.engine.status == "lost")
        await until(lambda: not board["train_resume"].isEnabled())
        assert on_show(studio).state is JobState.INTERRUPTED
        assert await studio.engine_life.restart()
        await until(lambda: any(notice.key == "train:interrupted" for notice in state.notices.waiting), seconds=60)
        await until(board["train_resume"].isEnabled)
        assert page_of(studio).head._state.text() == tr("train.state.interrupted")
        window.strip.pressed.emit("train:interrupted", "train_resume")
        await until(lambda: bool(points(studio)) and points(studio)[-1] > last, seconds=90)
        assert points(studio) == sorted(set(points(studio)))
        assert await studio.training.pause()

    live(story, window, timeout=280)


def test_a_training_that_came_to_no_number_goes_on_in_smaller_steps(
    window: MainWindow, live: Live, until: Until, people: Path
) -> None:
    async def story(studio: Studio) -> None:
        board, train = window.board, studio.state.train
        await ready(studio, until, people, steps=6)
        assert studio.training is not None
        params = {**train.job_params("Too fast"), "learning_rate": 1e19}
        assert await studio.training._submit(params)
        await until(lambda: on_show(studio).spoiled and train.detail is not None, seconds=90)
        await studio.settled()
        card, failed = page_of(studio).result, on_show(studio)
        assert "no longer a number" in card._verdict.text()
        assert "smaller learning rate, for example the default" in card._verdict.text()
        assert card._lower.isVisible()
        await until(board["train_lower"].isEnabled)
        board["train_lower"].trigger()
        await until(lambda: on_show(studio).job_id != failed.job_id, seconds=60)
        assert on_show(studio).out == failed.out
        assert on_show(studio).params["learning_rate"] == 5e18
        await until(lambda: on_show(studio).state.ended, seconds=90)  # still far too fast
        assert await studio.training._submit({**params, "learning_rate": 1e-3})
        await until(lambda: on_show(studio).usable and bool(studio.state.train.detail), seconds=90)
        await until(lambda: not card._lower.isVisible())
        if on_show(studio).rates:  # unless there was no step to go on from
            assert card._rates.text().startswith("Learning rate lowered from")

    live(story, window, timeout=280)


def test_a_folder_that_is_no_cohort_is_one_sentence(
    window: MainWindow, live: Live, until: Until, people: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()

    async def story(studio: Studio) -> None:
        await ready(studio, until, people)
        assert studio.training is not None
        assert not await studio.training.cohorts.choose(str(tmp_path / "empty"))
        told = [notice for notice in studio.state.notices.waiting if notice.key == "train:cohort"]
        assert len(told) == 1
        assert told[0].text.startswith("empty is not a cohort")
        assert told[0].next_step
        assert studio.state.train.cohort == str(people)
        page = page_of(studio)
        assert page.cohort.box.currentText() == "twelve people"
        page.settings.changed.emit("minutes", 3.0)
        page.settings.changed.emit("seed", 7)
        assert (studio.state.train.minutes, studio.state.train.seed) == (3.0, 7)
        studio.state.edits.undo()
        assert studio.state.train.seed == 0

    live(story, window)


# ---------------------------------------------------------------- without an engine


def test_commands_say_why_they_cannot_be_used(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        studio.shell.refresh_actions()
        assert window.board["go_train"].isEnabled()
        for name in ("train_start", "train_pause", "train_resume", "train_stop", "train_open"):
            assert not window.board[name].isEnabled()
            assert tr("reason.engine") in window.board[name].toolTip()

    live(story, window, engine=False)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_curves_show_what_they_are_given(qtbot: QtBot, name: str) -> None:
    curve = CurveView("R²", "R²", from_zero=True)
    qtbot.addWidget(curve)
    curve.set_theme(theme.THEMES[name])
    curve.resize(420, 220)
    curve.show()
    curve.set_levels((("Ridge", 0.43), ("Mean", -0.02), ("Lines", -0.5)))
    curve.set_points([10, 20, 30], [0.1, float("nan"), 0.3])
    assert curve.steps == (10, 30)
    low, high = curve.view.viewRange()[1]
    assert -0.2 < low < -0.02
    assert high > 0.43
    assert len(curve._dashes) == 2  # the one far below would flatten the curve
    assert "0.300" in curve.accessibleDescription()
    qtbot.keyClick(curve, Qt.Key.Key_Home)
    assert "0.100" in curve.accessibleDescription()
    assert curve.grab().toImage().width() > 0


@pytest.mark.parametrize("values", [[0.1, 0.28, 0.4, 0.43], [0.43, 0.43, 0.43, 0.43], [-0.2, 0.5, 0.1, 0.4]])
def test_the_names_of_levels_keep_off_the_curve(qtbot: QtBot, values: list[float]) -> None:
    curve = CurveView("R²", "R²", from_zero=True)
    qtbot.addWidget(curve)
    curve.resize(300, 150)
    curve.show()
    curve.set_levels(((tr("train.level.ridge_people"), 0.43), ("Mean", -0.02)))
    curve.set_points([0, 10, 20, 30], values)
    spots = curve.level_spots(QFontMetrics(small_font(curve.font())))
    assert [index for index, _, _ in spots] == [0, 1]
    assert not spots[0][2].intersects(spots[1][2])
    assert not curve.runs_through(spots[1][2])
    if values[0] == 0.1:
        assert not curve.runs_through(spots[0][2])


COHORT = CohortInfo(path="/c", name="c", people={"train": 8}, n_frames=120, n_parcels=424, tr_s=0.72)
CHOICES = TrainingChoices(
    sizes=(ModelSize(size_id="tiny", sizes={}, n_parameters=5),), devices=("cpu",), threads=2
)  # fmt: skip


def test_the_form_becomes_a_job_with_as_many_looks_as_are_needed() -> None:
    train = TrainState(cohorts=(COHORT,), cohort="/c", choices=CHOICES, steps=800, budget="steps")
    params = train.job_params("My first: model!")
    assert params["model_id"].startswith("my-first-model-")
    assert (params["steps"], params["window_frames"], params["evaluate_every"]) == (800, 120, 20)
    assert "minutes" not in params
    known = TrainingEstimate(n_parameters=5, fits=True, step_s=0.5, look_s=4.0, sentence="It fits.")
    train.put(budget="minutes", minutes=10.0, estimate=known)
    assert train.expected_steps == 1200
    assert train.expected_seconds == pytest.approx(600 + 41 * 4.0)
    assert train.job_params("x")["checkpoint_every"] == 60


def test_a_cohort_with_a_problem_is_not_chosen() -> None:
    broken = COHORT.model_copy(update={"problem": "It is broken."})
    assert TrainState(cohorts=(broken,), cohort="/c").chosen is None


def test_the_training_on_show_is_data_not_copied() -> None:
    state = AppState()
    heard: list[object] = []
    state.train.on("detail").connect(heard.append)
    info = TrainingInfo(
        job_id="1", title="t", model_id="m", out="/m", state=JobState.DONE, created=0.0, cohort="/c", cohort_name="c"
    )
    state.train.detail = Training(info, {"measured": np.zeros((2, 2))})
    assert len(heard) == 1


def test_times_and_counts_in_words() -> None:
    assert [in_words(s) for s in (40, 300, 5400, 12600)] == ["40 s", "5 min", "1.5 h", "3.5 h"]
    assert [in_bytes(n) for n in (335_544_320, 1_395_864_371, 20_000_000_000)] == ["320 MiB", "1.3 GiB", "19 GiB"]
    assert [rounded(n) for n in (7, 432, 12345)] == ["7", "430", "12\u202f000"]
