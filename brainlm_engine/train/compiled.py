"""Compiled layers, tried before the first step: they must compile here, and compute the same loss."""

from __future__ import annotations

import torch
from torch import Tensor

from brainlm_engine.train.faults import free_memory, ran_out_of_memory
from brainlm_engine.train.precision import TOLERANCE, autocast
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner
from brainlm_engine.train.team import Team
from brainlm_engine.train.windows import Batch, share

#: largest difference of the loss in float32, as a share of it
_TOLERANCE_32 = 1e-3


def check_compiled(learner: Learner, batch: Batch, settings: TrainSettings, team: Team) -> str:
    """Compile the layers on the first part of ``batch`` and return a sentence; '' when that was not asked for.

    Whatever goes wrong, also in one process of several only, the training goes on with layers as they stand.
    """
    runner = learner.runner
    if not runner.compiles:
        return ""
    part = batch.rows(*share(len(batch), 0, min(learner.parts, len(batch)))).to(team.device)
    try:
        compiled, exact = loss_of(learner, part, settings, backwards=True), loss_of(learner, part, settings)
        off = abs(float(compiled) - float(exact)) / max(abs(float(exact)), 1e-12)
        if not off <= (_TOLERANCE_32 if settings.precision == "32" else TOLERANCE):
            runner.give_up(ValueError(f"their loss is {100 * off:.2g} % off"))
    except Exception as error:  # torch's compiler and the compilers it calls raise anything
        if not ran_out_of_memory(error):  # the steps will see to that
            runner.give_up(error)
        off = float("nan")
    learner.optimizer.zero_grad(set_to_none=True)
    free_memory()
    if team.any(not runner.compiles) and runner.compiles:
        runner.give_up(ValueError("another process could not"))
    if runner.gave_up:
        return f"Layers run as they stand: {runner.gave_up}. The result is the same, it only takes longer."
    return "Layers are compiled" + ("." if off != off else f": the first loss is {100 * off:.2g} % from that without.")


def loss_of(learner: Learner, batch: Batch, settings: TrainSettings, *, backwards: bool = False) -> Tensor:
    """Return the loss of ``batch``: with gradients and compiled layers, or without both."""
    torch.manual_seed(settings.seed)  # dropout: the same both times
    with torch.set_grad_enabled(backwards), autocast(settings):
        output = learner.model(batch.signal, batch.xyz, mask=batch.hidden, tr_s=batch.tr_s, queries=batch.queries)
    if backwards:
        output.loss.backward()
    return output.loss.detach()




def one_window(learner: Learner, batch: Batch, settings: TrainSettings) -> None:
    """Compute the gradient of one window and forget it: to count its arithmetic, which needs layers as they stand."""
    device = next(learner.model.parameters()).device
    loss_of(learner, batch.rows(0, 1).to(device), settings, backwards=True)
    learner.optimizer.zero_grad(set_to_none=True)
