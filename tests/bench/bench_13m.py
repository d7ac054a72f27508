"""The published 13M model in this program beside the same equations written plainly, with the same weights.

Run alone: ``python tests/bench/bench_13m.py [--only WORDS] [--rounds 2] [--bf16]``; about ten minutes on two quiet
cores, most of them for ``train batch 8``, whose plain side needs 13 GiB. One window is 424 parcels x 200 frames. Every
case runs in two processes of their own, one per model, which take turns, so that other work on the computer hits both;
each reports its peak memory (Linux) above what the process takes before there is a model (Python and torch). ``plain``
is ``plain_13m.py``, the published code operation by operation. Ratios are plain / ours: above 1 means that ours is
faster or smaller. On a busy computer trust the processors' time (CPU-s) more than the clock. The table at the end holds
the ratios beside the bars.

A training step of ours is what ``pretrain --accumulate`` does: the windows are run one after another, their gradients
added up (``--parts 1`` runs them together), and only hidden patches are asked for, since nothing else is in the loss.
Loss and gradients are those of the whole batch. The plain model keeps the visible patches in their natural order here,
as ours does in training, so both compute the same numbers.

"differs" is the largest difference between the two models' outputs, whose standard deviation is about 1; of a training
step, between their losses and between their gradients, relative to the largest gradient. The gradients of the
convolutions stand apart: those of the plain Conv2d are themselves off by one to several percent in fp32, against
fp64. For bf16 the distance of both models from the plain one in fp32 stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PARCELS, FRAMES, PATCH = 424, 200, 20
THREADS = 2


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    what: str  # 'infer', 'embed' or 'train'
    mask_ratio: float
    batch: int
    bf16: bool

    @property
    def name(self) -> str:
        hidden = "" if self.what == "embed" else f" mask {self.mask_ratio:g}"
        return f"{self.what}{hidden} batch {self.batch} {'bf16' if self.bf16 else 'fp32'}"


#: how many times faster than plain and how many times smaller each kind of case has to be, in fp32
BARS = {"infer": (2.0, 3.0), "embed": (None, None), "train": (2.2, 3.0)}


def cases(batches: list[int], *, bf16: bool) -> list[Case]:
    """Return every case in fp32, each followed by bf16 when that is asked for."""
    kinds = [(what, ratio, batch) for what, ratio in (("infer", 0.75), ("infer", 0.2)) for batch in batches]
    kinds += [("embed", 0.0, 1)] + [("train", 0.75, batch) for batch in batches]
    return [Case(*kind, half) for kind in kinds for half in ((False, True) if bf16 else (False,))]


# ---------------------------------------------------------------- the measured process


def write_weights(path: Path) -> None:
    """Fresh weights, moved a little so that every one of them matters: no bias is 0, no LayerNorm 1."""
    import torch
    from plain_13m import Plain13M
    from safetensors.torch import save_file

    torch.manual_seed(1)
    model = Plain13M()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    save_file({name: weight.contiguous() for name, weight in model.named_parameters()}, path)


def built(side: str, mask_ratio: float, weights: Path) -> Any:
    """Return one of the two models."""
    from plain_13m import Config, Plain13M
    from safetensors.torch import load_file

    config = Config(mask_ratio=mask_ratio)
    if side == "plain":
        model: Any = Plain13M(config)
    else:
        from brainlm_engine.models.brainlm_13m import BrainLM13M

        model = BrainLM13M.from_config({**asdict(config), "num_landmarks": 64, "segment_means_seq_len": 64})
    missing = model.load_state_dict(load_file(weights), strict=False)
    assert not missing.unexpected_keys
    assert all(key.endswith(".pe") for key in missing.missing_keys)
    return model


def child(side: str, case: Case, folder: Path, parts: int) -> None:
    """Prepare, run once for the answer, then once for every line that comes in; say how long, at the end the peak."""
    import torch
    from safetensors.torch import save_file
    from torch import Tensor

    import brainlm_engine.models.brainlm_13m  # noqa: F401  # the same libraries in both processes

    torch.set_num_threads(THREADS)
    idle = peak_mb()
    model = built(side, case.mask_ratio, folder / "weights.safetensors")
    draw = torch.Generator().manual_seed(0)
    signal = torch.randn(case.batch, PARCELS, FRAMES, generator=draw)
    xyz = (35 * torch.randn(PARCELS, 3, generator=draw)).expand(case.batch, -1, -1).contiguous()
    tokens = PARCELS * FRAMES // PATCH
    keep = int(tokens * (1 - case.mask_ratio))
    hidden = torch.stack([torch.randperm(tokens, generator=draw) >= keep for _ in range(case.batch)])
    noise = hidden + torch.arange(tokens) / tokens  # visible first, each kind in its natural order
    mask = hidden.view(case.batch, PARCELS, -1)
    queries = hidden.nonzero()[:, 1].view(case.batch, -1)
    precision = torch.autocast("cpu", torch.bfloat16) if case.bf16 else nullcontext()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> dict[str, Tensor]:
        if case.what == "train":
            optimizer.zero_grad()
            loss = torch.zeros(1)
            pieces = min(parts or case.batch, case.batch) if side == "ours" else 1
            for piece in torch.arange(case.batch).chunk(pieces):
                with precision:
                    if side == "ours":
                        asked = {"mask": mask[piece], "queries": queries[piece]}
                    else:
                        asked = {"noise": noise[piece]}
                    share = model(signal[piece], xyz[piece], **asked).loss * len(piece) / case.batch
                share.backward()
                loss += share.detach().float()
            optimizer.step()
            return {"loss": loss}
        with torch.inference_mode(), precision:
            if case.what == "embed":
                found = model.embed(signal, xyz)
                return {"latent": (found if isinstance(found, Tensor) else found[0]).float()}
            output = model(signal, xyz, **({"mask": mask} if side == "ours" else {"noise": noise}))
            return {"prediction": output.prediction.float(), "latent": output.latent.float()}

    # the first run warms up and is compared; a training step without dropout and from the common weights
    model.eval()
    start = time.perf_counter(), time.process_time()
    answer = run()
    first = time.perf_counter() - start[0], time.process_time() - start[1]
    if case.what == "train":
        used = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        answer |= {f"gradient {name}": gradient.float() for name, gradient in used.items()}
        model.train()
    name = f"{side}_{case.name}.safetensors"
    save_file({key: value.clone().contiguous() for key, value in answer.items()}, folder / name)
    del answer
    reply({"answer": (name, first)})
    for _ in sys.stdin:
        start = time.perf_counter(), time.process_time()
        run()
        reply({"seconds": (time.perf_counter() - start[0], time.process_time() - start[1])})
    reply({"peak_mb": peak_mb() - idle})


def reply(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def peak_mb() -> float:
    """Return the most memory this process held so far; NaN where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


# ---------------------------------------------------------------- the process that compares


class Runner:
    """One model in a process of its own."""

    def __init__(self, side: str, case: Case, folder: Path, parts: int) -> None:
        path = os.pathsep.join(filter(None, [str(HERE.parents[1]), str(HERE), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}  # a waiting one does not spin
        command = [sys.executable, str(HERE / "bench_13m.py"), "--child", side, json.dumps(asdict(case)), str(folder)]
        command += ["--parts", str(parts)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def heard(self, key: str) -> Any:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)[key]
        raise SystemExit(f"a measured process ended early (exit code {self.process.wait()})")

    def seconds(self) -> tuple[float, float]:
        """Run once; return the time on the clock and the processors' time."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        clock, processors = self.heard("seconds")
        return clock, processors

    def end(self) -> float:
        assert self.process.stdin
        self.process.stdin.close()
        peak = float(self.heard("peak_mb"))
        self.process.wait()
        return peak


def difference(first: Path, second: Path) -> dict[str, float]:
    """Return the largest difference per output; of gradients, relative to the largest gradient."""
    from safetensors.numpy import load_file

    one, two = load_file(first), load_file(second)
    assert one.keys() == two.keys()
    found = {key: float(abs(one[key] - two[key]).max()) for key in one if not key.startswith("gradient")}
    gradients = [key for key in one if key.startswith("gradient")]
    for name, of_conv in (("gradient", False), ("convolution's gradient", True)):
        if gradients:
            largest = max(abs(two[key]).max() for key in gradients)
            chosen = [key for key in gradients if ("conv" in key) == of_conv]
            found[name] = float(max(abs(one[key] - two[key]).max() for key in chosen) / largest)
    return found


def in_words(found: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.1e}" for key, value in found.items())


def compare(case: Case, folder: Path, rounds: int, sides: tuple[str, ...], parts: int) -> str:
    """Measure one case, print its lines, and return its line of the table."""
    runners, answers = {}, {}
    times: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
    for side in sides:  # one after the other: together they would not fit into memory
        runners[side] = Runner(side, case, folder, parts)
        name, first = runners[side].heard("answer")
        answers[side] = folder / name
        times[side] += [first] if rounds == 0 else []
    for _ in range(rounds):
        for side in sides:
            times[side].append(runners[side].seconds())
    clock, work = ({side: statistics.median(t[i] for t in times[side]) for side in sides} for i in (0, 1))
    peak = {side: runners[side].end() for side in sides}
    print(f"{case.name}: " + ", ".join(f"{s} {clock[s]:.2f} s ({work[s]:.2f} CPU-s) {peak[s]:.0f} MB" for s in sides))
    if len(sides) == 2:
        print("  differs: " + in_words(difference(answers["ours"], answers["plain"])))
    exact = folder / f"plain_{Case(case.what, case.mask_ratio, case.batch, bf16=False).name}.safetensors"
    if case.bf16 and exact.exists():
        for side in sides:
            print(f"  {side} bf16 from plain fp32: " + in_words(difference(answers[side], exact)))
    if len(sides) == 2:
        ratios = {"time": clock, "cpu": work, "memory": peak}
        shown = " ".join(f"{name} {found['plain'] / found['ours']:.2f}" for name, found in ratios.items())
        print(f"RATIO {case.name.replace(' ', '_')} plain/ours: {shown}", flush=True)
        return row(case, ratios["cpu"]["plain"] / ratios["cpu"]["ours"], clock, peak)
    return ""


def row(case: Case, faster: float, clock: dict[str, float], peak: dict[str, float]) -> str:
    """Return a line of the table: figures, and whether they reach the bars."""
    smaller = peak["plain"] / peak["ours"]
    told = []
    for ratio, bar in zip((faster, smaller), (None, None) if case.bf16 else BARS[case.what], strict=True):
        told.append(f"{ratio:.2f}" + ("" if bar is None else f" (bar {bar:g}: {'yes' if ratio >= bar else 'NO'})"))
    return (
        f"| {case.name} | {clock['plain']:.2f} | {clock['ours']:.2f} | {told[0]} | {peak['plain']:.0f} | "
        f"{peak['ours']:.0f} | {told[1]} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", default="1,4,8", help="windows at once")
    parser.add_argument(
        "--rounds", type=int, default=2, help="timed runs (a training step: half); 0: the first, cold one"
    )
    parser.add_argument("--parts", type=int, default=0, help="that a step of ours is run in; 0: one per window")
    parser.add_argument("--bf16", action="store_true", help="half precision too")
    parser.add_argument("--only", default="", help="cases whose name holds these words, as in 'train batch 4'")
    parser.add_argument("--plain", action="store_true", help="the plain model alone")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        side, case, folder = args.child
        child(side, Case(**json.loads(case)), Path(folder), args.parts)
        return
    sys.path.insert(0, str(HERE))
    batches = [int(word) for word in args.batches.split(",")]
    chosen = [case for case in cases(batches, bf16=args.bf16) if args.only in case.name]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_weights(folder / "weights.safetensors")
        for case in chosen:
            rounds = -(-args.rounds // 2) if case.what == "train" else args.rounds
            rows.append(compare(case, folder, rounds, ("plain",) if args.plain else ("plain", "ours"), args.parts))
    print(
        "| case | plain s | ours s | faster (CPU time) | plain MB | ours MB | smaller |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
