"""``brainlm-engine models list|show|check``: what models there are, what they are, whether they still answer right."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

SUMMARY = "list models, show a card, or self-test a model"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add(actions, "list", "every installed model")
    for action, text in (("show", "a model's card"), ("check", "compare a model's answer with the one stored with it")):
        add(actions, action, text).add_argument("model", help="name or folder")


def add(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
    """Add one action; ``--json`` may stand after it."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")
    return parser


def run(args: argparse.Namespace, say: Callable[[str], None]) -> BaseModel | dict[str, Any]:
    """Do what was asked."""
    from brainlm_engine.api.errors import EngineError
    from brainlm_engine.models.card import Card, check
    from brainlm_engine.models.registry import find_model, list_models, load_model

    if args.action == "list":
        return list_models()
    folder = find_model(args.model)
    if args.action == "show":
        return Card.load(folder)
    report = check(load_model(args.model), Card.load(folder))
    if not report.ok:
        raise EngineError(report.text, "Install the model again.")
    return report
