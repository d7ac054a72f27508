"""What it would take to bring rest to a visual task, in simulated people; beside shuffled targets and correlations.

Run alone: ``python tests/bench/bench_steer.py COHORT [--people 50] [--others 20] [--threads 2]``, with a cohort made by
``brainlm-engine simulate cohort --out COHORT --people 200 --tasks rest,visual``. The target is a person's own state and
what takes the first ``others`` people from rest to the task; those who are steered come after them. For each person a
change is sought for that target, and one for a target that means nothing (signs of the others' differences turned at
random). Three states: embeddings of the regions, the summary token as in published work, and correlations of the
series, which know no model. A network is *found* when it ranks first in magnitude and its share is beyond 95 % of
its shares for all other people's meaningless targets. Also: the gradient against finite differences, in double
precision.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.steer import STATES, Aim, StateKind, SteerInfo, SteerSpec
from brainlm_engine.cohort import load_recording, open_cohort
from brainlm_engine.cohort.people_table import task_of
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.perturb.aims import Reading, goal_of, known_parcels
from brainlm_engine.tasks.perturb.brain_state import State, eye_of
from brainlm_engine.tasks.perturb.steer import steer

LEAST_P, EPSILON = 0.05, 1e-5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--model", default="studio-tiny")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--others", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--states", default=",".join(STATES))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    cohort = open_cohort(args.cohort)
    people = list(cohort.files)
    rest = [
        next(place for place in cohort.files[person] if task_of(place.stem) == "rest")
        for person in people[-args.people :]
    ]
    first = load_recording(rest[0])
    print(f"{args.people} people, target from {args.others} others, {args.model}, {args.threads} threads")
    for state in args.states.split(","):
        aim = Aim(kind="contrast", cohort=str(args.cohort), first="rest", second="visual", people=args.others)
        began = time.perf_counter()
        goal = goal_of(aim, Reading(state, model, first))
        print(f"{state}: the target read in {time.perf_counter() - began:.1f} s")
        made: list[SteerInfo] = []
        for number, place in enumerate(rest):
            spec = SteerSpec(aim=aim, state=state, restarts=1, nulls=19, shuffles=1, seed=number)
            try:
                made.append(steer(model, load_recording(place), spec, goal=goal).info)
            except BadInput as error:
                print(f"  {error}")
                break
            alone = spec.model_copy(update={"shuffles": 0, "nulls": 0})
            if not number:
                began = time.perf_counter()
                steer(model, load_recording(place), alone, goal=goal)
                print(f"  the change alone, one person: {time.perf_counter() - began:.1f} s")
        if made:
            report(made)
    model.double()
    for state in ("regions", "summary"):
        print(f"gradient of {state} against finite differences: {gradient_error(model, first, state):.1e} relative")


def report(made: list[SteerInfo]) -> None:
    """Print who ranks first, and how often a meaningless target does as well."""
    names = sorted({network.network for network in made[0].networks})
    share = np.array([[{n.network: n.share for n in info.networks}[name] for name in names] for info in made])
    null = np.array([[{n.network: n.null for n in info.networks}[name] for name in names] for info in made])
    found, found_null, first, first_null = [], [], [], []
    visual = names.index("Visual")
    for person in range(len(made)):
        others = np.delete(null, person, 0)[:, visual]
        for row, firsts, founds in ((share, first, found), (null, first_null, found_null)):
            p = (1 + (others >= row[person, visual]).sum()) / (1 + len(others))
            firsts.append(row[person].argmax() == visual)
            founds.append(firsts[-1] and p <= LEAST_P)
    left, elsewhere = np.array([info.left for info in made]), np.array([info.null_left for info in made])
    print(f"  distance left {spread(left)}, the same change in random regions {spread(elsewhere)}")
    print(f"  size {spread(np.array([info.size for info in made]))} SD; looks at the model {len(made[0].curves[0])}")
    print("  share  " + "  ".join(f"{name[:9]} {share[:, n].mean():.2f}" for n, name in enumerate(names)))
    print("  null   " + "  ".join(f"{name[:9]} {null[:, n].mean():.2f}" for n, name in enumerate(names)))
    print(f"  Visual ranks first: {np.mean(first):.0%}; for meaningless targets {np.mean(first_null):.0%}")
    print(f"  Visual found (first, and p <= .05): {np.mean(found):.0%}; meaningless {np.mean(found_null):.0%}")


def spread(values: np.ndarray) -> str:
    """Return the mean and its 95 % interval over people."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def gradient_error(model: MaskedModel, recording: Recording, kind: StateKind) -> float:
    """Return the largest relative difference of a derivative and its central difference, of 8 directions."""
    eye = eye_of(model, recording, None)
    shown = eye.shown(recording)[:, : eye.length].double()
    state = State(kind, eye, torch.as_tensor(known_parcels(recording)))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        weights = torch.randn(state(shown).shape, generator=generator, dtype=torch.float64)
    change = torch.zeros_like(shown).requires_grad_(True)
    (slope,) = torch.autograd.grad((state(shown + change) * weights).sum(), change)
    worst = 0.0
    for _ in range(8):
        way = torch.randn(shown.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            up, down = ((state(shown + sign * EPSILON * way) * weights).sum() for sign in (1, -1))
        said, seen = float((slope * way).sum()), float((up - down) / (2 * EPSILON))
        worst = max(worst, abs(said - seen) / max(abs(seen), 1e-12))
    return worst


if __name__ == "__main__":
    main()
