"""Where a state is to go: another recording's, the mean of many, what a condition does to other people, an activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.steer import Aim, StateKind
from brainlm_engine.cohort import open_cohort, zscored
from brainlm_engine.cohort.people_table import people_table
from brainlm_engine.cohort.reading import Place, load_recording
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.contrast_people import Asked, choose_people, kept_people, parse_between, thinned
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.brain_state import State, eye_of

_POSITION_MM = 2.0  # parcels further apart are not the same
_NOTHING = 1e-12


@dataclass(frozen=True)
class Goal:
    """Where to.

    Attributes
    ----------
    toward : in words
    rows : (R, S) states to be reached; or what each person says that the state is to move by
    absolute : the rows are states; otherwise they are added to the recording's own
    second : (R,) bool, where the rows are of two groups of people; None where they are differences in one person
    keep : (P,) bool, parcels measured in all of them
    notes : plain sentences
    """

    toward: str
    rows: Tensor
    absolute: bool
    second: Tensor | None
    keep: Tensor
    notes: tuple[str, ...] = ()

    def target(self, own: Tensor, state: State) -> Tensor:
        """Return the state to be reached from ``own (S,)``."""
        if self.absolute:
            return self.rows.mean(0)
        moved: Tensor = own + self._in_common(self.rows, self.second, state)
        return moved

    def shuffled(self, own: Tensor, state: State, rng: np.random.Generator) -> Tensor:
        """Return a target as far away that means nothing.

        Who did what is drawn anew, where many people say where to go; else what is to change is given to other regions.
        """
        real = self.target(own, state) - own
        if self.absolute:
            return own + state.given_to_others(real, state.drawn_order(len(real), rng))
        rows, second = self.rows, self.second
        if second is None:
            rows = rows * torch.as_tensor(rng.choice([-1.0, 1.0], (len(rows), 1))).to(rows)
        else:
            second = second[torch.as_tensor(rng.permutation(len(second)))]
        drawn = self._in_common(rows, second, state)
        if not float(drawn.norm()):
            drawn = _difference(rows, second)
        moved: Tensor = own + drawn * (real.norm() / drawn.norm().clamp(min=_NOTHING))
        return moved

    def _in_common(self, rows: Tensor, second: Tensor | None, state: State) -> Tensor:
        """Return the mean difference (S,), every parcel's drawn towards 0 by what chance alone would make of it.

        The positive part of James and Stein's estimator, a parcel (or the summary token) at a time: what few people
        say of a parcel is mostly noise, and a change would be sought for it.
        """
        mean, noise = _difference(rows, second), _chance(rows, second)
        parts = state.parts(torch.stack([mean.square(), noise])).sum(2)  # (2, parts)
        kept = (1 - parts[1] / parts[0].clamp(min=_NOTHING)).clamp(min=0)
        whole: Tensor = (state.parts(mean[None]) * kept[None, :, None]).flatten()
        return whole


def _difference(rows: Tensor, second: Tensor | None) -> Tensor:
    return rows.mean(0) if second is None else rows[second].mean(0) - rows[~second].mean(0)


def _chance(rows: Tensor, second: Tensor | None) -> Tensor:
    """Return the variance (S,) of :func:`_difference` over draws of people."""
    groups = [rows] if second is None else [rows[second], rows[~second]]
    return torch.stack([each.var(0) / len(each) for each in groups]).sum(0)


@dataclass(frozen=True)
class Reading:
    """How the recordings of a goal are read: which state, by which model, of whose parcels."""

    state: StateKind
    model: MaskedModel
    recording: Recording
    scaling: InputScaling | None = None
    opened: Callable[[str], Recording | None] = lambda _: None

    def read(self, other: Recording) -> tuple[Tensor, Tensor]:
        """Return the state (S,) of a recording of the same parcels, and which (P,) it has measured.

        Raises
        ------
        BadInput
            When it has other parcels, or cannot be read by the model.
        """
        name = other.name or "A recording of the target"
        if other.n_parcels != self.recording.n_parcels or _apart(other, self.recording):
            raise BadInput(
                f"{name} has other regions ({other.n_parcels}) than this recording ({self.recording.n_parcels}).",
                "Use recordings in the same atlas.",
            )
        eye = eye_of(self.model, other, self.scaling)
        known = torch.as_tensor(known_parcels(other), device=eye.xyz.device)
        with torch.no_grad():
            state: Tensor = State(self.state, eye, known)(eye.shown(other))
        return state, known

    def named(self, name: str) -> Recording:
        """Return a recording that is open under this id, or read it from this file."""
        other = self.opened(name)
        if other is None:
            from brainlm_engine.interface import open_recording

            other = open_recording(name, atlas=self.recording.atlas_id)
        return other


def goal_of(aim: Aim, reading: Reading, *, leave_out: Path | None = None, progress: Progress = SILENT) -> Goal:
    """Read the states that ``aim`` is made of.

    Parameters
    ----------
    leave_out : file of the recording that is steered: its person takes no part in a contrast

    Raises
    ------
    BadInput
        When a recording cannot be read or has other parcels, or the cohort has too few people.
    """
    return _of_recordings(aim, reading, progress) if aim.kind == "recordings" else _of_people(
        aim, reading, leave_out, progress
    )  # fmt: skip


def _of_people(aim: Aim, reading: Reading, leave_out: Path | None, progress: Progress) -> Goal:
    folder = Path(aim.cohort)
    chosen = choose_people(open_cohort(folder), people_table(folder), Asked(aim.column, aim.first, aim.second))
    mine = leave_out.resolve() if leave_out is not None else None
    notes = chosen.notes
    others = [number for number, places in enumerate(chosen.places) if mine not in _paths(places)]
    if len(others) < len(chosen.places):
        notes = (*notes, "The person whose recording it is takes no part in the contrast.")
    people = thinned(kept_people(chosen, np.array(others, np.intp), notes), aim.people)
    rows: list[Tensor] = []
    keep: list[Tensor] = []
    for done, places in enumerate(people.places):
        progress(done / len(people.places), f"Reading person {done + 1} of {len(people.places)}")
        sides: list[Tensor] = []
        for side in places:
            read = [reading.read(load_recording(place)) for place in side]
            sides.append(torch.stack([row for row, _ in read]).mean(0))
            keep += [known for _, known in read]
        rows.append(sides[1] - sides[0] if people.paired else sides[0])
    second = None if people.paired else torch.as_tensor(people.second)
    told = f"what takes {len(rows)} people of {folder.name} from {aim.first} to {aim.second}"
    if second is not None:
        if bool(second.all()) or not bool(second.any()):
            raise BadInput("One of the groups has nobody left.", "Choose more people.")
        told = f"what sets {aim.second} apart from {aim.first} ({aim.column}) in {len(rows)} people"
    return Goal(told, torch.stack(rows), False, second, torch.stack(keep).all(0), people.notes)


def _of_recordings(aim: Aim, reading: Reading, progress: Progress) -> Goal:
    if not aim.recordings:
        raise BadInput("No recording says where the state is to go.", "Choose one or more.")
    rows: list[Tensor] = []
    keep: list[Tensor] = []
    names: list[str] = []
    for done, name in enumerate(aim.recordings):
        progress(done / len(aim.recordings), f"Reading recording {done + 1} of {len(aim.recordings)}")
        other = reading.named(name)
        row, known = reading.read(other)
        rows.append(row)
        keep.append(known)
        names.append(other.name or Path(name).name)
    told = f"the state of {names[0]}" if len(names) == 1 else f"the mean state of {len(names)} recordings"
    return Goal(told, torch.stack(rows), True, None, torch.stack(keep).all(0))


def written_aim(
    toward: Aim | str | PathLike[str] | Sequence[str | PathLike[str]], cohort: str | PathLike[str] = ""
) -> Aim:
    """Return the aim that a person wrote: files of recordings, or 'task=rest,visual' of a cohort.

    Raises
    ------
    BadInput
        When a contrast is not written so.
    """
    if isinstance(toward, Aim):
        return toward
    if str(cohort):
        column, first, second = parse_between(str(toward))
        return Aim(kind="contrast", cohort=str(cohort), column=column, first=first, second=second)
    files = [toward] if isinstance(toward, str | PathLike) else list(toward)
    return Aim(kind="recordings", recordings=tuple(str(each) for each in files))


def known_parcels(recording: Recording) -> NDArray[np.bool_]:
    """Return (P,) True for parcels that have a signal and a position."""
    known = np.isfinite(recording.xyz).all(1) & np.isfinite(zscored(recording)).any(1) & ~recording.missing
    return np.asarray(known, bool)


def _apart(one: Recording, other: Recording) -> bool:
    far = np.linalg.norm(one.xyz - other.xyz, axis=1)
    return bool((far[np.isfinite(far)] > _POSITION_MM).any())


def _paths(sides: Sequence[Sequence[Place]]) -> set[Path | None]:
    return {place.resolve() for places in sides for place in places if isinstance(place, Path)}
