"""Jobs that make simulated data: the demo case, and cohorts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainlm_engine.jobs.context import JobContext
from brainlm_engine.paths import data_dir
from brainlm_engine.progress import Progress


def demo(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Paint the demo scan (or find the one painted before). ``params``: ``n_frames``; returns ``path``."""
    from brainlm_engine.simulate import demo_case

    n_frames = int(params.get("n_frames", 490))
    return {"path": str(demo_case(data_dir() / "demo" / str(n_frames), n_frames, progress))}


def cohort(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Simulate a cohort.

    Parameters
    ----------
    params
        ``out`` (folder), ``n_people``, and optionally ``n_frames``, ``tr_s``, ``tasks``, ``runs``, ``seed``.
    """
    from brainlm_engine.simulate import simulate_cohort

    options = {name: params[name] for name in ("n_frames", "tr_s", "tasks", "runs", "seed") if name in params}
    made = simulate_cohort(Path(params["out"]), int(params["n_people"]), progress=progress, **options)
    return {
        "out": str(made.folder), "n_people": made.n_people, "n_recordings": made.n_recordings, "made": made.made,
    }  # fmt: skip


def demo_cohort(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Make a demo cohort in the data folder (or find it made). ``params``: ``size`` ('small', 'large' or 'tasks')."""
    from brainlm_engine.simulate.demo_cohort import demo_cohort as make

    made = make(data_dir() / "cohorts", str(params.get("size", "small")), progress)
    return {"out": str(made.folder), "n_people": made.n_people, "made": made.made}
