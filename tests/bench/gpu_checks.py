"""Does the device compute what the processor does? A sentence for each thing that is done in another way there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from gpu_models import settings_for, windows

from brainlm_engine.cohort import Series
from brainlm_engine.models.positive_solve import solved
from brainlm_engine.train.compiled import check_compiled, gradient_norm
from brainlm_engine.train.loader import Loader
from brainlm_engine.train.step import alone, new_learner, train_step
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import draw_batch


def judged(what: str, off: float, most: float) -> str:
    """Return a sentence, with the word WRONG when the difference is too large or none."""
    return f"check: {what} is {off:.1e} off (at most {most:g}){'' if off <= most else ' WRONG'}"


def solve(device: str) -> str:
    """The first guess's systems, with their gradient."""
    found = []
    for where in ("cpu", device):
        draw = torch.Generator().manual_seed(0)
        loadings, right = torch.randn(32, 106, 64, generator=draw), torch.randn(32, 64, 20, generator=draw)
        gram = (loadings.mT @ loadings + torch.eye(64)).to(where).requires_grad_()
        solution = solved(gram, right.to(where))
        solution.square().sum().backward()
        assert gram.grad is not None
        found.append(torch.cat([solution.detach().flatten(), gram.grad.flatten()]).cpu())
    return judged("the solve", float((found[0] - found[1]).abs().max() / found[0].abs().max()), 1e-4)


def models(device: str) -> Iterator[str]:
    """Loss and gradient of both architectures, small, in float32: packed attention over time, other kernels."""
    for name in ("tiny", "13m"):
        norms = []
        for where in ("cpu", device):
            plan = settings_for(name, device=where, compile="off", batch=2)
            torch.manual_seed(0)
            learner = new_learner(new_model(plan.architecture, plan.model, 60, 200), plan)
            learner.model.eval()  # no dropout: devices draw differently
            norms.append(gradient_norm(learner, windows(plan, 2, 60), plan))
        yield judged(f"the gradient of {name}", abs(norms[1] / norms[0] - 1), 1e-3)


def training(device: str, steps: int = 6) -> Iterator[str]:
    """Some steps on varied windows that a loader brings, layers compiled where that is the default."""
    rng = np.random.default_rng(0)
    values = tuple(rng.standard_normal((60, 300)).astype(np.float16) for _ in range(6))
    series = Series(values, ("",) * 6, (40 * rng.standard_normal((60, 3))).astype(np.float32), 0.72, "", ("noise",) * 6)
    losses = []
    for where in ("cpu", device):
        plan = settings_for("mini", device=where, batch=4, variety=True, masks="mixed", learning_rate=1e-3)
        torch.manual_seed(0)
        learner = new_learner(new_model("studio", plan.model, 60, 200), plan)
        if told := check_compiled(learner, draw_batch(series, plan, 0), plan, alone(plan)):
            yield f"check: {told}"
        with Loader(lambda step: draw_batch(series, plan, step), alone(plan).device) as loader:  # noqa: B023
            losses.append([train_step(learner, loader.batch(step), plan) for step in range(steps)])
    yield judged(f"the loss of {steps} steps", float(np.abs(np.subtract(*losses)).max()), 1e-3)


def checks(device: str) -> Iterator[str]:
    """All of them."""
    yield solve(device)
    yield from models(device)
    yield from training(device)
