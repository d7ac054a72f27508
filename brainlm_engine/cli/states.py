"""``brainlm-engine states RECORDING``: states of a recording in a model's embedding, beside the parcel series."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, number, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "find states along a recording in a model's embedding, beside those of the parcel series"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument("--states", type=positive_int, metavar="K", help="how many (2 to 8); default: by silhouette")
    parser.add_argument(
        "--events", type=file_name, metavar="FILE",
        help="BIDS events table of this run, to compare states with conditions (default: the one beside the scan)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument("--out", type=file_name, help="write window by window to this CSV table")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Find the states and return what is known of them."""
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.states_table import write_states
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.preprocess.events import read_events
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.states import brain_states

    torch.set_num_threads(args.threads)
    if args.out:
        if args.out.suffix.lower() != ".csv":
            raise BadInput(f"{args.out.name} is no name for a table of states.", "Let it end with .csv.")
        check_output(args.out, (args.recording, args.coordinates))
    events = read_events(args.events) if args.events else None
    recording, told = recording_and_notes(args, say)
    model = load_model(args.model)
    made = brain_states(model, recording, args.states, scaling=chosen_scaling(args.scaling, model), events=events)
    if args.out:
        write_states(made.info, made.arrays, args.out)
    return {
        **made.info.model_dump(mode="json", exclude={"recording_id", "seconds"}),
        "notes": [*told, *made.info.notes], "written": str(args.out or ""),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return the states as a person reads them."""
    told = [f"{result['windows']} windows of {result['window_frames']} frames"]
    for title, name in (("In the model's embedding", "model"), ("In the parcel series", "series")):
        found = result[name]
        told += ["", f"{title}: {found['k']} states (silhouette {share(found['silhouette'])})"]
        rows = [
            (str(state + 1), share(found["occupancy"][state]), number(found["dwell_s"][state]),
             str(found["visits"][state]), " ".join(map(str, found["transitions"][state])))
            for state in range(found["k"])
        ]  # fmt: skip
        told.append(columns(("State", "Occupancy", "Dwell, s", "Visits", "To each state"), rows))
    told += ["", f"Both agree by an adjusted Rand index of {share(result['agreement'])} (0 = chance, 1 = the same)."]
    if agreed := result["with_conditions"]:
        told.append(
            f"With the conditions ({', '.join(result['conditions'])}): {share(agreed['model'])} in the embedding, "
            f"{share(agreed['series'])} in the parcel series."
        )
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)
