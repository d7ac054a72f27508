"""Which architecture learns most per unit of compute: every variant trained for the same seconds, then scored alike.

    python tests/bench/ablation.py --cohort COHORT --out OUT --seconds 120 --device cuda --workers 4 --abide ABIDE

Each variant (``ablation_variants.py``) is trained by the project's own ``pretrain`` in a process of its own, with the
same batch, window and seed, until the clock of its training says so: nothing is killed. ``--workers`` run at the same
time and share the device; for the sake of equal compute keep their number the same for all (it is, but for the last
round). A variant whose folder is complete is not trained again. Then all are scored on the 'test' people of the cohort
and, with ``--abide``, on ABIDE. ``--train-only`` and ``--evaluate-only`` do the two halves on different computers: copy
OUT in between. Leaves ``OUT/ablation.json`` and ``OUT/ablation.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from ablation_variants import BASE, Variant, chosen  # noqa: E402

_CHECKPOINT, _LEVELS, _LOG = "checkpoint.safetensors", "levels.json", "training.log"


@dataclass(frozen=True, eq=False)
class Run:
    """One variant with one seed."""

    variant: Variant
    seed: int
    out: Path

    @property
    def folder(self) -> Path:
        """Where its model goes."""
        return self.out / f"{self.variant.name}-seed{self.seed}"

    @property
    def done(self) -> bool:
        """True when the model is there: config.json is written last."""
        return (self.folder / "config.json").is_file()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120.0, help="of training, the same for all")
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu")
    parser.add_argument("--only", default="", metavar="A,B", help="variants; all when not given")
    parser.add_argument("--seeds", default="0", metavar="0,1")
    parser.add_argument("--workers", type=int, default=1, help="trainings at the same time")
    parser.add_argument("--threads", type=int, default=0, help="per training; 0: the processors divided by --workers")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--window", type=int, default=200)
    parser.add_argument("--evaluate-every", type=int, default=500, metavar="STEPS", help="looks at 'val' people")
    parser.add_argument("--settings", type=json.loads, default={}, metavar="JSON", help="further settings for all")
    parser.add_argument("--abide", type=Path, help="ABIDE file, or the folder that holds it")
    parser.add_argument("--people", type=int, default=90, help="of the cohort's 'test' people, at most")
    parser.add_argument("--abide-people", type=int, default=240, help="about so many, all sites alike")
    parser.add_argument("--keep-checkpoints", action="store_true")
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--evaluate-only", action="store_true")
    parser.add_argument("--train-one", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Train, score, write the table."""
    args = arguments()
    runs = [Run(variant, int(seed), args.out) for variant in chosen(args.only) for seed in args.seeds.split(",")]
    if args.train_one:
        return train(runs[0], args)
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.evaluate_only:
        train_all([run for run in runs if not run.done], args)
    if not args.train_only:
        score_all(runs, args)
    return 0 if all(run.done for run in runs) else 1


def settings_of(run: Run, args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of one training."""
    threads = args.threads or max(1, (os.cpu_count() or 1) // args.workers)
    common = {
        "minutes": args.seconds / 60, "seed": run.seed, "threads": threads, "device": args.device, "batch": args.batch,
        "window_frames": args.window, "evaluate_every": args.evaluate_every, "checkpoint_every": 10**9,
    }  # fmt: skip
    own = run.variant.on_cuda if args.device == "cuda" else {}
    return settings_like(run.variant, **{**common, **args.settings, **own})


def settings_like(variant: Variant, **common: Any) -> dict[str, Any]:
    """Return settings that all variants have in common, with what this one changes."""
    return {**common, **variant.settings, "model": variant.model}


def train(run: Run, args: argparse.Namespace) -> int:
    """Train one variant, in this process."""
    from brainlm_engine.train import pretrain, settings_from

    run.folder.mkdir(parents=True, exist_ok=True)
    if (args.out / _LEVELS).is_file():  # the simple methods on the 'val' people are the same for all
        shutil.copy(args.out / _LEVELS, run.folder / _LEVELS)
    settings = settings_from(settings_of(run, args))
    made = pretrain(args.cohort, run.folder, settings, Said(), title=run.variant.title)
    if not (args.out / _LEVELS).is_file() and (run.folder / _LEVELS).is_file():
        shutil.copy(run.folder / _LEVELS, args.out / _LEVELS)
    if not args.keep_checkpoints:
        (run.folder / _CHECKPOINT).unlink(missing_ok=True)
    print(f"{made.steps} steps, {made.seconds:.1f} s, R2 of val people {made.validation_r2:.4f}", flush=True)
    return 0


class Said:
    """Lines of a training, into its log."""

    def __call__(self, fraction: float, stage: str = "") -> None:
        pass

    def log(self, line: str) -> None:
        print(line, flush=True)


def train_all(runs: list[Run], args: argparse.Namespace) -> None:
    """Train in processes of their own, so many at a time; one that fails does not stop the others."""
    waiting, running = list(runs), dict[Run, tuple[subprocess.Popen[bytes], float]]()
    while waiting or running:
        while waiting and len(running) < args.workers:
            run = waiting.pop(0)
            run.folder.mkdir(parents=True, exist_ok=True)
            words = without_value(sys.argv[1:], ("--only", "--seeds"))
            words += ["--only", run.variant.name, "--seeds", str(run.seed), "--train-one", run.variant.name]
            with (run.folder / _LOG).open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, __file__, *words], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
                )
            running[run] = process, time.monotonic()
        for run, (process, began) in list(running.items()):
            if process.poll() is not None:
                del running[run]
                told = last_line(run)
                state = "trained" if process.returncode == 0 else "FAILED"
                print(f"{state} {run.folder.name} in {time.monotonic() - began:.0f} s: {told}", flush=True)
        time.sleep(0.2)


def without_value(words: list[str], names: tuple[str, ...]) -> list[str]:
    """Return ``words`` without the options ``names`` and what follows each."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in names:
            skip = True
        elif not word.startswith(tuple(f"{name}=" for name in names)):
            kept.append(word)
    return kept


def last_line(run: Run) -> str:
    """Return the last thing that a training said."""
    try:
        lines = (run.folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "it was not trained"
    return lines[-1] if lines else "it said nothing"


def score_all(runs: list[Run], args: argparse.Namespace) -> None:
    """Score every trained variant and the simple methods, and write both files."""
    from ablation_scores import Plan, abide_file, score_folder

    columns = {
        "simulated": (args.cohort, args.people, "random"), "simulated_network": (args.cohort, args.people, "network")
    }  # fmt: skip
    if args.abide:
        columns["abide"] = (abide_file(args.abide), args.abide_people, "random")
    done = [run for run in runs if run.done]
    cores = os.cpu_count() or 1
    plan = Plan(columns, args.window, args.device, max(1, cores // args.workers))
    began = time.monotonic()
    with (
        ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as scorers,
        ProcessPoolExecutor(min(16, cores), mp_context=get_context("spawn")) as pool,
    ):
        waiting = {run: scorers.submit(score_folder, run.folder, plan) for run in done}
        simple, names = score_simple_methods(columns, args, pool)
        scores = {run: future.result() for run, future in waiting.items()}
    print(f"scored in {time.monotonic() - began:.0f} s", flush=True)
    result = {
        "command": shlex.join(["python", "tests/bench/ablation.py", *sys.argv[1:]]), "machine": machine(args),
        "seconds": args.seconds, "batch": args.batch, "window_frames": args.window, "workers": args.workers,
        "seeds": args.seeds, "settings": args.settings, "data": names, **compared(runs, scores, simple),
    }  # fmt: skip
    (args.out / "ablation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (args.out / "ablation.md").write_text(table(result), encoding="utf-8")
    print(table(result))


def score_simple_methods(
    columns: dict[str, tuple[Path, int, str]], args: argparse.Namespace, pool: ProcessPoolExecutor
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return method -> column -> scores, and what the data are called; kept in OUT for the next time."""
    from ablation_scores import score_simple

    from brainlm_engine.tasks.evaluate import persons_of

    kept = args.out / "simple.json"
    asked = {name: [str(path), *rest] for name, (path, *rest) in columns.items()}
    if kept.is_file() and (stored := json.loads(kept.read_text(encoding="utf-8")))["asked"] == asked:
        return stored["simple"], stored["names"]
    simple: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    persons: dict[Path, list[Any]] = {}
    for column, (path, most, kind) in columns.items():
        if path not in persons:
            people, _, names[column] = persons_of(path, most)
            persons[path] = list(people)
        for method, found in score_simple(persons[path], kind, args.window, pool).items():
            simple.setdefault(method, {})[column] = found.tolist()
    kept.write_text(json.dumps({"asked": asked, "simple": simple, "names": names}), encoding="utf-8")
    return simple, names


def compared(runs: list[Run], scores: dict[Run, Any], simple: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of all variants and of the simple methods, also as differences to the base line."""
    import numpy as np
    from ablation_scores import SIMPLE, summary

    variants = dict.fromkeys(run.variant.name for run in runs)
    rows = {name: line_of([run for run in runs if run.variant.name == name]) for name in variants}
    methods: dict[str, dict[str, Any]] = {method: {"title": SIMPLE[method]} for method in simple}
    for column in dict.fromkeys(column for found in [*scores.values(), *simple.values()] for column in found):
        found = {
            name: [scores[run][column] for run in scores if run.variant.name == name and scores[run][column]]
            for name in variants
        }
        reference = np.array(found[BASE]) if found.get(BASE) else None
        for name, seeds in found.items():
            if seeds:
                rows[name][column] = summary(np.array(seeds), None if name == BASE else reference)
                rows[name][column]["by_seed"] = [summary(np.array(one))["r2"] for one in seeds]
            elif "failed" not in rows[name]:
                rows[name][column] = {"cannot": "other atlas: cannot"}
        for method, figures in simple.items():
            if column in figures:
                methods[method][column] = summary(np.array(figures[column]), reference)
    return {"variants": rows, "simple": methods}


def line_of(runs: list[Run]) -> dict[str, Any]:
    """Return what is known of a variant, of its seeds together, before it is scored."""
    from brainlm_engine.models.card import Card

    variant = runs[0].variant
    line = {"title": variant.title, "group": variant.group, "settings": variant.settings, "model": variant.model}
    cards = [Card.load(run.folder) for run in runs if run.done]
    if not cards:
        return {**line, "failed": last_line(runs[0])}
    means = {
        key: round(sum(card.training[key] for card in cards) / len(cards), 1) for key in ("steps", "windows", "seconds")
    }
    looks = [card.info.figures["validation_r2_75"] for card in cards]
    return {**line, "parameters": cards[0].info.n_parameters, **means, "validation_r2": looks}


def machine(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the figures were made on."""
    import torch

    device = torch.cuda.get_device_name() if args.device == "cuda" else platform.processor() or platform.machine()
    return {
        "device": device,
        "processors": os.cpu_count(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def table(result: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    columns = {"simulated": "R² simulated", "abide": "R² ABIDE", "simulated_network": "R² whole network hidden"}
    columns = {key: title for key, title in columns.items() if key.partition("_")[0] in result["data"]}
    head = ["variant", "parameters", "windows seen"]
    for key, title in columns.items():
        head += [title] if key == "simulated_network" else [title, "minus base line"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    simple = [{**row, "title": f"*{row['title']}*"} for row in result["simple"].values()]
    for row in [*result["variants"].values(), *simple]:
        cells = [row["title"], f"{row['parameters']:,}" if "parameters" in row else ""]
        cells.append(f"{row['windows']:,.0f}" if "windows" in row else row.get("failed", "")[:80])
        for key in columns:
            cells += cells_of(row.get(key, {}), paired=key != "simulated_network")
        lines.append("| " + " | ".join(cells) + " |")
    known = [f"{name} ({row['people']} people)" for name, row in people_of(result)]
    note = (
        f"{result['seconds']:g} s of training each on {result['machine']['device']}, {result['workers']} at a time, "
        f"batches of {result['batch']} windows of {result['window_frames']} frames, seed {result['seeds']}; 75 % "
        f"hidden. Scored on {' and '.join(known)}. Intervals: 95 %, resampling people; differences are of the same "
        f"people.\n\n`{result['command']}`\n"
    )
    return "\n".join(lines) + "\n\n" + note


def people_of(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the data and somebody's figures on them."""
    found = []
    for key, name in result["data"].items():
        some = next((row[key] for row in result["variants"].values() if "people" in row.get(key, {})), None)
        found += [] if some is None else [(name, some)]
    return found


def cells_of(figures: dict[str, Any], *, paired: bool) -> list[str]:
    """Return the cells of one column."""
    if "r2" not in figures:
        return [figures.get("cannot", ""), *([""] if paired else [])]
    cells = [f"{figures['r2']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})"]
    if paired:
        ahead = "" if "minus_base" not in figures else (
            f"{figures['minus_base']:+.3f} ({figures['minus_low']:+.3f} to {figures['minus_high']:+.3f})"
        )  # fmt: skip
        cells.append(ahead)
    return cells


if __name__ == "__main__":
    sys.exit(main())
