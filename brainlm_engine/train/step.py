"""One training step: the loss, the gradient, the weights and their running average."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from brainlm_engine.api.errors import EngineError
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.acceleration import LayerRunner, layer_runner
from brainlm_engine.train.faults import free_memory, not_a_number, ran_out_of_memory, too_large
from brainlm_engine.train.loss_scale import LossScale
from brainlm_engine.train.precision import autocast
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.sharding import is_spread, whole
from brainlm_engine.train.team import Team
from brainlm_engine.train.trainable import trainable
from brainlm_engine.train.windows import Batch, share


@dataclass
class Best:
    """The averaged weights that did best on the validation people so far."""

    r2: float
    step: int
    weights: dict[str, Tensor] = field(repr=False)


@dataclass
class Learner:
    """All that changes during training.

    Attributes
    ----------
    model : the weights being trained
    net : what is called in its place, for the loss
    average : their exponential moving average, which is evaluated and kept
    optimizer : AdamW
    runner : how the layers of ``model`` are run
    parts : how many parts a step's windows are run in
    passed : size (:func:`window_size`) up to which all processes had memory enough
    step : steps done
    seconds : seconds of training done, over all resumptions
    losses : of the steps since the last look at the validation people
    r2 : at that look
    best : at the best look
    scale : of the loss, in float16
    """

    model: MaskedModel
    net: nn.Module
    average: MaskedModel
    optimizer: torch.optim.AdamW
    runner: LayerRunner
    parts: int = 1
    passed: int = 0
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    r2: float | None = None
    best: Best | None = None
    scale: LossScale = field(default_factory=LossScale)

    @property
    def spread(self) -> bool:
        """True when this process holds a part of the weights only."""
        return is_spread(next(self.model.parameters()))

    def finite(self) -> bool:
        """Tell whether all weights are numbers."""
        return all(bool(value.isfinite().all()) for value in self.model.parameters())


def alone(settings: TrainSettings) -> Team:
    """Return a team of this one process."""
    return Team(torch.device(settings.device))


def new_learner(model: MaskedModel, settings: TrainSettings, team: Team | None = None) -> Learner:
    """Begin training ``model``; matrices decay, biases, norms and tokens do not."""
    team = team or alone(settings)
    model = model.to(team.device)
    for name in trainable(settings.architecture).unused:
        model.get_parameter(name).requires_grad_(False)
    average = team.follow(copy.deepcopy(model).eval())
    net = team.join(model.train())
    matrices = [parameter for name, parameter in model.named_parameters() if _decays(name, parameter)]
    others = [parameter for name, parameter in model.named_parameters() if not _decays(name, parameter)]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    spread = is_spread(next(model.parameters()))
    size = sum(parameter.numel() for parameter in average.parameters())
    optimizer = torch.optim.AdamW(
        groups, lr=settings.learning_rate, betas=(0.9, settings.beta2),
        fused=True if team.device.type == "cuda" and not spread else None,  # all weights in a few kernels
    )  # fmt: skip
    model.run_layer = runner = layer_runner(settings, spread=spread, n_parameters=size)
    return Learner(model, net, average, optimizer, runner, settings.accumulate)


def _decays(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and name.rpartition(".")[2] == "weight"


def learning_rate(settings: TrainSettings, step: int, share_done: float) -> float:
    """Rise over the warm-up, then fall along a cosine to 2 %."""
    rising = min(1.0, (step + 1) / max(1, settings.warm_up))
    return settings.learning_rate * rising * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done)))


def train_step(
    learner: Learner, batch: Batch, settings: TrainSettings, team: Team | None = None, rate: float | None = None
) -> float:
    """Learn from one batch (the share of this process) and return its loss (of all shares).

    Parameters
    ----------
    rate : learning rate; as planned when not given

    Raises
    ------
    NotANumber
        When loss or gradient are none; the weights are left as they were.
    OutOfMemory
        When not even a single window fits.
    """
    team = team or alone(settings)
    half = settings.precision == "16"
    while True:
        sums = team.total(fitting_gradient(learner, batch, settings, team))
        norm = _mean_and_clip(learner, team.world / (sums[1] * learner.scale.factor), settings.clip)
        total, count, length = torch.stack([*sums, norm.to(sums)]).tolist()  # the one moment of waiting for the device
        if not math.isfinite(total):
            raise not_a_number("loss", learner.step, batch)
        if math.isfinite(length):
            break
        if not (half and learner.scale.halve()):  # else it only was too large for float16: once more
            raise not_a_number("gradient", learner.step, batch)
    if half:
        learner.scale.passes()
    planned = learning_rate(settings, learner.step, settings.share_done(learner.step, learner.seconds))
    for group in learner.optimizer.param_groups:
        group["lr"] = planned if rate is None else rate
    learner.optimizer.step()
    learner.step += 1
    _follow(learner, 1 - min(settings.ema, (1 + learner.step) / (10 + learner.step)))
    return float(total / count)


def _mean_and_clip(learner: Learner, scale: Tensor, most: float) -> Tensor:
    """Scale the gradient, shorten it to the norm ``most``, and return the norm it had."""
    gradients = [weight.grad for weight in learner.model.parameters() if weight.grad is not None]
    if learner.spread:
        for gradient in gradients:
            gradient.mul_(float(scale))
    else:
        torch._foreach_mul_(gradients, scale.to(gradients[0].dtype))
    return whole(nn.utils.clip_grad_norm_(learner.model.parameters(), most))


@torch.no_grad()
def _follow(learner: Learner, share: float) -> None:
    """Bring the average nearer to the weights."""
    average: list[Tensor] = list(learner.average.parameters())
    weights: list[Tensor] = list(learner.model.parameters())
    if learner.spread:
        for kept, new in zip(average, weights, strict=True):
            kept.lerp_(new, share)
    else:
        torch._foreach_lerp_(average, weights, share)


def fitting_gradient(learner: Learner, batch: Batch, settings: TrainSettings, team: Team) -> Tensor:
    """Compute the gradient in as few parts as fit into memory: each time one does not, in twice as many.

    When a single window does not fit either, what lies inside layers is no longer kept. Several processes try windows
    larger than any before each for itself, and then agree: they halve together when it was too much for one of them.
    Else they share gradients while they still compute.
    """
    size = int(team.most(float(window_size(batch)))) if team.world > 1 else 0
    together = team.world == 1 or team.spreads or size <= learner.passed
    most = -(-settings.batch // team.world)
    sums = torch.zeros(2)
    while True:
        short: BaseException | None = None
        try:
            sums = gradient(learner, batch, settings, team, together=together)
        except Exception as error:  # torch's compiler and the compilers it calls raise anything
            if not ran_out_of_memory(error):
                if isinstance(error, EngineError) or team.world > 1 or not learner.runner.compiles:
                    raise
                learner.runner.give_up(error)  # these sizes could not be compiled
                continue
            if together and team.world > 1:  # the other processes are waiting in the middle of a step
                raise too_large(-(-len(batch) // learner.parts), error) from error
            short = error.with_traceback(None)  # which holds what the step computed
        if not (short is not None if together else team.any(short is not None)):
            break
        if learner.parts < most:
            learner.parts *= 2
        elif settings.checkpointing == "auto" and not learner.runner.checkpoints:
            learner.runner.checkpoints = True
        else:
            raise too_large(1, short or MemoryError("in another process")) from short
        learner.optimizer.zero_grad(set_to_none=True)
        free_memory()
    if not together:
        team.share_gradients(learner.model)
        learner.passed = size
    return sums


def window_size(batch: Batch) -> int:
    """Return how large the batch's windows are, for comparing: all patches, and those that an encoder sees again."""
    visible = (~batch.hidden).flatten(1).sum(1).max()
    return batch.hidden[0].numel() + 2 * int(visible)


def gradient(learner: Learner, batch: Batch, settings: TrainSettings, team: Team, *, together: bool = True) -> Tensor:
    """Leave the gradient of the summed error, times the loss scale, in the weights.

    Return that error, unscaled, and the number of hidden frames, (2,).

    The share of this process is run in parts. What each part adds is weighed by its number of hidden frames, so that
    neither the number of parts nor that of processes changes anything but memory and time. The last part shares the
    gradients with the other processes, unless they are not ``together``.
    """
    learner.optimizer.zero_grad(set_to_none=True)
    # dropout: the same again after resuming, another one in every process
    torch.manual_seed(((settings.seed * 1_000_003 + learner.step) * 1_000_003 + team.rank) % 2**63)
    sums = torch.zeros(2, dtype=torch.float32 if team.device.type == "mps" else torch.float64, device=team.device)
    parts = min(learner.parts, len(batch))
    for part in range(parts):
        rows = batch.rows(*share(len(batch), part, parts)).to(team.device)
        with team.apart(learner.net, apart=part < parts - 1 or not together):
            with autocast(settings):
                mean, frames = learner.net(rows.signal, rows.xyz, rows.hidden, rows.queries, rows.tr_s)
            summed = mean * frames
            sums += torch.stack([summed.detach().to(sums), frames.to(sums)])
            # of several processes only this one knows that the fault is in its batch: say so before they share it
            if team.world > 1 and not math.isfinite(float(sums[0])):
                raise not_a_number("loss", learner.step, batch)
            (summed * learner.scale.factor).backward()
    return sums
