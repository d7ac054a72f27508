"""The finished model beside the simple methods, on people of the split 'test': a job, and what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.api.training import EvaluationInfo, EvaluationRow
from brainlm_engine.files import written_whole
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress
from brainlm_engine.training_folder import EVALUATION

if TYPE_CHECKING:
    from brainlm_engine.tasks.evaluate import Evaluation


def evaluate(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Score a model and note the figures in its card and in ``evaluation.json`` beside it.

    Parameters
    ----------
    params
        ``model`` (name or folder), ``data`` (a cohort folder, or an ABIDE HDF5 file), and optionally ``people``,
        ``ratio``, ``threads``, ``seed``.
    """
    import torch

    from brainlm_engine.models import load_model
    from brainlm_engine.models.registry import find_model
    from brainlm_engine.tasks.evaluate import evaluate as score
    from brainlm_engine.tasks.evaluate import note_in_card

    progress(0.0, "Loading the model")
    torch.set_num_threads(int(params.get("threads", 2)))
    options = {name: params[name] for name in ("people", "ratio", "seed") if name in params}
    table = score(load_model(params["model"]), Path(params["data"]), progress=progress, **options)
    told = told_of(table)
    folder = find_model(params["model"])
    note_in_card(table, folder)
    with written_whole(folder / EVALUATION) as temporary:
        temporary.write_text(told.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return told.model_dump(mode="json")


def told_of(table: Evaluation) -> EvaluationInfo:
    """Return the table as the window shows it, with a sentence of who won."""
    rows = tuple(
        EvaluationRow(method=row.method, title=row.title, r2=row.r2, low=row.low, high=row.high) for row in table.rows
    )
    return EvaluationInfo(
        data=table.data, people=table.people, mask_ratio=table.mask_ratio, rows=rows, verdict=verdict(table)
    )


def verdict(table: Evaluation) -> str:
    """Say who won; a difference whose interval holds zero is no win."""
    model, others = table.rows[0], table.rows[1:]
    best = max(others, key=lambda row: row.r2)
    name = f"the best simple method ({best.title[0].lower()}{best.title[1:]})"
    figures = f"R² {model.r2:.3f} against {best.r2:.3f}"
    if best.difference_low is None or best.difference_high is None:
        better = "better than" if best.model_minus_this > 0 else "not better than"
        return f"On this one person the model is {better} {name}, {figures}; one person proves nothing."
    people = f"On these {table.people} people, whom it has never seen, the model"
    if best.difference_low > 0:
        return f"{people} fills in hidden activity better than {name}: {figures}."
    if best.difference_high < 0:
        return f"{people} does not beat {name}: {figures}."
    return f"{people} is as good as {name}: {figures}, a difference within chance."


def report(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Score everything a model can do and keep it in the model's report card.

    Parameters
    ----------
    params
        ``model`` (name or folder), ``data`` (a cohort folder, or an ABIDE HDF5 file), and optionally ``people``,
        ``parts``, ``threads``, ``seed``.
    """
    import torch

    from brainlm_engine.models import load_model
    from brainlm_engine.models.registry import find_model
    from brainlm_engine.report.cards import keep_report
    from brainlm_engine.tasks.evaluate_all import evaluate_all

    progress(0.0, "Loading the model")
    torch.set_num_threads(int(params.get("threads", 2)))
    options = {name: params[name] for name in ("people", "parts", "seed") if name in params}
    table = evaluate_all(load_model(params["model"]), Path(params["data"]), progress=progress, **options)
    return keep_report(table, find_model(params["model"])).model_dump(mode="json")
