"""``brainlm-engine simulate cohort|scan``: recordings of people who do not exist."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import count, positive, positive_int, seed
from brainlm_engine.files import check_output, written_whole

SUMMARY = "make simulated recordings: a cohort of parcel time series, or one painted scan"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    what = parser.add_subparsers(dest="what", required=True, metavar="cohort|scan")
    cohort = what.add_parser("cohort", help="a folder of recordings with participants.tsv; goes on where it stopped")
    cohort.add_argument("--out", type=file_name, required=True, metavar="DIR", help="new or unfinished cohort folder")
    cohort.add_argument("--people", type=positive_int, required=True, metavar="N")
    cohort.add_argument("--tasks", default="rest", metavar="A,B", help="rest, visual, or both (default rest)")
    cohort.add_argument(
        "--runs", type=positive_int, default=1, metavar="N", help="recordings per person and task (default 1)"
    )
    scan = what.add_parser("scan", help="one 4D scan in MNI space (.nii.gz or .nii) with a JSON file beside it")
    scan.add_argument("--out", type=file_name, required=True, metavar="FILE")
    scan.add_argument("--person", type=count, default=0, metavar="I", help="number of the person (default 0)")
    scan.add_argument("--task", default="rest", metavar="T", help="rest or visual (default rest)")
    scan.add_argument("--run", type=positive_int, default=1, metavar="N", help="number of the run (default 1)")
    scan.add_argument("--voxel", type=positive, default=2.0, metavar="MM", help="2, 3 or 4 mm (default 2)")
    for sub in (cohort, scan):
        sub.add_argument(
            "--frames", type=positive_int, default=490, metavar="T", help="frames per recording (default 490)"
        )
        sub.add_argument("--tr", type=positive, default=0.72, metavar="S", help="seconds per frame (default 0.72)")
        sub.add_argument("--seed", type=seed, default=2024, metavar="K", help="draws the people (default 2024)")
        sub.add_argument("--atlas", default="mni424", metavar="ID", help="an installed atlas (default mni424)")
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the verb."""
    from brainlm_engine.atlas import load_atlas

    if args.what == "scan":
        check_output(args.out)
    atlas = load_atlas(args.atlas)
    report = _Said(say)
    if args.what == "cohort":
        from brainlm_engine.simulate import simulate_cohort

        tasks = [task.strip() for task in args.tasks.split(",") if task.strip()]
        cohort = simulate_cohort(
            args.out, args.people, n_frames=args.frames, tr_s=args.tr, tasks=tasks, seed=args.seed, runs=args.runs,
            atlas=atlas, progress=report,
        )  # fmt: skip
        return {
            "out": str(cohort.folder),
            "people": cohort.n_people,
            "recordings": cohort.n_recordings,
            "made": cohort.made,
            "simulated": True,
        }
    from brainlm_engine.simulate import Simulator, paint_nifti, scan_sidecar

    simulator = Simulator(atlas, args.seed)
    recording = simulator.recording(simulator.person(args.person), args.frames, args.tr, args.task, args.run)
    paint_nifti(recording, atlas, args.out, report, zoom_mm=args.voxel, seed=args.seed + args.person)
    name = args.out.name.removesuffix(".gz").removesuffix(".nii")
    with written_whole(args.out.with_name(f"{name}.json")) as temporary:
        temporary.write_text(json.dumps(scan_sidecar(recording), indent=2) + "\n", "utf-8")
    return {"out": str(args.out), "frames": recording.n_frames, "tr_s": recording.tr_s, "simulated": True}


class _Said:
    """Progress as lines on stderr, at most two a second."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next = 0.0

    def __call__(self, fraction: float, stage: str = "") -> None:
        now = time.monotonic()
        if now >= self._next or fraction >= 1:
            self._say(f"{100 * fraction:5.1f} %  {stage}")
            self._next = now + 0.5

    def log(self, line: str) -> None:
        self._say(line)
