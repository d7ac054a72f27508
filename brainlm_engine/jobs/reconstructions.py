"""Reconstructions of whole recordings, kept in the study: one safetensors file per job, settings and scores inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo, Reply
from brainlm_engine.files import written_whole
from brainlm_engine.paths import data_dir

if TYPE_CHECKING:  # loading a result needs no torch
    from brainlm_engine.tasks import RecordingReconstruction

_INFO = "reconstruction"


def save_reconstruction(
    job_id: str, made: RecordingReconstruction, *, recording_id: str, model_id: str, mask: MaskSpec, seconds: float
) -> Path:
    """Write ``measured``, ``predicted`` (parcels, frames), ``mask``, ``r2_parcel``, ``r2_frame`` and what they are of.

    Every patch that has a prediction was hidden once, so ``mask (parcels, patches)`` is True where one was made.
    """
    from safetensors.numpy import save_file

    frames = made.predicted.shape[1]
    patches = -(-frames // made.patch_frames)
    known = np.zeros((len(made.predicted), patches * made.patch_frames), bool)
    known[:, :frames] = np.isfinite(made.predicted)
    arrays = {
        "measured": made.measured, "predicted": made.predicted,
        "mask": known.reshape(len(known), patches, made.patch_frames).any(2),
        "r2_parcel": made.r2_parcel, "r2_frame": made.r2_frame, "by_parcel": made.by_parcel, "by_frame": made.by_frame,
    }  # fmt: skip
    info = ReconstructionInfo(
        recording_id=recording_id, model_id=model_id, start=0, n_frames=frames, patch_frames=made.patch_frames,
        mask=mask, whole=True, scores=made.scores, verdict=made.verdict, seconds=seconds, notes=made.notes,
        scaling=made.scaling, networks=made.networks, combine=made.combine,
    )  # fmt: skip
    path = _path(job_id)
    with written_whole(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            temporary,
            metadata={_INFO: info.model_dump_json()},
        )
    return path


def load_reconstruction(job_id: str) -> Reply[ReconstructionInfo]:
    """Return what :func:`save_reconstruction` kept.

    Raises
    ------
    BadInput
        When the job made no reconstruction, or its file is gone or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = _path(job_id)
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            info = ReconstructionInfo.model_validate_json((file.metadata() or {})[_INFO])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadInput(
            f"The reconstruction of job {job_id} is not there or cannot be read.", "Run it again.", details=str(error)
        ) from None
    return Reply(info, arrays)


def _path(job_id: str) -> Path:
    folder = data_dir() / "reconstructions"
    path = folder / f"{job_id}.safetensors"
    if path.parent != folder:
        raise BadInput(f"{job_id} is not the id of a job.", "Choose a job from the list.")
    return path
