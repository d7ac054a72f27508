"""The demo case: the simulated person that a newcomer opens first."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine import __version__
from brainlm_engine.files import written_whole
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.head_motion import table_path, write_table
from brainlm_engine.simulate.hemodynamics import VISUAL_BLOCK_S
from brainlm_engine.simulate.painter import paint_nifti
from brainlm_engine.simulate.parameters import SimulationParameters
from brainlm_engine.simulate.recording import DEFAULT_SEED, Simulator

if TYPE_CHECKING:
    from brainlm_engine.atlas import Atlas

#: Far above the number of any person of a cohort, so no model was ever fitted to the demo person.
DEMO_PERSON = 90_001
DEMO_TR_S = 0.72
#: 3 mm: the file is a third of the size at 2 mm and every parcel still has tens of voxels.
DEMO_ZOOM_MM = 3.0
DEMO_STEM = "sub-demo_task-visual"
DEMO_NAME = f"{DEMO_STEM}_bold"
EVENTS_NAME = f"{DEMO_STEM}_events.tsv"


def demo_case(folder: Path, n_frames: int = 490, progress: Progress = SILENT) -> Path:
    """Return the demo person's scan, painted once and then used again.

    A visual task, TR 0.72 s, 61 x 73 x 61 voxels of 3 mm in MNI space; beside it lie a BIDS-like JSON file, the task's
    events table and the person's head motion, in a table like fMRIPrep's.

    Parameters
    ----------
    folder
        Where it lies or shall lie, e.g. ``data_dir() / "demo"``.
    n_frames
        Volumes. A scan of another length in the folder is replaced.

    Returns
    -------
    Path
        The .nii.gz file.
    """
    folder = Path(folder)
    scan, sidecar = folder / f"{DEMO_NAME}.nii.gz", folder / f"{DEMO_NAME}.json"
    progress(0.0, "Looking for the demo case")
    from brainlm_engine.atlas import load_atlas

    atlas = load_atlas("mni424")
    expected = {"Volumes": n_frames, "Settings": _settings(atlas)}
    if _is_whole(scan, sidecar, expected):
        if not table_path(DEMO_STEM, folder).exists():  # painted before there were motion tables
            write_table(_made(n_frames)[1], DEMO_STEM, folder)
        if not (folder / EVENTS_NAME).exists():
            _write_events(folder, n_frames)
        progress(1.0, "Demo case found")
        return scan
    recording, moved = _made(n_frames)
    sidecar.unlink(missing_ok=True)
    paint_nifti(recording, atlas, scan, progress, zoom_mm=DEMO_ZOOM_MM, seed=DEMO_PERSON)
    write_table(moved, DEMO_STEM, folder)
    _write_events(folder, n_frames)
    content = {**scan_sidecar(recording), **expected, "FileSize": scan.stat().st_size}
    with written_whole(sidecar) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    progress.log(f"Painted the simulated demo case: {scan}")
    return scan


def demo_recording(n_frames: int = 490) -> Recording:
    """Return what the demo scan was painted from: the answer to compare with."""
    return _made(n_frames)[0]


def _made(n_frames: int) -> tuple[Recording, NDArray[np.float64]]:
    """Return the demo person's recording and head motion, (frames, 6)."""
    from brainlm_engine.atlas import load_atlas

    simulator = Simulator(load_atlas("mni424"), DEFAULT_SEED)
    return simulator.recording_with_motion(simulator.person(DEMO_PERSON), n_frames, DEMO_TR_S, "visual")


def _write_events(folder: Path, n_frames: int) -> None:
    """Write the blocks of the demo's task as a BIDS events table."""
    blocks = math.ceil(n_frames * DEMO_TR_S / VISUAL_BLOCK_S)
    rows = [f"{at * VISUAL_BLOCK_S:g}\t{VISUAL_BLOCK_S:g}\t{('darkness', 'pictures')[at % 2]}" for at in range(blocks)]
    with written_whole(folder / EVENTS_NAME) as temporary:
        temporary.write_text("\n".join(("onset\tduration\ttrial_type", *rows)) + "\n", "utf-8")


def scan_sidecar(recording: Recording) -> dict[str, Any]:
    """Return the BIDS-like description of a painted recording."""
    task = recording.provenance.get("task", "")
    sidecar: dict[str, Any] = {
        "RepetitionTime": recording.tr_s,
        "TaskName": task,
        "Simulated": True,
        "Description": f"{recording.name}. Painted from simulated parcel time series; no real person was scanned.",
        "SpatialReference": "MNI152NLin2009aSym",
        "Atlas": recording.atlas_id,
        "GeneratedBy": [{"Name": "brainlm-studio", "Version": __version__}],
        "Provenance": recording.provenance,
    }
    if task == "visual":
        sidecar["TaskDescription"] = f"{VISUAL_BLOCK_S:g} s of darkness and {VISUAL_BLOCK_S:g} s of pictures in turn"
    return sidecar


def _settings(atlas: Atlas) -> str:
    """Return a short name of everything that decides what the demo case looks like."""
    text = json.dumps([__version__, SimulationParameters().as_dict(), DEMO_PERSON, DEMO_TR_S, DEMO_ZOOM_MM])
    return hashlib.sha256(text.encode() + atlas.labels.tobytes() + atlas.xyz.tobytes()).hexdigest()[:16]


def _is_whole(scan: Path, sidecar: Path, expected: dict[str, Any]) -> bool:
    """True when the scan was finished with these settings: the sidecar is written last and knows the size."""
    try:
        content = json.loads(sidecar.read_text("utf-8"))
        same = all(content[key] == value for key, value in expected.items())
        return bool(same and content["FileSize"] == scan.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        return False
