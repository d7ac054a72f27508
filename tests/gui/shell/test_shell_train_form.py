"""The settings of the next training come back with the next start, and never as something to undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.controllers.studio import Studio
from app.services import storage
from app.state.training import TrainState
from app.state.training_form import form_of, restore_form
from app.views.main_window import MainWindow
from brainlm_engine.api.training import ModelSize, TrainingChoices
from brainlm_engine.simulate import simulate_cohort

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
CHOSEN: dict[str, object] = {
    "title": "Second try", "size": "mini", "masks": "future", "budget": "steps", "steps": 321, "minutes": 7.5,
    "seed": 4, "learning_rate": 0.0045, "batch": 3, "threads": 1, "variety": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_cohort(tmp_path_factory.mktemp("cohorts") / "seven people", 7, n_frames=60).folder


def form(studio: Studio) -> dict[str, object]:
    return {name: value for name, value in form_of(studio.state.train).items() if name in CHOSEN}


async def choose(studio: Studio, until: Until, people: Path) -> None:
    """Fill in the form as a person does, no scan open."""
    train = studio.state.train
    studio.show_workspace("train")
    await until(lambda: train.choices is not None and studio.state.engine.status == "ready")
    assert studio.training is not None
    assert await studio.training.cohorts.choose(str(people))
    for field, value in CHOSEN.items():
        studio.training.drawing._page.settings.changed.emit(field, value)


def test_the_form_comes_back_with_the_next_start(window: MainWindow, live: Live, until: Until, people: Path) -> None:
    async def first(studio: Studio) -> None:
        await choose(studio, until, people)
        studio.session.keep()
        assert storage.read(storage.TRAINING)["steps"] == 321, "kept while it is filled in, as after a crash"
        studio.training.drawing._page.settings.changed.emit("steps", 322)  # type: ignore[union-attr]

    live(first, window)
    assert storage.read(storage.TRAINING)["steps"] == 322, "and when the window is closed"


def test_a_remembered_form_is_shown_and_cannot_be_undone(
    window: MainWindow, live: Live, until: Until, people: Path
) -> None:
    storage.write(storage.TRAINING, {**CHOSEN, "cohort": str(people), "device": "cpu"})

    async def story(studio: Studio) -> None:
        train, edits = studio.state.train, studio.state.edits
        assert form(studio) == CHOSEN, "before the engine has answered anything else"
        await until(lambda: train.chosen is not None)
        assert train.cohort == str(people), "looked at though no training used it yet"
        assert form(studio) == CHOSEN
        assert studio.training is not None
        panel = studio.training.drawing._page.settings
        shown = (panel.title.text(), panel.model_size.currentData(), panel.steps.value(), panel.seed.value())
        assert shown == ("Second try", "mini", 321, 4)
        assert not edits.undo_label
        panel.changed.emit("seed", 9)
        edits.undo()
        assert form(studio) == CHOSEN

    live(story, window)


def test_what_does_not_fit_any_more_is_left_at_its_default() -> None:
    train, fresh = TrainState(), TrainState()
    restore_form(train, {"steps": -4, "masks": "none", "batch": "many", "seed": 3, "trainings": "x", "minutes": 2})
    assert (train.steps, train.masks, train.batch, train.trainings) == (
        fresh.steps, fresh.masks, fresh.batch, fresh.trainings,
    )  # fmt: skip
    assert (train.seed, train.minutes) == (3, 2.0)
    restore_form(train, {"size": "of another version", "device": "cuda", "threads": 64})
    sizes = tuple(ModelSize(size_id=name, sizes={}, n_parameters=5) for name in ("mini", "tiny"))
    train.fit_to(TrainingChoices(sizes=sizes, devices=("cpu",), threads=2))
    assert (train.size, train.device, train.threads) == ("tiny", "cpu", 2)


def test_the_learning_rate_goes_with_the_size_unless_it_was_chosen() -> None:
    tiny = ModelSize(size_id="tiny", sizes={}, n_parameters=1)
    base = ModelSize(size_id="base", sizes={"width": 1024}, n_parameters=2, learning_rate=2.5e-4)
    state = TrainState(choices=TrainingChoices(sizes=(tiny, base), devices=("cpu",), threads=2))
    assert state.with_size("base") == {"size": "base", "learning_rate": 2.5e-4}
    state.learning_rate = 0.001
    assert state.with_size("base") == {"size": "base"}
