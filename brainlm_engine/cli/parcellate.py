"""``brainlm-engine parcellate``: region series of a scan, as a TSV with a JSON beside it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.opening import add_opening, given_answers, opened
from brainlm_engine.files import check_output, written_whole

if TYPE_CHECKING:
    from brainlm_engine.recording import Recording

SUMMARY = "Average a 4D scan over an atlas (or take over a table) and write the region series."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("bold", type=file_name, help="4D scan in MNI space, a table of region series, or a recording")
    parser.add_argument(
        "--out", type=file_name, required=True, metavar="FILE",
        help="a .tsv (frames x regions, with a .json beside it), or a .safetensors recording for 'reconstruct'",
    )  # fmt: skip
    parser.add_argument(
        "--confounds", type=file_name, metavar="TSV", help="columns to regress out (fMRIPrep confounds)"
    )
    parser.add_argument(
        "--columns", default="", help="names of the confounds to use, separated by commas (default: all)"
    )
    add_opening(parser)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Make the recording and write it."""
    from brainlm_engine.preprocess import read_confounds, regress_out

    answers = given_answers(args)
    sidecar = _checked_sidecar(args.out, (args.bold, args.coordinates, args.confounds))
    confounds = None
    if args.confounds is not None:
        confounds = read_confounds(args.confounds, [c.strip() for c in args.columns.split(",") if c.strip()])
    recording = opened(args, args.bold, answers, say)
    if confounds is not None:
        recording = regress_out(recording, confounds)
    if _is_recording(args.out):
        recording.save(args.out)
    else:
        _write(recording, args.out, sidecar)
    return {
        "series": str(args.out), "frames": recording.n_frames, "regions": recording.n_parcels,
        "missing": int(recording.missing.sum()), "tr_s": recording.tr_s,
        "tr_source": recording.provenance.get("tr_source", ""), "atlas": recording.atlas_id,
        "notes": list(recording.provenance.get("notes", ())),
    }  # fmt: skip


def _checked_sidecar(out: Path, inputs: tuple[Path | None, ...]) -> Path:
    """Return the .json beside ``out``; nothing read is written over, nor a .json of something else (BIDS)."""
    check_output(out, inputs)
    sidecar = out.with_suffix(".json")
    if _is_recording(out):
        return sidecar
    if out.suffix.lower() != ".tsv":
        raise BadInput(
            f"{out.name} does not say what to write: a table (.tsv) or a recording (.safetensors).",
            "Let the name end in .tsv or .safetensors.",
        )
    check_output(sidecar, inputs)
    if sidecar.exists() and not out.exists() and (other := _another_table(out)):
        raise BadInput(
            f"{sidecar.name} exists already and describes {other.name}.", "Give another name for the series."
        )
    if sidecar.exists():
        try:
            ours = "Regions" in json.loads(sidecar.read_text("utf-8"))
        except (OSError, ValueError):
            ours = False
        if not ours:
            raise BadInput(
                f"{sidecar.name} exists already and belongs to something else.", "Give another name for the series."
            )
    return sidecar


def _is_recording(out: Path) -> bool:
    return out.suffix.lower() == ".safetensors"


def _another_table(out: Path) -> Path | None:
    """Return a file that shares its .json with ``out``, None when there is none."""
    described = (path for path in out.parent.glob("*.*") if path.stem == out.stem and path.is_file())
    return next((path for path in described if path.suffix.lower() not in (".json", ".safetensors")), None)


def _write(recording: Recording, out: Path, sidecar: Path) -> None:
    names = recording.names or tuple(str(i + 1) for i in range(recording.n_parcels))
    head = {
        "RepetitionTime": recording.tr_s, "Atlas": recording.atlas_id, "Unit": recording.unit, "Regions": list(names),
        "Coverage": [round(float(v), 4) for v in recording.coverage], "Missing": [bool(v) for v in recording.missing],
        "CoordinatesMNI": [
            [round(float(v), 2) for v in row] if np.isfinite(row).all() else None for row in recording.xyz
        ],
        "Networks": list(recording.networks), "Provenance": recording.provenance,
    }  # fmt: skip
    with written_whole(out) as table, written_whole(sidecar) as description:  # both, or neither
        with table.open("w", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(re.sub(r"[\t\r\n]", " ", name) for name in names) + "\n")
            for frame in recording.series.T:
                file.write("\t".join("n/a" if np.isnan(value) else f"{value:.7g}" for value in frame) + "\n")
        description.write_text(json.dumps(head, indent=1, ensure_ascii=False), "utf-8")
