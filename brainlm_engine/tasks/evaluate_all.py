"""The whole table of a model: reconstruction, forecasts, networks and embeddings, on one cohort or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.weights import weights_sha256
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.tasks.evaluate import Evaluation, evaluate
from brainlm_engine.tasks.evaluate_embeddings import evaluate_embeddings
from brainlm_engine.tasks.evaluate_forecasts import evaluate_forecasts
from brainlm_engine.tasks.evaluate_networks import evaluate_networks

PARTS = ("reconstruction", "forecasts", "networks", "embeddings")
#: digits of the hash of the weights that a report names
SHOWN = 16
#: people that networks are found of, when nobody says how many: half a minute each ten
NETWORK_PEOPLE = 50


def evaluate_all(
    model: MaskedModel,
    data: Path,
    *,
    parts: Iterable[str] = PARTS,
    ratio: float = 0.75,
    people: int | None = None,
    frames: int = 200,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Evaluation:
    """Score everything that is asked for; reconstruction always. A part that cannot be scored is told in a note.

    Parameters
    ----------
    parts : of :data:`PARTS`
    people : about so many; None = all of the split 'test', and :data:`NETWORK_PEOPLE` for networks
    """
    chosen = tuple(parts)
    if strange := [part for part in chosen if part not in PARTS]:
        raise BadInput(f"There is no part “{strange[0]}” of an evaluation.", f"Choose of: {', '.join(PARTS)}.")
    table = evaluate(model, data, ratio=ratio, people=people, frames=frames, seed=seed, progress=progress)
    work: dict[str, Callable[[], object]] = {
        "forecasts": lambda: evaluate_forecasts(model, data, people=people, seed=seed, progress=progress),
        "networks": lambda: evaluate_networks(model, data, people=people or NETWORK_PEOPLE, progress=progress),
        "embeddings": lambda: evaluate_embeddings(model, data, people=people, progress=progress),
    }
    found: dict[str, object] = {}
    notes = list(table.notes)
    for part, run in work.items():
        if part in chosen:
            try:
                found[part] = made = run()
                notes += getattr(made, "notes", ()) if part == "embeddings" else ()
            except BadInput as error:
                notes.append(f"No {part}: {error.message}")
    about = {
        "program": f"brainlm-engine {__version__}", "weights": weights_sha256(model.folder)[:SHOWN],
        "date": time.strftime("%Y-%m-%d"), "seed": str(seed), "frames": str(frames),
    }  # fmt: skip
    return table.model_copy(update={**found, "notes": tuple(notes), "about": about})
