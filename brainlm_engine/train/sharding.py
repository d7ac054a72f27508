"""Weights spread over the processes (torch FSDP): each holds a part of every tensor and fetches the rest in passing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


def spread(net: nn.Module, device: str, world: int) -> None:
    """Spread the weights of ``net`` over all processes: block by block, so that one block at a time is whole."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device, (world,))
    for blocks in list(net.modules()):
        if isinstance(blocks, nn.ModuleList):
            for block in blocks:
                fully_shard(block, mesh=mesh)
    fully_shard(net, mesh=mesh)


@contextmanager
def apart(net: Any, apart: bool) -> Iterator[None]:
    """Inside the block gradients are summed up here and not shared yet, when ``apart``."""
    net.set_requires_gradient_sync(not apart)
    yield


def is_spread(tensor: Tensor) -> bool:
    """Tell whether this process holds a part of ``tensor`` only."""
    from torch.distributed.tensor import DTensor

    return isinstance(tensor, DTensor)


def whole(tensor: Tensor) -> Tensor:
    """Return all of ``tensor``; for one that is spread every process must ask."""
    if not is_spread(tensor):
        return tensor
    gathered: Tensor = tensor.full_tensor()  # type: ignore[attr-defined]
    return gathered


def whole_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return the weights of ``module``, whole and on the CPU, in memory of their own."""
    return {name: whole(value.detach()).cpu().clone() for name, value in module.state_dict().items()}


def spread_like(value: Tensor, other: Tensor) -> Tensor:
    """Return this process's part of ``value`` when ``other`` is spread, else ``value``."""
    if not is_spread(other) or value.shape != other.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(other.device), other.device_mesh, other.placements)  # type: ignore[attr-defined]


def fill(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load whole ``weights`` into ``module``, spread or not."""
    own = module.state_dict()
    module.load_state_dict(
        {name: spread_like(value, own[name]) if name in own else value for name, value in weights.items()}
    )
