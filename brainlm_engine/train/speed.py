"""How fast and how large a training is: windows per second, memory, and the share of the device's arithmetic used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from brainlm_engine.train.settings import TrainSettings

#: fused attention on processors, which torch has no formula for
_ON_CPU = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_ON_CPU_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
#: dense FLOP/s by the makers' data sheets, in float32 and in half precision; no sheet, no MFU
_PEAKS = {
    "H200": (67e12, 989e12),
    "H100": (67e12, 989e12),
    "A100": (19.5e12, 312e12),
    "L40S": (91.6e12, 362e12),
    "A10G": (31.2e12, 70e12),
    "RTX 4090": (82.6e12, 165e12),
    "RTX 3090": (35.6e12, 71e12),
}


class Arithmetic(TorchDispatchMode):
    """Counts the operations of matrix products, convolutions and attention inside the block, by torch's own formulas.

    torch's ``FlopCounterMode`` also says in which module; for that it holds on to every graph, those of steps that ran
    out of memory included.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func`` and add its operations."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        kind = func._overloadpacket
        if kind in flop_registry:
            self.flops += flop_registry[kind](*args, **kwargs, out_val=out)
        elif kind is _ON_CPU:
            self.flops += sdpa_flop_count(*(x.shape for x in args[:3]))  # type: ignore[no-untyped-call]
        elif kind is _ON_CPU_BACKWARD:
            self.flops += sdpa_backward_flop_count(*(x.shape for x in args[:4]))  # type: ignore[no-untyped-call]
        return out


class Meter:
    """Measures from one look at the validation people to the next.

    The arithmetic of a step is counted on the first step after each look; the others are taken to be like those.
    """

    def __init__(self, settings: TrainSettings, windows: int) -> None:
        self.settings, self.windows = settings, windows
        self._counted: list[int] = []
        self._steps = 0
        self._seconds = 0.0

    @contextmanager
    def step(self, one_window: Callable[[], None] | None = None) -> Iterator[None]:
        """Count the arithmetic of the step in the block, when it is the first since the last look.

        Compiled layers cannot be counted; ``one_window`` does a window's share of the step without them.
        """
        if self._steps:
            yield
        elif one_window is not None:
            with Arithmetic() as counter:
                one_window()
            self._counted.append(counter.flops * self.windows)
            yield
        else:
            with Arithmetic() as counter:
                yield
            self._counted.append(counter.flops)
        self._steps += 1

    def took(self, seconds: float) -> None:
        """Note how long the step took."""
        self._seconds += seconds

    def read(self) -> dict[str, float]:
        """Return the figures since the last look and begin anew: of this process alone."""
        if not self._steps or not self._seconds:
            return {"memory_mb": memory_mb(self.settings.device)}
        flops = sum(self._counted) / len(self._counted) * self._steps / self._seconds
        figures = {
            "windows_per_s": round(self._steps * self.windows / self._seconds, 3),
            "memory_mb": memory_mb(self.settings.device),
            "gflop_per_s": round(flops / 1e9, 2),
        }
        if (peak := peak_flops(self.settings)) is not None:
            figures["mfu"] = round(flops / peak, 4)
        self._steps, self._seconds = 0, 0.0
        return figures


def memory_mb(device: str) -> float:
    """Return the most that was held on a graphics processor, or what this process holds now, in MB."""
    if device == "cuda":
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    return round(psutil.Process().memory_info().rss / 1e6, 1)


def peak_flops(settings: TrainSettings) -> float | None:
    """Return what the device can do per second in the training's precision, when its maker says so."""
    if settings.device != "cuda":
        return None
    name = torch.cuda.get_device_name()
    found = next((peaks for key, peaks in _PEAKS.items() if key in name), None)
    return None if found is None else found[settings.precision != "32"]
