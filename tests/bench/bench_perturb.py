"""Predicted beside true responses to stimulated parcels; the same as ``brainlm-engine perturb --validate``.

Run alone: ``python tests/bench/bench_perturb.py [--people 20] [--parcels 12] [--threads 2]``; what is compared with
what is said in :mod:`brainlm_engine.tasks.perturb.validate`.
"""

from __future__ import annotations

import argparse

import torch

from brainlm_engine.cli.perturb import validation_as_text
from brainlm_engine.models import load_model
from brainlm_engine.tasks.perturb.validate import validate


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="studio-tiny")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--parcels", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    made = validate(load_model(args.model), people=args.people, parcels=args.parcels)
    print(validation_as_text({**made.info.model_dump(), "decay": made.arrays["decay"], "edges": made.arrays["edges"]}))


if __name__ == "__main__":
    main()
