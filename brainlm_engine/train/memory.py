"""How much memory a training will need, known before its first step: chosen parts fit, or one sentence says why not.

Weights, gradients and the optimizer's two averages follow from the number of parameters. What a window needs on top is
measured: one of the largest that the first steps will draw is run forward and backward, and every tensor that comes to
life is counted until it goes.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from brainlm_engine.api.errors import OutOfMemory
from brainlm_engine.cohort import Series
from brainlm_engine.hardware import gib, memory_available
from brainlm_engine.train.faults import free_memory, ran_out_of_memory, too_large
from brainlm_engine.train.precision import autocast
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner, window_size
from brainlm_engine.train.team import LossOf, Team
from brainlm_engine.train.windows import Batch, draw_batch

#: steps whose windows are looked at for the largest
_LOOKED_AT = 16
#: room for what is not counted: what kernels need inside, and holes between tensors
MARGIN = 1.25
TWICE = "To save memory, layers are computed twice instead of being kept: the same result, a third slower."
SMALLER = "Close other programs, choose a smaller model or a shorter window, or train on a larger computer."


@dataclass(frozen=True)
class Need:
    """Memory of one process, in bytes.

    Attributes
    ----------
    parameters : of the model (a number, no bytes)
    weights : of the model that learns and of its average, which are there already
    learning : gradients and the optimizer's averages, and the best weights
    window : of one window that is run forward and backward
    windows : of a step, in this process
    free : what can be had now, beside the weights
    """

    parameters: int
    weights: int
    learning: int
    window: int
    windows: int
    free: int

    def total(self, parts: int) -> int:
        """Return what the training needs when a step is run in ``parts`` parts."""
        return self.weights + self.learning + int(MARGIN * self.window * -(-self.windows // parts))

    @property
    def parts(self) -> int | None:
        """The fewest parts that fit, doubled until they do; None when not even single windows do."""
        parts = 1
        while self.total(parts) - self.weights > self.free:
            if parts >= self.windows:
                return None
            parts *= 2
        return parts

    def sentence(self, chosen: int = 1) -> str:
        """Say what is needed, what there is, and what follows from it.

        Parameters
        ----------
        chosen : parts that are asked for in any case
        """
        free, parts = _size(self.free + self.weights), self.parts
        if parts is None:
            least = _size(self.total(self.windows))
            return f"Training this model takes about {least} even with one window at a time; {free} are free."
        if parts <= chosen:
            return f"Training takes about {_size(self.total(chosen))} of {free} that are free."
        return (
            f"A step of {self.windows} windows would take about {_size(self.total(chosen))} and {free} are free: it is "
            f"run in {parts} parts, which take {_size(self.total(parts))}. The result is the same, it only takes "
            "longer."
        )


def _size(n_bytes: int) -> str:
    return gib(n_bytes) if n_bytes >= 1 << 30 else f"{max(0, n_bytes) / (1 << 20):.0f} MiB"


class Live(TorchDispatchMode):
    """Counts the bytes of tensors that are made inside the block and live; ``peak`` is the most at any time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func`` and count what it makes; what it is given and was not made here was there before."""
        for tensor in tree_leaves((args, kwargs)):
            self._see(tensor, made=False)
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            self._see(tensor, made=True)
        return out

    def _see(self, tensor: object, *, made: bool) -> None:
        if not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
            return
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        self._known.add(key)
        size = storage.nbytes() if made else 0
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size).atexit = False

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def largest_window(train: Series, settings: TrainSettings) -> Batch:
    """Return one window (B = 1) of the step that has the largest among the first ones."""
    windows = (draw_batch(train, settings, step, 0, settings.batch) for step in range(_LOOKED_AT))
    return max(windows, key=window_size)


def measure(learner: Learner, train: Series, settings: TrainSettings, team: Team) -> Need:
    """Run one of the largest windows forward and backward, and return what a training needs.

    Weights and random numbers are left as they were.

    Raises
    ------
    OutOfMemory
        When not even that window fits.
    """
    net = learner.net if team.spreads else LossOf(learner.model)  # by itself, where it need not ask the others
    window = largest_window(train, settings).to(team.device)
    compiles, learner.runner.compiles = learner.runner.compiles, False  # not while tensors are counted
    try:
        for value in learner.model.parameters():  # they are there whatever the number of windows
            if value.requires_grad:
                value.grad = torch.zeros_like(value)
        with torch.random.fork_rng(devices=[team.device] if team.device.type == "cuda" else []):
            peak = _peak(net, window, settings)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        raise too_large(1, error) from error
    finally:
        learner.runner.compiles = compiles
        learner.optimizer.zero_grad(set_to_none=True)
        free_memory()
    here = [value.to_local() if hasattr(value, "to_local") else value for value in learner.model.parameters()]
    size = sum(value.numel() * value.element_size() for value in here)
    state = learner.optimizer.state
    there = sum(value.nbytes for kept in state.values() for value in kept.values() if isinstance(value, Tensor))
    best = size if team.device.type == "cpu" else 0  # kept in the computer's own memory
    return Need(
        parameters=sum(value.numel() for value in learner.model.parameters()),
        weights=2 * size,
        learning=3 * size + best - there,
        window=peak,
        windows=-(-settings.batch // team.world),
        free=available(team),
    )


def measured(learner: Learner, train: Series, settings: TrainSettings, team: Team) -> Need | None:
    """Return what :func:`measure` does, None when a window does not fit."""
    try:
        return measure(learner, train, settings, team)
    except OutOfMemory:
        return None


def _peak(net: nn.Module, window: Batch, settings: TrainSettings) -> int:
    def run() -> None:
        with autocast(settings):
            mean, frames = net(window.signal, window.xyz, window.hidden, window.queries, window.tr_s)
        (mean * frames).backward()

    if settings.device == "cuda":  # the allocator itself counts
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        most = int(torch.cuda.max_memory_allocated()) - int(before)
        torch.cuda.reset_peak_memory_stats()
        return most
    live = Live()
    with live:
        run()
    return live.peak


def available(team: Team) -> int:
    """Return the bytes that this process of the team can still have."""
    if team.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(team.device)
        kept = torch.cuda.memory_reserved(team.device) - torch.cuda.memory_allocated(team.device)
        return int(free) + int(kept)
    if team.device.type == "mps":
        return int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory())
    return memory_available() // team.beside


def fit(learner: Learner, train: Series, settings: TrainSettings, team: Team) -> str:
    """Choose parts that fit, for all processes alike, and return a sentence about it; '' where all windows fit at once.

    Where not even single windows fit, layers are computed twice instead of being kept, if the settings leave that open.

    Raises
    ------
    OutOfMemory
        One sentence, when not even single windows fit.
    """
    need, twice = measure_or_save(learner, train, settings, team)
    parts = need.parts
    if team.any(parts is None):
        raise OutOfMemory(
            need.sentence()
            if parts is None
            else "Another process of the training has too little memory for one window.",
            SMALLER,
        )
    before = learner.parts
    learner.parts = max(before, int(team.most(float(parts or 1))))
    told = [need.sentence(before)] if learner.parts > before else []
    if twice:
        told.append(TWICE)
    return " ".join(told)


def measure_or_save(learner: Learner, train: Series, settings: TrainSettings, team: Team) -> tuple[Need, bool]:
    """Return what a training needs; True when its layers are now computed twice, as nothing fits otherwise.

    Raises
    ------
    OutOfMemory
        When a window does not fit that way either.
    """
    need = measured(learner, train, settings, team)
    twice = settings.checkpointing == "auto" and not learner.runner.checkpoints
    twice = twice and team.any(need is None or need.parts is None)
    if twice:
        learner.runner.checkpoints = True
    if need is None or twice:
        need = measure(learner, train, settings, team)
    return need, twice


def weights_alone(parameters: int, settings: TrainSettings, team: Team) -> Need:
    """Return what a model of so many parameters needs at least, known before it is made ready for training."""
    size = 4 * parameters
    return Need(
        parameters=parameters, weights=2 * size, learning=4 * size, window=0,
        windows=-(-settings.batch // team.world), free=available(team) - size,
    )  # fmt: skip
