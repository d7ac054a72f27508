"""``brainlm-engine``: every verb in a file of its own.

A verb's module has ``SUMMARY``, ``arguments(parser)`` and ``run(args, say) -> BaseModel | dict | None``. ``say(line)``
prints progress on stderr; the result is printed on stdout, as one JSON object with ``--json``. Exit code 0, 2 (bad
input) or 1 (failure).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from brainlm_engine import __version__
from brainlm_engine.api.errors import EngineError

VERBS = (
    "serve",
    "diagnose",
    "jobs",
    "atlas",
    "simulate",
    "inspect",
    "parcellate",
    "models",
    "pretrain",
    "reconstruct",
    "evaluate",
)


def say(line: str) -> None:
    """Print one line of progress on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _as_dict(result: object) -> dict[str, Any]:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if isinstance(result, Mapping):
        return dict(result)
    return {}


def _as_text(result: dict[str, Any], indent: str = "") -> str:
    lines = []
    for key, value in result.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{key}", _as_text(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{key}")
            lines += [
                indent + "  " + "  ".join(f"{k}={v}" for k, v in row.items() if v not in (None, "", [], {}))
                for row in value
            ]
        else:
            lines.append(f"{indent}{key}  {value}")
    return "\n".join(lines)


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser with every verb, or with just the one that is asked for (which starts faster)."""
    parser = argparse.ArgumentParser(prog="brainlm-engine", description="The engine of BrainLM Studio.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in (only,) if only in VERBS else VERBS:
        module = importlib.import_module(f"brainlm_engine.cli.{name}")
        sub = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.arguments(sub)
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout")
        sub.set_defaults(module=module)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    args = build_parser(only=argv[0] if argv else "").parse_args(argv)
    try:
        result = _as_dict(args.module.run(args, say))
    except EngineError as error:
        if args.json:
            sys.stdout.write(json.dumps({"error": error.info().model_dump()}) + "\n")
        say(f"{error.message}\n{error.next_step}".strip())
        return error.exit_code
    except KeyboardInterrupt:
        say("Stopped.")
        return 1
    except Exception as error:  # the last net: a sentence for the person, the traceback for the log
        if args.json:
            sys.stdout.write(json.dumps({"error": {"code": "failed", "message": str(error)}}) + "\n")
        say(traceback.format_exc())
        say(f"The command {args.verb} failed unexpectedly: {error}")
        return 1
    if result:
        sys.stdout.write((json.dumps(result) if args.json else _as_text(result)) + "\n")
    return 0
