"""One training step: the loss, the gradient, the weights and their running average."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.faults import free_memory, not_a_number, ran_out_of_memory, too_large
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
    parts : how many parts a step's windows are run in
    passed : size (:func:`window_size`) up to which all processes had memory enough
    step : steps done
    seconds : seconds of training done, over all resumptions
    losses : of the steps since the last look at the validation people
    r2 : at that look
    best : at the best look
    """

    model: MaskedModel
    net: nn.Module
    average: MaskedModel
    optimizer: torch.optim.AdamW
    parts: int = 1
    passed: int = 0
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    r2: float | None = None
    best: Best | None = None

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
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2))
    return Learner(model, net, average, optimizer, settings.accumulate)


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
    loss = fitting_gradient(learner, batch, settings, team)
    norm = whole(nn.utils.clip_grad_norm_(learner.model.parameters(), settings.clip))
    if not norm.isfinite():
        raise not_a_number("gradient", learner.step, batch)
    planned = learning_rate(settings, learner.step, settings.share_done(learner.step, learner.seconds))
    for group in learner.optimizer.param_groups:
        group["lr"] = planned if rate is None else rate
    learner.optimizer.step()
    learner.step += 1
    decay = min(settings.ema, (1 + learner.step) / (10 + learner.step))
    with torch.no_grad():
        pairs = zip(learner.average.parameters(), learner.model.parameters(), strict=True)
        for kept, new in pairs:
            kept.lerp_(new, 1 - decay)
    return loss


def fitting_gradient(learner: Learner, batch: Batch, settings: TrainSettings, team: Team) -> float:
    """Leave the gradient of the loss in the weights and return the loss: the mean over all hidden frames.

    It is computed in as few parts as fit into memory: each time one does not, in twice as many. Several processes try
    windows larger than any before each for itself, and then agree: they halve together when it was too much for one of
    them. Else they share gradients while they still compute.
    """
    size = int(team.most(float(window_size(batch))))
    together = team.world == 1 or team.spreads or size <= learner.passed
    most = -(-settings.batch // team.world)
    while True:
        total = count = 0.0
        short: BaseException | None = None
        try:
            total, count = _gradient_here(learner, batch, settings, team, together=together)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            if together and team.world > 1:  # the other processes are waiting in the middle of a step
                raise too_large(-(-len(batch) // learner.parts), error) from error
            short = error.with_traceback(None)  # which holds what the step computed
        if not (short is not None if together else team.any(short is not None)):
            break
        if learner.parts >= most:
            raise too_large(1, short or MemoryError("in another process")) from short
        learner.parts *= 2
        learner.optimizer.zero_grad(set_to_none=True)
        free_memory()
    if not together:
        team.share_gradients(learner.model)
        learner.passed = size
    total, count = team.sums(total, count)
    for parameter in learner.model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(team.world / count)
    return total / count


def window_size(batch: Batch) -> int:
    """Return how large the batch's windows are, for comparing: all patches, and those that an encoder sees again."""
    visible = (~batch.hidden).flatten(1).sum(1).max()
    return batch.hidden[0].numel() + 2 * int(visible)


def _gradient_here(
    learner: Learner, batch: Batch, settings: TrainSettings, team: Team, *, together: bool
) -> tuple[float, float]:
    """Sum up the gradient of this process's share, and return the summed loss and how many frames it is over.

    The share is run in parts. What each part adds is weighed by its number of hidden frames, so that neither the number
    of parts nor that of processes changes anything but memory and time.

    Parameters
    ----------
    together : the last part shares the gradients with the other processes
    """
    learner.optimizer.zero_grad(set_to_none=True)
    # dropout: the same again after resuming, another one in every process
    torch.manual_seed(((settings.seed * 1_000_003 + learner.step) * 1_000_003 + team.rank) % 2**63)
    total = count = 0.0
    parts = min(learner.parts, len(batch))
    for part in range(parts):
        rows = batch.rows(*share(len(batch), part, parts)).to(team.device)
        with team.apart(learner.net, apart=part < parts - 1 or not together):
            try:
                with autocast(settings):
                    mean, frames = learner.net(rows.signal, rows.xyz, rows.hidden, rows.queries, rows.tr_s)
            except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]  # weights that are no numbers
                raise not_a_number("loss", learner.step, batch) from error
            summed = mean * frames
            total, count = total + summed.item(), count + float(frames)
            if not math.isfinite(total):
                raise not_a_number("loss", learner.step, batch)
            summed.backward()
    return total, count
