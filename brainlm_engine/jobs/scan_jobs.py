"""Jobs on opened files: parcellating a scan, placing a table's regions, building the cache for quick looking."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.jobs.context import JobContext, recordings_dir
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording


def parcellate(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Average a 4D scan over an atlas and keep the recording.

    Parameters
    ----------
    params
        ``path``, ``answers`` (default none), ``atlas_id`` (default the program's own).

    Returns
    -------
    dict
        ``recording_id``, ``n_parcels``, ``n_frames``, ``n_missing``, ``notes``.
    """
    from brainlm_engine.atlas import DEFAULT_ATLAS
    from brainlm_engine.io import VolumeScan, open_scan
    from brainlm_engine.preprocess import Given, recording_of

    answers = dict(params.get("answers") or {})
    atlas_id = str(params.get("atlas_id") or DEFAULT_ATLAS)
    progress(0.0, "Opening the scan")
    scan = open_scan(params["path"], answers)
    if not isinstance(scan, VolumeScan):
        raise BadInput(f"{scan.name} is a table, not a 4D scan.", "Give the positions of its regions instead.")
    recording = recording_of(scan, Given(answers, atlas_id), progress)
    return _keep(recording, progress, scan.info.scan_id, answers, atlas_id)


def table(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Give the regions of a table their positions and keep the recording.

    Parameters
    ----------
    params
        ``path``, ``answers`` (default none), and ``atlas_id`` or ``coordinates_path`` (or both: then the positions of
        the file are used).
    """
    from brainlm_engine.io import TableScan, open_scan
    from brainlm_engine.preprocess import Given, recording_of

    answers = dict(params.get("answers") or {})
    progress(0.0, "Reading the table")
    scan = open_scan(params["path"], answers)
    if not isinstance(scan, TableScan):
        raise BadInput(f"{scan.name} is a 4D scan, not a table.", "Parcellate it with an atlas instead.")
    atlas_id, coordinates = str(params.get("atlas_id") or ""), str(params.get("coordinates_path") or "")
    if scan.own is not None and scan.own.placed and "positions" not in answers:
        atlas_id = ""  # it says itself where its regions lie
    given = Given(answers, atlas_id, Path(coordinates) if coordinates else None)
    recording = recording_of(scan, given, progress)
    return _keep(recording, progress, scan.info.scan_id, answers, atlas_id, coordinates)


def cache(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Make a compressed scan quick to look at. ``params``: ``path``, ``answers``; returns ``scan_id``."""
    from brainlm_engine.io import VolumeScan, build_cache, open_scan

    scan = open_scan(params["path"], dict(params.get("answers") or {}))
    if isinstance(scan, VolumeScan):
        build_cache(scan, progress)
    return {"scan_id": scan.info.scan_id}


def _keep(recording: Recording, progress: Progress, scan_id: str, *made_with: Any) -> dict[str, Any]:
    """Write a recording; the same scan, settings and version give the same id, so nothing is kept twice."""
    progress(1.0, "Writing the recording")
    key = json.dumps([scan_id, *made_with, __version__], sort_keys=True)
    recording_id = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    recording = replace(recording, provenance={**recording.provenance, "scan_id": scan_id})
    recording.save(recordings_dir() / f"{recording_id}.safetensors")
    notes = list(recording.provenance.get("notes", ()))
    for note in notes:
        progress.log(note)
    return {
        "recording_id": recording_id, "n_parcels": recording.n_parcels, "n_frames": recording.n_frames,
        "n_missing": int(recording.missing.sum()), "notes": notes,
    }  # fmt: skip
