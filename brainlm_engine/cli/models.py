"""``brainlm-engine models list|show|check|import|export|calibrate``: what models there are, in and out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from brainlm_engine.cli.as_text import NOT_KNOWN, columns, lines, short
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int, seed

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel

SUMMARY = "list models, show a card, self-test a model, import or export one, calibrate its forecasts"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add(actions, "list", "every installed model")
    for action, text in (("show", "a model's card"), ("check", "compare a model's answer with the one stored with it")):
        add(actions, action, text).add_argument("model", help="name or folder")
    taken = add(actions, "import", "check a published or own model folder and keep a copy")
    taken.add_argument("source", help="a folder with config.json and weights, or hf:OWNER/REPOSITORY/FOLDER")
    taken.add_argument("--name", default="", help="what to call it here (default: the folder's name)")
    taken.add_argument("--accept-licence", action="store_true", help="I have read the licence of these weights")
    given = add(actions, "export", "write a model in its published layout")
    given.add_argument("model", help="name or folder")
    given.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    learned = add(actions, "calibrate", "learn from a cohort how to forecast with a model; kept in the model's folder")
    learned.add_argument("model", help="name or folder")
    learned.add_argument("cohort", type=file_name, help="folder; 'train' and 'val' people are used")
    learned.add_argument("--horizon", type=positive_int, default=20, help="frames to be forecast (default 20)")
    learned.add_argument("--history", type=positive_int, default=180, help="frames that are looked at (default 180)")
    learned.add_argument("--seed", type=seed, default=0)
    learned.add_argument("--threads", type=positive_int, default=2)


def add(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
    """Add one action; ``--json`` may stand after it."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")
    return parser


def run(args: argparse.Namespace, say: Callable[[str], None]) -> BaseModel | dict[str, Any]:
    """Do what was asked."""
    from brainlm_engine.api.errors import EngineError
    from brainlm_engine.models.card import Card, check
    from brainlm_engine.models.registry import find_model, list_models, load_card, load_model, read_config

    if args.action == "list":
        return list_models()
    if args.action == "import":
        return _imported(args, say)
    folder = find_model(args.model)
    if args.action == "show" and (folder / "card.json").exists():
        return Card.load(folder)
    model = load_model(folder)
    if args.action == "calibrate":
        return _calibrated(args, model, folder, say)
    card = load_card(folder, read_config(folder), model)
    if args.action == "show":
        return card
    if args.action == "export":
        from brainlm_engine.models.exchange import export_model

        return {"model": folder.name, "out": str(export_model(model, folder, args.out))}
    report = check(model, card)
    if not report.ok:
        raise EngineError(report.text, "Install the model again.")
    return report


def as_text(result: dict[str, Any]) -> str:
    """Return the models, or what was told of one, as a person reads it."""
    if "models" not in result:
        return lines(result)
    header = ("ID", "Parameters", "TR s", "Atlas", "Title", "Licence")
    rows = [
        (
            row["model_id"], f"{row['n_parameters']:,}" if row["n_parameters"] else NOT_KNOWN,
            short(row["tr_s"] or None), "any" if row["any_atlas"] else short(row["atlas_id"]), short(row["title"]),
            row["problem"] or short(row["licence"]),
        )
        for row in result["models"]
    ]  # fmt: skip
    return columns(header, rows)


def _calibrated(
    args: argparse.Namespace, model: MaskedModel, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    import torch

    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.tasks.forecast_calibration import calibrate

    torch.set_num_threads(args.threads)
    made = calibrate(
        model, args.cohort, horizon=args.horizon, history=args.history, seed=args.seed, progress=Said(say)
    )  # fmt: skip
    return {
        "written": str(made.save(folder)), "people": made.people, "beats_mean_s": made.beats_mean_s,
        "half_width_90_sd": [round(float(width), 3) for width in made.half_width[-1]],
    }  # fmt: skip


def _imported(args: argparse.Namespace, say: Callable[[str], None]) -> BaseModel:
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.models.exchange import import_model
    from brainlm_engine.models.hub import PREFIX, fetch_model

    if args.source.startswith(PREFIX):
        return fetch_model(args.source, args.name, accept_licence=args.accept_licence, progress=Said(say))
    return import_model(Path(args.source), args.name)
