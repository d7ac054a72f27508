"""Effective connectivity in a model: move every region up and down in turn, and read what is expected of all others.

Each parcel is set to what was measured plus and minus ``value`` for one time patch in the middle of the recording; half
the difference of both answers, per SD, is its row of the map. All else is hidden from the onset on, as in
:mod:`brainlm_engine.tasks.perturb.intervene`, and what is said there holds here: the map tells what goes with what in
the recordings a model has learned from. The control moves the same parcels in a recording of noise: what is left of the
map then is the model's own, not this person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.effective import EffectiveInfo
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress, progress_part
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.network_maps import connectivity, noise_like
from brainlm_engine.tasks.perturb.intervene import run_of
from brainlm_engine.tasks.perturb.window import Window, plan
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
#: time patches of history, and of what is read: fewer than a person is shown, for there are hundreds of runs
_BEFORE, _AFTER = 2, 2
_AT_ONCE = 16  # regions; each is moved up and down


@dataclass(frozen=True)
class Effective:
    """The map and what it goes with; the arrays are described at :class:`EffectiveInfo`."""

    info: EffectiveInfo
    arrays: dict[str, NDArray[Any]]


def effective_connectivity(
    model: MaskedModel,
    recording: Recording,
    *,
    value: float = 1.0,
    control: bool = True,
    connectome: NDArray[np.floating] | None = None,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> Effective:
    """Move every parcel in turn.

    Parameters
    ----------
    value : SD up and down
    control : also with noise in place of the recording; takes as long again
    connectome : (P, P) strengths of structural connections, NaN = not known

    Raises
    ------
    BadInput
        When the recording is shorter than three time patches, or the model or the recording cannot be used.
    """
    clock = Clock()
    if not 0 < value <= 3:
        raise BadInput(f"{value:g} SD is no distance to move a region by.", "Give more than 0 and at most 3.")
    if connectome is not None and connectome.shape != (recording.n_parcels,) * 2:
        raise BadInput(
            f"The connectome is {' x '.join(map(str, connectome.shape))}; the recording has {recording.n_parcels} "
            "parcels.",
            "Give a square table in the order of the parcels.",
        )
    made, window = _map(model, recording, value, scaling, progress_part(progress, 0.0, 0.5 if control else 1.0))
    functional = connectivity(recording)
    apart = np.linalg.norm(recording.xyz[:, None] - recording.xyz[None], axis=2)
    arrays: dict[str, NDArray[Any]] = {"effective": made, "connectivity": functional}
    with_noise = float("nan")
    structural = ranks_together(made, connectome) if connectome is not None else float("nan")
    if control:
        noise = noise_like(recording)
        arrays["noise"], _ = _map(model, noise, value, scaling, progress_part(progress, 0.5, 1.0))
        with_noise = ranks_together(made, arrays["noise"])
    info = EffectiveInfo(
        recording_id=recording_id, model_id=model_id(model), value=value, start=window.start, onset=window.onset,
        frames=window.patch, with_connectivity=ranks_together(made, functional),
        with_distance=ranks_together(made, apart), with_noise=with_noise,
        with_connectome=structural, symmetry=ranks_together(made, made.T),
        notes=window.notes, seconds=clock.seconds,
    )  # fmt: skip
    return Effective(info, arrays)


def _map(
    model: MaskedModel, recording: Recording, value: float, scaling: InputScaling | None, progress: Progress
) -> tuple[Floats, Window]:
    patch = model.frames_per_patch(recording.tr_s)
    if recording.n_frames < (_BEFORE + 1) * patch:
        raise BadInput(
            f"{recording.name or 'The recording'} has {recording.n_frames} frames, fewer than {_BEFORE + 1} time "
            f"patches of {patch}.",
            f"Choose a recording of at least {(_BEFORE + 1) * patch * recording.tr_s:.0f} s.",
        )
    whole = min(_BEFORE + _AFTER, recording.n_frames // patch)
    onset = (recording.n_frames - whole * patch) // 2 + _BEFORE * patch
    out = np.full((recording.n_parcels,) * 2, np.nan, np.float32)
    first: Window | None = None
    for begin in range(0, recording.n_parcels, _AT_ONCE):
        progress(begin / recording.n_parcels, f"Moving region {begin + 1} of {recording.n_parcels}")
        together: dict[int, Window] = {}
        for parcel in range(begin, min(begin + _AT_ONCE, recording.n_parcels)):
            moved = Scenario(
                targets=(Target(regions=(parcel,), start=onset, stop=onset + patch, value=value, add=True),)
            )
            try:
                together[parcel] = plan(model, recording, moved, scaling, before=_BEFORE, after=whole - _BEFORE)
            except BadInput:
                continue  # a parcel without signal or position has no row
        if not together:
            continue
        first = first or next(iter(together.values()))
        run = run_of(model, recording, first, scaling)
        up, low = run.both(
            np.stack([window.changed for window in together.values()]),
            np.stack([_downwards(window) for window in together.values()]),
            np.stack([window.hidden for window in together.values()]),
        )
        for (parcel, window), one, other in zip(together.items(), up, low, strict=True):
            row = (one - other)[:, window.onset :].mean(1) / (2 * value)
            row[~window.known], row[parcel] = np.nan, np.nan
            out[parcel] = row
    if first is None:
        raise BadInput("No region has both a signal and a position.", "Give the positions of the regions.")
    return out, first


def _downwards(window: Window) -> Floats:
    """Return the window (P, T) moved the other way."""
    return np.where(window.where, 2 * window.measured - window.changed, window.measured).astype(np.float32)


def ranks_together(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return Spearman's rank correlation of two maps (P, P) off the diagonal, over what both know."""
    from scipy.stats import spearmanr

    known = np.isfinite(one) & np.isfinite(other) & ~np.eye(len(one), dtype=bool)
    if known.sum() < 3:
        return float("nan")
    return float(spearmanr(one[known], other[known]).statistic)
