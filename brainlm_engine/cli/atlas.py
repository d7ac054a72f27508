"""``brainlm-engine atlas list|show|fetch|add``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, lines, short
from brainlm_engine.cli.file_name import file_name

SUMMARY = "list, show, fetch or add parcellations of the brain"
_BRIEF = {"atlas_id", "title", "n_parcels", "installed", "licence", "citation", "description", "own"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    what = parser.add_subparsers(dest="what", required=True, metavar="list|show|fetch|add")
    listing = what.add_parser("list", help="atlases on this computer, and those that can be fetched")
    show = what.add_parser("show", help="one atlas and its parcels")
    show.add_argument("id", metavar="ID")
    fetch = what.add_parser("fetch", help="download an atlas of the list")
    fetch.add_argument("id", metavar="ID")
    fetch.add_argument("--mirror", default="", metavar="URL", help="ask this address (A424 and Schaefer only)")
    add = what.add_parser("add", help="add an atlas from your own files")
    add.add_argument("file", type=file_name, metavar="FILE", help="label NIfTI in MNI space, or CIFTI .dlabel.nii")
    add.add_argument("--table", type=file_name, metavar="T", help="TSV, CSV or .dat with names, networks or positions")
    add.add_argument("--id", required=True, metavar="ID", help="short name, letters and digits")
    add.add_argument("--title", default="", metavar="TITLE")
    for sub in (listing, show, fetch, add):
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the verb."""
    from brainlm_engine.atlas import add_atlas, fetch_atlas, list_atlases, load_atlas

    if args.what == "list":
        return {"atlases": [info.model_dump(mode="json", include=_BRIEF) for info in list_atlases()]}
    if args.what == "show":
        atlas = load_atlas(args.id)
        parcels = [
            {
                "index": place + 1, "name": atlas.names[place], "hemisphere": atlas.hemispheres[place],
                "structure": atlas.structures[place], "network": atlas.networks[place],
                "xyz": [round(float(value), 1) for value in atlas.xyz[place]],
            }
            for place in range(atlas.n_parcels)
        ]  # fmt: skip
        return atlas.info().model_dump(mode="json", include=_BRIEF) | {"parcels": parcels}
    if args.what == "fetch":
        atlas = fetch_atlas(args.id, _Said(say), args.mirror)
    else:
        atlas = add_atlas(args.file, args.table, args.id, args.title, _Said(say))
    return atlas.info().model_dump(mode="json", include=_BRIEF)


def as_text(result: dict[str, Any]) -> str:
    """Return atlases, or one and its parcels, as a person reads them."""
    if "atlases" in result:
        rows = [
            (
                row["atlas_id"], short(row["n_parcels"] or None), _here(row), short(row["title"]),
                short(row["licence"]) if row["n_parcels"] else row["description"],
            )
            for row in result["atlases"]
        ]  # fmt: skip
        return columns(("ID", "Parcels", "Here", "Title", "Licence"), rows)
    told = lines({key: value for key, value in result.items() if key != "parcels"})
    if "parcels" not in result:
        return told
    header = ("Number", "x mm", "y mm", "z mm", "Side", "Structure", "Network", "Name")
    rows = [
        (
            str(row["index"]), *(f"{place:.1f}" for place in row["xyz"]), short(row["hemisphere"]),
            short(row["structure"]), short(row["network"]), row["name"],
        )
        for row in result["parcels"]
    ]  # fmt: skip
    return f"{told}\n\n{columns(header, rows)}"


def _here(row: dict[str, Any]) -> str:
    if row["installed"]:
        return "yes"
    return "to be fetched" if row["n_parcels"] else "damaged"


class _Said:
    """Progress as lines on stderr: each stage once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._stage = say, ""

    def __call__(self, fraction: float, stage: str = "") -> None:
        if stage and stage != self._stage:
            self._stage = stage
            self._say(f"{stage} …")

    def log(self, line: str) -> None:
        self._say(line)
