"""The door to training: in this process, as one of several that were started together, or by starting them elsewhere.

Where it runs is the setting ``launch``; the training is the same:

========  =====================================================================================================
here      in this process; with ``devices`` above 1, in that many on this computer
torchrun  in processes of its own on this computer, also when it is only one
slurm     as a job of the cluster's queue (:mod:`brainlm_engine.train.slurm`)
dask      as one task of a Dask cluster (:mod:`brainlm_engine.train.dask_task`)
========  =====================================================================================================

A process that torchrun or srun started with others joins them, whatever the setting says.
"""

from __future__ import annotations

from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.fabric_team import FabricTeam, Seat, check_shares, seat
from brainlm_engine.train.faults import LostProcess, lost_connection
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.loop import pretrain as pretrain_here
from brainlm_engine.train.processes import again, train_in_processes
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.told import task_of


def pretrain(
    cohort_folder: Path,
    out: Path,
    settings: TrainSettings,
    progress: Progress = SILENT,
    *,
    title: str = "",
    joins: bool = True,
) -> PretrainResult:
    """Train as :func:`brainlm_engine.train.loop.pretrain` does, in as many processes and where the settings say.

    Parameters
    ----------
    joins : a process that torchrun or SLURM started with others joins them, and ``devices`` and ``nodes`` are theirs;
        False for a worker that has another purpose and only happens to have been started that way
    """
    place = seat() if joins else None
    if place is not None:
        return _joined(cohort_folder, out, settings, progress, title=title, place=place)
    task = task_of(cohort_folder, out, settings, title)
    if settings.launch == "slurm":
        from brainlm_engine.train.slurm import train_by_slurm

        return train_by_slurm(task, settings, progress)
    if settings.nodes > 1:
        raise BadInput(
            f"A training on {settings.nodes} computers is started on each of them.",
            "Give the same command behind srun, or behind torchrun --nnodes, on every computer, or let SLURM do it: "
            "--launch slurm.",
        )
    if settings.launch == "dask":
        from brainlm_engine.train.dask_task import needs_cluster, train_by_dask

        if needs_cluster(settings):
            return train_by_dask(task, settings, progress)
    check_shares(settings, settings.devices)
    if settings.devices == 1 and settings.launch != "torchrun":
        return pretrain_here(cohort_folder, out, settings, progress, title=title)
    return train_in_processes(task, settings.devices, progress)


def _joined(
    cohort_folder: Path, out: Path, settings: TrainSettings, progress: Progress, *, title: str, place: Seat
) -> PretrainResult:
    """Train with the processes that were started with this one."""
    team = FabricTeam(settings, place)
    try:
        made = pretrain_here(cohort_folder, out, settings, progress, title=title, team=team)
    except RuntimeError as error:
        team.leave(orderly=False)
        if lost_connection(error):
            raise LostProcess(
                "Another process of the training ended, so this one cannot go on.", again(out), str(error)
            ) from error
        raise
    except BaseException:
        team.leave(orderly=False)
        raise
    team.leave()
    return made
