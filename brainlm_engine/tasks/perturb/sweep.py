"""One scenario over a grid: values, regions, onsets. Every cell is asked exactly; nothing is interpolated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.api.sweep import MOST_CELLS, Place, SweepCell, SweepInfo, SweepLine, SweepSpec
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.effects import effects
from brainlm_engine.tasks.perturb.intervene import run_of
from brainlm_engine.tasks.perturb.targets import beyond_usual, region_name
from brainlm_engine.tasks.perturb.window import plan
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sweep:
    """The answers; arrays as in :class:`SweepInfo`."""

    info: SweepInfo
    arrays: dict[str, NDArray[Any]]


def sweep(
    model: MaskedModel,
    recording: Recording,
    spec: SweepSpec,
    *,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> Sweep:
    """Ask ``spec.scenario`` once per place, onset and value.

    Raises
    ------
    BadInput
        When there is no such target, the grid is too large or has no value, or a cell of it cannot be asked.
    """
    clock = Clock()
    targets = spec.scenario.targets
    if not 0 <= spec.target < len(targets):
        raise BadInput(f"There is no target {spec.target + 1} to sweep.", f"The scenario has {len(targets)}.")
    swept = targets[spec.target]
    if swept.shape in ("silence", "draw"):
        raise BadInput("A target that is silent or drawn has no value to sweep.", "Choose a step, a pulse or a ramp.")
    if not spec.values:
        raise BadInput("The sweep has no value.", "Give at least one, in SD.")
    places = network_places(recording) if spec.networks else spec.places
    places = places or (Place(name=_called(swept, recording), regions=swept.regions),)
    starts = spec.starts or (swept.start,)
    cells = len(places) * len(starts) * len(spec.values)
    if cells > MOST_CELLS:
        raise BadInput(
            f"The grid has {cells:,} cells ({len(places)} places, {len(starts)} onsets, {len(spec.values)} values); "
            f"{MOST_CELLS} are the most.",
            "Leave some out.",
        )
    labels, networks = _networks(recording)
    rows: list[SweepCell] = []
    maps: list[Floats] = []
    lines: list[SweepLine] = []
    gains: list[Floats] = []
    notes: dict[str, None] = {}
    values = np.array(sorted(spec.values))
    for number, (place, start) in enumerate(_grid(places, starts)):
        moved = swept.model_copy(
            update={"regions": places[place].regions, "start": start, "stop": start + swept.stop - swept.start}
        )
        plain: Floats | None = None
        here: list[Floats] = []
        for each, value in enumerate(values):
            done = number * len(values) + each
            progress(done / cells, f"Answer {done + 1} of {cells}")
            changed = moved.model_copy(update={"value": float(value)})
            scenario = _with(spec.scenario, spec.target, changed)
            window = plan(model, recording, scenario, scaling)
            run = run_of(model, recording, window, scaling)
            if plain is None:  # what is hidden is the same for all values
                plain = run.answers(window.measured[None], window.hidden[None])[0]
                notes.update(dict.fromkeys(window.notes))
            answer = run.answers(window.changed[None], window.hidden[None])[0]
            found = effects(plain, answer, window.asked)
            effect = found.effect.copy()
            effect[~window.known] = np.nan
            effect[window.regions] = np.nan
            here.append(effect)
            beyond = beyond_usual(window.changed, window.where)
            rows.append(
                SweepCell(
                    place=place, start=start, value=float(value), reach=found.reach, beyond=beyond,
                    networks=tuple(_mean(effect[labels == network]) for network in range(len(networks))),
                )
            )  # fmt: skip
        table = np.stack(here)
        maps += here
        gains.append(_gain(values, table))
        lines.append(_line(place, start, values, table))
    arrays: dict[str, NDArray[Any]] = {"effect": np.stack(maps), "gain": np.stack(gains)}
    info = SweepInfo(
        recording_id=recording_id, model_id=model_id(model), spec=spec, places=places, networks=networks,
        cells=tuple(rows), lines=tuple(lines), tr_s=recording.tr_s, verdict=_verdict(places, lines, recording),
        notes=tuple(notes), seconds=clock.seconds,
    )  # fmt: skip
    return Sweep(info, arrays)


def network_places(recording: Recording) -> tuple[Place, ...]:
    """Return the reference networks of a recording as places.

    Raises
    ------
    BadInput
        When no parcel lies in one.
    """
    labels = reference_networks(recording).labels
    there = np.flatnonzero(~recording.missing)
    found = [(name, there[labels[there] == number]) for number, name in enumerate(NETWORKS)]
    return tuple(Place(name=name, regions=tuple(map(int, regions))) for name, regions in found if len(regions))


def _grid(places: tuple[Place, ...], starts: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    for place in range(len(places)):
        for start in starts:
            yield place, start


def _with(scenario: Scenario, place: int, target: Target) -> Scenario:
    targets = list(scenario.targets)
    targets[place] = target
    return scenario.model_copy(update={"targets": tuple(targets), "nulls": 0})


def _called(target: Target, recording: Recording) -> str:
    if len(target.regions) == 1 and target.regions[0] < recording.n_parcels:
        return region_name(recording, target.regions[0])
    return f"{len(target.regions)} regions"


def _networks(recording: Recording) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    try:
        return np.asarray(reference_networks(recording).labels, np.intp), tuple(NETWORKS)
    except BadInput:
        return np.full(recording.n_parcels, -1, np.intp), ()


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _gain(values: NDArray[np.float64], table: NDArray[np.floating]) -> Floats:
    """Return (P,): effect per SD of value, least squares; of one value, effect / value.

    Lines need not pass through 0: a region set to 0 is set to its mean, not left as it was measured.
    """
    if len(values) == 1:
        return np.asarray(table[0] / values[0] if values[0] else table[0] * np.nan, np.float32)
    apart = values - values.mean()
    return np.asarray(apart @ (table - table.mean(0)) / max(float(apart @ apart), 1e-12), np.float32)


def _line(place: int, start: int, values: NDArray[np.float64], table: Floats) -> SweepLine:
    known = np.isfinite(table).all(0)
    inside = table[:, known].astype(np.float64)
    gain = _gain(values, inside)
    apart = inside - inside.mean(0)
    total = float(np.square(apart).sum())
    left = apart - (values - values.mean())[:, None] * gain
    straight = 1 - float(np.square(left).sum()) / total if total > 0 and len(values) > 2 else float("nan")
    even = float("nan")
    if values[0] < 0 < values[-1] and known.sum() > 2 and np.ptp(inside[0]) and np.ptp(inside[-1]):
        even = float(np.corrcoef(inside[0], inside[-1])[0, 1])
    slope = float(np.abs(gain).mean()) if gain.size else float("nan")
    return SweepLine(place=place, start=start, slope=slope, straight=straight, even=even)


def _verdict(places: tuple[Place, ...], lines: list[SweepLine], recording: Recording) -> str:
    """Say in one sentence where it moves most, and whether twice the value is twice the answer."""
    most = max(lines, key=lambda line: np.nan_to_num(line.slope))
    told = f"{places[most.place].name}, set from {most.start * recording.tr_s:.0f} s on, moves the others"
    told += f" by {most.slope:.2f} SD per SD"
    if len(lines) > 1:
        told = f"Of {len(lines)} places and onsets, {told}, the most"
    if not np.isfinite(most.straight):
        return f"{told}."
    return f"{told}; straight lines explain {most.straight:.0%} of how its answers grow with the value."
