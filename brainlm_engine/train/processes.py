"""Several processes on this computer, started by ``torchrun`` for one training.

They speak to the one that asked for them: lines of JSON come back over standard output, "stop" goes in over standard
input. Where that ends, however it ended, so do they; and where one of them is killed, the others end within seconds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from brainlm_engine.progress import Progress
from brainlm_engine.train.faults import LostProcess
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.told import Told
from brainlm_engine.training_folder import checkpoint_step

RANK_MODULE = "brainlm_engine.train.rank"
_POLL_S = 0.1
#: a step, a checkpoint and the parting of the processes take no longer
STOPPING_S = 120.0
_END = ""
#: how torchrun tells which processes failed, and how
_FAILED = re.compile(r"rank\s*:\s*(\d+)[^\n]*\n\s*exitcode\s*:\s*(-?\d+)")


def train_in_processes(task: dict[str, Any], processes: int, progress: Progress) -> PretrainResult:
    """Start the processes, pass on what they say, and return what they made.

    Raises
    ------
    EngineError
        What any of them says, or one sentence about the one that was lost.
    """
    with tempfile.TemporaryDirectory(prefix="brainlm-train-") as folder, (Path(folder) / "errors").open("w+") as errors:
        file = Path(folder) / "task.json"
        file.write_text(json.dumps(task), encoding="utf-8")
        running = subprocess.Popen(
            command(processes, file), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            encoding="utf-8", env=environment(), start_new_session=True,  # Ctrl-C is ours to pass on
        )  # fmt: skip
        told = Told(progress, "Starting the processes")
        listening = _Listening(running, told)
        try:
            listening.listen()
        finally:
            assert running.stdin is not None
            running.stdin.close()  # whatever happened: they end now
            try:
                running.wait(STOPPING_S)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            listening.reader.join(STOPPING_S)
        errors.seek(0)
        return told.outcome(lost_process(errors.read(), processes, Path(task["out"])))


def command(processes: int, task: Path) -> list[str]:
    """Return the command that starts ``processes`` processes on this computer."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    return [*torchrun, "--nproc-per-node", str(processes), "--max-restarts", "0", "-m", RANK_MODULE, str(task)]


def environment() -> dict[str, str]:
    """Return the environment of the processes: this program is found, and nothing leaves this computer."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    chosen = {"OMP_NUM_THREADS": "1"}  # torchrun's own default, without its warning; the settings go before it
    if sys.platform == "win32":
        chosen["USE_LIBUV"] = "0"
    elif sys.platform == "linux":
        chosen["GLOO_SOCKET_IFNAME"] = "lo"
    return {**os.environ, **chosen, "PYTHONPATH": path}


def lost_process(errors: str, processes: int, out: Path) -> LostProcess:
    """Return the sentence about the process that ended without a word, as far as torchrun's ``errors`` tell."""
    failed = list(_FAILED.finditer(errors))
    # one that was killed, not by torchrun itself, is why the others failed, whichever torchrun noticed first
    found = min(failed, key=lambda process: (int(process[2]) >= 0, process[2] == "-15"), default=None)
    which, how = "A process", "ended without a word"
    next_step = again(out)
    if found:
        which, code = f"Process {int(found[1]) + 1} of {processes}", int(found[2])
        how = f"ended with the exit code {code}"
        if code < 0:
            how = f"was killed from outside ({_signal(-code)})"
            if -code == 9:
                next_step += " If nobody ended it, memory ran out: choose a smaller batch or fewer processes."
    return LostProcess(f"{which} of the training {how}; the others were ended too.", next_step, errors[-4000:])


def again(out: Path) -> str:
    """Say how to go on."""
    if step := checkpoint_step(out):
        return f"Start the same training again: it goes on from the checkpoint of step {step}."
    return "Start the same training again; it had no checkpoint yet."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Listening:
    """Reads what the processes say as it comes; passes a person's wish to stop on to them."""

    def __init__(self, running: subprocess.Popen[str], told: Told) -> None:
        self.running, self.told = running, told
        self.lines: SimpleQueue[str] = SimpleQueue()
        assert running.stdout is not None
        self.reader = threading.Thread(target=self._read, args=(running.stdout,), daemon=True)
        self.reader.start()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self.lines.put(line)
        self.lines.put(_END)

    def listen(self) -> None:
        """Pass on until the processes have ended, or took too long to stop."""
        until = float("inf")
        while time.monotonic() < until:
            try:
                line = self.lines.get(timeout=_POLL_S)
                if line == _END:
                    return
                self.told.hear(line)
            except Empty:
                pass
            if self.told.asks_to_stop():
                until = time.monotonic() + STOPPING_S
                self._stop()

    def _stop(self) -> None:
        assert self.running.stdin is not None
        try:
            self.running.stdin.write("stop\n")
            self.running.stdin.flush()
        except OSError:
            pass  # they have just ended
