"""Recordings kept in the study: their series and how good they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import RecordingInfo, Reply
from brainlm_engine.jobs.context import recordings_dir
from brainlm_engine.recording import Recording
from brainlm_engine.server.warm import Warm


def recording(warm: Warm, recording_id: str) -> Reply[RecordingInfo]:
    """Return a recording with its series, positions and quality; see :class:`RecordingInfo` for the arrays."""
    from brainlm_engine.preprocess import quality

    found = held_recording(warm, recording_id)
    judged = quality(found)
    info = RecordingInfo(
        recording_id=recording_id,
        scan_id=str(found.provenance.get("scan_id", "")),
        name=found.name,
        atlas_id=found.atlas_id,
        n_parcels=found.n_parcels,
        n_frames=found.n_frames,
        tr_s=found.tr_s,
        unit=found.unit,
        n_missing=int(found.missing.sum()),
        notes=tuple(found.provenance.get("notes", ())),
        provenance=found.provenance,
    )
    arrays = {
        "series": found.series,
        "coverage": found.coverage,
        "missing": found.missing,
        "xyz": found.xyz,
        "dvars": np.asarray(judged.dvars, np.float32),
        "tsnr": np.asarray(judged.tsnr, np.float32),
    }
    return Reply(info, arrays)


def recording_path(recording_id: str) -> Path:
    """Return where a recording lies; an id that is not a plain name is refused."""
    path = recordings_dir() / f"{recording_id}.safetensors"
    if path.parent != recordings_dir() or not path.is_file():
        raise BadInput(f"There is no recording {recording_id} in this study.", "Open the scan again to make it.")
    return path


def held_recording(warm: Warm, recording_id: str) -> Recording:
    """Return a recording, loaded again when its file changed."""
    path = recording_path(recording_id)
    key = (recording_id, path.stat().st_mtime_ns)
    found: Recording = warm.recordings.get_or_make(key, lambda: Recording.load(path))
    return found
