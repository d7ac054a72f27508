"""``brainlm-engine networks RECORDING|COHORT``: functional networks without teaching, beside what else finds them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from brainlm_engine.api.networks import SOURCES
from brainlm_engine.cli.as_text import columns, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "find the functional networks of a recording, beside the controls that say what the figures mean"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument("--source", choices=SOURCES, default="attention", help="what parcels are compared by")
    parser.add_argument(
        "--clusters", type=positive_int, help="networks nobody named, 2 or more; default: chosen by silhouette"
    )
    parser.add_argument(
        "--people", type=positive_int, metavar="N",
        help="of a cohort's folder or an ABIDE file: the mean map of so many people (default 20)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--out", type=file_name, help="write the networks: .csv, .nii.gz (volume) or .dlabel.nii (fsaverage5)"
    )
    parser.add_argument(
        "--write", choices=("labels", "reference", "clusters"), default="labels", help="which ones an image holds"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Find the networks and return the figures."""
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.group_networks import PEOPLE, group_networks, is_group
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.network_files import ENDINGS, write_networks
    from brainlm_engine.tasks.networks import networks

    torch.set_num_threads(args.threads)
    if args.clusters == 1:
        raise BadInput("One cluster is everything.", "Give --clusters 2 or more.")
    if args.out:
        check_output(args.out, (args.recording, args.coordinates))
        if not args.out.name.lower().endswith(ENDINGS):
            raise BadInput(f"{args.out.name} is no file of networks.", f"Let it end with {', '.join(ENDINGS)}.")
    told: Sequence[str] = ()
    if is_group(args.recording):
        model = load_model(args.model)
        made, recording = group_networks(
            model, args.recording, people=args.people or PEOPLE, source=args.source, count=args.clusters,
            scaling=chosen_scaling(args.scaling, model), progress=Said(say),
        )  # fmt: skip
    else:
        if args.people:
            raise BadInput(f"{args.recording.name} is one recording.", "Leave --people out, or give a cohort's folder.")
        recording, told = recording_and_notes(args, say)
        model = load_model(args.model)
        made = networks(
            model, recording, source=args.source, count=args.clusters, scaling=chosen_scaling(args.scaling, model)
        )
    if args.out:
        write_networks(made, recording, args.out, which=args.write)
    info = made.info
    return {
        **info.model_dump(mode="json", exclude={"recording_id", "seconds"}), "notes": [*told, *info.notes],
        "written": str(args.out or ""),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return verdict, table and notes as a person reads them."""
    names = result["names"]
    rows = [
        (share(row["accuracy"]), share(row["nmi"]), *(share(value) for value in row["recall"]), row["title"])
        for row in result["scores"]
    ]
    short = [name.replace("SalienceVentralAttention", "Salience")[:10] for name in names]
    told = [
        f"{result['parcels']} parcels with a reference network ({result['reference_from']})",
        result["verdict"], "", columns(("Right", "NMI", *short, "Compared by"), rows), "",
        f"{result['clusters']} clusters (silhouette {result['silhouette']:.2f}), "
        f"NMI {result['cluster_nmi']:.2f} with the reference.",
    ]  # fmt: skip
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)
