"""``brainlm-engine steer RECORDING --toward OTHER``: which change would bring a model's state to a target?"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import columns, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import count, positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "search a change of a recording that brings a model's state of it to a target, beside shuffled targets"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    from brainlm_engine.api.steer import FORMS, METHODS, STATES, USUAL_PEOPLE

    add_recording(parser)
    parser.add_argument(
        "--toward", action="append", default=[], metavar="FILE",
        help="another recording of the same regions, whose state is the target; given again, their mean state",
    )  # fmt: skip
    parser.add_argument("--cohort", type=file_name, help="with --between: a cohort folder")
    parser.add_argument(
        "--between", metavar="COLUMN=A,B",
        help="what takes other people from A to B: task=rest,visual, or any column of participants.tsv",
    )  # fmt: skip
    parser.add_argument("--people", type=positive_int, default=USUAL_PEOPLE, help="of the cohort, at most (default 20)")
    parser.add_argument(
        "--target", action="append", default=[], metavar="REGIONS:VALUE@FROM-TO[:SHAPE]",
        help="an activity that the model is to expect of regions it is not shown, as of 'perturb'",
    )  # fmt: skip
    parser.add_argument("--state", choices=STATES, default="regions", help="what is brought to the target")
    parser.add_argument("--form", choices=FORMS, default="additive", help="what may be changed")
    parser.add_argument("--regions", default="", metavar="A;B", help="that may be changed: names, numbers, networks")
    parser.add_argument("--span", default="", metavar="FROM-TO", help="seconds that may be changed; default: all")
    parser.add_argument("--sparsity", type=float, default=1.0, help="weight of the size per region (default 1)")
    parser.add_argument("--smoothness", type=float, default=0.0, help="weight of steps in time")
    parser.add_argument("--energy", type=float, default=0.0, help="weight of the mean square change")
    parser.add_argument("--most", type=float, default=3.0, metavar="SD", help="that no frame is changed by more than")
    parser.add_argument("--method", choices=METHODS, default="lbfgs")
    parser.add_argument("--steps", type=positive_int, default=15)
    parser.add_argument(
        "--restarts", type=positive_int, default=2, help="searches: from nothing, then from random starts"
    )
    parser.add_argument("--nulls", type=count, default=39, help="times the change is moved to random regions")
    parser.add_argument("--shuffles", type=count, default=0, help="searches for shuffled targets; 19 give p = .05")
    parser.add_argument("--seed", type=count, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--out", type=file_name, help="write the change: .csv, .nii, .nii.gz, .dscalar.nii, or .safetensors (all of it)"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Search and return the figures."""
    import torch
    from pydantic import ValidationError

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.perturb import CAPTION
    from brainlm_engine.api.steer import SteerSpec
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import steer
    from brainlm_engine.tasks.perturb.asked import named_regions
    from brainlm_engine.tasks.perturb.steer_files import check_change_ending, write_change
    from brainlm_engine.tasks.perturb.targets import region_name

    torch.set_num_threads(args.threads)
    ways = [name for name in ("toward", "between", "target") if getattr(args, name)]
    if len(ways) != 1:
        raise BadInput(
            "One of --toward, --between and --target says where the state is to go.",
            "Give one of them." if not ways else f"You gave --{' and --'.join(ways)}.",
        )
    if bool(args.between) != bool(args.cohort):
        raise BadInput("--between and --cohort belong together.", "Give both.")
    if args.out:
        check_change_ending(args.out.name)
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    regions = [
        region for name in args.regions.split(";") if name.strip() for region in named_regions(name.strip(), recording)
    ]
    start, stop = _span(args.span, recording.tr_s)
    try:
        spec = SteerSpec(
            aim=_aim(args, recording), state=args.state, form=args.form, regions=tuple(regions), start=start, stop=stop,
            sparsity=args.sparsity, smoothness=args.smoothness, energy=args.energy, most=args.most, method=args.method,
            steps=args.steps, restarts=args.restarts, nulls=args.nulls, shuffles=args.shuffles, seed=args.seed,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(
            f"--{'.'.join(map(str, first['loc']))} cannot be used: {first['msg']}.", "Give another value."
        ) from error
    model = load_model(args.model)
    made = steer(
        model, recording, spec, scaling=chosen_scaling(args.scaling, model), leave_out=args.recording,
        progress=Said(say),
    )  # fmt: skip
    if args.out:
        write_change(made.info, made.arrays, recording, args.out)
    magnitude = made.magnitude
    order = sorted((p for p in range(len(magnitude)) if magnitude[p] == magnitude[p]), key=lambda p: -magnitude[p])
    most = [{"region": region_name(recording, p), "magnitude": round(float(magnitude[p]), 4)} for p in order[:12]]
    return {
        **made.info.model_dump(mode="json", exclude={"recording_id"}), "notes": [*told, *made.info.notes],
        "most": most, "caption": CAPTION, "written": str(args.out or ""),
    }  # fmt: skip


def _aim(args: argparse.Namespace, recording: Any) -> Any:
    from brainlm_engine.api.steer import Aim
    from brainlm_engine.tasks.perturb.aims import written_aim
    from brainlm_engine.tasks.perturb.asked import parsed_target

    if args.target:
        return Aim(kind="activity", targets=tuple(parsed_target(text, recording) for text in args.target))
    if args.between:
        return written_aim(args.between, args.cohort).model_copy(update={"people": args.people})
    return written_aim(args.toward)


def _span(text: str, tr_s: float) -> tuple[int, int]:
    from brainlm_engine.api.errors import BadInput

    if not text:
        return 0, 0
    first, _, last = text.partition("-")
    try:
        start, stop = round(float(first) / tr_s), round(float(last) / tr_s)
    except ValueError:
        start, stop = -1, -1
    if not 0 <= start < stop:
        raise BadInput(f"{text!r} is no span of time.", "Write FROM-TO in seconds, e.g. 40-80.")
    return start, stop


def as_text(result: dict[str, Any]) -> str:
    """Return what came of it as a person reads it."""
    told = [result["verdict"], ""]
    shuffled = result["spec"]["shuffles"] > 0 and result["networks"] and result["networks"][0]["p"] is not None
    heads = ("SD", "Times the mean", *(("Shuffled", "p") if shuffled else ()), "Network")
    rows = [
        (f"{row['magnitude']:.3f}", f"{row['share']:.2f}",
         *((f"{row['null']:.2f}", share(row["p"])) if shuffled else ()), row["network"])
        for row in result["networks"]
    ]  # fmt: skip
    if rows:
        told += [columns(heads, rows), ""]
    told.append(columns(("SD", "Region (the most)"), [(f"{r['magnitude']:.3f}", r["region"]) for r in result["most"]]))
    told += ["", f"Distance left: {result['left']:.0%}, after {sum(map(len, result['curves']))} looks at the model."]
    told += [f"Note: {note}" for note in result["notes"]]
    told += ["", result["caption"]]
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)
