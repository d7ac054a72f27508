"""Compiled layers, tried before the first step: they must compile here, and compute the same gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from brainlm_engine.train.faults import free_memory, ran_out_of_memory
from brainlm_engine.train.precision import TOLERANCE, autocast
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner
from brainlm_engine.train.team import Team
from brainlm_engine.train.windows import Batch, share

#: largest difference of the gradient's norm in float32, as a share of it
_TOLERANCE_32 = 1e-3


def check_compiled(learner: Learner, batch: Batch, settings: TrainSettings, team: Team) -> str:
    """Compile the layers on the first part of ``batch`` and return a sentence; '' when that was not asked for.

    Gradients are compared, not losses: the loss of a fresh model is that of its first guess, whatever the layers do.
    Whatever goes wrong, also in one process of several only, the training goes on with layers as they stand.
    """
    runner = learner.runner
    if not runner.compiles:
        return ""
    part = batch.rows(*share(len(batch), 0, min(learner.parts, len(batch)))).to(team.device)
    told = ""
    try:
        compiled = gradient_norm(learner, part, settings)
        runner.compiles = False
        exact = gradient_norm(learner, part, settings)
        runner.compiles = True
        off = abs(compiled - exact) / max(exact, 1e-12)
        told = f": the first gradient is {100 * off:.2g} % from that without"
        if not off <= (_TOLERANCE_32 if settings.precision == "32" else TOLERANCE):
            runner.give_up(ValueError(f"their gradient is {100 * off:.2g} % off"))
    except Exception as error:  # torch's compiler and the compilers it calls raise anything
        runner.compiles = True
        if not ran_out_of_memory(error):  # the steps will see to that
            runner.give_up(error)
    free_memory()
    if team.any(not runner.compiles) and runner.compiles:
        runner.give_up(ValueError("another process could not"))
    if runner.gave_up:
        return f"Layers run as they stand: {runner.gave_up}. The result is the same, it only takes longer."
    return f"Layers are compiled{told}."


def gradient_norm(learner: Learner, batch: Batch, settings: TrainSettings) -> float:
    """Return the norm of the gradient of ``batch``, whose windows are all here, and forget the gradient."""
    torch.manual_seed(settings.seed)  # dropout: the same every time
    with autocast(settings):
        output = learner.model(batch.signal, batch.xyz, mask=batch.hidden, tr_s=batch.tr_s, queries=batch.queries)
    assert output.count is not None
    summed: Tensor = output.loss * output.count  # as in a step: a mean's gradient is too small for float16
    summed.backward()  # type: ignore[no-untyped-call]
    gradients = [weight.grad for weight in learner.model.parameters() if weight.grad is not None]
    norm = float(nn.utils.get_total_norm(gradients))
    learner.optimizer.zero_grad(set_to_none=True)
    return norm


def one_window(learner: Learner, batch: Batch, settings: TrainSettings) -> None:
    """Compute the gradient of one window and forget it: to count its arithmetic, which needs layers as they stand."""
    gradient_norm(learner, batch.rows(0, 1).to(next(learner.model.parameters()).device), settings)
