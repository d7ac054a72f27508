"""States along a recording: a model's embedding of every time patch, beside the parcel series themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.states import StatesInfo
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.preprocess.events import LAG_S, Events, events_beside, read_events, window_conditions
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.recording import window_starts
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks
from brainlm_engine.tasks.scoring import Clock
from brainlm_engine.tasks.state_clusters import MOST_STATES, find_states

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class States:
    """What is known of a recording; the arrays are described at :class:`StatesInfo`."""

    info: StatesInfo
    arrays: dict[str, NDArray[np.generic]]


def brain_states(
    model: MaskedModel,
    recording: Recording,
    k: int | None = None,
    *,
    seed: int = 0,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    events: Events | None = None,
) -> States:
    """Look for states of ``recording``, everything visible to the model.

    Parameters
    ----------
    k : number of states, 2 to 8; None = by silhouette, for model and series apart
    seed : of k-means
    events : what happened during the recording; None = what lies beside the scan it was made from, if anything does

    Raises
    ------
    BadInput
        When the recording has too few windows, or the model cannot embed it.
    """
    clock = Clock()
    if k is not None and not 2 <= k <= MOST_STATES:
        raise BadInput(f"{k} states cannot be looked for.", f"Ask for 2 to {MOST_STATES}, or let them be chosen.")
    patch, length, notes = plan_window(model, recording, None, scaling=scaling)
    if not hasattr(model, "embed") or model.scaling is not None:
        raise BadInput(
            f"Embeddings of the model {model_id(model)} cannot be read yet.",
            "Choose a model of z-scores, for example studio-tiny.",
        )
    windows = recording.n_frames // patch
    least = 3 if k is None else k
    if windows < least:
        raise BadInput(
            f"The recording has {windows} whole {'window' if windows == 1 else 'windows'} of "
            f"{patch * recording.tr_s:.0f} s, too few to look for states.",
            f"Open a recording of at least {least * patch * recording.tr_s:.0f} s.",
        )
    series = zscored(recording)[:, : windows * patch]
    embedding = embedded(model, series, recording, (patch, length), scaling)
    plain = _window_means(series, patch)
    window_s = patch * recording.tr_s
    ours = find_states(embedding, window_s, k, seed)
    raw = find_states(plain, window_s, k, seed, like=ours.states)
    if left := recording.n_frames - windows * patch:
        notes = (*notes, f"The last {left} frames are less than a window and are left out.")
    starts = np.arange(windows, dtype=np.int32) * patch
    arrays: dict[str, NDArray[np.generic]] = {
        "starts": starts, "model_xy": ours.xy, "series_xy": raw.xy,
        "model_states": ours.states, "series_states": raw.states,
    }  # fmt: skip
    activity = network_activity(recording, series, patch)
    arrays["activity"] = np.stack(list(activity.values())) if activity else np.zeros((0, windows), np.float32)
    events, told = (events, ()) if events is not None else _found_events(recording, windows * window_s)
    if events is not None:
        condition = window_conditions(events, starts.astype(np.float64) * recording.tr_s, window_s)
        arrays["condition"] = condition
        notes = (*notes, f"Conditions: {events.source}, {LAG_S:g} s later for the blood response.")
    info = StatesInfo(
        recording_id=recording_id, model_id=model_id(model), windows=windows, window_frames=patch, tr_s=recording.tr_s,
        model=ours.info, series=raw.info, agreement=_agreement(ours.states, raw.states), networks=tuple(activity),
        conditions=events.names if events is not None else (),
        with_conditions={} if events is None else {
            name: _agreement(found.states, condition) for name, found in (("model", ours), ("series", raw))
        },
        seconds=clock.seconds, notes=(*notes, *told),
    )  # fmt: skip
    return States(info, arrays)


def network_activity(recording: Recording, series: Floats, patch: int) -> dict[str, Floats]:
    """Return (windows,) by reference network: the mean of ``series (P, windows * patch)``, z-scores, over its parcels.

    Networks without a measured parcel are left out; {} where no parcel lies in a reference network.
    """
    try:
        labels = reference_networks(recording).labels
    except BadInput:
        return {}
    measured = np.isfinite(series).any(1) & ~recording.missing
    inside = {name: measured & (labels == number) for number, name in enumerate(NETWORKS)}
    return {name: _window_means(series[rows], patch).mean(1) for name, rows in inside.items() if rows.any()}


def _found_events(recording: Recording, seconds: float) -> tuple[Events | None, tuple[str, ...]]:
    """Return what lies beside the scan; a table that cannot be used is told, not fatal: nobody asked for it."""
    path = events_beside(recording)
    if path is None:
        return None, ()
    try:
        events = read_events(path)
        window_conditions(events, np.zeros(1), seconds)
    except BadInput as error:
        return None, (f"Conditions are left out: {error.message}",)
    return events, ()


def embedded(
    model: MaskedModel, series: Floats, recording: Recording, sizes: tuple[int, int], scaling: InputScaling | None
) -> Floats:
    """Return (T, D): the mean token of every time patch of ``series (P, T * patch)``; NaN where none is visible."""
    patch, length = sizes
    steps = length // patch
    units = scaling.units(recording) if scaling is not None else None
    device = next(model.parameters()).device
    xyz = torch.from_numpy(np.array(recording.xyz, np.float32))[None].to(device)
    rows: dict[int, Floats] = {}
    for start in window_starts(series.shape[1], length):  # all on the grid of patches, as length and series are
        window = series[:, start : start + length]
        window = units.into(window[None])[0] if units is not None else window
        signal = torch.from_numpy(np.ascontiguousarray(window))[None].to(device)
        try:
            with torch.inference_mode():
                latent, ids = model.embed(signal, xyz, recording.tr_s)  # type: ignore[operator]
        except (NotImplementedError, ValueError) as error:
            raise BadInput(
                f"The model {model_id(model)} cannot embed this recording.", "Choose another model.", str(error)
            ) from error
        tokens, ids = latent[0, 1:].float().cpu().numpy(), ids[0].cpu().numpy()
        for step in range(steps):
            here = tokens[(ids >= 0) & (ids % steps == step)]
            mean = here.mean(0) if len(here) else np.full(tokens.shape[1], np.nan, np.float32)
            rows.setdefault(start // patch + step, mean)
    return np.stack([rows[row] for row in sorted(rows)])


def _window_means(series: Floats, patch: int) -> Floats:
    """Return (T, P): the mean of every window of ``series``; parcels never measured left out, gaps count as mean 0."""
    inside = series[np.isfinite(series).any(1)]
    cut = inside.reshape(len(inside), -1, patch)
    return np.asarray(np.nan_to_num(cut).sum(2) / np.maximum(np.isfinite(cut).sum(2), 1), np.float32).T


def _agreement(one: NDArray[np.int32], other: NDArray[np.int32]) -> float:
    from sklearn.metrics import adjusted_rand_score

    known = (one >= 0) & (other >= 0)
    return float(adjusted_rand_score(one[known], other[known])) if known.any() else float("nan")
