"""Pretraining, start to finish: draw, step, look at validation people, save. Can be stopped and goes on just there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput, Cancelled, NotANumber
from brainlm_engine.cohort import Cohort, Series, load_series, open_cohort
from brainlm_engine.cohort.reading import ARROW, RECORDINGS
from brainlm_engine.files import folder_if_used, refuse_same
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.checkpoint import Keeper
from brainlm_engine.train.compiled import check_compiled, one_window
from brainlm_engine.train.evaluate import validation_r2
from brainlm_engine.train.faults import not_a_number
from brainlm_engine.train.judging import PATCHES, Judging
from brainlm_engine.train.levels import save_levels
from brainlm_engine.train.loader import Loader
from brainlm_engine.train.log import TrainingLog
from brainlm_engine.train.memory import fit
from brainlm_engine.train.precision import check_precision
from brainlm_engine.train.preview import save_preview
from brainlm_engine.train.result import Outcome, write_model
from brainlm_engine.train.scaling import fit_scaling_of, scaled
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.sharding import whole_weights
from brainlm_engine.train.speed import Meter
from brainlm_engine.train.starting import begin
from brainlm_engine.train.step import Best, Learner, alone, new_learner, train_step
from brainlm_engine.train.team import Team
from brainlm_engine.train.trainable import check_sizes, new_model, trainable
from brainlm_engine.train.windows import Batch, draw_batch

#: A step slower than this does not count in full: the computer slept or was busy with other things.
_LONGEST_STEP_S = 30.0


@dataclass(frozen=True)
class PretrainResult:
    """What :func:`pretrain` leaves behind.

    Attributes
    ----------
    folder : the model, ready for ``load_model``
    steps, windows : how much was learned from
    seconds : of training
    validation_r2 : of people of the split 'val', measured as :class:`brainlm_engine.train.judging.Judging` says
    """

    folder: Path
    steps: int
    windows: int
    seconds: float
    validation_r2: float


def pretrain(
    cohort_folder: Path,
    out: Path,
    settings: TrainSettings,
    progress: Progress = SILENT,
    *,
    title: str = "",
    team: Team | None = None,
) -> PretrainResult:
    """Train a masked autoencoder on the 'train' people of a cohort and write it to ``out``.

    A folder that holds a checkpoint of the same training is continued. When stopped, a checkpoint is left.

    Raises
    ------
    BadInput
        When the cohort cannot be used, or ``out`` holds something else.
    """
    refuse_same(out, (cohort_folder, *(cohort_folder / part for part in (RECORDINGS, ARROW))))
    _check_device(settings.device)
    check_sizes(settings.architecture, settings.model)
    _check_place(out)
    with folder_if_used(out):
        return _pretrain(cohort_folder, out, settings, progress, title=title, team=team or alone(settings))


def _pretrain(
    cohort_folder: Path, out: Path, settings: TrainSettings, progress: Progress, *, title: str, team: Team
) -> PretrainResult:
    cohort = open_cohort(cohort_folder)
    for note in cohort.notes:
        progress.log(note)
    train = load_series(cohort, "train", progress)
    held_out = load_series(cohort, "val", progress, most=64)
    _check_length(cohort, train, settings)
    own, own_held_out, scaling = train, held_out, fit_scaling_of(train, settings)
    train, held_out = scaled(train, scaling), scaled(held_out, scaling)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames)
    begun = begin(model, settings)
    learner = new_learner(model, settings, team)
    keeper = Keeper(out, settings, progress, writes=team.leads)
    resumed = keeper.resume(learner)
    if team.any(learner.step != team.leaders(learner.step)):
        raise BadInput(
            f"The processes do not see the same folder {out.name}.", "Choose a folder that all computers share."
        )
    if told := fit(learner, train, settings, team):
        progress.log(told)
    log = None
    if team.leads:
        frames = model.frames_per_patch(train.tr_s)
        judging = trainable(settings.architecture).judging
        save_levels(
            own, own_held_out, frames, settings.window_frames, folder=out, progress=progress, judging=judging,
            sizes=settings.model,
        )  # fmt: skip
        if judging is not PATCHES:
            progress.log(f"R2 of validation people is measured {judging.words}")
        log = TrainingLog(out, resumed=resumed, step=learner.step, events=settings.tensorboard, measured=judging.words)
    if resumed:
        progress.log(f"Going on from step {learner.step}")
        if told := keeper.rates_in_words():
            progress.log(told)
        begun = ""
    elif told := check_precision(model, draw_batch(train, settings, 0, team.rank, team.world), settings):
        progress.log(told)
    if begun:
        progress.log(begun)
    if told := check_compiled(
        learner, draw_batch(train, settings, learner.step, team.rank, team.world), settings, team
    ):
        progress.log(told)
    try:
        _learn(Course(learner, train, held_out, settings, team, keeper, log, progress))
    finally:
        if log is not None:
            log.close()
    weights, kept = _kept(learner, settings)
    if team.world > 1:
        progress.log(f"{team.world} processes trained together")
    if team.leads:
        progress(1.0, "Writing the model")
        model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames).eval()
        model.load_state_dict(weights)
        made = Outcome(model, learner.step, learner.seconds, kept, keeper.rates)
        write_model(made, settings, cohort, own, title=title, out=out, scaling=scaling)
        progress(1.0, "Model written")
    return PretrainResult(out, learner.step, learner.step * settings.batch, learner.seconds, kept)


@dataclass(frozen=True)
class Course:
    """What the steps of one training share."""

    learner: Learner
    train: Series
    held_out: Series
    settings: TrainSettings
    team: Team
    keeper: Keeper
    log: TrainingLog | None
    progress: Progress

    @property
    def judging(self) -> Judging:
        """What the R2 of validation people measures."""
        return trainable(self.settings.architecture).judging


def _learn(course: Course) -> None:
    """Run the steps that are left."""
    settings, team = course.settings, course.team

    def draw(step: int) -> Batch:
        return draw_batch(course.train, settings, step, team.rank, team.world)

    with Loader(draw, team.device, course.learner.step, settings.steps) as loader:
        _run(course, loader)


def _run(course: Course, loader: Loader) -> None:
    learner, settings, team = course.learner, course.settings, course.team
    meter = Meter(settings, settings.batch)
    batch: Batch | None = None
    while not _over(learner, settings):
        began = time.perf_counter()
        _stop_when_asked(course)
        batch = loader.batch(learner.step)
        before = (learner.parts, learner.runner.checkpoints, learner.runner.compiles)
        try:
            with meter.step(partial(one_window, learner, batch, settings) if learner.runner.compiles else None):
                learner.losses.append(train_step(learner, batch, settings, team))
        except NotANumber as error:
            raise course.keeper.last_good(learner, error) from error
        _tell_changes(course, *before)
        took = team.leaders(min(time.perf_counter() - began, _LONGEST_STEP_S))  # the same clock everywhere
        learner.seconds += took
        meter.took(took)
        if learner.step == 1 or learner.step % settings.evaluate_every == 0:  # at once, to see where it begins
            _look(course, meter, batch)
        if learner.step % settings.checkpoint_every == 0:
            course.keeper.keep(learner)
    if learner.losses or learner.r2 is None:
        _look(course, meter, batch)
    course.keeper.keep(learner)


def _tell_changes(course: Course, parts: int, checkpoints: bool, compiled: bool) -> None:
    """Say what the last step had to change about how it is run; the result is the same."""
    learner, since = course.learner, course.learner.step - 1
    if learner.parts > parts:
        course.progress.log(
            f"Memory ran out: from step {since} on, {course.settings.batch} windows are run in "
            f"{learner.parts} parts. The result is the same, it only takes longer."
        )
    if learner.runner.checkpoints and not checkpoints:
        course.progress.log(
            f"Memory ran out with one window: from step {since} on, layers are computed twice instead of being kept. "
            "The result is the same, it takes about a third longer."
        )
    if compiled and not learner.runner.compiles:
        course.progress.log(f"From step {since} on, layers run as they stand: {learner.runner.gave_up}.")


def _over(learner: Learner, settings: TrainSettings) -> bool:
    """Tell whether all steps are done, or for too long nothing got better."""
    if settings.patience and learner.best:
        looks = (learner.step - learner.best.step) // settings.evaluate_every
        if looks >= settings.patience:
            return True
    return settings.share_done(learner.step, learner.seconds) >= 1


def _look(course: Course, meter: Meter, batch: Batch | None) -> None:
    """Look at the validation people, note the figures, and remember the weights if they never did better."""
    learner, settings = course.learner, course.settings
    r2 = 0.0
    if course.team.leads or course.team.spreads:
        r2 = validation_r2(
            learner.average, course.held_out, settings.window_frames, judging=course.judging, sizes=settings.model
        )
    learner.r2 = r2 = course.team.leaders(r2)
    if not math.isfinite(r2):  # the last step has spoiled the weights
        error = not_a_number("R2 of validation people", learner.step, batch)
        raise course.keeper.last_good(learner, error, spoiled=True)
    if learner.best is None or r2 > learner.best.r2:
        learner.best = Best(r2, learner.step, whole_weights(learner.average))
    if course.log is not None:
        course.log.write(learner, meter.read(), course.progress)
        if not course.team.spreads:  # it would take all processes to make one
            save_preview(
                learner.average, course.held_out, settings.window_frames, course.keeper.folder, learner.step,
                judging=course.judging, sizes=settings.model,
            )  # fmt: skip
    learner.losses = []
    if settings.patience and _over(learner, settings):
        course.progress.log(f"Nothing got better since step {learner.best.step}: training ends here")


def _stop_when_asked(course: Course) -> None:
    """Report where the training is; when anybody asks to stop, leave a checkpoint and stop everywhere."""
    learner = course.learner
    asked: BaseException | None = None
    try:
        share_done = course.settings.share_done(learner.step, learner.seconds)
        course.progress(share_done, f"Training, step {learner.step}")
    except BaseException as error:  # Ctrl-C too
        asked = error
    if course.team.any(asked is not None):
        course.keeper.keep(learner)
        raise asked or Cancelled("Stopped.")


def _kept(learner: Learner, settings: TrainSettings) -> tuple[dict[str, Tensor], float]:
    """Return the weights that become the model, and their R2 on the validation people."""
    if settings.keep == "best" and learner.best is not None:
        return learner.best.weights, learner.best.r2
    assert learner.r2 is not None
    return whole_weights(learner.average), learner.r2


def _check_length(cohort: Cohort, train: Series, settings: TrainSettings) -> None:
    shortest = train.shortest
    one = trainable(settings.architecture).frames_per_patch(settings.model, train.tr_s)
    if shortest < max(settings.window_frames, one):
        raise BadInput(
            f"The shortest recording of {cohort.folder.name} has {shortest} frames, fewer than the window of "
            f"{max(settings.window_frames, one)}.",
            "Choose a shorter window, or leave short recordings out.",
        )


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out.name} is a file, not a folder.", "Choose a folder for the model.")


def _check_device(device: str) -> None:
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[device]:
        kind = {"cuda": "NVIDIA graphics processor (CUDA)", "mps": "Apple graphics processor (MPS)"}[device]
        raise BadInput(f"This computer has no {kind} that can be trained on.", "Train on the CPU: --device cpu.")
