"""What a person reads when no --json is given: tables, rounded figures, local dates; no Python."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from brainlm_engine.api.messages import ErrorInfo, JobRecord, JobState
from brainlm_engine.cli import main
from brainlm_engine.cli.as_text import columns, number, share, short, when
from brainlm_engine.jobs.store import JobStore, study_path


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.5077516229058932, "0.508"), (float("nan"), "–"), (None, "–"), (12.0, "12.0"), (123.4, "123"), (0.0, "0.00"),
        (1795.4, "1795"), (-0.17134, "-0.171"), (9.9e-07, "9.90e-07"),
    ],
)  # fmt: skip
def test_numbers(value: float | None, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.50775, "0.508"), (-0.0003, "0.000"), (-0.007, "-0.007"), (-1.2, "-1.200"), (None, "–")]
)
def test_shares(value: float | None, said: str) -> None:
    assert share(value) == said


def test_settings_stay_as_they_were_given() -> None:
    assert [short(value) for value in (1.395, 2.0, 0.72, 0.50775162, [], True)] == [
        "1.395", "2", "0.72", "0.508", "–", "yes",
    ]  # fmt: skip
    assert short({"people": 90, "r2": [0.4268, float("nan")]}) == "people 90, r2 0.4268, –"


def test_columns_are_aligned() -> None:
    assert columns(("R²", "Method"), [("0.508", "Model"), ("–", "Mean")]) == "   R²  Method\n0.508  Model\n    –  Mean"


@pytest.mark.parametrize("line", ["models list", "models show studio-tiny", "atlas list", "atlas show mni424"])
def test_no_python_is_shown(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 0
    said = capsys.readouterr().out
    assert "studio-tiny" in said or "mni424" in said
    assert not any(mark in said for mark in ("{'", "['", "True", "None", "atlas_id="))


@pytest.fixture
def job() -> JobRecord:
    """A job that failed, in the study."""
    record = JobRecord(
        job_id="j1", kind="self-test", title="Slow", state=JobState.FAILED, created=1795649179.6042094,
        started=1795649180.0, finished=1795649192.3456, params={"seconds": 12.5, "path": "a.nii"},
        error=ErrorInfo(message="It broke.", next_step="Try again."), result={"scores": [{"r2": 0.50775162}]},
    )  # fmt: skip
    store = JobStore(study_path())
    store.add(record)
    store.close()
    return record


def test_jobs(job: JobRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "list"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["ID", "State", "Made", "Kind", "Title"]
    assert row.startswith("j1  failed  ")
    assert row.endswith("self-test  Slow   It broke.")
    assert main(["jobs", "show", "j1"]) == 0
    said = capsys.readouterr().out
    assert f"Made       {when(job.created)}\n" in said
    assert time.mktime(time.strptime(when(job.created), "%Y-%m-%d %H:%M:%S")) == int(job.created)
    assert "Took       12.3 s\n" in said
    assert "Error      It broke. Try again.\n" in said
    assert "  seconds  12.5\n" in said
    assert "0.508" in said
    assert "17956" not in said


def test_cancelling_what_has_ended_is_no_failure(job: JobRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "cancel", "j1"]) == 0
    said = capsys.readouterr()
    assert said.err == "Job j1 had ended already (failed); there is nothing to cancel.\n"
    assert "State      failed" in said.out
    assert main(["jobs", "cancel", "nix"]) == 2


def test_an_evaluation(small_cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "studio-tiny", str(small_cohort), "--frames", "40", "--parts", "reconstruction"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("studio-tiny on held-out simulated people of cohort")
    assert "2 people, " in said
    assert "75% of the patches hidden" in said
    assert any(line.endswith("  Model") for line in said.splitlines())
    assert not any(mark in said for mark in ("r2=", "None", "{"))
