"""What follows if: set regions of a recording, and see what a model then expects of all others.

The model is asked twice about one window, with the regions as they were measured and as they are set; everything else
is hidden from the onset on. The difference is what it expects to go with the change. That is a prediction from how
regions go together in the recordings it has learned from, not the effect of a stimulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.perturb import LEAST_NULLS, USUAL_SD, PerturbInfo, Scenario
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.answers import Run
from brainlm_engine.tasks.perturb.effects import (
    Nulls,
    bands,
    effects,
    network_effects,
    null_draws,
    share_beyond,
    specific,
)
from brainlm_engine.tasks.perturb.targets import beyond_usual, region_name
from brainlm_engine.tasks.perturb.window import Window, plan
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Intervention:
    """What follows; the arrays are described at :class:`PerturbInfo`."""

    info: PerturbInfo
    arrays: dict[str, NDArray[Any]]

    @property
    def effect(self) -> Floats:
        """(parcels,) SD, mean difference from the onset on."""
        return np.asarray(self.arrays["effect"], np.float32)

    @property
    def verdict(self) -> str:
        """One plain sentence."""
        return self.info.verdict


def intervene(
    model: MaskedModel,
    recording: Recording,
    scenario: Scenario,
    *,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> Intervention:
    """Set the targets of ``scenario``, with as many null draws as it asks for.

    Raises
    ------
    BadInput
        When a target is impossible or contradicts another, or the model or the recording cannot be used.
    """
    clock = Clock()
    progress(0.0, "Setting the targets")
    window = plan(model, recording, scenario, scaling)
    run = run_of(model, recording, window, scaling)
    plain, changed = run.both(window.measured[None], window.changed[None], window.hidden[None])
    unperturbed, perturbed = (np.where(window.known[:, None], each[0], np.nan) for each in (plain, changed))
    found = effects(unperturbed, perturbed, window.asked)
    nulls = null_draws(run, window, scenario.nulls, scenario.seed, progress) if scenario.nulls else Nulls()
    half, bands_from = bands(window, unperturbed)
    arrays: dict[str, NDArray[Any]] = {
        "measured": window.measured, "unperturbed": unperturbed, "perturbed": perturbed,
        "set": window.where.astype(np.uint8), "half_width": half, "effect": found.effect,
        "specific": specific(found.effect, window.regions),
    }  # fmt: skip
    p = float("nan")
    if len(nulls.reach):
        p = float((1 + (nulls.reach >= found.reach).sum()) / (1 + len(nulls.reach)))
        there = np.isfinite(found.effect)
        arrays["null_sd"] = np.where(there, np.nanstd(nulls.specific, 0), np.nan).astype(np.float32)
        arrays["p"] = np.where(there, share_beyond(nulls.specific, arrays["specific"]), np.nan).astype(np.float32)
        arrays["null_reach"] = nulls.reach
    beyond = beyond_usual(window.changed, window.where)
    networks = network_effects(recording, found.effect, window.regions, nulls)
    info = PerturbInfo(
        recording_id=recording_id, model_id=model_id(model), scenario=scenario, start=window.start,
        onset=window.onset, measured_frames=int(min(window.measured.shape[1], recording.n_frames - window.start)),
        patch_frames=window.patch, tr_s=recording.tr_s, reach=found.reach,
        null_reach=float(np.median(nulls.reach)) if len(nulls.reach) else float("nan"), p=p, nulls=len(nulls.reach),
        beyond=beyond, networks=networks, bands_from=bands_from,
        verdict=_verdict(recording, window, found.reach, nulls, p), notes=(*window.notes, *_notes(beyond, scenario)),
        seconds=clock.seconds,
    )  # fmt: skip
    return Intervention(info, arrays)


def run_of(model: MaskedModel, recording: Recording, window: Window, scaling: InputScaling | None) -> Run:
    """Return how the model is asked about ``window``."""
    units = scaling.units(recording) if scaling is not None else None
    return Run(model, recording, units, window.patch, window.onset // window.patch)


def _notes(beyond: float, scenario: Scenario) -> tuple[str, ...]:
    told = []
    if beyond:
        told.append(
            f"{beyond:.0%} of the frames set lie further out than {USUAL_SD:g} SD, where the model has seen hardly "
            "anything: what it says there means little."
        )
    if 0 < scenario.nulls < LEAST_NULLS:
        told.append(f"{scenario.nulls} random draws are too few for p < .05; {LEAST_NULLS} are the least.")
    return tuple(told)


def _verdict(recording: Recording, window: Window, reach: float, nulls: Nulls, p: float) -> str:
    """Say in one plain sentence how far it reaches, and whether other regions would have reached as far."""
    regions = window.regions
    whose = region_name(recording, int(regions[0])) if len(regions) == 1 else f"the {len(regions)} regions"
    told = f"With {whose} set, the model expects the others to differ by {reach:.2f} SD on average"
    if not len(nulls.reach):
        return f"{told}; no other regions were tried."
    middle = float(np.median(nulls.reach))
    if p <= 0.05:
        return f"{told}, more than with random regions set alike (median {middle:.2f} SD, p = {p:.3f})."
    return f"{told}, no more than with random regions set alike (median {middle:.2f} SD, p = {p:.2f})."
