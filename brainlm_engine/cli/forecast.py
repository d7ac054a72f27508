"""``brainlm-engine forecast RECORDING``: what follows a moment, how sure that is, and what simple methods say."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, number, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import count, positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "forecast a recording from a moment on, or again and again, beside simple methods"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument("--horizon", type=positive_int, default=20, help="frames to be forecast (default 20)")
    parser.add_argument("--history", type=positive_int, default=180, help="frames that are looked at (default 180)")
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--origin", type=count, help="first frame to be forecast; default: so that all of it can be compared"
    )
    part.add_argument("--rolling", action="store_true", help="again and again along the recording, and score all")
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--out", type=file_name, help="write the forecast of every region with its band to this CSV file"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Forecast and return the figures."""
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.forecast_table import write_forecast
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks import forecast, rolling_forecast
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    torch.set_num_threads(args.threads)
    if args.out and args.rolling:
        raise BadInput("--out is of one forecast, and --rolling makes many.", "Leave one of them out, or give --json.")
    if args.out:
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    model = load_model(args.model)
    scaling = chosen_scaling(args.scaling, model)
    size = {"horizon": args.horizon, "history": args.history, "scaling": scaling}
    if args.rolling:
        made = rolling_forecast(model, recording, progress=Said(say), **size)
    else:
        made = forecast(model, recording, args.origin, **size)
    if args.out:
        names = recording.names or tuple(str(parcel + 1) for parcel in range(recording.n_parcels))
        write_forecast(made.info, made.arrays, names, args.out)
    info = made.info
    return {
        **info.model_dump(mode="json", exclude={"recording_id", "seconds"}), "notes": [*told, *info.notes],
        "mse_by_lead": {
            score.method: [round(float(value), 4) for value in row]
            for score, row in zip(info.methods, made.arrays["mse"], strict=True)
        },
        "written": str(args.out or ""),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return verdict, scores and notes as a person reads them."""
    tr_s, horizon = result["tr_s"], result["horizon"]
    when = f"{result['origins']} origins from frame" if result["origins"] > 1 else "Frame"
    length = f"{horizon} frames ({horizon * tr_s:.1f} s)"
    told = [
        f"{when} {result['origin']} on: {length} from {result['history']} frames of history",
        result["verdict"], "",
    ]  # fmt: skip
    leads = sorted({1, 2, 3, 5, 10, 20, horizon} & set(range(1, horizon + 1)))
    by_lead = result["mse_by_lead"]
    rows = [_row(row, [by_lead[row["method"]][lead - 1] for lead in leads]) for row in result["methods"]]
    told.append(columns(("MSE", "Skill", *(f"{lead * tr_s:.1f} s" for lead in leads), "Method"), rows))
    if result["coverage"]:
        bands = zip(result["levels"], result["coverage"], strict=True)
        shares = (f"{inside:.0%} of it inside the {level:.0%} band" for level, inside in bands)
        told += ["", f"What followed: {', '.join(shares)} (bands: {result['bands_from']})."]
    if result["beats_mean_s"] is not None:
        told.append(f"On validation people the forecast beat the mean up to {result['beats_mean_s']:.1f} s ahead.")
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _row(row: dict[str, Any], by_lead: list[float]) -> tuple[str, ...]:
    return number(row["mse"]), share(row["skill"]), *map(number, by_lead), row["title"]
