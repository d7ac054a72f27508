"""Several processes that train together, on one computer or many: torch DDP or FSDP, joined by Lightning Fabric.

torchrun or SLURM starts the processes and tells each who it is; here they find one another and share gradients, and
with FSDP the weights too.
"""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train import sharding
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.team import LossOf, Team


@dataclass(frozen=True)
class Seat:
    """Which of how many processes this one is, as whoever started it says.

    Attributes
    ----------
    rank, world : of all processes
    devices : processes on this computer
    launcher : 'torchrun' or 'slurm'
    """

    rank: int
    world: int
    devices: int
    launcher: str

    @property
    def nodes(self) -> int:
        """How many computers take part."""
        return self.world // self.devices


def seat() -> Seat | None:
    """Return this process's seat; None when it was started by itself."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        number = {name: int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")}
        return _several(number["RANK"], number["WORLD_SIZE"], number["LOCAL_WORLD_SIZE"], "torchrun")
    if "SLURM_STEP_ID" in os.environ and "SLURM_PROCID" in os.environ:  # started by srun, not only inside a job
        world, nodes = int(os.environ.get("SLURM_NTASKS", "1")), int(os.environ.get("SLURM_NNODES", "1"))
        return _several(int(os.environ["SLURM_PROCID"]), world, world // nodes, "slurm")
    return None


def _several(rank: int, world: int, devices: int, launcher: str) -> Seat | None:
    return Seat(rank, world, devices, launcher) if world > 1 else None


def check_shares(settings: TrainSettings, devices: int, nodes: int = 1) -> None:
    """Refuse a team in which somebody has no device or nothing to do.

    Raises
    ------
    BadInput
        One sentence that says what there is.
    """
    if settings.device == "mps" and devices > 1:
        raise BadInput("Apple graphics processors cannot train together.", "Use one process: --devices 1.")
    if settings.batch < devices * nodes:
        raise BadInput(
            f"{settings.batch} windows per step are fewer than the {devices * nodes} processes.",
            "Give --batch at least as many.",
        )
    there = torch.cuda.device_count()
    if settings.device == "cuda" and devices > max(1, there):
        raise BadInput(
            f"{devices} processes need as many graphics processors; this computer has {there}.",
            f"Start at most {there} on each computer.",
        )


#: DDP's word for it, which torch 2.13 changed
_BUFFERS = "forward_sync_buffers"
if _BUFFERS not in inspect.signature(DistributedDataParallel.__init__).parameters:
    _BUFFERS = "broadcast_buffers"


class FabricTeam(Team):
    """The processes that were started with this one."""

    def __init__(self, settings: TrainSettings, seat: Seat) -> None:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
        from lightning_fabric.strategies import DDPStrategy

        check_shares(settings, seat.devices, seat.nodes)
        environment = TorchElasticEnvironment() if seat.launcher == "torchrun" else SLURMEnvironment()
        # buffers are constants: sent around before a forward pass they would keep processes waiting for one that failed
        strategy = DDPStrategy(**{_BUFFERS: False})
        self.fabric = Fabric(
            accelerator=settings.device, devices=seat.devices, num_nodes=seat.nodes, strategy=strategy,
            plugins=environment,
        )  # fmt: skip
        self.fabric.launch()
        place = self.fabric
        spreads = settings.strategy == "fsdp"
        super().__init__(place.device, place.global_rank, place.world_size, spreads=spreads, beside=seat.devices)

    def join(self, model: MaskedModel) -> nn.Module:
        """Return the model wrapped so that each backward pass leaves the mean of all processes' gradients."""
        net: nn.Module = LossOf(model)
        if self.spreads:
            sharding.spread(net, self.device.type, self.world)
            return net
        net = self.fabric.setup_module(net)
        return net

    def follow(self, average: MaskedModel) -> MaskedModel:
        """Return the averaged model, spread as the one that learns is."""
        if self.spreads:
            sharding.spread(average, self.device.type, self.world)
        return average

    def apart(self, net: nn.Module, apart: bool) -> AbstractContextManager[object]:
        """Sum gradients up here only."""
        if self.spreads:
            return sharding.apart(net, apart)
        silent: AbstractContextManager[object] = self.fabric.no_backward_sync(net, enabled=apart)
        return silent

    def total(self, values: Tensor) -> Tensor:
        """Add up over all processes, in the same order everywhere."""
        torch.distributed.all_reduce(values)
        return values

    def share_gradients(self, model: nn.Module) -> None:
        """Replace gradients that were summed up apart by the mean over the team."""
        for parameter in model.parameters():
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad.div_(self.world)

    def sums(self, *values: float) -> list[float]:
        """Add up over all processes, in the same order everywhere."""
        return [float(value) for value in self.total(torch.tensor(values, dtype=torch.float64, device=self.device))]

    def most(self, value: float) -> float:
        """Return the largest of all processes' values."""
        largest = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(largest, torch.distributed.ReduceOp.MAX)
        return float(largest)

    def leave(self, *, orderly: bool = True) -> None:
        """Part from the others; not orderly: at once, without waiting for what they may still send."""
        if orderly and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        _joined.append(self.rank)


_joined: list[int] = []


def end_if_joined(code: int) -> int:
    """End a process that trained with others, now that everything is written; any other gets ``code`` back.

    Python would take torch's threads of communication down in an order of its own, and now and then that aborts the
    process after all its work is done ("terminate called without an active exception").
    """
    if _joined:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
