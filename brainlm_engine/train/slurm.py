"""A training as a job of a SLURM cluster, handed over by submitit: one process per device, on one or many computers.

Everything lies in ``MODEL/cluster/<when>``: submitit's logs ``<job>_<process>_log.err`` and ``.out``, and what the
training says. The folder of the model must be on a disk that all computers see. A job that reaches its time limit, or
is preempted, is queued again by submitit and goes on from the last checkpoint. Who follows may go away and come back:
the same command follows the job that is there.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.files import written_whole
from brainlm_engine.progress import Progress
from brainlm_engine.train.faults import LostProcess
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.mailbox import CLUSTER, Mailbox, carry_out_by_mail, follow
from brainlm_engine.train.processes import again
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.told import Told

_THERE = "job.json"
_ENDING_S = 10.0


def train_by_slurm(task: dict[str, Any], settings: TrainSettings, progress: Progress) -> PretrainResult:
    """Submit the training, or find the job that is doing it, and follow it to its end.

    Raises
    ------
    BadInput
        When submitit or SLURM are not there.
    """
    job = submit(task, settings, progress)
    told = Told(progress, f"{job.title}: PENDING")
    try:
        return follow(job, Mailbox(job.box), told)
    finally:
        job.end_in_order()
        if told.result is not None or job.over():
            (Path(task["out"]) / CLUSTER / _THERE).unlink(missing_ok=True)


def submit(task: dict[str, Any], settings: TrainSettings, progress: Progress) -> SlurmTraining:
    """Hand the training over and say how to watch and end it; a job that is doing it already is returned as it is."""
    submitit = _submitit()
    out = Path(task["out"])
    there = out / CLUSTER / _THERE
    if (known := _known(there, out)) is not None:
        progress.log(f"{known.title} is doing this training already and is followed. {known.told()}")
        return known
    box = Mailbox.new(out)
    cluster = settings.cluster
    try:
        executor = submitit.AutoExecutor(folder=box.folder, cluster=cluster.executor)
        executor.update_parameters(**parameters(settings, out.name))
        submitted = executor.submit(Part(task, box.folder))
    except (RuntimeError, OSError, submitit.core.utils.FailedSubmissionError) as error:
        box.drop()
        raise BadInput(
            "SLURM did not take the training." if _has_slurm() else "There is no SLURM on this computer.",
            "Look at the details."
            if _has_slurm()
            else "Start it on a login node of the cluster, or with --launch here.",
            str(error),
        ) from error
    job = SlurmTraining(out, box.folder, str(submitted.job_id), cluster.executor, settings.nodes * settings.devices)
    _jobs[job.job_id] = submitted
    told = {"job": job.job_id, "box": str(box.folder), "by": job.executor, "processes": job.processes}
    with written_whole(there) as temporary:
        temporary.write_text(json.dumps(told), encoding="utf-8")
    progress.log(f"{job.title} was handed over. {job.told()}")
    return job


def parameters(settings: TrainSettings, name: str) -> dict[str, Any]:
    """Return what is asked of SLURM, in submitit's words."""
    cluster = settings.cluster
    asked: dict[str, Any] = {
        "name": f"brainlm-{name}", "nodes": settings.nodes, "tasks_per_node": settings.devices,
        "cpus_per_task": settings.threads, "timeout_min": cluster.minutes,
    }  # fmt: skip
    if settings.device == "cuda":
        asked["gpus_per_node"] = settings.devices
    if cluster.memory_gb is not None:
        asked["mem_gb"] = cluster.memory_gb
    if cluster.executor == "slurm":
        asked |= {f"slurm_{key}": value for key in ("partition", "account") if (value := getattr(cluster, key))}
        asked["slurm_srun_args"] = ["--kill-on-bad-exit=1"]  # one process lost: the others end too
    return asked


class Part:
    """One process of the job; submitit sends it there and calls it."""

    def __init__(self, task: dict[str, Any], box: Path) -> None:
        self.task, self.box = task, box

    def __call__(self) -> int:
        """Take this process's seat, and train."""
        from submitit.helpers import TorchDistributedEnvironment

        place = TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        os.environ["TORCHELASTIC_RUN_ID"] = os.environ.get("SLURM_JOB_ID", "local")
        if os.environ.get("SUBMITIT_EXECUTOR") == "local":
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
        box = Mailbox(self.box)
        code = carry_out_by_mail(self.task, box, joins=place.world_size > 1)
        if code:  # the others have to know
            raise RuntimeError("The training did not end as it should; see what it said.")
        return code

    def checkpoint(self) -> Any:
        """Return what submitit queues again when the time is up: the same, which goes on from its checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


@dataclass(frozen=True)
class SlurmTraining:
    """A job that was handed over.

    Attributes
    ----------
    out : the model's folder
    box : its mailbox and logs
    job_id : SLURM's; the controlling process's with the executor 'local'
    executor : 'slurm' or 'local'
    processes : of all computers
    """

    out: Path
    box: Path
    job_id: str
    executor: str
    processes: int

    @property
    def title(self) -> str:
        """The job, as a person calls it."""
        return f"SLURM job {self.job_id}" if self.executor == "slurm" else f"Job {self.job_id} on this computer"

    def told(self) -> str:
        """Say where its logs are, and how it is watched and ended."""
        watch, end = self.commands()
        return f"Logs: {self.box}. Watch: {watch}. End: {end}."

    def commands(self) -> tuple[str, str]:
        """Return the commands that watch and end the job; ending leaves what the last checkpoint holds."""
        if self.executor == "slurm":
            return f"squeue -j {self.job_id}", f"scancel {self.job_id}"
        return f"ps -p {self.job_id}", f"touch {self.box / 'stop'}"

    def state(self) -> str:
        """Say in one word how it is."""
        return str(self._job().state) if self.executor == "slurm" else ("RUNNING" if self._runs() else "ENDED")

    def over(self) -> bool:
        """Tell whether it has ended, however."""
        if self.executor == "slurm" or self.job_id in _jobs:
            return bool(self._job().done())
        return not self._runs()

    def end_in_order(self) -> None:
        """Wait a moment for processes of this computer whose last word was heard."""
        until = time.monotonic() + _ENDING_S
        while self.executor == "local" and not self.over() and time.monotonic() < until:
            time.sleep(0.05)

    def cancel(self) -> None:
        """End it."""
        if self.executor == "slurm":
            self._job().cancel()
        elif (process := self._process()) is not None:
            process.terminate()

    def lost(self) -> EngineError:
        """Return a sentence for a job that ended without a word, with the end of its logs."""
        ends = []
        for path in sorted(self.box.glob(f"{self.job_id}_*_log.err")):
            ends.append(f"{path.name}:\n{path.read_text('utf-8', 'replace')[-1500:]}")
        return LostProcess(
            f"{self.title} ended before the training was done.", f"{again(self.out)} Its logs are in {self.box}.",
            "\n".join(ends),
        )  # fmt: skip

    def _job(self) -> Any:
        if self.job_id not in _jobs:  # its state is asked of SLURM seldom; that is remembered in the object
            _jobs[self.job_id] = _submitit().SlurmJob(self.box, self.job_id, tuple(range(self.processes)))
        return _jobs[self.job_id]

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(int(self.job_id))
            mine = "submitit" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
            return process if mine else None
        except (psutil.Error, ValueError):
            return None

    def _runs(self) -> bool:
        return self._process() is not None


_jobs: dict[str, Any] = {}


def _known(there: Path, out: Path) -> SlurmTraining | None:
    """Return the job that is doing the training already."""
    try:
        told = json.loads(there.read_text(encoding="utf-8"))
        job = SlurmTraining(out, Path(told["box"]), str(told["job"]), str(told["by"]), int(told["processes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if job.over() else job


def _has_slurm() -> bool:
    return shutil.which("sbatch") is not None


def _submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise BadInput(
            "Trainings cannot be handed to SLURM: the package submitit is not installed.",
            'Install it: pip install "brainlm-studio[cluster]".',
            str(error),
        ) from error
    return submitit
