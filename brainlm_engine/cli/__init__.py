"""``brainlm-engine``: every verb in a file of its own.

A verb's module has ``SUMMARY``, ``arguments(parser)`` and ``run(args, say) -> BaseModel | dict | None``. ``say(line)``
prints progress on stderr; the result is printed on stdout, as one JSON object with ``--json``; a verb may bring an
``as_text(result)`` of its own. Exit code 0, 2 (bad input) or 1 (failure).
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import math
import sqlite3
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from brainlm_engine import __version__
from brainlm_engine.api.errors import FULL, BadInput, EngineError, OutOfSpace
from brainlm_engine.api.messages import ErrorInfo
from brainlm_engine.cli.as_text import lines
from brainlm_engine.cli.file_name import refuse_existing

VERBS = (
    "serve",
    "diagnose",
    "jobs",
    "atlas",
    "simulate",
    "inspect",
    "parcellate",
    "models",
    "cohort",
    "pretrain",
    "reconstruct",
    "repair",
    "forecast",
    "attention",
    "contrast",
    "networks",
    "states",
    "perturb",
    "steer",
    "evaluate",
)


#: verbs that write files, and the options that name these
WRITES = {
    "reconstruct": ("out", "scores"), "forecast": ("out",), "attention": ("out",),
    "contrast": ("out",), "networks": ("out",), "states": ("out",), "perturb": ("out",), "steer": ("out",),
    "evaluate": ("save",),
}  # fmt: skip
_DISK = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR)


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


def as_json(value: Any) -> str:
    """Return valid JSON on one line: a number that is none (NaN, infinity) becomes null."""
    return json.dumps(_without_nan(to_jsonable_python(value, inf_nan_mode="constants")), allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value


class WrongWords(SystemExit):
    """A command line that was not understood, already told on stderr."""

    def __init__(self, message: str, prog: str, usage: str) -> None:
        super().__init__(2)
        self.info = ErrorInfo(
            code=BadInput.code, message=f"The command line was not understood: {message}.",
            next_step=f"{prog} --help lists what can be given.", details=usage.strip(),
        )  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """argparse's own, but what is wrong can be told to a machine too."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}\n{self.prog} --help lists what can be given.")
        raise WrongWords(message, self.prog, self.format_usage())


def _wants_json(argv: list[str]) -> bool:
    """Return True for --json and what argparse takes for it, also on a line that cannot be parsed."""
    return any(len(word) > 2 and "--json".startswith(word) for word in argv)


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser with every verb, or with just the one that is asked for (which starts faster)."""
    parser = _Parser(prog="brainlm-engine", description="The engine of BrainLM Studio.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in (only,) if only in VERBS else VERBS:
        module = importlib.import_module(f"brainlm_engine.cli.{name}")
        sub = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.arguments(sub)
        if name in WRITES:
            sub.add_argument("--replace", action="store_true", help="write over a file that is there already")
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout")
        sub.set_defaults(module=module)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    code = _main(sys.argv[1:] if argv is None else argv)
    team = sys.modules.get("brainlm_engine.train.fabric_team")  # there when this process trained
    return code if team is None else int(team.end_if_joined(code))


def _main(argv: list[str]) -> int:
    """Run the verb and say what came of it."""
    try:
        args = build_parser(only=argv[0] if argv else "").parse_args(argv)
    except SystemExit as stop:  # argparse has said it
        if isinstance(stop, WrongWords) and _wants_json(argv):
            sys.stdout.write(as_json({"error": stop.info.model_dump()}) + "\n")
        return stop.code if isinstance(stop.code, int) else 0
    try:
        result = _as_dict(_run(args))
    except EngineError as error:
        if args.json:
            sys.stdout.write(as_json({"error": error.info().model_dump()}) + "\n")
        say(f"{error.message}\n{error.next_step}".strip())
        if "details" in error.next_step.lower() and error.details:  # nowhere to fold them out here
            say(error.details)
        return error.exit_code
    except KeyboardInterrupt:
        say("Stopped.")
        return 1
    except Exception as error:  # the last net: a sentence for the person, the traceback for the log
        if args.json:
            sys.stdout.write(as_json({"error": {"code": "failed", "message": str(error)}}) + "\n")
        say(traceback.format_exc())
        say(f"The command {args.verb} failed unexpectedly: {error}")
        return 1
    if result:
        as_text: Callable[[dict[str, Any]], str] = getattr(args.module, "as_text", lines)
        sys.stdout.write((as_json(result) if args.json else as_text(result)) + "\n")
    return 0


def _run(args: argparse.Namespace) -> object:
    """Run the verb; what the disk refuses wherever it happens is a sentence too."""
    try:
        if not getattr(args, "replace", True):
            refuse_existing(getattr(args, option) for option in WRITES[args.verb])
        return args.module.run(args, say)
    except OSError as error:
        if error.errno not in _DISK or error.filename is None:
            raise
        if error.errno in FULL:
            raise OutOfSpace(f"The disk of {error.filename} is full.", "Free some space and try again.") from error
        raise BadInput(
            f"{error.filename} cannot be used: {error.strerror}.", "Check the folder and your permissions.", str(error)
        ) from error
    except sqlite3.OperationalError as error:
        if not any(words in str(error) for words in ("unable to open", "disk", "readonly")):
            raise
        raise BadInput(
            f"The study's database cannot be used: {error}.",
            "Check that the program's folder (BRAINLM_HOME) can be written to and its disk is not full.",
            str(error),
        ) from error
