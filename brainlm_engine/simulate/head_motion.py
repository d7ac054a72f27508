"""The head movements behind a simulated recording, as a realignment would find them, in fMRIPrep's table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.files import written_whole
from brainlm_engine.preprocess.motion import HEAD_RADIUS_MM, PARAMETERS, displacement
from brainlm_engine.simulate.people import Person

Floats = NDArray[np.float64]

#: Millimetres that the head jerks for one unit of the motion signal; it comes back as that signal fades.
_JERK_MM = 0.3
#: Share of the person's mean displacement that is unrest between the jerks, at the least.
_UNREST = 0.4


def realignment(person: Person, jerks: Floats, rng: np.random.Generator) -> Floats:
    """Return three shifts in mm and three turns in radians, (frames, 6), that fit the motion in the signal.

    Parameters
    ----------
    person
        The mean displacement over the recording is theirs, unless they jerk more than that.
    jerks
        (frames,) course of the motion signal, see :func:`brainlm_engine.simulate.noise.motion`; zeros when still.
    rng
        Of the unrest and the directions.
    """
    n_frames = len(jerks)
    wander = np.cumsum(rng.standard_normal((n_frames, 6)), axis=0)
    wander -= np.linspace(0, 1, n_frames)[:, None] * wander[-1]  # a head on a pillow stays about where it is
    direction = rng.dirichlet(np.ones(6)) * rng.choice([-1, 1], 6)
    thrown = _JERK_MM * jerks[:, None] * direction
    still = float(np.abs(np.diff(thrown, axis=0)).sum(axis=1).mean())
    wanted = max(person.mean_fd - still, _UNREST * person.mean_fd)
    wander *= wanted / float(np.abs(np.diff(wander, axis=0)).sum(axis=1).mean())
    way = wander + thrown
    way[:, 3:] /= HEAD_RADIUS_MM
    moved: Floats = way - way[0]
    return moved


def write_table(parameters: Floats, scan_stem: str, folder: Path) -> Path:
    """Write ``parameters (frames, 6)`` as the confounds table of the scan called ``<scan_stem>_bold``."""
    path = table_path(scan_stem, folder)
    lines = ["\t".join(("framewise_displacement", *PARAMETERS[0]))]
    for fd, row in zip(displacement(parameters), parameters, strict=True):
        lines.append("\t".join(["n/a" if np.isnan(fd) else f"{fd:.8f}", *(f"{value:.8f}" for value in row)]))
    sidecar = {"Simulated": True, "Description": "Head motion of a simulated recording; no real person was scanned."}
    for file, text in ((path.with_suffix(".json"), json.dumps(sidecar, indent=2)), (path, "\n".join(lines))):
        with written_whole(file) as temporary:
            temporary.write_text(text + "\n", "utf-8")
    return path


def table_path(scan_stem: str, folder: Path) -> Path:
    """Return where the table lies, named as fMRIPrep names it."""
    return folder / f"{scan_stem}_desc-confounds_timeseries.tsv"
