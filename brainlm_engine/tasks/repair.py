"""Repair: fill the bad parts of a recording in, say how far off that probably is, and write a new recording.

Good samples stay bit for bit as they were; the original file is never written to; the new one says which samples were
filled in, by what and when.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.repair import REPAIRS, RepairInfo, RepairKind, RepairSpec, spans_of, written_holes
from brainlm_engine.files import check_output, written_whole
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.weights import weights_sha256
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import OF_RECORDING, InputScaling
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.repair_check import KIND_NAMES, Tally, lay_over, level_error, mixed, verdict
from brainlm_engine.tasks.repair_fill import Filler
from brainlm_engine.tasks.repair_holes import PARCELS, Holes, find_holes, level_of

Floats = NDArray[np.float32]
_TRIALS = 2
_MUCH = 0.2  # share of a recording from which a person is warned


@dataclass(frozen=True)
class Repair:
    """A repaired recording.

    Attributes
    ----------
    info : what was found and filled in, and how far off that probably is
    recording : the new one
    filled : (parcels, frames) bool, True = filled in
    """

    info: RepairInfo
    recording: Recording
    filled: NDArray[np.bool_]


def repair(
    model: MaskedModel,
    recording: Recording,
    spec: RepairSpec | None = None,
    *,
    fd_mm: Floats | None = None,
    scaling: InputScaling | None = None,
    trials: int = _TRIALS,
    recording_id: str = "",
    progress: Progress = SILENT,
) -> Repair:
    """Fill in what is bad in ``recording``.

    Parameters
    ----------
    spec : what counts as bad and what fills it in
    fd_mm : (frames,) framewise displacement, when head motion is known
    scaling : the statistics that the model's own input is scaled with; None = z-scores
    trials : how often the pattern of holes is tried on good data; 0 = not at all

    Raises
    ------
    BadInput
        When nothing is bad or nearly everything, the recording is shorter than one time patch, has no positions, or
        the model cannot read it.
    """
    began, spec = time.perf_counter(), spec or RepairSpec()
    name = recording.name or "The recording"
    patch = model.frames_per_patch(recording.tr_s)
    if recording.n_frames < patch:
        raise BadInput(
            f"{name} has {recording.n_frames} frames, fewer than one time patch of the model ({patch}).",
            f"Repair a recording of at least {patch * recording.tr_s:.0f} s.",
        )
    holes = find_holes(recording, spec, fd_mm)
    usable = _usable(recording, holes)
    if scaling is not None:
        scaling.units(recording)  # refuses statistics of another atlas or unit
    mended = replace(recording, missing=~usable & ~holes.whole)
    _, _, notes = plan_window(model, mended, None, scaling=scaling)
    filler, parts = Filler(model, mended, scaling, progress), trials + 1
    expected = _try(filler, recording, holes, trials, spec.seed)
    opened = holes.open | ~np.isfinite(recording.series)
    level = level_of(recording.series, opened, recording.xyz)
    guesses = filler.fill(level.scaled(recording.series, opened), level, spec.seed, (trials / parts, 1.0))
    series, kinds, judged = recording.series.copy(), [], []
    for number, kind in KIND_NAMES.items():
        part = holes.kind == number
        if part.any():
            scores, weight = expected.tally.scores(number), expected.tally.weight(number)
            method = _method(spec, scores)
            guess = mixed(guesses["kriging"], guesses["model"], weight) if method == "model" else guesses[method]
            series[part] = level.undone(guess)[part]
            kinds.append(
                RepairKind(
                    kind=kind, n_values=int(part.sum()), n_tested=expected.tally.tested(number), method=method,
                    weight=weight, scores=scores,
                )
            )  # fmt: skip
            judged.append((number, method, scores))
    info = RepairInfo(
        recording_id=recording_id, name=recording.name, model_id=model_id(model),
        model_sha256=weights_sha256(model.folder), spec=spec, n_parcels=recording.n_parcels,
        n_frames=recording.n_frames, parcels=tuple(np.flatnonzero(holes.whole).tolist()),
        spans=tuple(spans_of(np.asarray(holes.open[~holes.whole].all(0)))), n_values=int(holes.open.sum()),
        found=holes.found,
        kinds=tuple(kinds), level_error=expected.level_error, verdict=verdict(judged) if trials else "",
        notes=(*notes, *_notes(recording, holes)),
        scaling=scaling.describe() if scaling is not None else OF_RECORDING, seconds=time.perf_counter() - began,
    )  # fmt: skip
    progress(1.0, "Repaired")
    return Repair(info, _repaired(recording, series, holes, info), holes.open)


def write_repaired(made: Repair, out: Path, original: Path | None = None) -> RepairInfo:
    """Write the new recording and, beside it, a .json that says what was filled in; return the info with its place.

    Raises
    ------
    BadInput
        When ``out`` is the original or another file that is there already, or does not end in .safetensors.
    """
    source = str(made.recording.provenance.get("source", ""))
    check_repaired(out, (original, Path(source) if source else None))
    sidecar = out.with_suffix(".json")
    recording = replace(made.recording, name=made.recording.name or out.stem)
    head = {
        "Description": "A recording in which bad samples were filled in by a model: not measured there.",
        "RepetitionTime": recording.tr_s, "Repairs": recording.provenance[REPAIRS],
        "Simulated": recording.provenance.get("simulated") is True,
    }  # fmt: skip
    with written_whole(sidecar) as temporary:
        temporary.write_text(json.dumps(head, indent=1, ensure_ascii=False), "utf-8")
        recording.save(out)
    return made.info.model_copy(update={"written": str(out)})


def check_repaired(out: Path, inputs: tuple[Path | None, ...]) -> None:
    """Refuse a place where a repaired recording may not be written, before anything is computed."""
    if out.suffix.lower() != ".safetensors":
        raise BadInput(
            f"{out.name} does not end in .safetensors, as a recording of this program does.",
            f"Write it as {out.stem or 'repaired'}.safetensors.",
        )
    check_output(out, inputs)
    for path in (out, out.with_suffix(".json")):
        if path.exists():
            raise BadInput(
                f"{path.name} is there already, in {path.absolute().parent}.", "Give another name for the result."
            )


def _usable(recording: Recording, holes: Holes) -> NDArray[np.bool_]:
    """Return (parcels,) with signal, not filled in as a whole, and with a position."""
    signal = ~recording.missing & np.isfinite(recording.series).any(1) & ~holes.whole
    placed = np.isfinite(recording.xyz).all(1)
    if not (signal & placed).any():
        raise BadInput(
            f"No region of {recording.name or 'this recording'} has both a signal and a position.",
            "Give the positions of the regions: an atlas, or a coordinates file.",
        )
    return np.asarray(signal & placed)


@dataclass(frozen=True)
class _Expected:
    """What came of filling in good data: scores, and how far off the mean of a whole parcel is, in its SD."""

    tally: Tally
    level_error: float | None = None


def _try(filler: Filler, recording: Recording, holes: Holes, trials: int, seed: int) -> _Expected:
    """Lay the pattern of holes over good data, fill them in, and compare with what was measured."""
    rng, tally, off = np.random.default_rng(seed), Tally(), None
    unknown = ~np.isfinite(recording.series)
    usable = _usable(recording, holes)
    own = level_of(recording.series, holes.open | unknown, recording.xyz)
    for trial in range(trials):
        made = lay_over(holes, usable, rng)
        level = level_of(recording.series, made.open | unknown, recording.xyz)
        stand_ins = (made.kind == PARCELS).any(1)  # their course is judged about their own mean, in their own SD
        level.mean[stand_ins], level.sd[stand_ins] = own.mean[stand_ins], own.sd[stand_ins]
        shown = level.scaled(recording.series, made.open | unknown)
        span = trial / (trials + 1), (trial + 1) / (trials + 1)
        guesses = filler.fill(shown, level, seed + trial, span)
        tally.add(level.scaled(recording.series, holes.open | unknown), guesses, made.kind)
        off = level_error(own, usable & ~holes.whole, recording.xyz, stand_ins) if off is None else off
    return _Expected(tally, off)


def _method(spec: RepairSpec, scores: tuple[Any, ...]) -> Any:
    if spec.method != "best":
        return spec.method
    return min(scores, key=lambda score: score.mse).method if scores else "model"


def _notes(recording: Recording, holes: Holes) -> tuple[str, ...]:
    notes = []
    share = float(holes.open.mean())
    if share > _MUCH:
        notes.append(f"{share:.0%} of the recording is filled in: conclude little from those parts.")
    if holes.whole.any():
        notes.append(
            "A parcel that is filled in as a whole has no mean and no spread of its own: it gets those of its nearest "
            "parcels."
        )
    nowhere = holes.open.any(1) & ~np.isfinite(recording.xyz).all(1)
    if nowhere.any():
        notes.append(f"{int(nowhere.sum())} parcels to fill in have no position: ridge stands in for the model there.")
    notes.append("Filled-in values vary less than measured ones: leave them out where variance or connectivity counts.")
    return tuple(notes)


def _repaired(recording: Recording, series: Floats, holes: Holes, info: RepairInfo) -> Recording:
    earlier = recording.provenance.get(REPAIRS)
    entry = {
        "filled": written_holes(holes.open), "values": info.n_values,
        "methods": {kind.kind: kind.method for kind in info.kinds},
        "model_weight": {kind.kind: round(kind.weight, 4) for kind in info.kinds}, "model": info.model_id,
        "model_sha256": info.model_sha256, "settings": info.spec.model_dump(mode="json"), "scaling": info.scaling,
        "expected": {
            kind.kind: {score.method: {"r2": _or_none(score.r2), "mse": _or_none(score.mse)} for score in kind.scores}
            for kind in info.kinds
        },
        "found": list(info.found), "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": f"brainlm-studio {__version__}", "original": recording.name,
    }  # fmt: skip
    provenance = recording.provenance
    share = info.n_values / max(holes.open.size, 1)
    note = f"Repaired: {info.n_values} samples ({share:.1%}) are filled in, not measured. {' '.join(info.found)}"
    provenance = {
        **provenance, REPAIRS: [*(earlier if isinstance(earlier, list | tuple) else ()), entry],
        "notes": [*provenance.get("notes", ()), note], "steps": [*provenance.get("steps", ()), "repaired"],
    }  # fmt: skip
    return replace(recording, series=series, missing=recording.missing & ~holes.whole, provenance=provenance)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
