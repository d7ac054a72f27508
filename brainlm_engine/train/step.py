"""One training step: the loss, the gradient, the weights and their running average."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import nn

from brainlm_engine.api.errors import EngineError
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.trainable import trainable
from brainlm_engine.train.windows import Batch, share


@dataclass
class Learner:
    """All that changes during training.

    Attributes
    ----------
    model : the weights being trained
    average : their exponential moving average, which is evaluated and kept
    optimizer : AdamW
    step : steps done
    seconds : seconds of training done, over all resumptions
    """

    model: MaskedModel
    average: MaskedModel
    optimizer: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0


def new_learner(model: MaskedModel, settings: TrainSettings) -> Learner:
    """Begin training ``model``; matrices decay, biases, norms and tokens do not."""
    model = model.to(settings.device)
    for name in trainable(settings.architecture).unused:
        model.get_parameter(name).requires_grad_(False)
    matrices = [parameter for name, parameter in model.named_parameters() if _decays(name, parameter)]
    others = [parameter for name, parameter in model.named_parameters() if not _decays(name, parameter)]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2))
    return Learner(model.train(), copy.deepcopy(model).eval(), optimizer)


def _decays(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and name.rpartition(".")[2] == "weight"


def learning_rate(settings: TrainSettings, step: int, share_done: float) -> float:
    """Rise over the warm-up, then fall along a cosine to 2 %."""
    rising = min(1.0, (step + 1) / max(1, settings.warm_up))
    return settings.learning_rate * rising * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done)))


def train_step(learner: Learner, batch: Batch, settings: TrainSettings) -> float:
    """Learn from one batch and return its loss.

    Raises
    ------
    EngineError
        When the loss is not a number; the weights are left as they were.
    """
    rate = learning_rate(settings, learner.step, settings.share_done(learner.step, learner.seconds))
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    loss = gradient(learner, batch, settings)
    nn.utils.clip_grad_norm_(learner.model.parameters(), settings.clip)
    learner.optimizer.step()
    learner.step += 1
    decay = min(settings.ema, (1 + learner.step) / (10 + learner.step))
    with torch.no_grad():
        pairs = zip(learner.average.parameters(), learner.model.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)
    return loss


def gradient(learner: Learner, batch: Batch, settings: TrainSettings) -> float:
    """Leave the gradient of the batch's loss in the weights and return the loss: the mean over all hidden frames.

    The batch is run in ``accumulate`` parts. What each adds is weighed by its number of hidden frames, so that the
    number of parts changes nothing but memory.
    """
    learner.optimizer.zero_grad(set_to_none=True)
    torch.manual_seed((settings.seed * 1_000_003 + learner.step) % 2**63)  # dropout: the same again after resuming
    total = count = 0.0
    parts = min(settings.accumulate, len(batch))
    for part in range(parts):
        rows = batch.rows(*share(len(batch), part, parts)).to(settings.device)
        output = learner.model(rows.signal, rows.xyz, mask=rows.hidden, tr_s=rows.tr_s, queries=rows.queries)
        assert output.count is not None, "an architecture that is trained tells how many frames its loss is over"
        summed = output.loss * output.count
        total, count = total + summed.item(), count + float(output.count)
        if not math.isfinite(total):
            raise EngineError(
                f"The loss is no longer a number at step {learner.step} (TR {batch.tr_s:g} s, "
                f"{batch.signal.shape[1]} parcels): training stopped.",
                "Resume from the last checkpoint with a smaller learning rate.",
            )
        summed.backward()  # type: ignore[no-untyped-call]
    for parameter in learner.model.parameters():
        if parameter.grad is not None:
            parameter.grad.div_(count)
    return total / count
