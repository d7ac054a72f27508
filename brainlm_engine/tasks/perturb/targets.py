"""Targets written into a recording's z-scores, and what makes them impossible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import HARD_SD, USUAL_SD, Target, level
from brainlm_engine.recording import Recording

Floats = NDArray[np.float32]
_CLOSE = 1e-6  # SD: targets that agree do not contradict each other


def check_targets(targets: Sequence[Target], recording: Recording, known: NDArray[np.bool_], ahead: int) -> None:
    """Refuse what cannot be done; ``known (P,)`` has signal and position.

    Raises
    ------
    BadInput
        When there is no target, or one has no region, a region without signal or position, a span outside the
        recording (and ``ahead`` frames more), a level that is no number or further out than ``HARD_SD``.
    """
    if not targets:
        raise BadInput("There is no target to set.", "Choose a region, a span of time and a value.")
    for number, target in enumerate(targets, 1):
        named = f"Target {number}"
        if not target.regions:
            raise BadInput(f"{named} has no region.", "Choose one on the brain or in the list.")
        if outside := [region for region in target.regions if not 0 <= region < recording.n_parcels]:
            raise BadInput(
                f"{named} asks for region {outside[0] + 1}; the recording has {recording.n_parcels}.",
                f"Choose regions from 1 to {recording.n_parcels}.",
            )
        if empty := [region for region in target.regions if not known[region]]:
            raise BadInput(
                f"{region_name(recording, empty[0])} has no signal or no position in this recording.",
                "Choose another region.",
            )
        last = recording.n_frames + ahead
        if not 0 <= target.start < target.stop or target.stop > last or target.start >= last:
            tr_s = recording.tr_s
            raise BadInput(
                f"{named} spans {target.start * tr_s:.1f} to {target.stop * tr_s:.1f} s (frames {target.start} to "
                f"{target.stop}); the recording {f'and {ahead} frames ahead have' if ahead else 'has'} "
                f"{last * tr_s:.1f} s ({last} frames).",
                "Move it into the recording, or ask for more frames ahead.",
            )
        levels = level(target)
        if not np.isfinite(levels).all() or (target.shape == "draw" and not target.values):
            raise BadInput(f"{named} holds a value that is no number.", "Give numbers, in SD.")
        if np.abs(levels).max() > HARD_SD:
            raise BadInput(
                f"{named} goes to {levels[np.abs(levels).argmax()]:.1f} SD; hardly any value a model has seen lies "
                f"beyond {HARD_SD:g} SD.",
                f"Stay within {HARD_SD:g} SD; within {USUAL_SD:g} SD the model knows what it does.",
            )


def region_name(recording: Recording, region: int) -> str:
    """Return a region's name, or its number counted from 1."""
    named = recording.names[region] if region < len(recording.names) else ""
    return named or f"Region {region + 1}"


def written(targets: Sequence[Target], measured: Floats, first: int = 0) -> tuple[Floats, NDArray[np.bool_]]:
    """Return ``measured (P, T)``, frames from ``first`` of the recording on, with the targets set, and where that is.

    Past the recording, and in gaps, what was measured counts as 0, the region's mean.

    Raises
    ------
    BadInput
        When two targets want different values of one region at one time.
    """
    changed, where = measured.copy(), np.zeros(measured.shape, bool)
    for target in targets:
        span = slice(max(target.start - first, 0), min(target.stop - first, measured.shape[1]))
        if span.stop <= span.start:
            continue
        cut = span.start - (target.start - first)
        wanted = level(target)[cut : cut + span.stop - span.start]
        for region in target.regions:
            was = np.nan_to_num(measured[region, span])
            full = was + wanted if target.add else wanted
            value = (was + target.strength * (full - was)).astype(np.float32)
            taken = where[region, span]
            if (np.abs(changed[region, span] - value)[taken] > _CLOSE).any():
                raise BadInput(
                    f"Two targets want different values of region {region + 1} at one time.",
                    "Move one in time, or take the region out of one of them.",
                )
            changed[region, span], where[region, span] = value, True
    return changed, where


def beyond_usual(changed: Floats, where: NDArray[np.bool_]) -> float:
    """Return the share of the frames set that lie further out than ``USUAL_SD``."""
    return float((np.abs(changed[where]) > USUAL_SD).mean()) if where.any() else 0.0
