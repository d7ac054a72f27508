"""``brainlm-engine perturb RECORDING --target ...``: set regions and see what a model expects of the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from brainlm_engine.cli.as_text import columns, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import count, positive_int
from brainlm_engine.cli.opening import add_recording, recording_and_notes

SUMMARY = "set regions of a recording and see what a model expects of the others, beside random regions"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser, needed=False)
    parser.add_argument(
        "--target", action="append", default=[], metavar="REGIONS:VALUE@FROM-TO[:SHAPE]",
        help="regions (names, numbers from 1, or a network; ';' between them), SD, seconds; SHAPE: step, pulse, ramp "
        "or silence. May be given again",
    )  # fmt: skip
    parser.add_argument(
        "--effective", action="store_true",
        help="instead: move every region up and down in turn, and read what is expected of all others",
    )  # fmt: skip
    parser.add_argument(
        "--connectome", type=file_name, metavar="FILE",
        help="of --effective: a table of structural connections, parcels by parcels (.csv, .tsv, .npy)",
    )  # fmt: skip
    parser.add_argument(
        "--sweep", metavar="A,B,...", help="instead: the first target at these values, SD; begin with = when negative",
    )  # fmt: skip
    parser.add_argument(
        "--over", default="", metavar="PLACES",
        help="of a sweep: 'networks', or regions in the target's place (',' between places, ';' inside)",
    )  # fmt: skip
    parser.add_argument(
        "--validate", action="store_true",
        help="instead, without a recording: hold the model's answers against true responses of simulated people",
    )  # fmt: skip
    parser.add_argument("--people", type=positive_int, help="of --validate (default 20), or of a cohort (default 40)")
    parser.add_argument(
        "--between", metavar="COLUMN=A,B",
        help="of a cohort's folder in place of a recording: compare task=rest,visual, groups of participants.tsv, or "
        "both sides of a number, 'age=<40,>=40'",
    )  # fmt: skip
    parser.add_argument("--parcels", type=positive_int, default=12, help="stimulated in each of them")
    parser.add_argument("--onsets", default="", metavar="S,S,...", help="of a sweep: seconds that the target begins at")
    parser.add_argument("--add", action="store_true", help="add the values to what was measured")
    parser.add_argument("--ahead", type=count, default=0, metavar="FRAMES", help="go on that much longer")
    parser.add_argument("--nulls", type=count, default=99, help="draws of random regions to compare with (default 99)")
    parser.add_argument("--seed", type=count, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument(
        "--out",
        type=file_name,
        help="write the effect of every region: .csv, .nii, .nii.gz or .dscalar.nii; of --sweep and of a "
        "cohort .csv or .safetensors; of --effective .safetensors",
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Perturb and return the figures."""
    import numpy as np
    import torch

    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.perturb import CAPTION, Scenario
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import intervene
    from brainlm_engine.tasks.perturb.asked import parsed_target
    from brainlm_engine.tasks.perturb.files import check_ending, write_effect
    from brainlm_engine.tasks.perturb.targets import region_name

    torch.set_num_threads(args.threads)
    if args.validate:
        return _validate(args, say)
    if args.recording is None:
        raise BadInput("No recording is given.", "Name one, or hold the model against simulated people: --validate.")
    if args.recording.is_dir():
        return _group(args, say)
    if args.between:
        raise BadInput(
            f"--between compares people of a cohort; {args.recording} is one recording.", "Name the folder of a cohort."
        )
    if (args.over or args.onsets) and not args.sweep:
        raise BadInput("--over and --onsets say where a sweep goes, and there is none.", "Add --sweep VALUES.")
    if args.effective == bool(args.target):
        raise BadInput("Either --target or --effective says what is to be perturbed.", "Give one of them.")
    if args.effective:
        return _effective(args, say)
    if args.sweep:
        return _sweep(args, say)
    if args.out:
        check_ending(args.out.name)
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    targets = tuple(parsed_target(text, recording, add=args.add) for text in args.target)
    scenario = Scenario(targets=targets, ahead=args.ahead, nulls=args.nulls, seed=args.seed)
    model = load_model(args.model)
    made = intervene(model, recording, scenario, scaling=chosen_scaling(args.scaling, model), progress=Said(say))
    if args.out:
        write_effect(made.info, made.arrays, recording, args.out)
    effect = made.effect
    order = sorted(map(int, np.flatnonzero(np.isfinite(effect))), key=lambda place: -abs(effect[place]))
    p = made.arrays.get("p")
    most = [
        {"region": region_name(recording, place), "effect": round(float(effect[place]), 4),
         "p": round(float(p[place]), 4) if p is not None else None}
        for place in order[:12]
    ]  # fmt: skip
    return {
        **made.info.model_dump(mode="json", exclude={"recording_id", "seconds", "exact"}),
        "notes": [*told, *made.info.notes], "most": most, "caption": CAPTION, "written": str(args.out or ""),
    }  # fmt: skip


def _validate(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Hold answers against the truth."""
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.perturb import CAPTION
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.perturb.validate import validate

    if args.recording is not None or args.target or args.effective or args.sweep or args.out:
        raise BadInput("--validate makes its own recordings and writes no file.", "Give it alone; --json has it all.")
    made = validate(load_model(args.model), people=args.people or 20, parcels=args.parcels, progress=Said(say))
    return {
        **made.info.model_dump(mode="json"), "decay": made.arrays["decay"].round(3).tolist(),
        "edges": made.arrays["edges"].tolist(), "caption": CAPTION,
    }  # fmt: skip


def validation_as_text(result: dict[str, Any]) -> str:
    """Return a validation as a table."""

    def told(value: dict[str, float]) -> str:
        return f"{share(value['mean'])} [{share(value['low'])}, {share(value['high'])}]"

    rows = [(told(row["whole"]), told(row["sign"]), told(row["less"]), row["name"]) for row in result["predictors"]]
    lines = [
        f"{result['people']} simulated people, {result['parcels']} stimulated parcels each; mean over people and 95 % "
        "interval.", "", columns(("With the truth", "Direction", "Model less this", "Predictor"), rows), "",
        f"With the responses to other parcels (null): {told(result['null'])}.",
        f"Model, up with down (-1 = mirror images): {told(result['down'])}.",
        f"Penalty of the VAR, chosen on other people: {result['var_penalty']:g}.", "",
    ]  # fmt: skip
    edges = [f"{edge:.0f}" for edge in result["edges"]]
    heads = [f"{low}-{high} mm" for low, high in pairwise(edges)]
    names = ["truth", *(row["name"] for row in result["predictors"])]
    decay = [(*(share(float(v)) for v in row), name) for name, row in zip(names, result["decay"], strict=True)]
    lines += [columns((*heads, "Size by distance, nearest = 1"), decay), "", result["verdict"]]
    return "\n".join(lines)


def _group(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Ask everybody of a cohort."""
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.perturb import CAPTION
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.contrast_people import Asked, parse_between
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb.group import group_effects
    from brainlm_engine.tasks.perturb.group_files import check_group_ending, write_group

    if args.effective or args.sweep:
        raise BadInput("--effective and --sweep are of one recording.", "Name one of the cohort's recordings.")
    if not args.target:
        raise BadInput("In a cohort, --target says what is set.", "Give it, for example 'Visual:+1.5@40-80'.")
    if args.out:
        check_group_ending(args.out.name)
        check_output(args.out, (args.recording / "participants.tsv",))
    model = load_model(args.model)
    made = group_effects(
        model, args.recording, args.target, between=Asked(*parse_between(args.between)) if args.between else None,
        people=args.people or 40, add=args.add, ahead=args.ahead, scaling=chosen_scaling(args.scaling, model),
        progress=Said(say),
    )  # fmt: skip
    if args.out:
        write_group(made.info, made.arrays, args.out)
    return {**made.info.model_dump(mode="json"), "caption": CAPTION, "written": str(args.out or "")}


def _group_as_text(result: dict[str, Any]) -> str:
    rows = [
        (f"{row['mean']:+.3f}", f"{row['low']:+.3f} to {row['high']:+.3f}", share(row["p"]), share(row["q"]),
         row["network"])
        for row in result["networks"]
    ]  # fmt: skip
    told = [result["verdict"], "", columns(("Specific, SD", "95 %", "p", "q", "Network"), rows), ""]
    told += [f"Mean reach {result['reach']:.3f} SD. q: false discovery rate over the networks."]
    told += [f"Left out: {each}" for each in result["left_out"]] + [f"Note: {note}" for note in result["notes"]]
    told += ["", result["caption"]] + [f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _sweep(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Ask a grid."""
    from brainlm_engine.api.perturb import CAPTION, Scenario
    from brainlm_engine.api.sweep import Place, SweepSpec
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb.asked import named_regions, parsed_target
    from brainlm_engine.tasks.perturb.sweep import sweep
    from brainlm_engine.tasks.perturb.sweep_files import check_sweep_ending, write_sweep

    values, onsets = _numbers(args.sweep), _numbers(args.onsets) if args.onsets else ()
    if args.out:
        check_sweep_ending(args.out.name)
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    targets = tuple(parsed_target(text, recording, add=args.add) for text in args.target)
    networks = args.over == "networks"
    places = () if networks else tuple(
        Place(
            name=name.strip(),
            regions=tuple(region for part in name.split(";") for region in named_regions(part.strip(), recording)),
        )
        for name in args.over.split(",") if name.strip()
    )  # fmt: skip
    spec = SweepSpec(
        scenario=Scenario(targets=targets, ahead=args.ahead, nulls=0, seed=args.seed), values=values, places=places,
        networks=networks, starts=tuple(round(second / recording.tr_s) for second in onsets),
    )  # fmt: skip
    model = load_model(args.model)
    made = sweep(model, recording, spec, scaling=chosen_scaling(args.scaling, model), progress=Said(say))
    if args.out:
        write_sweep(made.info, made.arrays, args.out)
    return {
        **made.info.model_dump(mode="json", exclude={"recording_id", "spec"}), "notes": [*told, *made.info.notes],
        "caption": CAPTION, "written": str(args.out or ""),
    }  # fmt: skip


def _numbers(text: str) -> tuple[float, ...]:
    from brainlm_engine.api.errors import BadInput

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{text!r} is no list of numbers.", "Write them with commas, e.g. --sweep=-1,1,2.") from None


def _effective(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Move every region in turn."""
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.perturb import CAPTION
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.files import check_output
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import effective_connectivity
    from brainlm_engine.tasks.perturb.connectome import read_connectome
    from brainlm_engine.tasks.perturb.files import write_maps

    if args.out:
        if args.out.suffix.lower() != ".safetensors":
            raise BadInput(f"{args.out.name} is no name for maps.", "Let it end with .safetensors.")
        check_output(args.out, (args.recording, args.coordinates))
    recording, told = recording_and_notes(args, say)
    connectome = read_connectome(args.connectome) if args.connectome else None
    model = load_model(args.model)
    made = effective_connectivity(
        model, recording, control=args.nulls > 0, connectome=connectome, scaling=chosen_scaling(args.scaling, model),
        progress=Said(say),
    )  # fmt: skip
    if args.out:
        write_maps(made.info, made.arrays, args.out)
    return {
        **made.info.model_dump(mode="json", exclude={"recording_id"}), "notes": [*told, *made.info.notes],
        "caption": CAPTION, "written": str(args.out or ""),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return what came of it as a person reads it."""
    if "left_out" in result:
        return _group_as_text(result)
    if "predictors" in result:
        return validation_as_text(result)
    if "with_connectivity" in result:
        return _map_as_text(result)
    return _sweep_as_text(result) if "cells" in result else _effect_as_text(result)


def _sweep_as_text(result: dict[str, Any]) -> str:
    names = [place["name"] for place in result["places"]]
    rows = [
        (f"{cell['start'] * result['tr_s']:.0f}", f"{cell['value']:+g}", f"{cell['reach']:.3f}", names[cell["place"]])
        for cell in result["cells"]
    ]
    told = [result["verdict"], "", columns(("From, s", "Value, SD", "Reach, SD", "Set"), rows), ""]
    lines = [
        (f"{line['start'] * result['tr_s']:.0f}", f"{line['slope']:.3f}", share(line["straight"]), share(line["even"]),
         names[line["place"]])
        for line in result["lines"]
    ]  # fmt: skip
    told += [columns(("From, s", "SD per SD", "Straight", "Up with down", "Set"), lines), ""]
    told += ["Straight: how much of the growth straight lines explain. Up with down: -1 = mirror images."]
    told += [f"Note: {note}" for note in result["notes"]]
    told += ["", result["caption"]] + [f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _map_as_text(result: dict[str, Any]) -> str:
    structural = result["with_connectome"]
    rows = [
        (share(result["with_connectivity"]), "functional connectivity of the recording"),
        (share(result["with_distance"]), "distance between the regions"),
        *([] if structural is None else [(share(structural), "structural connectome")]),
        (share(result["with_noise"]), "the same map when the history is noise: the model's own part"),
        (share(result["symmetry"]), "its own transpose: 1 = no direction"),
    ]
    told = [f"Every region moved up and down by {result['value']:g} SD, in {result['seconds']:.0f} s.", ""]
    told += [columns(("Spearman", "Effective connectivity with"), rows), ""]
    told += [f"Note: {note}" for note in result["notes"]]
    told += [result["caption"]] + [f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)


def _effect_as_text(result: dict[str, Any]) -> str:
    told = [result["verdict"], ""]
    drawn = result["nulls"] > 0
    heads = ("Effect, SD", "Specific", *(("Random", "p") if drawn else ()), "Network")
    rows = [
        (f"{row['effect']:+.3f}", f"{row['specific']:+.3f}",
         *((f"±{row['null_sd']:.3f}", share(row["p"])) if drawn else ()), row["network"])
        for row in result["networks"]
    ]  # fmt: skip
    if rows:
        told += [columns(heads, rows), ""]
    rows = [
        (f"{row['effect']:+.3f}", *([share(row["p"])] if row["p"] is not None else []), row["region"])
        for row in result["most"]
    ]
    told.append(columns(("Effect, SD", *(["p"] if drawn else []), "Region (of all that are not set, the most)"), rows))
    told += ["", "Specific: less the mean over the whole brain; p is of that, among random regions set alike."] * drawn
    told += [f"Bands: {result['bands_from']}."]
    told += [f"Note: {note}" for note in result["notes"]]
    told += ["", result["caption"]]
    told += ["", f"Written: {result['written']}"] * bool(result["written"])
    return "\n".join(told)
