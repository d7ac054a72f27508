"""``brainlm-engine evaluate MODEL DATA``: how well a model does on people it has not seen, beside simple methods."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.cli.as_text import NOT_KNOWN, columns, interval, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int, scored_share, seed

if TYPE_CHECKING:
    from brainlm_engine.tasks.evaluate import Evaluation

SUMMARY = "score a model on held-out people beside simple methods"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    parser.add_argument("model", help="name or folder of a model")
    parser.add_argument("data", type=file_name, help="cohort folder (its test people), or an ABIDE HDF5 file")
    parser.add_argument("--ratio", type=scored_share, default=0.75, help="share of patches hidden (default 0.75)")
    parser.add_argument("--people", type=positive_int, help="about so many people")
    parser.add_argument("--frames", type=positive_int, default=200, help="frames per window")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--parts", type=parts, default=(), metavar="NAMES",
        help="of reconstruction,forecasts,networks,embeddings; default: all; reconstruction always",
    )  # fmt: skip
    parser.add_argument(
        "--external",
        type=file_name,
        action="append",
        default=[],
        metavar="DATA",
        help="score on this one too; repeatable",
    )
    parser.add_argument("--card", action="store_true", help="note the figures in the model's card and report card")
    parser.add_argument("--save", type=file_name, help="also write the table: .json, or .md as a report card")


def parts(text: str) -> tuple[str, ...]:
    """Turn ``forecasts,networks`` into names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the tables: that of DATA, and under ``external`` those of the others."""
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output, written_whole
    from brainlm_engine.models import load_model
    from brainlm_engine.models.registry import find_model
    from brainlm_engine.report.cards import keep_report
    from brainlm_engine.tasks.evaluate import note_in_card
    from brainlm_engine.tasks.evaluate_all import PARTS, evaluate_all

    everything = (args.data, *args.external)
    if args.save and args.save.suffix.lower() not in {".json", ".md"}:
        raise BadInput(f"{args.save.name} is no name for a table of figures.", "Let it end with .json or .md.")
    if args.save:
        check_output(args.save, (*everything, args.data / "participants.tsv"))
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    tables = []
    for data in everything:
        table = evaluate_all(
            model, data, parts=args.parts or PARTS, ratio=args.ratio, people=args.people, frames=args.frames,
            seed=args.seed, progress=Said(say),
        )  # fmt: skip
        tables.append(table)
        if args.card:
            note_in_card(table, find_model(args.model))
            keep_report(table, find_model(args.model), shipped_too=True)
    result = {**tables[0].model_dump(mode="json"), "external": [table.model_dump(mode="json") for table in tables[1:]]}
    if args.save:
        text = (
            _markdown(tables, find_model(args.model))
            if args.save.suffix.lower() == ".md"
            else json.dumps(result, indent=2)
        )
        with written_whole(args.save) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    return result


def _markdown(tables: list[Evaluation], folder: Path) -> str:
    from brainlm_engine.api.report_card import as_markdown
    from brainlm_engine.report.cards import evaluation_card, report_card

    card = report_card(folder).model_copy(update={"evaluations": tuple(map(evaluation_card, tables))})
    return as_markdown(card)


def as_text(result: dict[str, Any]) -> str:
    """Return the tables as a person reads them."""
    external = result.get("external", [])
    return "\n\n\n".join([_one(result), *map(_one, external)])


def _one(result: dict[str, Any]) -> str:
    people = f"{result['people']} person" if result["people"] == 1 else f"{result['people']} people"
    header = ("R²", "95 % interval", "Model better by", "95 % interval", "Method")
    rows = [
        (
            share(row["r2"]), interval(row["low"], row["high"]), *_ahead(row), row["title"],
        )
        for row in result["rows"]
    ]  # fmt: skip
    told = [
        f"{result['model_id'] or 'The model'} on {result['data']}",
        f"{people}, {result['hidden_frames']:,} hidden frames, {result['mask_ratio']:.0%} of the patches hidden",
        "",
        columns(header, rows),
    ]
    if result["by_site"]:
        methods = [row["method"] for row in result["rows"]]
        sites = [
            (site, *(share(scores.get(method)) for method in methods)) for site, scores in result["by_site"].items()
        ]
        told += ["", "R² by site", columns(("site", *methods), sites)]
    told += _forecasts(result["forecasts"]) if result["forecasts"] else []
    told += _networks(result["networks"]) if result["networks"] else []
    told += _embeddings(result["embeddings"]) if result["embeddings"] else []
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    return "\n".join(told)


def _networks(table: dict[str, Any]) -> list[str]:
    rows = [
        (
            share(row["accuracy"]), interval(row["low"], row["high"]),
            interval(row["minus_attention_low"], row["minus_attention_high"]), share(row["nmi"]),
            share(table["group_accuracy"].get(row["method"])), row["title"],
        )
        for row in table["rows"]
    ]  # fmt: skip
    header = ("Right", "95 % interval", "minus attention", "NMI", "Group", "Compared by")
    return [
        "", f"Seven networks, {table['parcels']} parcels held out from themselves, {table['people']} people, on "
        f"{table['data']} ({table['reference_from']}):", "", columns(header, rows), "",
        *(
            f"Own map found among {table['people']} people, {row['title']}: {row['found']:.0%} "
            f"[{row['low']:.0%}, {row['high']:.0%}], chance {table['chance']:.0%}."
            for row in table["retrieval"]
        ),
    ]  # fmt: skip


def _embeddings(table: dict[str, Any]) -> list[str]:
    told = []
    for trait in table["traits"]:
        group = trait["kind"] == "group"
        name = f"{trait['name']} ({trait['levels'][1]} or {trait['levels'][0]})" if group else trait["name"]
        header = ("AUC" if group else "R²", "95 % interval", "balanced" if group else "abs. error", "Source")
        rows = [
            (share(row["figure"]), interval(row["low"], row["high"]), share(row["other"]), row["title"])
            for row in trait["rows"]
        ]
        told += [
            "", f"Reading {name} of {trait['people']} people, learned from {trait['taught']} others:", "",
            columns(header, rows), "", trait["verdict"],
        ]  # fmt: skip
    return told


def _forecasts(table: dict[str, Any]) -> list[str]:
    horizon = table["horizon"]
    leads = sorted({1, 2, 3, 5, 10, 20, horizon} & set(range(1, horizon + 1)))
    rows = []
    for row in table["rows"]:
        by_lead = [share(row["by_lead"][lead - 1]) for lead in leads]
        rows.append((share(row["error"]), interval(row["low"], row["high"]), *by_lead, row["title"]))
    header = ("Error", "95 % interval", *(f"frame {lead}" for lead in leads), "Method")
    worse = table["worse_at"]
    return [
        "", f"Forecasts of {horizon} frames from {table['history']}, {table['people']} people, on {table['data']}:",
        "MSE as a share of that of the mean of the past (below 1 is better than knowing nothing)", "",
        columns(header, rows), "",
        f"{table['coverage_90']:.1%} of what followed was inside the 90 % band.",
        *(f"Surely better than the forecast: {each}." for each in worse),
        *(["Nothing is surely better than the forecast at any lead."] * (not worse)),
    ]  # fmt: skip


def _ahead(row: dict[str, Any]) -> tuple[str, str]:
    if row["method"] == "model":
        return NOT_KNOWN, NOT_KNOWN
    return share(row["model_minus_this"]), interval(row["difference_low"], row["difference_high"])
