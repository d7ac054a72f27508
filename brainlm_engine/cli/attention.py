"""``brainlm-engine attention RECORDING``: what the parcels of a recording take from each other inside a model."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, number, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "read a model's attention between parcels, beside functional connectivity"
SOURCES = ("attention", "rollout", "embedding", "connectivity", "occlusion")
_STRONGEST = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument("--source", choices=SOURCES, default="attention", help="which map (default attention)")
    parser.add_argument("--layer", type=positive_int, help="of the attention, from 1 on; default: the last")
    parser.add_argument("--head", type=positive_int, help="of the attention, from 1 on; default: the mean of all")
    parser.add_argument("--parcel", type=positive_int, help="number from 1: say what this one takes most from")
    parser.add_argument(
        "--windows", type=positive_int, default=1,
        help="of occlusion, which fills two windows in for every parcel and window (default 1)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument("--out", type=file_name, help="write all maps to this .safetensors file")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Read the maps and return what stands out."""
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.parcel_maps import chosen_map, parcel_maps

    torch.set_num_threads(args.threads)
    if args.out:
        if args.out.suffix.lower() != ".safetensors":
            raise BadInput(f"{args.out.name} is no name for maps.", "Let it end with .safetensors.")
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    if args.parcel is not None and args.parcel > recording.n_parcels:
        raise BadInput(
            f"There is no parcel {args.parcel}: the recording has {recording.n_parcels}.",
            f"Give --parcel from 1 to {recording.n_parcels}.",
        )
    model = load_model(args.model)
    if args.source == "occlusion":
        return _occluded(args, model, recording, told, say)
    made = parcel_maps(model, recording, scaling=chosen_scaling(args.scaling, model))
    shown = chosen_map(made, args.source, args.layer, args.head)
    if args.out:
        _write(made.arrays, args.out)
    info = made.info
    return {
        **info.model_dump(mode="json", exclude={"recording_id", "seconds"}), "source": args.source,
        "strongest": [] if args.parcel is None else strongest(shown, args.parcel - 1, recording.names),
        "notes": [*told, *info.notes], "written": str(args.out or ""),
    }  # fmt: skip


def _occluded(
    args: argparse.Namespace, model: Any, recording: Any, told: tuple[str, ...], say: Callable[[str], None]
) -> dict[str, Any]:
    """Hide one parcel, or all of them one after the other."""
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.occlusion import occlude

    made = occlude(
        model, recording, None if args.parcel is None else [args.parcel - 1], windows=args.windows,
        scaling=chosen_scaling(args.scaling, model), progress=Said(say),
    )  # fmt: skip
    if args.out:
        _write(made.arrays, args.out)
    info, change = made.info, made.arrays["change"]
    return {
        **info.model_dump(mode="json", exclude={"recording_id", "parcels"}), "source": args.source,
        "strongest": [] if args.parcel is None else strongest(change.T, 0, recording.names, itself=args.parcel - 1),
        "notes": [*told, *info.notes], "written": str(args.out or ""),
    }  # fmt: skip


def strongest(shown: Any, parcel: int, names: tuple[str, ...], *, itself: int | None = None) -> list[dict[str, Any]]:
    """Return the largest of row ``parcel``, itself left out: name, value."""
    import numpy as np

    left = parcel if itself is None else itself
    row = np.where(np.arange(shown.shape[1]) == left, -np.inf, np.nan_to_num(shown[parcel], nan=-np.inf))
    order = np.argsort(-row)[:_STRONGEST]
    return [
        {"parcel": int(at) + 1, "name": names[at] if names else str(at + 1), "value": round(float(row[at]), 6)}
        for at in order if np.isfinite(row[at])
    ]  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return what stands out as a person reads it."""
    if result["source"] == "occlusion":
        return _occlusion_as_text(result)
    told = [
        f"{result['layers']} layers of {result['heads']} heads, {result['windows']} windows of "
        f"{result['window_frames']} frames",
        f"The map of layer {result['layer']} goes with functional connectivity (r {share(result['agreement'])}) and "
        f"with closeness (r {share(result['near'])}).",
        "Attention says what the model looks at, not what causes what.",
    ]
    if result["strongest"]:
        rows = [(number(row["value"]), str(row["parcel"]), row["name"]) for row in result["strongest"]]
        told += ["", columns(("Share" if result["source"] in SOURCES[:2] else "r", "Parcel", "Region"), rows)]
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _occlusion_as_text(result: dict[str, Any]) -> str:
    told = [
        f"{result['windows']} {'window' if result['windows'] == 1 else 'windows'} of {result['window_frames']} frames, "
        f"{result['hidden']:.0%} of the patches hidden anyway; {result['runs']} windows were filled in, "
        f"{result['seconds']:.0f} s",
        "Occlusion says what the model's answer depends on, not what the brain does.",
    ]
    if result["strongest"]:
        rows = [(number(row["value"]), str(row["parcel"]), row["name"]) for row in result["strongest"]]
        told += ["", columns(("Change, SD²", "Parcel", "Region whose reconstruction changes"), rows)]
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _write(arrays: dict[str, Any], path: Any) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from brainlm_engine.files import written_whole

    with written_whole(path) as temporary:
        save_file({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}, temporary)
