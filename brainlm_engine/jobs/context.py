"""What a job is given besides its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brainlm_engine.paths import data_dir


@dataclass(frozen=True)
class JobContext:
    """One job's name and places.

    Attributes
    ----------
    job_id : the job
    title : what the person reads in the Jobs list
    """

    job_id: str
    title: str = ""

    def folder(self) -> Path:
        """Return a folder of the job's own in the data folder (made when first asked for)."""
        path = data_dir() / "jobs" / self.job_id
        path.mkdir(parents=True, exist_ok=True)
        return path


def recordings_dir() -> Path:
    """Where recordings are kept: ``<recording_id>.safetensors``."""
    path = data_dir() / "recordings"
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_path(job_id: str) -> Path:
    """Where the log of job ``job_id`` is kept."""
    folder = data_dir() / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{job_id}.log"
