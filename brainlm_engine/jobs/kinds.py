"""The kinds of jobs there are, and where the function of each lives (imported only when it runs).

Each function is ``run(params, progress, job) -> dict``: it reads plain JSON values, reports to ``progress``, and
returns plain JSON values. Arrays are written to files; their paths or ids are returned.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress

JobFunction = Callable[[dict[str, Any], Progress, JobContext], dict[str, Any]]

#: kind -> "module:function"
KINDS: dict[str, str] = {
    "parcellate": "brainlm_engine.jobs.scan_jobs:parcellate",
    "table": "brainlm_engine.jobs.scan_jobs:table",
    "cache": "brainlm_engine.jobs.scan_jobs:cache",
    "demo": "brainlm_engine.jobs.simulation_jobs:demo",
    "simulate_cohort": "brainlm_engine.jobs.simulation_jobs:cohort",
    "demo_cohort": "brainlm_engine.jobs.simulation_jobs:demo_cohort",
    "pretrain": "brainlm_engine.jobs.model_jobs:pretrain",
    "evaluate": "brainlm_engine.jobs.evaluations:evaluate",
    "report": "brainlm_engine.jobs.evaluations:report",
    "reconstruct_recording": "brainlm_engine.jobs.model_jobs:reconstruct_recording",
    "occlude": "brainlm_engine.jobs.interpretation_jobs:occlude",
    "perturb_effective": "brainlm_engine.jobs.interpretation_jobs:perturb_effective",
    "perturb_sweep": "brainlm_engine.jobs.interpretation_jobs:perturb_sweep",
    "contrast": "brainlm_engine.jobs.interpretation_jobs:contrast",
    "repair": "brainlm_engine.jobs.repairs:repair",
    "rolling_forecast": "brainlm_engine.jobs.forecast_jobs:rolling",
    "networks": "brainlm_engine.jobs.network_jobs:networks",
    "group_networks": "brainlm_engine.jobs.network_jobs:group_networks",
    "scaling_statistics": "brainlm_engine.jobs.model_jobs:scaling_statistics",
    "fetch_atlas": "brainlm_engine.jobs.atlas_jobs:fetch",
    "add_atlas": "brainlm_engine.jobs.atlas_jobs:add",
    "self-test": "brainlm_engine.jobs.self_test:run",
}

#: Seconds that a cancelled job gets to stop by itself where one piece of its work takes long: a training that is killed
#: loses what it learned since its last checkpoint.
PATIENCE: dict[str, float] = {"pretrain": 180.0}


def check_kind(kind: str) -> None:
    """Raise a plain sentence when ``kind`` is unknown."""
    if kind not in KINDS:
        raise BadInput(f"There is no job of the kind '{kind}'.", f"The kinds are: {', '.join(sorted(KINDS))}.")


def job_function(kind: str) -> JobFunction:
    """Return the function that does a job of ``kind``."""
    check_kind(kind)
    module, _, name = KINDS[kind].partition(":")
    function: JobFunction = getattr(importlib.import_module(module), name)
    return function
