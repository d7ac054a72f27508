"""The settings of the next training come back with the next start, and never as something to undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.actions.refusal import misfit, refusal
from app.controllers.studio import Studio
from app.services import storage
from app.state.training import TrainState
from app.state.training_form import form_of, restore_form
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.training import CohortInfo, ModelSize, TrainingChoices, TrainingEstimate, TrainingInfo
from brainlm_engine.simulate import simulate_cohort

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
CHOSEN: dict[str, object] = {
    "title": "Second try", "size": "mini", "masks": "future", "budget": "steps", "steps": 321, "minutes": 7.5,
    "seed": 4, "learning_rate": 0.0045, "batch": 3, "threads": 1, "variety": False, "devices": 2,
    "scaling": "population", "launch": "slurm", "nodes": 2, "partition": "gpu", "account": "lab", "time_limit": 90,
    "memory_gb": 16, "address": "tcp://host:8786",
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


TINY = ModelSize(size_id="tiny", sizes={}, n_parameters=5)
PICTURE = ModelSize(
    size_id="picture", architecture="brainlm-vitmae", sizes={}, n_parameters=5, masks=("mixed", "random"), parcels=424,
    frames=200,
)  # fmt: skip
COHORT = CohortInfo(path="/c", name="c", people={"train": 8}, n_frames=210, n_parcels=424, tr_s=0.72)


def filled(**values: object) -> TrainState:
    """A form on a computer with SLURM."""
    choices = TrainingChoices(sizes=(TINY, PICTURE), devices=("cpu",), threads=2, launches=("here", "slurm"))
    state = TrainState(cohorts=(COHORT,), cohort="/c", choices=choices)
    state.put(**values)
    return state


def test_what_the_form_says_becomes_a_job_and_comes_back_when_it_is_cloned() -> None:
    state = filled(launch="slurm", nodes=2, devices=4, device="cuda", precision="bf16", partition="gpu", time_limit=90)
    params = state.job_params("x")
    assert params["cluster"] == {"partition": "gpu", "minutes": 90}
    assert (params["nodes"], params["devices"], params["precision"], params["scaling"]) == (2, 4, "bf16", "recording")
    training = TrainingInfo(
        job_id="1", title="t", model_id="m", out="/m", state=JobState.DONE, created=0.0, cohort="/c", cohort_name="c",
        params=params,
    )  # fmt: skip
    other = filled(account="lab", memory_gb=8)
    other.put(**other.settings_of(training))
    assert form_of(other) | {"title": ""} == form_of(state) | {"title": ""}
    older = training.model_copy(update={"params": {"minutes": 3.0, "model": {}}})
    other.put(**other.settings_of(older))
    assert (other.launch, other.devices, other.partition, other.size) == ("here", 1, "", "tiny")


def test_settings_of_another_launch_or_device_stay_out_of_the_job() -> None:
    params = filled(nodes=3, partition="gpu", precision="bf16", address="tcp://x:1").job_params("x")
    assert (params["nodes"], params["precision"], params["cluster"]) == (1, "32", {})
    assert filled(launch="slurm", device="cuda").with_launch("here") == {"launch": "here", "device": "cpu"}
    published = filled(size="picture", cohorts=(COHORT.model_copy(update={"n_frames": 219}),)).job_params("x")
    assert (published["architecture"], published["variety"], published["window_frames"]) == (
        "brainlm-vitmae",
        False,
        200,
    )


def test_what_does_not_go_together_is_told_before_the_start() -> None:
    assert refusal(filled(size="picture")) == ""
    short = filled(size="picture", cohorts=(COHORT.model_copy(update={"n_frames": 190}),))
    assert "424 parcels and 190 frames" in misfit(short)[0]
    assert "Choose another cohort" in refusal(short)
    assert "“A mixture” or “Random patches, 75 %”" in refusal(filled(size="picture", masks="future"))
    assert "distributed is not installed" in refusal(filled(launch="dask"))
    large = TrainingEstimate(n_parameters=5, fits=False, sentence="It takes 9 GiB.", next_step="Choose a smaller one.")
    assert refusal(filled(estimate=large)) == "It takes 9 GiB. Choose a smaller one."
    assert refusal(filled(trouble=("No.", "Change it."))) == "No. Change it."


def test_the_estimate_follows_the_form(window: MainWindow, live: Live, until: Until, people: Path) -> None:
    async def story(studio: Studio) -> None:
        await choose(studio, until, people)
        assert studio.training is not None
        train, panel = studio.state.train, studio.training.drawing._page.settings
        train.put(launch="here", devices=1)
        await studio.settled()
        assert train.estimate is not None
        assert "free" in panel._estimate.text()
        assert window.board["train_start"].isEnabled()
        known = train.estimate
        train.size = "brainlm-vitmae"
        assert train.estimate is None
        await until(lambda: not window.board["train_start"].isEnabled())
        assert panel._estimate.property("role") == "danger"
        assert "60 frames" in window.board["train_start"].toolTip()
        train.size = "mini"
        assert train.estimate is known, "asked once"
        train.put(devices=4, threads=1, batch=2)
        await studio.settled()
        assert "fewer than the 4 processes" in panel._estimate.text()
        await until(lambda: not window.board["train_start"].isEnabled())
        train.put(devices=1, size="large")  # takes long on a processor
        studio.training.estimate._send()
        await until(lambda: studio.training.estimate.latest.asked is not None)  # type: ignore[union-attr]
        train.size = "tiny"
        await studio.settled()
        assert train.estimate is not None
        assert train.estimate.n_parameters < 1_000_000

    live(story, window)
