"""How many jobs run at once, and with how many threads."""

from __future__ import annotations

import pytest

from brainlm_engine.server.configuration import JOB, job_workers_for, plan_workers


@pytest.mark.parametrize(("cores", "jobs", "threads"), [(1, 2, 1), (2, 2, 2), (8, 2, 4), (16, 4, 4), (64, 4, 16)])
def test_a_long_training_never_keeps_a_scan_from_being_opened(cores: int, jobs: int, threads: int) -> None:
    assert job_workers_for(cores) == jobs
    plans = [plan for plan in plan_workers(cores, jobs) if plan.resource == JOB]
    assert [plan.threads for plan in plans] == [threads] * jobs
