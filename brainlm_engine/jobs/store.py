"""The study's database: one row per job, readable while the engine writes, whole after a power cut."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import EngineError, OutOfSpace
from brainlm_engine.api.messages import ErrorInfo, JobRecord, JobState
from brainlm_engine.paths import data_dir

LOG = logging.getLogger(__name__)

#: Each entry takes the database from version ``i`` to ``i + 1`` (``PRAGMA user_version``).
MIGRATIONS = (
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        state TEXT NOT NULL,
        stage TEXT NOT NULL DEFAULT '',
        fraction REAL NOT NULL DEFAULT 0,
        eta_s REAL,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        engine_id TEXT NOT NULL DEFAULT '',
        params TEXT NOT NULL,
        result TEXT,
        error TEXT
    );
    CREATE INDEX jobs_by_state ON jobs (state, seq);
    """,
)
_COLUMNS = (
    "job_id", "kind", "title", "state", "stage", "fraction", "eta_s", "created", "started", "finished", "engine_id",
    "params", "result", "error",
)  # fmt: skip
_OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)


def study_path() -> Path:
    """Where the study's database lies."""
    return data_dir() / "study.sqlite"


class JobStore:
    """Job records in the study's SQLite file.

    One process writes (the engine); any number may read. Not shared between threads.

    Parameters
    ----------
    path
        The database; made when missing. A damaged one is moved aside, never deleted, and a new one begun.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise _as_engine_error(error, path) from error
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            path.rename(aside)
            LOG.warning("The study's database was damaged; it was moved to %s and a new one begun.", aside)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=10.0, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version > len(MIGRATIONS):
                raise EngineError(
                    f"The study's database {self.path.name} was written by a newer version of this program.",
                    "Install the newer version, or choose another study folder.",
                )
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def add(self, record: JobRecord) -> None:
        """Write a new job."""
        marks = ", ".join("?" * len(_COLUMNS))
        self._write(f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({marks})", _row(record))  # noqa: S608

    def save(self, record: JobRecord) -> None:
        """Write the present state of a job that exists."""
        sets = ", ".join(f"{column} = ?" for column in _COLUMNS)
        self._write(f"UPDATE jobs SET {sets} WHERE job_id = ?", (*_row(record), record.job_id))  # noqa: S608

    def get(self, job_id: str) -> JobRecord | None:
        """Return one job, or None."""
        row = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()  # noqa: S608
        return _record(row) if row else None

    def newest(self, limit: int = 500) -> list[JobRecord]:
        """Return the last ``limit`` jobs, newest first."""
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs ORDER BY seq DESC LIMIT ?"  # noqa: S608
        return [_record(row) for row in self._db.execute(query, (limit,))]

    def open_jobs(self) -> list[JobRecord]:
        """Return the jobs that are queued or running, oldest first."""
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE state IN (?, ?) ORDER BY seq"  # noqa: S608
        return [_record(row) for row in self._db.execute(query, _OPEN_STATES)]

    def interrupt_open_jobs(self, queued: str, running: str, next_step: str) -> list[JobRecord]:
        """Mark what a dead engine left queued or running as interrupted, with the sentence for each."""
        marked = []
        for job in self.open_jobs():
            message = running if job.state is JobState.RUNNING else queued
            error = ErrorInfo(code="interrupted", message=message, next_step=next_step)
            changed = job.model_copy(
                update={"state": JobState.INTERRUPTED, "finished": time.time(), "eta_s": None, "error": error}
            )
            self.save(changed)
            marked.append(changed)
        return marked

    def _write(self, statement: str, values: Iterable[Any]) -> None:
        try:
            self._db.execute(statement, tuple(values))
        except sqlite3.OperationalError as error:
            raise _as_engine_error(error, self.path) from error


def read_jobs(kind: str, limit: int = 500) -> list[JobRecord]:
    """Return the last ``limit`` jobs of one kind, newest first, from any process; the engine may be writing.

    Raises
    ------
    sqlite3.Error
        When there is no database yet, or it cannot be read.
    """
    db = sqlite3.connect(f"{study_path().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE kind = ? ORDER BY seq DESC LIMIT ?"  # noqa: S608
        return [_record(row) for row in db.execute(query, (kind, limit))]
    finally:
        db.close()


def _as_engine_error(error: sqlite3.OperationalError, path: Path) -> EngineError:
    text = str(error)
    if "full" in text:
        return OutOfSpace(
            f"The disk is full: the job could not be written to {path}.", "Free some space and try again.", text
        )
    return EngineError(
        f"The study's database {path} could not be written: {text}.",
        "Check that the folder exists and that you may write to it.",
        text,
    )


def _row(record: JobRecord) -> tuple[Any, ...]:
    result = None if record.result is None else json.dumps(record.result)
    error = None if record.error is None else record.error.model_dump_json()
    return (
        record.job_id, record.kind, record.title, str(record.state), record.stage, record.fraction, record.eta_s,
        record.created, record.started, record.finished, record.engine_id, json.dumps(record.params), result, error,
    )  # fmt: skip


def _record(row: tuple[Any, ...]) -> JobRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["state"] = JobState(values["state"])
    values["params"] = json.loads(values["params"])
    values["result"] = json.loads(values["result"]) if values["result"] is not None else None
    values["error"] = ErrorInfo.model_validate_json(values["error"]) if values["error"] is not None else None
    return JobRecord(**values)
