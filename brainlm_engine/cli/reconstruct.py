"""``brainlm-engine reconstruct RECORDING``: hide patches, fill them in, say how well."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.cli.as_text import columns, number, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import count, hidden_share, positive_int, seed
from brainlm_engine.cli.opening import add_recording, recording_and_notes

if TYPE_CHECKING:
    from brainlm_engine.recording import Recording

SUMMARY = "reconstruct a recording with hidden patches and score it beside simple methods"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument("--start", type=count, default=0, help="first frame of the window")
    parser.add_argument("--frames", type=positive_int, help="frames per window (default 200, or all there are)")
    parser.add_argument("--ratio", type=hidden_share, default=0.75, help="share of patches hidden (default 0.75)")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--parcels", default="", help="hide these parcels instead: numbers from 1, with commas")
    part.add_argument("--network", default="", help="hide this network instead")
    part.add_argument("--span", default="", metavar="FROM:TO", help="hide these time patches instead")
    part.add_argument(
        "--mask-file", type=file_name, metavar="FILE",
        help="hide what this file says: 0 and 1 for parcels x patches of the window (.csv, .npy), or a table with the "
        "columns parcel, start_s, end_s",
    )  # fmt: skip
    part.add_argument("--whole", action="store_true", help="the whole recording, every patch hidden exactly once")
    parser.add_argument(
        "--combine", choices=("first", "mean"), default="first",
        help="with --whole: of a patch that was hidden several times, the first prediction (default) or their mean",
    )  # fmt: skip
    parser.add_argument(
        "--scores",
        type=file_name,
        metavar="FILE",
        help="write the scores per network, parcel and frame to this CSV table",
    )
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--out", type=file_name, help="write measured, predicted, mask and R2 to this .safetensors file"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Reconstruct and return the scores."""
    import torch

    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks import reconstruct, reconstruct_recording
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.part_scores import write_scores

    torch.set_num_threads(args.threads)
    spec = mask_from(args)
    for path in filter(None, (args.out, args.scores)):
        check_output(path, (args.recording, args.coordinates, args.mask_file))
    recording, told = recording_and_notes(args, say)
    model = load_model(args.model)
    _check_start(args, recording)
    scaling = chosen_scaling(args.scaling, model)
    if args.whole:
        whole = reconstruct_recording(
            model, recording, args.ratio, args.seed, Said(say), frames=args.frames, combine=args.combine,
            scaling=scaling,
        )  # fmt: skip
        arrays: dict[str, Any] = {
            "measured": whole.measured, "predicted": whole.predicted, "r2_parcel": whole.r2_parcel,
            "r2_frame": whole.r2_frame, "by_parcel": whole.by_parcel, "by_frame": whole.by_frame,
        }  # fmt: skip
        scores, sentence, notes, scaled = whole.scores, whole.verdict, whole.notes, whole.scaling
        networks, first = whole.networks, 0
    else:
        if args.mask_file:
            spec = _from_file(args, model, recording, scaling)
        window = reconstruct(
            model, recording, args.start, spec, args.frames, recording_id=args.recording.name, scaling=scaling
        )
        arrays = dict(window.arrays())
        scores, sentence, notes = window.info.scores, window.info.verdict, window.info.notes
        scaled, networks, first = window.info.scaling, window.info.networks, window.info.start
        if window.info.start != args.start:
            notes = (*notes, f"The window begins at frame {window.info.start}, so that it ends with the recording.")
    if args.out:
        _write(arrays, args.out)
    if args.scores:
        write_scores(args.scores, scores, networks, arrays, names=recording.names, start=first, tr_s=recording.tr_s)
    return {
        "verdict": sentence, "scores": [score.model_dump() for score in scores], "notes": [*told, *notes],
        "networks": [network.model_dump() for network in networks], "scaling": scaled,
        "written": str(args.out or ""), "scores_written": str(args.scores or ""),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return verdict, scores and notes as a person reads them."""
    rows = [(share(row["r2"]), share(row["r"]), number(row["mse"]), row["title"]) for row in result["scores"]]
    told = [result["verdict"]] * bool(result["verdict"])
    told += ["", columns(("R²", "r", "MSE", "Method"), rows)] * bool(rows)
    told += ["", _networks_as_text(result["networks"])] * bool(result["networks"])
    told += ["", f"Input of the model: {result['scaling']}."]
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    told += [f"Scores: {result['scores_written']}"] * bool(result["scores_written"])
    return "\n".join(told)


def _networks_as_text(networks: list[dict[str, Any]]) -> str:
    """Return one line a network: the model, and the simple method that does best there."""
    rows = []
    for network in networks:
        model, *others = network["scores"]
        best = max(others, key=lambda score: -9e9 if score["r2"] != score["r2"] else score["r2"], default=None)
        rows.append((
            network["network"], str(network["n_parcels"]), share(model["r2"]), share(model["r"]), number(model["mse"]),
            share(best["r2"]) if best else "", best["title"] if best else "",
        ))  # fmt: skip
    return columns(("Network", "Parcels", "R²", "r", "MSE", "Best other R²", "which is"), rows)


def _from_file(args: argparse.Namespace, model: Any, recording: Recording, scaling: Any) -> Any:
    """Return the MaskSpec of --mask-file for the window that will be reconstructed."""
    from brainlm_engine.api.mask_file import MaskWindow, read_mask
    from brainlm_engine.tasks.reconstruct import plan_window

    patch, length, _ = plan_window(model, recording, args.frames, padded=True, scaling=scaling)
    start = min(max(0, args.start), recording.n_frames - length)
    size = recording.n_parcels, -(-length // patch), patch
    return read_mask(args.mask_file, MaskWindow(*size, start, recording.tr_s, recording.names))


def _check_start(args: argparse.Namespace, recording: Recording) -> None:
    from brainlm_engine.api.errors import BadInput

    if args.start >= recording.n_frames:
        raise BadInput(
            f"{args.recording.name} has {recording.n_frames} frames, so no window can begin at frame {args.start}.",
            f"Give --start from 0 to {recording.n_frames - 1}.",
        )
    if args.whole and args.start:
        raise BadInput(
            "--start and --whole exclude each other: the whole recording begins at frame 0.", "Leave one of them out."
        )


def mask_from(args: argparse.Namespace) -> Any:
    """Return the MaskSpec that the options ask for."""
    from pydantic import ValidationError

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.messages import MaskSpec

    try:
        if args.parcels:
            return MaskSpec(kind="parcels", parcels=tuple(int(word) - 1 for word in args.parcels.split(",")))
        if args.network:
            return MaskSpec(kind="network", network=args.network)
        if args.span:
            first, _, last = args.span.partition(":")
            return MaskSpec(kind="span", span=(int(first), int(last)))
        return MaskSpec(ratio=args.ratio, seed=args.seed)
    except (ValidationError, ValueError) as error:
        raise BadInput(
            "This mask cannot be understood.", "For example: --ratio 0.75, --parcels 3,17 or --span 8:10.", str(error)
        ) from error


def _write(arrays: dict[str, Any], path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from brainlm_engine.files import written_whole

    with written_whole(path) as temporary:
        kinds = {key: np.uint8 if value.dtype == bool else np.float32 for key, value in arrays.items()}
        save_file({key: np.ascontiguousarray(value, kinds[key]) for key, value in arrays.items()}, temporary)
