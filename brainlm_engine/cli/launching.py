"""The arguments of ``pretrain`` about where a training runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli.numbers import positive, positive_int
from brainlm_engine.progress import Progress

if TYPE_CHECKING:
    from brainlm_engine.train.settings import TrainSettings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define them."""
    group = parser.add_argument_group("where it runs")
    group.add_argument(
        "--launch", choices=("here", "torchrun", "slurm", "dask"), default="here",
        help="here; torchrun: in processes of its own; slurm: as a job of the queue; dask: as a task of a cluster",
    )  # fmt: skip
    group.add_argument("--partition", default="", metavar="NAME", help="of SLURM")
    group.add_argument("--account", default="", metavar="NAME", help="that SLURM charges")
    group.add_argument(
        "--time-limit", type=positive_int, default=24 * 60, metavar="MINUTES",
        help="of the SLURM job, which is queued again and goes on after it (default one day)",
    )  # fmt: skip
    group.add_argument("--memory-gb", type=positive_int, metavar="GB", help="per computer, asked of SLURM")
    group.add_argument("--detach", action="store_true", help="hand the SLURM job over, and do not follow it")
    group.add_argument(
        "--submitit", choices=("slurm", "local"), default="slurm",
        help="local: the same job as processes of this computer, to try it out without SLURM",
    )  # fmt: skip
    group.add_argument("--dask-address", default="", metavar="ADDRESS", help="of a scheduler, or its scheduler file")
    group.add_argument(
        "--dask-resource", action="append", default=[], metavar="NAME=N", help="what the task holds, e.g. GPU=1"
    )


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the arguments give.

    Raises
    ------
    BadInput
        When one is of another place than the one where the training runs.
    """
    for option, given, place in (
        ("--dask-address", args.dask_address, "dask"), ("--dask-resource", args.dask_resource, "dask"),
        ("--partition", args.partition, "slurm"), ("--account", args.account, "slurm"),
        ("--memory-gb", args.memory_gb, "slurm"), ("--submitit", args.submitit != "slurm", "slurm"),
    ):  # fmt: skip
        if given and args.launch != place:
            raise BadInput(
                f"{option} is of trainings that are started with --launch {place}, and this one is not.",
                f"Give --launch {place} too, or leave {option} out.",
            )
    resources = {}
    for word in args.dask_resource:
        name, _, amount = word.partition("=")
        try:
            resources[name] = positive(amount)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise BadInput(f"--dask-resource {word} cannot be understood.", "Write NAME=N, e.g. GPU=1.") from error
    return {
        "partition": args.partition, "account": args.account, "minutes": args.time_limit, "memory_gb": args.memory_gb,
        "executor": args.submitit, "address": args.dask_address, "resources": resources,
    }  # fmt: skip


def hand_over(cohort: Path, out: Path, settings: TrainSettings, title: str, progress: Progress) -> dict[str, Any]:
    """Hand a training to SLURM and return how it is watched and ended.

    Raises
    ------
    BadInput
        When it runs elsewhere: then somebody has to follow it.
    """
    from brainlm_engine.train.slurm import submit
    from brainlm_engine.train.told import task_of

    if settings.launch != "slurm":
        raise BadInput("Only a SLURM job goes on by itself.", "Give --launch slurm, or leave --detach out.")
    job = submit(task_of(cohort, out, settings, title), settings, progress)
    watch, end = job.commands()
    return {"job": job.job_id, "logs": str(job.box), "watch": watch, "end": end}
