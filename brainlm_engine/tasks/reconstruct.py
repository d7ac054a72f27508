"""Reconstruction: hide patches of a recording, let the model fill them in, compare with what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo
from brainlm_engine.baselines.people import people_covariance
from brainlm_engine.cohort import scaled_alone, zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import OF_RECORDING, InputScaling, ModelUnits, departure
from brainlm_engine.tasks.masking import build_mask
from brainlm_engine.tasks.part_scores import PartSums
from brainlm_engine.tasks.scoring import Clock, baseline_guesses, r2_along, sums, verdict, window_mean

Floats = NDArray[np.float32]
TR_RANGE = (0.5, 3.5)
USUAL_FRAMES = 200  # of a window when nobody says how long
LEAST_FRAMES = 4  # a parcel's mean and spread come from these


@dataclass(frozen=True)
class Reconstruction:
    """One window, measured and reconstructed.

    Attributes
    ----------
    info : scores, verdict and settings
    measured : (parcels, frames) float32, SD; NaN where not measured
    predicted : (parcels, frames) float32, SD; the model's answer for every patch, hidden or not; NaN for parcels
        without a position
    mask : (parcels, patches) bool, True = hidden
    r2_parcel : (parcels,) float32 over hidden frames, NaN where nothing was hidden
    r2_frame : (frames,) float32 over hidden parcels, NaN where nothing was hidden
    by_parcel : (methods, 3, parcels) float32, R2, r and MSE of every method of ``info.scores``
    by_frame : (methods, 3, frames) float32, the same
    """

    info: ReconstructionInfo
    measured: Floats
    predicted: Floats
    mask: NDArray[np.bool_]
    r2_parcel: Floats
    r2_frame: Floats
    by_parcel: Floats
    by_frame: Floats

    @property
    def r2(self) -> float:
        """R2 of the model over all hidden frames, NaN where nothing was hidden."""
        return next((score.r2 for score in self.info.scores if score.method == "model"), float("nan"))

    @property
    def baselines(self) -> dict[str, float]:
        """R2 of the simple methods on the same hidden frames, by method."""
        return {score.method: score.r2 for score in self.info.scores if score.method != "model"}

    @property
    def verdict(self) -> str:
        """Who won, in one plain sentence."""
        return self.info.verdict

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person must be told."""
        return self.info.notes

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays that go with ``info`` as a message."""
        return {
            "measured": self.measured, "predicted": self.predicted, "mask": self.mask,
            "r2_parcel": self.r2_parcel, "r2_frame": self.r2_frame, "by_parcel": self.by_parcel,
            "by_frame": self.by_frame,
        }  # fmt: skip


def reconstruct(
    model: MaskedModel,
    recording: Recording,
    start: int = 0,
    mask: MaskSpec | None = None,
    frames: int | None = None,
    *,
    recording_id: str = "",
    baselines: bool = True,
    scaling: InputScaling | None = None,
) -> Reconstruction:
    """Reconstruct one window.

    Parameters
    ----------
    model : from ``load_model``
    recording : in any unit; it is z-scored per parcel over the whole recording first, and so is the answer
    start : first frame of the window; moved back when the window would reach over the end
    mask : what is hidden; default: 75 % at random
    frames : length asked for; cut to whole patches and to the recording. None = the usual 200, or what there is
    baselines : also score the simple methods
    scaling : the statistics that the model's own input is scaled with; None = it gets the z-scores

    Raises
    ------
    BadInput
        When the recording has fewer than four frames or no positions, or the mask or the scaling do not fit.
    """
    clock = Clock()
    mask = mask or MaskSpec()
    units = scaling.units(recording) if scaling is not None else None
    patch, length, notes = plan_window(model, recording, frames, padded=True, scaling=scaling)
    start = min(max(0, start), recording.n_frames - length)
    measured = zscored(recording)[:, start : start + length]
    beyond = -length % patch
    hidden = build_mask(mask, recording.n_parcels, (length + beyond) // patch, recording.networks)
    filled = np.pad(measured, ((0, 0), (0, beyond)), constant_values=np.nan)
    predicted = predict(model, filled[None], recording, hidden[None], units)[0][:, :length]
    hidden_frames = np.repeat(hidden, patch, axis=1)[:, :length]
    scored = hidden_frames & np.isfinite(measured) & np.isfinite(predicted)
    guesses = {"model": predicted}
    if baselines and scored.any():
        shown = np.where(hidden_frames, np.nan, measured).astype(np.float32)
        guesses |= baseline_guesses(shown, people_covariance(model.folder, recording))
    centre = window_mean(measured)
    scores = tuple(sums(measured, guess, scored, centre).score(method) for method, guess in guesses.items())
    scores = scores if scored.any() else ()
    parts = PartSums(*measured.shape)
    for method, guess in guesses.items() if scores else ():
        parts.add(method, measured, guess, scored, centre=centre)
    told = verdict(scores) if baselines or not scores else ""
    if told and recording.n_frames < patch:
        told = f"{recording.n_frames} frames are too few to conclude from: {told[0].lower()}{told[1:]}"
    info = ReconstructionInfo(
        recording_id=recording_id,
        model_id=model_id(model),
        start=start,
        n_frames=length,
        patch_frames=patch,
        mask=mask,
        scores=scores,
        networks=parts.networks(recording.networks),
        verdict=told,
        seconds=clock.seconds,
        scaling=scaling.describe() if scaling is not None else OF_RECORDING,
        notes=notes,
    )
    return Reconstruction(
        info, measured, predicted, hidden, r2_along(measured, predicted, scored, 1),
        r2_along(measured, predicted, scored, 0), **parts.arrays(),
    )  # fmt: skip


def plan_window(
    model: MaskedModel,
    recording: Recording,
    frames: int | None,
    *,
    padded: bool = False,
    scaling: InputScaling | None = None,
) -> tuple[int, int, tuple[str, ...]]:
    """Return frames per patch, frames of the window and notes for the person.

    ``frames`` is what a person asked for, None when nobody did: what is said of a short recording differs.
    With ``padded`` a recording shorter than one patch is its own window; the caller adds missing frames behind it.
    """
    patch = model.frames_per_patch(recording.tr_s)
    short = recording.n_frames < patch
    name = recording.name or "The recording"
    if recording.n_frames < LEAST_FRAMES:
        raise BadInput(
            f"{name} has {recording.n_frames} frames, too few for a mean and a spread.",
            f"Choose a recording of at least {LEAST_FRAMES} frames.",
        )
    if short and not padded:
        raise BadInput(
            f"{name} has {recording.n_frames} frames, fewer than one time patch of {patch}.",
            f"Reconstruct its one window instead, or choose a recording of at least {patch * recording.tr_s:.0f} s.",
        )
    known = np.isfinite(recording.xyz).all(1) & ~recording.missing
    if not known.any():
        raise BadInput(
            f"No region of {name} has both a signal and a position.",
            "Give the positions of the regions: an atlas, or a coordinates file.",
        )
    wanted = frames or USUAL_FRAMES
    length = recording.n_frames if short else max(1, min(wanted, recording.n_frames) // patch) * patch
    notes = []
    if short:
        notes.append(
            f"Only {length} frames ({length * recording.tr_s:.0f} s), less than one time patch of "
            f"{patch * recording.tr_s:.0f} s: the patch is filled up with missing frames. Too little to conclude from."
        )
    elif length < wanted - patch:
        whose = f"the {frames} frames asked for" if frames else f"a usual window of {wanted} frames"
        notes.append(f"The recording is shorter than {whose}: {length} frames are used.")
    if not TR_RANGE[0] <= recording.tr_s <= TR_RANGE[1]:
        notes.append(
            f"The model is made for a TR of {TR_RANGE[0]} to {TR_RANGE[1]} s; here it is {recording.tr_s:g} s."
        )
    if model.card is not None and not model.card.any_atlas and recording.atlas_id != model.card.atlas_id:
        where = f"in {recording.atlas_id}" if recording.atlas_id else "of regions of no known atlas"
        notes.append(
            f"The model was trained on the atlas {model.card.atlas_id} only; this recording is {where}, and what the "
            "model says of it means little."
        )
    if told := departure(model, scaling):
        notes.append(told)
    left_out = int((~known).sum())
    if left_out:
        holds = "holds no signal or has" if left_out == 1 else "hold no signal or have"
        notes.append(f"{left_out} of {recording.n_parcels} parcels {holds} no position: left out.")
    unknown = int((known & ~np.isfinite(scaling.statistics.iqr)).sum()) if scaling is not None else 0
    if unknown:
        verb = "has" if unknown == 1 else "have"
        notes.append(f"{unknown} of {recording.n_parcels} parcels {verb} no statistics to be scaled with: left out.")
    return patch, length, tuple(notes)


def predict(
    model: MaskedModel,
    windows: Floats,
    recording: Recording,
    hidden: NDArray[np.bool_],
    units: ModelUnits | None = None,
) -> Floats:
    """Run the model on ``windows (B, parcels, frames)`` with ``hidden (B, parcels, patches)``; same shape back.

    Windows and answer are z-scores of the recording, whatever the model was trained on: a model trained here brings
    them to its own scaling by itself; with ``units`` one from elsewhere is given its units, and the answer is in SD
    again.

    Raises
    ------
    BadInput
        When the model's scaling statistics are of other parcels than the recording's.
    """
    if units is not None:
        windows = units.into(windows)
    batch, parcels, length = windows.shape
    spread = _spread(model, recording)
    if model.scaling is not None:
        windows = model.scaling.of_zscores(windows, spread)
    xyz = torch.from_numpy(np.array(recording.xyz, np.float32)).expand(batch, -1, -1)
    device = next(model.parameters()).device
    with torch.inference_mode():
        output = model(
            torch.from_numpy(np.ascontiguousarray(windows)).to(device), xyz.to(device),
            mask=torch.from_numpy(hidden).to(device), tr_s=recording.tr_s,
        )  # fmt: skip
    filled: Floats = output.prediction.reshape(batch, parcels, -1)[..., :length].float().cpu().numpy()
    if model.scaling is not None:
        filled = model.scaling.as_zscores(filled, spread)
    return filled if units is None else units.back(filled)


def _spread(model: MaskedModel, recording: Recording) -> Floats:
    """Return the SD of each parcel (parcels,) in the recording's unit; ones where the model needs none."""
    if model.scaling is None:
        return np.ones(recording.n_parcels, np.float32)
    if len(model.scaling.iqr) != recording.n_parcels:
        raise BadInput(
            f"The model was trained on values scaled parcel by parcel in an atlas of {len(model.scaling.iqr)} parcels; "
            f"this recording has {recording.n_parcels}.",
            "Parcellate with the model's atlas, or choose a model that needs no such statistics.",
        )
    return scaled_alone(recording).scale.astype(np.float32)


def model_id(model: MaskedModel) -> str:
    """Return the id of a loaded model, '' for one built by hand."""
    return model.card.model_id if model.card is not None else ""
