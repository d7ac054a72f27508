"""What a perturbation does, in figures, and how much of it other regions would have done as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import NetworkEffect
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.perturb.answers import Run
from brainlm_engine.tasks.perturb.window import Window
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]
LEVELS = (0.5, 0.9)
_NORMAL = (0.6745, 1.6449)  # half widths of the bands of a z-score nobody knows anything of
_ENOUGH = 200  # values that a band is read from
_AT_ONCE = 4


@dataclass(frozen=True)
class Effects:
    """``effect (P,)`` SD, NaN for parcels left out; ``reach`` SD, mean |difference|."""

    effect: Floats
    reach: float


@dataclass(frozen=True)
class Nulls:
    """The same change in other regions: ``specific (N, P)`` effects, NaN where a draw sets the parcel itself;
    ``reach (N,)``.
    """

    specific: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    reach: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


def effects(unperturbed: Floats, perturbed: Floats, asked: Bools) -> Effects:
    """Compare both answers ``(P, T)`` where ``asked (P, T)``."""
    apart = np.where(asked, perturbed - unperturbed, 0.0)
    count = asked.sum(1)
    mean = apart.sum(1) / np.maximum(count, 1)
    return Effects(
        np.where(count > 0, mean, np.nan).astype(np.float32), float(np.abs(apart).sum() / max(count.sum(), 1))
    )


def specific(effect: Floats, regions: Places) -> Floats:
    """Return ``effect (P,)`` less its mean over the parcels that are not among the ``regions`` set.

    Regions that are spread over the brain and go up together tell a model of a swing of the whole brain, wherever they
    are; what they do beyond that is theirs.
    """
    others = effect.copy()
    others[regions] = np.nan
    return np.asarray(effect - np.nanmean(others), np.float32) if np.isfinite(others).any() else others


def null_draws(run: Run, window: Window, draws: int, seed: int, progress: Progress = SILENT) -> Nulls:
    """Add the same change to as many other regions, chosen at random, ``draws`` times.

    Raises
    ------
    BadInput
        When there are not as many other regions.
    """
    regions = window.regions
    others = np.setdiff1d(np.flatnonzero(window.known), regions)
    if len(others) < len(regions):
        raise BadInput("More than half of all regions are set: no others are left to compare with.", "Set fewer.")
    rng = np.random.default_rng(seed)
    change = np.where(window.where, window.changed - np.nan_to_num(window.measured), 0.0)[regions]
    chosen = [rng.choice(others, len(regions), replace=False) for _ in range(draws)]
    made: list[Effects] = []
    for begin in range(0, draws, _AT_ONCE):
        progress(begin / draws, f"Random regions {begin + 1} of {draws}")
        group = [_moved(window, regions, places, change) for places in chosen[begin : begin + _AT_ONCE]]
        measured = np.broadcast_to(window.measured, (len(group), *window.measured.shape))
        plain, moved = run.both(measured, np.stack([each[0] for each in group]), np.stack([each[2] for each in group]))
        after = np.arange(window.where.shape[1]) >= window.onset
        made += [
            effects(one, other, ~where & after & window.known[:, None])
            for one, other, (_, where, _) in zip(plain, moved, group, strict=True)
        ]
    table = np.stack([specific(each.effect, places) for each, places in zip(made, chosen, strict=True)])
    for row, places in zip(table, chosen, strict=True):
        row[places] = np.nan
    return Nulls(table, np.array([each.reach for each in made], np.float32))


def _moved(window: Window, regions: Places, places: NDArray[np.intp], change: Floats) -> tuple[Floats, Bools, Bools]:
    """Return changed series, where they are set and what is hidden when ``places`` take the part of ``regions``."""
    changed, where, hidden = window.measured.copy(), np.zeros_like(window.where), window.hidden.copy()
    before = window.onset // window.patch
    where[places] = window.where[regions]
    hidden[regions, before:], hidden[places] = True, window.hidden[regions]
    changed[places] = np.where(where[places], np.nan_to_num(window.measured[places]) + change, window.measured[places])
    return changed, where, hidden


def share_beyond(null: Floats, value: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Return p: the share of draws ``null (N, ...)``, this one among them, whose size is ``value``'s or more."""
    there = np.isfinite(null)
    with np.errstate(invalid="ignore"):
        as_far = (np.abs(null) >= np.abs(value)) & there
    return np.asarray((1 + as_far.sum(0)) / (1 + there.sum(0)), np.float64)


def network_effects(recording: Recording, effect: Floats, regions: Places, nulls: Nulls) -> tuple[NetworkEffect, ...]:
    """Return the mean effect on every reference network, the regions that were set left out; () without networks."""
    return tuple(_network_effects(recording, effect, regions, nulls))


def _network_effects(recording: Recording, effect: Floats, regions: Places, nulls: Nulls) -> Iterator[NetworkEffect]:
    try:
        labels = reference_networks(recording).labels
    except BadInput:
        return
    inside = np.isfinite(effect)
    inside[regions] = False
    own = specific(effect, regions)
    for number, name in enumerate(NETWORKS):
        members = inside & (labels == number)
        if not members.any():
            continue
        found = NetworkEffect(
            network=name, parcels=int(members.sum()), effect=float(effect[members].mean()),
            specific=float(own[members].mean()),
        )  # fmt: skip
        if len(nulls.reach):
            drawn = np.nanmean(nulls.specific[:, members], 1)
            judged = {"null_sd": float(np.nanstd(drawn)), "p": float(share_beyond(drawn, found.specific))}
            found = found.model_copy(update=judged)
        yield found


def bands(window: Window, unperturbed: Floats) -> tuple[Floats, str]:
    """Return half widths (2, T) of the bands of ``LEVELS``, and where they are from.

    They hold that share of what the unperturbed answer missed, patch by patch over all
    parcels; where nothing was measured, as in the last patch where something was.
    """
    missed = np.where(window.asked, np.abs(window.measured - unperturbed), np.nan)
    half = np.full((2, missed.shape[1]), np.nan, np.float32)
    last, told = np.array(_NORMAL), "the spread of a z-score: nothing was measured that answers could be compared with"
    for begin in range(window.onset, missed.shape[1], window.patch):
        part = missed[:, begin : begin + window.patch]
        part = part[np.isfinite(part)]
        if len(part) >= _ENOUGH:
            last, told = (
                np.quantile(part, LEVELS),
                "what the unperturbed answer missed in this window, all parcels",
            )
        half[:, begin : begin + window.patch] = last[:, None]
    return half, told
