"""What a steering says, in words and by reference network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.perturb import USUAL_SD
from brainlm_engine.api.steer import LEAST_SHUFFLES, NetworkChange, SteerInfo
from brainlm_engine.tasks.reference_networks import NETWORKS

_NO_NEARER = 0.98  # of the distance is left: nothing came of it
_ALIKE = 0.5  # correlation of two maps below which they are not the same answer
_NOT_LINEAR = 0.2
_SURE = 0.05


def network_changes(
    magnitude: NDArray[np.float32], labels: NDArray[np.intp], shuffled: list[NDArray[np.float32]]
) -> tuple[tuple[NetworkChange, ...], NDArray[np.float32]]:
    """Return the networks, the largest change first, and their shares for shuffled targets (S, networks).

    Parameters
    ----------
    magnitude : (P,) SD, NaN where nothing may be changed
    labels : (P,) reference network, -1 = none
    shuffled : the magnitudes for shuffled targets
    """
    inside = np.isfinite(magnitude)
    there = [number for number in range(len(NETWORKS)) if (inside & (labels == number)).any()]
    members = [inside & (labels == number) for number in there]
    nulls = np.array([[_share(drawn, rows) for rows in members] for drawn in shuffled], np.float32)
    nulls = nulls.reshape(len(shuffled), len(there))
    found = []
    for place, (number, rows) in enumerate(zip(there, members, strict=True)):
        share = _share(magnitude, rows)
        drawn = nulls[:, place]
        judged = {}
        if len(drawn):
            p = (1 + int((drawn >= share).sum())) / (1 + len(drawn))
            judged = {"null": float(np.median(drawn)), "p": float(p)}
        found.append(
            NetworkChange(
                network=NETWORKS[number],
                parcels=int(rows.sum()),
                magnitude=float(magnitude[rows].mean()),
                share=share,
                **judged,
            )
        )
    order = sorted(range(len(found)), key=lambda place: -found[place].magnitude)
    return tuple(found[place] for place in order), nulls[:, order]


def _share(magnitude: NDArray[np.float32], rows: NDArray[np.bool_]) -> float:
    mean = float(np.nanmean(magnitude))
    return float(magnitude[rows].mean() / mean) if mean > 0 else 0.0


def verdict_of(info: SteerInfo, region: str) -> str:
    """Say in one or two plain sentences how near it comes, where the change is, and what chance would do."""
    if info.left > _NO_NEARER:
        return f"Nothing that may be changed brings the model's state nearer to {info.toward}."
    nearer = f"{1 - info.left:.0%} nearer to {info.toward}"
    told = f"A change of {info.size:.2f} SD (root mean square) brings the model's state {nearer}"
    if info.p == info.p:
        away = info.null_left > 1
        how = f"takes it {info.null_left - 1:.0%} away" if away else f"brings it {1 - info.null_left:.0%} nearer"
        told += f"; the same change in random regions {how} (p = {info.p:.2f})"
    where = f"It is largest at {region}"
    if info.networks:
        most = info.networks[0]
        where = f"It is largest in the network {most.network}, {most.share:.1f} times the mean"
        if most.p == most.p:
            as_large = "not more than" if most.p > _SURE else "more than"
            where += f", {as_large} for shuffled targets ({most.null:.1f} times, p = {most.p:.2f})"
    return f"{told}. {where}."


def notes_of(info: SteerInfo) -> tuple[str, ...]:
    """Return what a person must be told."""
    told = []
    if info.stopped:
        told.append("The search was ended before it was done: this is the best so far, and nothing was drawn.")
    if info.agreement < _ALIKE:
        told.append(
            f"Searches from other starts found other regions (correlation {info.agreement:.2f}): the answer is not the "
            "only one."
        )
    if info.peak > USUAL_SD:
        told.append(f"The change goes beyond {USUAL_SD:g} SD, where the model has seen hardly anything.")
    if abs(info.linear - info.left) > _NOT_LINEAR:
        told.append(
            f"The model is not linear here: its derivative foresees {info.linear:.0%} of the distance left, and it is "
            f"{info.left:.0%}."
        )
    if 0 < info.spec.shuffles < LEAST_SHUFFLES:
        told.append(f"{info.spec.shuffles} shuffled targets are too few for p < .05; {LEAST_SHUFFLES} are the least.")
    return tuple(told)
