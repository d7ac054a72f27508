"""Training and inference on one graphics processor: every size of our model and the published 13M architecture.

Run: ``python tests/bench/bench_gpu.py [--models base,13m] [--minutes 6] [--profile] [--json FILE]``. Synthetic windows
of 424 parcels x 200 frames with 75 % hidden, already on the device; every model in a process of its own, which is
stopped when its time is over: what it had measured stays. A row that fails says why and the rest goes on.

The batch is found by doubling, layers as they stand, until memory ends or a window gains less than 3 %. Times are of
whole training steps (loss, gradient, clipping, AdamW, averaged weights), each waited for. MFU is the share of the
card's dense bfloat16 peak by its data sheet that goes into model FLOPs by the formula in ``gpu_models.py``; "counted"
is what torch's own formulas count, padding and recomputation inside attention included. float32 means no TF32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]  # started as a file, from anywhere
ORDER = ("base", "13m", "small", "large", "tiny")
MOST, GAIN = 1024, 1.03
CHECK, CHECK_S = "check", 90.0
HEAD = (
    "| model | precision | layers | batch | windows/s | ms/step | peak GB | TFLOP/s model | TFLOP/s counted | MFU |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--models", default=",".join(ORDER), help="in this order")
    parser.add_argument("--minutes", type=float, default=6.0, help="for everything")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--parcels", type=int, default=424)
    parser.add_argument("--batch", type=int, default=16, help="to begin doubling with")
    parser.add_argument("--most", type=int, default=MOST, help="largest batch tried")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--check", action="store_true", help="first compare the device with the processor")
    parser.add_argument("--profile", action="store_true", help="the 25 longest kernels of a step of the first model")
    parser.add_argument("--json", type=Path, default=Path("bench_gpu.json"))
    parser.add_argument("--child", metavar="MODEL", help=argparse.SUPPRESS)
    return parser.parse_args()


# ---------------------------------------------------------------- one model, in a process of its own


def say(**row: Any) -> None:
    """Give one result to the parent, at once."""
    print("ROW " + json.dumps(row), flush=True)


class Bench:
    """All measurements of one model."""

    def __init__(self, args: argparse.Namespace, name: str) -> None:
        import torch

        self.args, self.name, self.torch = args, name, torch
        self.cuda = args.device == "cuda"
        self.precision = "bf16" if self.cuda else "32"
        self.memory_ended = False

    def learner(self, **changes: Any) -> Any:
        """Return a fresh learner and its settings."""
        from gpu_models import learner_for, settings_for

        settings = settings_for(self.name, device=self.args.device, **{"precision": self.precision, **changes})
        return learner_for(settings, self.args.parcels), settings

    def measure(self, learner: Any, settings: Any, batch: int, seconds: float) -> dict[str, Any] | None:
        """Return the figures of training with ``batch`` windows, None when they do not fit."""
        from gpu_models import training_flops, windows

        from brainlm_engine.train.faults import free_memory
        from brainlm_engine.train.speed import memory_mb
        from brainlm_engine.train.step import train_step

        free_memory()
        if self.cuda:
            self.torch.cuda.reset_peak_memory_stats()
        data = windows(settings, batch, self.args.parcels)
        learner.parts = 1
        for _ in range(2):
            train_step(learner, data, settings)
            if learner.parts > 1:
                return None
        times = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(times) < 3:
            began = time.perf_counter()
            train_step(learner, data, settings)
            times.append(time.perf_counter() - began)
        step_s = sum(times) / len(times)
        model = training_flops(learner.model, self.args.parcels, settings.queries)
        return {
            "model": self.name, "precision": settings.precision, "compiled": learner.runner.compiles, "batch": batch,
            "windows_per_s": batch / step_s, "ms": 1e3 * step_s, "peak_mb": memory_mb(settings.device),
            "model_flops": model * batch / step_s,
            "counted_flops": self.counted(learner, data, settings) * batch / step_s,
        }  # fmt: skip

    def counted(self, learner: Any, data: Any, settings: Any) -> int:
        """Return the operations of learning from one window as torch counts them."""
        from brainlm_engine.train.compiled import one_window
        from brainlm_engine.train.speed import Arithmetic

        with Arithmetic() as counter:
            one_window(learner, data, settings)
        return counter.flops

    def as_they_stand(self) -> int:
        """Double the batch while it pays; return the best."""
        learner, settings = self.learner(compile="off")
        best: dict[str, Any] | None = None
        batch = self.args.batch
        while batch <= self.args.most:
            row = self.measure(learner, settings, batch, self.args.seconds / 3)
            if row is None:
                self.memory_ended = True
                break
            if best is not None and row["windows_per_s"] < GAIN * best["windows_per_s"]:
                break
            best, batch = row, 2 * batch
        if best is None:
            raise MemoryError(f"{batch} windows do not fit")
        say(**best)
        return int(best["batch"])

    def compiled(self, batch: int) -> Any:
        """Measure compiled layers; when memory ended the doubling, with twice as many windows too."""
        import torch._dynamo
        from gpu_models import windows

        from brainlm_engine.train.compiled import check_compiled
        from brainlm_engine.train.step import alone

        kept = None
        for windows_now in (batch, 2 * batch)[: 1 + self.memory_ended]:
            torch._dynamo.reset()
            learner, settings = self.learner(compile="on")
            began = time.perf_counter()
            told = check_compiled(learner, windows(settings, windows_now, self.args.parcels), settings, alone(settings))
            say(note=f"{self.name}: {told} ({time.perf_counter() - began:.0f} s)")
            if not learner.runner.compiles:
                break
            row = self.measure(learner, settings, windows_now, self.args.seconds)
            if row is None:
                break
            say(**row)
            kept = kept or (learner, settings)
        return kept

    def single(self, batch: int) -> None:
        """float32, with a quarter of the windows: it needs twice the memory."""
        if self.precision == "32":
            return
        learner, settings = self.learner(compile="off", precision="32")
        row = self.measure(learner, settings, max(1, batch // 4), self.args.seconds)
        if row is not None:
            say(**row)

    def inference(self, batch: int) -> None:
        """All parcels of all patches, without gradients."""
        from gpu_models import windows

        from brainlm_engine.train.precision import autocast

        learner, settings = self.learner(compile="off")
        data, count, began = windows(settings, batch, self.args.parcels), 0, 0.0
        with self.torch.inference_mode(), autocast(settings):
            while count < 3 or time.perf_counter() - began < self.args.seconds / 2:
                out = learner.average(data.signal, data.xyz, mask=data.hidden, tr_s=data.tr_s)
                float(out.loss)  # waits for the device
                began = began or time.perf_counter()  # the first one warms up
                count += 1
        say(inference=self.name, batch=batch, windows_per_s=batch * (count - 1) / (time.perf_counter() - began))

    def forms(self, batch: int) -> None:
        """Small choices inside a step, each in the forms that compute the same."""
        from gpu_kernels import forms

        for name, ms in forms(self.args.device, min(batch, 64)):
            say(note=f"{name}: {ms:.2f} ms ({min(batch, 64)} windows of base, with the gradient)")

    def profile(self, compiled: Any, batch: int) -> None:
        """The longest kernels of two steps; of compiled layers where there are any."""
        from gpu_models import windows
        from torch.profiler import ProfilerActivity, profile

        from brainlm_engine.train.step import train_step

        learner, settings = compiled or self.learner(compile="off")
        data = windows(settings, batch, self.args.parcels)
        train_step(learner, data, settings)
        kinds = [ProfilerActivity.CPU, ProfilerActivity.CUDA] if self.cuda else [ProfilerActivity.CPU]
        with profile(activities=kinds) as seen:
            for _ in range(2):
                train_step(learner, data, settings)
        by = "self_cuda_time_total" if self.cuda else "self_cpu_time_total"
        say(profile=seen.key_averages().table(sort_by=by, row_limit=25, max_name_column_width=90), model=self.name)


def child(args: argparse.Namespace) -> None:
    """Measure one model, most important first."""
    bench = Bench(args, args.child)
    if args.child == CHECK:
        from gpu_checks import checks

        for sentence in checks(args.device):
            say(note=sentence)
        return
    batch = bench.as_they_stand()
    attempts: list[tuple[str, Callable[[], None]]] = []
    kept: list[Any] = []
    if not args.no_compile:
        attempts.append(("compiled", lambda: kept.append(bench.compiled(batch))))
    if args.profile:
        attempts.append(("profile", lambda: bench.profile(next(filter(None, kept), None), batch)))
        attempts.append(("forms", lambda: bench.forms(batch)))
    attempts += [("inference", lambda: bench.inference(min(64, batch))), ("float32", lambda: bench.single(batch))]
    for name, attempt in attempts:
        try:
            attempt()
        except Exception as error:
            say(note=f"{args.child}, {name}: failed, {type(error).__name__}: {str(error).strip()[:300]}")


# ---------------------------------------------------------------- all models


def rows_of(args: argparse.Namespace, name: str, seconds: float) -> list[dict[str, Any]]:
    """Run the process of one model and return what it had measured when it ended or its time was over."""
    words = [word for word in sys.argv[1:] if word != "--profile" or name == args.models.split(",")[0]]
    command = [sys.executable, str(HERE / "bench_gpu.py"), *words, "--child", name]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, errors = running.communicate(timeout=seconds)
        why = f"ended with {running.returncode}: {errors.strip()[-300:]}" if running.returncode else ""
    except subprocess.TimeoutExpired:
        running.kill()
        out, errors = running.communicate()
        why = f"stopped after {seconds:.0f} s"
    rows = [json.loads(line[4:]) for line in out.splitlines() if line.startswith("ROW ")]
    return [*rows, {"note": f"{name}: {why}"}] if why else rows


def line(row: dict[str, Any], peak: float | None) -> str:
    """Return one row of the table."""
    mfu = f"{row['model_flops'] / peak:.1%}" if peak and row["precision"] == "bf16" else ""
    layers = "compiled" if row["compiled"] else "as they stand"
    speed = f"{row['windows_per_s']:.4g} | {row['ms']:.1f} | {row['peak_mb'] / 1e3:.1f}"
    flops = f"{row['model_flops'] / 1e12:.4g} | {row['counted_flops'] / 1e12:.4g} | {mfu}"
    return f"| {row['model']} | {row['precision']} | {layers} | {row['batch']} | {speed} | {flops} |"


def main() -> None:
    """Measure all models and print the table."""
    args = arguments()
    if args.child:
        child(args)
        return
    import torch
    from gpu_models import MODELS, settings_for

    from brainlm_engine.train.speed import peak_flops

    names = args.models.split(",")
    if strange := [name for name in names if name not in MODELS]:
        raise SystemExit(f"No model is called {strange[0]}; there are {', '.join(MODELS)}.")
    there = torch.cuda.is_available()
    if args.device == "cuda" and not there:
        raise SystemExit("This computer has no NVIDIA graphics processor that torch can use: --device cpu.")
    card = torch.cuda.get_device_name() if args.device == "cuda" else "processor"
    peak = peak_flops(settings_for("tiny", device=args.device, precision="bf16"))
    print(
        f"{card}, torch {torch.__version__}, peak {f'{peak / 1e12:.0f} TFLOP/s' if peak else 'unknown'} in bfloat16\n"
    )
    until = time.monotonic() + 60 * args.minutes
    rows: list[dict[str, Any]] = []
    if args.check:
        rows += rows_of(args, CHECK, CHECK_S)
        print(*(row["note"] for row in rows), sep="\n", end="\n\n", flush=True)
    print(HEAD)
    for place, name in enumerate(names):
        left = until - time.monotonic()
        if left < 10:
            rows.append({"note": f"{name}: no time was left"})
            continue
        share = (
            left
            if place == len(names) - 1
            else max(left / (len(names) - place), min(left, 150.0 if place == 0 else 60.0))
        )
        for row in rows_of(args, name, share):
            rows.append(row)
            if "windows_per_s" in row and "model_flops" in row:
                print(line(row, peak), flush=True)
        args.json.write_text(
            json.dumps({"card": card, "torch": torch.__version__, "peak": peak, "rows": rows}, indent=1)
        )
    print()
    for row in rows:
        if "note" in row and not row["note"].startswith(CHECK):
            print(row["note"])
        if "inference" in row:
            print(f"inference {row['inference']}, batch {row['batch']}: {row['windows_per_s']:.4g} windows/s")
    for row in rows:
        if "profile" in row:
            print(f"\nTwo steps of {row['model']}:\n{row['profile']}")


if __name__ == "__main__":
    main()
