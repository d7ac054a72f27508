"""``brainlm-engine contrast MODEL COHORT --between task=rest,visual``: do groups or conditions differ?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, number
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int, seed, whole_from

SUMMARY = "contrast what a model attends to between groups or conditions, beside functional connectivity"
_STRONGEST = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    from brainlm_engine.api.contrast import WHATS

    parser.add_argument("model", help="name or folder of a model")
    parser.add_argument("cohort", type=file_name, help="a cohort folder")
    parser.add_argument(
        "--between", required=True, metavar="COLUMN=A,B",
        help="task=rest,visual: conditions of the same people; sex=F,M: groups, any column of participants.tsv",
    )  # fmt: skip
    parser.add_argument(
        "--what", choices=WHATS, default="attention",
        help="attention of the summary token per parcel (default), between the seven networks, or the embedding",
    )  # fmt: skip
    parser.add_argument("--layer", type=positive_int, help="of the attention, from 1 on; default: mean of all")
    parser.add_argument("--task", default="", help="of groups: only recordings of this task")
    parser.add_argument("--split", default="", help="only people of this split; default: everybody")
    parser.add_argument("--covariates", default="", metavar="A,B", help="columns whose linear part is taken off")
    parser.add_argument("--people", type=positive_int, help="at most so many people")
    parser.add_argument("--windows", type=positive_int, help="of each recording at most; default: all of it")
    parser.add_argument("--permutations", type=whole_from(100), default=10_000)
    parser.add_argument("--seed", type=seed, default=0, help="of the permutations")
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument("--out", type=file_name, help="write all tests to this .csv or .json file")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Contrast, write, and return the figures."""
    import torch

    from brainlm_engine.api.contrast_table import write_contrast
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.contrast import contrast
    from brainlm_engine.tasks.contrast_people import Asked, parse_between

    torch.set_num_threads(args.threads)
    if args.out:
        check_output(args.out, (args.cohort, args.cohort / "participants.tsv"))
        if args.out.suffix.lower() not in (".csv", ".json"):
            raise BadInput(f"{args.out.name} is no table of tests.", "Let it end with .csv or .json.")
    covariates = tuple(name.strip() for name in args.covariates.split(",") if name.strip())
    asked = Asked(*parse_between(args.between), covariates, args.task, args.split)
    made = contrast(
        load_model(args.model), args.cohort, asked, what=args.what, layer=args.layer, windows=args.windows,
        people=args.people, permutations=args.permutations, seed=args.seed, progress=Said(say),
    )  # fmt: skip
    info = made.info
    result = info.model_dump(mode="json", exclude={"methods"})
    result["methods"] = [
        {
            **method.model_dump(mode="json", exclude={"names"}),
            "tests": tests_of(method.names, {f: made.arrays[f"{method.method}_{f}"] for f in _FIELDS}),
        }
        for method in info.methods
    ]
    if args.out and args.out.suffix.lower() == ".csv":
        write_contrast(info, made.arrays, args.out)
    elif args.out:
        _write_json(result, args.out)
    return {**result, "written": str(args.out or "")}


_FIELDS = ("t", "p", "p_family", "q", "effect", "low", "high")


def tests_of(names: tuple[str, ...], arrays: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one entry per test, six digits, NaN where nothing could be tested."""
    return [
        {"number": place, "name": name, **{field: round(float(values[place]), 6) for field, values in arrays.items()}}
        for place, name in enumerate(names)
    ]


def as_text(result: dict[str, Any]) -> str:
    """Return the strongest tests as a person reads them."""
    first, second = result["people"]
    who = (
        f"{first} people, {result['second']} minus {result['first']} within each" if result["paired"]
        else f"{second} people with {result['column']} {result['second']} minus {first} with {result['first']}"
    )  # fmt: skip
    told = [f"{result['data']}: {who}, {result['recordings']} recordings", result["verdict"]]
    effect = "dz" if result["paired"] else "d"
    for method in result["methods"]:
        told += [
            "",
            f"{method['title']}: {method['significant']} of {method['tested']} at family-wise p < .05, "
            f"{method['discovered']} at false discovery rate < .05",
        ]
        known = [test for test in method["tests"] if test["t"] is not None and test["t"] == test["t"]]
        strongest = sorted(known, key=lambda test: -abs(test["t"]))[:_STRONGEST]
        rows = [
            (number(test["t"]), f"{test['p_family']:.4f}", f"{test['q']:.4f}",
             f"{test['effect']:.2f} [{test['low']:.2f}, {test['high']:.2f}]", test["name"])
            for test in strongest
        ]  # fmt: skip
        told.append(columns((f"t({result['df']})", "p family", "q", f"{effect} [95 %]", "Test"), rows))
    told += ["", f"{result['permutations']:,} arrangements of people, seed {result['seed']}; p family: largest |t|."]
    told += ["Attention says what the model looks at, not what causes a difference."]
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _write_json(result: dict[str, Any], path: Any) -> None:
    from brainlm_engine.cli import as_json
    from brainlm_engine.files import written_whole

    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(json.loads(as_json(result)), indent=1) + "\n", encoding="utf-8")
