"""A training as one task of a Dask cluster: on whichever worker has what it needs, and with its processes there.

The worker and the one who asks must see the same folders. A worker that is lost costs what was learned since the last
checkpoint: Dask gives the task to another, up to three times.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.progress import Progress
from brainlm_engine.train.faults import LostProcess
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.mailbox import Mailbox, carry_out_by_mail, follow
from brainlm_engine.train.processes import again
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.told import Told

_CONNECT_S = 20


def needs_cluster(settings: TrainSettings) -> bool:
    """Tell whether there is a cluster to hand the training to; a task of one, without an address, is there already."""
    from distributed import get_worker

    if settings.cluster.address:
        return True
    try:
        get_worker()
    except ValueError:
        return True
    return False


def train_by_dask(task: dict[str, Any], settings: TrainSettings, progress: Progress) -> PretrainResult:
    """Hand the training to a Dask cluster and follow it to its end.

    Raises
    ------
    BadInput
        When no scheduler answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    cluster, box = settings.cluster, Mailbox.new(Path(task["out"]))
    with ExitStack() as stack:
        # in a job of the engine all its own connections are encrypted; whether a person's cluster is, that person knows
        stack.enter_context(dask.config.set({"distributed.comm.require-encryption": False}))
        if cluster.address:
            file = Path(cluster.address)
            where: dict[str, Any] = {"scheduler_file": str(file)} if file.is_file() else {"address": cluster.address}
        else:
            own = LocalCluster(
                n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1",
                resources=cluster.resources or None, security=True,  # encrypted, with keys made for it alone
            )  # fmt: skip
            where = {"address": stack.enter_context(own)}
        try:
            client = stack.enter_context(Client(**where, set_as_default=False, timeout=_CONNECT_S))
        except (OSError, ValueError, TimeoutError) as error:
            box.drop()
            raise BadInput(
                f"No Dask scheduler answers at {cluster.address}.",
                "Start one with dask scheduler, or give the address that it prints.",
                str(error),
            ) from error
        if missing := _missing(client, cluster.resources):
            progress.log(missing)
        future = client.submit(
            carry_out_by_mail, task, box, joins=False, resources=cluster.resources or None, pure=False,
            key=f"brainlm-training-{box.folder.name}",
        )  # fmt: skip
        progress.log(f"The training is the task {future.key} of the Dask cluster at {client.scheduler.address}.")
        job = DaskTraining(future, Path(task["out"]))
        try:
            return follow(job, box, Told(progress, "Dask task: waiting"))
        finally:
            future.release()


def _missing(client: Any, resources: dict[str, float]) -> str:
    """Say what the workers lack that are there now; others may come."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers:
        return "The Dask cluster has no workers yet; the training begins with the first."
    for name, amount in resources.items():
        if all(worker["resources"].get(name, 0) < amount for worker in workers):
            return f"No Dask worker has {amount:g} {name}; the training begins with the first that does."
    return ""


@dataclass(frozen=True)
class DaskTraining:
    """A task that was handed over."""

    future: Any
    out: Path

    def state(self) -> str:
        """Say in one word how it is."""
        return str(self.future.status)

    def over(self) -> bool:
        """Tell whether it has ended, however."""
        return bool(self.future.done())

    def cancel(self) -> None:
        """End it, or let it not begin."""
        self.future.cancel(force=True)

    def lost(self) -> EngineError:
        """Return a sentence for a task that ended without a word."""
        details = ""
        if self.future.status == "error":
            details = repr(self.future.exception())
        return LostProcess("The Dask worker that trained is gone.", again(self.out), details)
