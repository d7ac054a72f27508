"""What would it take: the change of a recording that brings a frozen model's state of it nearest to a target.

The search minimises the squared distance of the state of X + change(θ) to the target, as a share of the distance
before, plus weights times the size of the change per region (few regions), its energy and its steps in time. Two
yardsticks stand beside the answer: the change found, moved to random regions; and changes sought anew for targets that
mean nothing. A change is a property of the model: it says which input would look like the target, not what a stimulus
would do to a brain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.steer import SteerInfo, SteerSoFar, SteerSpec
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress, progress_part
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.aims import Goal, Reading, goal_of, known_parcels
from brainlm_engine.tasks.perturb.brain_state import State, eye_of
from brainlm_engine.tasks.perturb.change import Canvas, Form, magnitudes
from brainlm_engine.tasks.perturb.expected import expected_activity
from brainlm_engine.tasks.perturb.search import Found, search
from brainlm_engine.tasks.perturb.steer_verdict import network_changes, notes_of, verdict_of
from brainlm_engine.tasks.perturb.targets import region_name
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.reference_networks import reference_networks
from brainlm_engine.tasks.scoring import Clock

Watch = Callable[[SteerSoFar, NDArray[np.float32]], bool]
_THERE = 1e-9  # squared distance below which a state is at its target
_PROBE = 0.05  # share of the change that the model is tried with, to see how linear it is


@dataclass(frozen=True)
class Steering:
    """What it would take; the arrays are described at :class:`SteerInfo`."""

    info: SteerInfo
    arrays: dict[str, NDArray[Any]]

    @property
    def magnitude(self) -> NDArray[np.float32]:
        """(parcels,) SD, root mean square over time; NaN where nothing may be changed."""
        return np.asarray(self.arrays["magnitude"], np.float32)

    @property
    def verdict(self) -> str:
        """One plain sentence."""
        return self.info.verdict


@dataclass(frozen=True)
class Problem:
    """One search, made ready.

    Attributes
    ----------
    shown : (P, T) z-scores
    first : frame of the recording that ``shown`` begins with
    read : shown to state (S,)
    own, target : (S,)
    shuffled : a meaningless target as far away; None where there is none
    canvas : what may be changed
    toward, notes : in words
    """

    shown: Tensor
    first: int
    read: Callable[[Tensor], Tensor]
    own: Tensor
    target: Tensor
    shuffled: Callable[[np.random.Generator], Tensor] | None
    canvas: Canvas
    toward: str
    notes: tuple[str, ...]

    def apart(self, state: Tensor, target: Tensor) -> Tensor:
        """Return the squared distance as a share of the one before."""
        return (state - target).square().sum() / (self.own - target).square().sum()


def steer(
    model: MaskedModel,
    recording: Recording,
    spec: SteerSpec,
    *,
    goal: Goal | None = None,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    opened: Callable[[str], Recording | None] = lambda _: None,
    leave_out: Path | None = None,
    progress: Progress = SILENT,
    watch: Watch = lambda *_: True,
) -> Steering:
    """Search a change that brings the model's state of ``recording`` to ``spec.aim``.

    Parameters
    ----------
    goal : from :func:`brainlm_engine.tasks.perturb.aims.goal_of`, when it was read before
    opened : recordings that are open, by id
    leave_out : file of the recording, whose person takes no part in a contrast
    watch : told after every look at the model; returns False to end the search: the best so far is the answer

    Raises
    ------
    BadInput
        When the aim cannot be read, nothing may be changed, the state is at its target already, or the model's gradient
        is no number.
    """
    clock = Clock()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    problem = _problem(model, recording, spec, goal, scaling, Reading(
        spec.state, model, recording, scaling, opened), leave_out, progress_part(progress, 0.0, 0.2),
    )  # fmt: skip
    form = Form(spec.form, problem.canvas)
    sensitivity = _sensitivity(problem)
    searches, stopped = _searches(problem, form, spec, progress_part(progress, 0.2, 0.6), watch)
    best = min(searches, key=lambda found: found.loss)
    with torch.no_grad():
        change = form.change(best.theta)
        linear = _linear_left(problem, change)
    allowed = problem.canvas.regions.cpu().numpy().astype(np.intp)
    frames = problem.canvas.frames
    table = change.cpu().numpy()
    magnitude = magnitudes(table, allowed, frames)
    nulls = _moved(problem, change, spec, progress_part(progress, 0.6, 0.7)) if not stopped else np.zeros(0, np.float32)
    labels = problem.canvas.labels.cpu().numpy()
    shuffled = [] if stopped else _shuffled(problem, form, spec, progress_part(progress, 0.7, 1.0), watch)
    networks, null_shares = network_changes(magnitude, labels, shuffled)
    others = [_together(magnitude, _magnitude(form, found, allowed, frames)) for found in searches if found is not best]
    arrays: dict[str, NDArray[Any]] = {
        "measured": problem.shown.cpu().numpy().astype(np.float32), "change": table.astype(np.float32),
        "magnitude": magnitude, "over_time": np.sqrt(np.square(table[allowed]).mean(0)).astype(np.float32),
        "sensitivity": np.where(np.isfinite(magnitude), sensitivity, np.nan).astype(np.float32),
        "null_left": nulls, "null_shares": null_shares,
    }  # fmt: skip
    if spec.aim.kind == "activity":
        with torch.no_grad():
            arrays["aimed"] = _aimed(problem, change)
    at = int(np.nanargmax(magnitude))
    info = SteerInfo(
        recording_id=recording_id, model_id=model_id(model), spec=spec, toward=problem.toward, start=problem.first,
        tr_s=recording.tr_s, patch_frames=problem.canvas.patch,
        distance=float((problem.own - problem.target).norm()), left=best.left,
        curves=tuple(tuple(round(x, 5) for x in found.curve) for found in searches),
        agreement=float(np.mean(others)) if others else float("nan"),
        size=float(np.sqrt(np.square(table[allowed, frames[0] : frames[1]]).mean())), peak=float(np.abs(table).max()),
        null_left=float(np.median(nulls)) if len(nulls) else float("nan"),
        p=float((1 + (nulls <= best.left).sum()) / (1 + len(nulls))) if len(nulls) else float("nan"),
        linear=linear, networks=networks, stopped=stopped, seconds=clock.seconds,
    )  # fmt: skip
    notes = (*problem.notes, *notes_of(info))
    info = info.model_copy(update={"verdict": verdict_of(info, region_name(recording, at)), "notes": notes})
    return Steering(info, arrays)


def _problem(  # noqa: PLR0917  (what steer was given)
    model: MaskedModel, recording: Recording, spec: SteerSpec, goal: Goal | None, scaling: InputScaling | None,
    reading: Reading, leave_out: Path | None, progress: Progress,
) -> Problem:  # fmt: skip
    eye = eye_of(model, recording, scaling)
    _, _, told = plan_window(model, recording, None, scaling=scaling)
    notes = tuple(note for note in told if "usual window" not in note)
    known = known_parcels(recording)
    labels = _labels(recording)
    read: Callable[[Tensor], Tensor]
    if spec.aim.kind == "activity":
        wanted = expected_activity(eye, recording, spec, known)
        shown, first, read, target = wanted.shown, wanted.first, wanted.read, wanted.target
        free, toward, shuffled, state = known & ~wanted.hidden_regions, wanted.toward, None, None
        with torch.no_grad():
            own = read(shown)
    else:
        goal = goal if goal is not None else goal_of(spec.aim, reading, leave_out=leave_out, progress=progress)
        free, shown, first = known & goal.keep.cpu().numpy(), eye.shown(recording), 0
        state = State(spec.state, eye, torch.as_tensor(free, device=shown.device))
        goal = Goal(goal.toward, state.only_kept(goal.rows), goal.absolute, goal.second, goal.keep, goal.notes)
        read, toward, notes = state, goal.toward, (*notes, *goal.notes)
        with torch.no_grad():
            own = state(shown)
        target, kept, looked = goal.target(own, state), goal, state
        shuffled = lambda rng: kept.shuffled(own, looked, rng)  # noqa: E731
    if (left := recording.n_frames - shown.shape[1]) and state is not None:
        notes = (*notes, f"The last {left} frames are less than a time patch and are left out.")
    if goal is not None and not goal.absolute and not bool((own != target).any()):
        raise BadInput(
            f"In this state ({spec.state}) nothing sets {spec.aim.second} apart from {spec.aim.first} that "
            f"{len(goal.rows)} people have in common: chance alone makes as large a difference.",
            "Choose another state, or more people.",
        )
    if not float((own - target).square().sum()) > _THERE:
        raise BadInput("The state is at its target already.", "Choose another target.")
    canvas = Canvas(
        shown, torch.as_tensor(_allowed(recording, spec, free), device=shown.device), _frames(spec, shown, first),
        eye.patch, spec.most, torch.as_tensor(labels, device=shown.device),
    )  # fmt: skip
    return Problem(shown, first, read, own, target, shuffled, canvas, toward, notes)


def _labels(recording: Recording) -> NDArray[np.intp]:
    try:
        return np.asarray(reference_networks(recording).labels, np.intp)
    except BadInput:
        return np.full(recording.n_parcels, -1, np.intp)


def _allowed(recording: Recording, spec: SteerSpec, free: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the parcels that may be changed."""
    if outside := [region for region in spec.regions if not 0 <= region < recording.n_parcels]:
        raise BadInput(
            f"Region {outside[0] + 1} may not be changed: the recording has {recording.n_parcels}.",
            f"Choose regions from 1 to {recording.n_parcels}.",
        )
    chosen = np.array(sorted(set(spec.regions)), np.intp) if spec.regions else np.arange(recording.n_parcels)
    chosen = chosen[free[chosen]]
    if not len(chosen):
        raise BadInput(
            "None of the regions that may be changed has a signal and a position, or all of them are the target’s own.",
            "Allow other regions.",
        )
    return np.asarray(chosen, np.intp)


def _frames(spec: SteerSpec, shown: Tensor, first: int) -> tuple[int, int]:
    """Return the frames that may be changed, counted from the begin of ``shown``."""
    length = shown.shape[1]
    begin = max(spec.start - first, 0)
    end = min(spec.stop - first, length) if spec.stop else length
    if end - begin < 1:
        raise BadInput(
            f"Between frames {spec.start} and {spec.stop} nothing can be changed: frames {first} to {first + length} "
            "are looked at.",
            "Choose a span inside them.",
        )
    return begin, end


def _objective(
    problem: Problem, form: Form, spec: SteerSpec, target: Tensor
) -> Callable[[list[Tensor]], tuple[Tensor, Tensor]]:
    def look(theta: list[Tensor]) -> tuple[Tensor, Tensor]:
        change = form.change(theta)
        squared = problem.apart(problem.read(problem.shown + change), target)
        loss = squared + spec.sparsity * form.sizes(change).mean()
        if spec.energy:
            loss = loss + spec.energy * form.sizes(change).square().mean()
        if spec.smoothness:
            loss = loss + spec.smoothness * form.steps(change)
        return loss, squared

    return look


def _searches(
    problem: Problem, form: Form, spec: SteerSpec, progress: Progress, watch: Watch
) -> tuple[list[Found], bool]:
    """Search from nothing, then from random changes."""
    allowed, frames = problem.canvas.regions.cpu().numpy().astype(np.intp), problem.canvas.frames
    found: list[Found] = []
    for number in range(spec.restarts):
        stage = f"Search {number + 1} of {spec.restarts}"

        def go_on(so_far: Found, number: int = number, stage: str = stage) -> bool:
            progress((number + min(1.0, len(so_far.curve) / (1.5 * spec.steps))) / spec.restarts, stage)
            told = SteerSoFar(running=True, stage=stage, curve=tuple(so_far.curve), start=number)
            return watch(told, _magnitude(form, so_far, allowed, frames))

        generator = torch.Generator().manual_seed(spec.seed + number) if number else None
        look = _objective(problem, form, spec, problem.target)
        one, stopped = search(look, form.fresh(generator), spec.method, spec.steps, go_on)
        found.append(one)
        if stopped:
            return found, True
    return found, False


def _shuffled(
    problem: Problem, form: Form, spec: SteerSpec, progress: Progress, watch: Watch
) -> list[NDArray[np.float32]]:
    """Return the magnitudes (P,) of changes sought for targets that mean nothing."""
    if problem.shuffled is None:
        return []
    allowed, frames = problem.canvas.regions.cpu().numpy().astype(np.intp), problem.canvas.frames
    rng = np.random.default_rng(spec.seed)
    made: list[NDArray[np.float32]] = []
    for number in range(spec.shuffles):
        stage = f"Shuffled target {number + 1} of {spec.shuffles}"

        def go_on(so_far: Found, number: int = number, stage: str = stage) -> bool:
            progress((number + min(1.0, len(so_far.curve) / (1.5 * spec.steps))) / spec.shuffles, stage)
            return watch(SteerSoFar(running=True, stage=stage), np.zeros(0, np.float32))

        look = _objective(problem, form, spec, problem.shuffled(rng))
        one, stopped = search(look, form.fresh(None), spec.method, spec.steps, go_on)
        if stopped:
            break
        made.append(_magnitude(form, one, allowed, frames))
    return made


def _magnitude(form: Form, found: Found, allowed: NDArray[np.intp], frames: tuple[int, int]) -> NDArray[np.float32]:
    with torch.no_grad():
        return magnitudes(form.change(found.theta).cpu().numpy(), allowed, frames)


def _sensitivity(problem: Problem) -> NDArray[np.float32]:
    """Return (P,): how fast the squared distance falls per SD of each parcel's change, by one backward pass."""
    change = torch.zeros_like(problem.shown).requires_grad_(True)
    squared = problem.apart(problem.read(problem.shown + change), problem.target)
    (slope,) = torch.autograd.grad(squared, change)
    return np.asarray(torch.nan_to_num(slope).square().sum(1).sqrt().cpu().numpy(), np.float32)


def _linear_left(problem: Problem, change: Tensor) -> float:
    """Return the distance left if the state moved along its derivative in the direction of the change.

    The product of the Jacobian with the change is a central difference: two looks at the model.
    """
    up, down = (problem.read(problem.shown + sign * _PROBE * change) for sign in (1, -1))
    moved = problem.own + (up - down) / (2 * _PROBE)
    return float(problem.apart(moved, problem.target).sqrt())


def _moved(problem: Problem, change: Tensor, spec: SteerSpec, progress: Progress) -> NDArray[np.float32]:
    """Return the distances left (N,) when the courses of the change are given to random regions."""
    rng = np.random.default_rng(spec.seed)
    allowed = problem.canvas.regions.cpu().numpy()
    free = np.flatnonzero(torch.isfinite(problem.shown).any(1).cpu().numpy())
    left = np.zeros(spec.nulls, np.float32)
    for draw in range(spec.nulls):
        progress(draw / spec.nulls, f"Moved to random regions {draw + 1} of {spec.nulls}")
        places = torch.as_tensor(rng.choice(free, len(allowed), replace=False), device=change.device)
        moved = torch.zeros_like(change).index_add(0, places, change[problem.canvas.regions])
        with torch.no_grad():
            left[draw] = float(problem.apart(problem.read(problem.shown + moved), problem.target).sqrt())
    return left


def _together(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3 or not np.ptp(one[both]) or not np.ptp(other[both]):
        return float("nan")
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _aimed(problem: Problem, change: Tensor) -> NDArray[np.float32]:
    """Return (3, T): what was expected of the targets' regions before and after, and what was wanted."""
    from brainlm_engine.tasks.perturb.brain_state import Expectation

    read = problem.read
    assert isinstance(read, Expectation)
    scale = read.asked.sum().sqrt()
    out = np.full((3, problem.shown.shape[1]), np.nan, np.float32)
    count = read.asked.sum(0).cpu().numpy()
    for row, values in enumerate((problem.own, read(problem.shown + change), problem.target)):
        table = torch.zeros_like(problem.shown)
        table[read.asked] = values * scale
        out[row] = np.where(count > 0, table.sum(0).cpu().numpy() / np.maximum(count, 1), np.nan)
    return out
