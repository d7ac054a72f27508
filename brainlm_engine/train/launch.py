"""The door to training: in this process, as one of several that were started together, or by starting them.

Several processes on one computer are started by ``torchrun`` and speak to the one that asked for them: lines of JSON
come back over standard output, "stop" goes in over standard input. Where that ends, however it ended, so do they.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from brainlm_engine.api.errors import BadInput, Cancelled, EngineError, from_info
from brainlm_engine.api.messages import ErrorInfo
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.fabric_team import FabricTeam, check_shares, seat
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.loop import pretrain as pretrain_here
from brainlm_engine.train.settings import TrainSettings

RANK_MODULE = "brainlm_engine.train.rank"
_POLL_S = 0.1
#: a step, a checkpoint and the parting of the processes take no longer
_STOPPING_S = 120.0
_END = ""


def pretrain(
    cohort_folder: Path,
    out: Path,
    settings: TrainSettings,
    progress: Progress = SILENT,
    *,
    title: str = "",
    joins: bool = True,
) -> PretrainResult:
    """Train as :func:`brainlm_engine.train.loop.pretrain` does, in as many processes as the settings say.

    Parameters
    ----------
    joins : a process that torchrun or SLURM started with others joins them, and ``devices`` and ``nodes`` are theirs;
        False for a worker that has another purpose and only happens to have been started that way
    """
    place = seat() if joins else None
    if place is not None:
        team = FabricTeam(settings, place)
        try:
            return pretrain_here(cohort_folder, out, settings, progress, title=title, team=team)
        finally:
            team.leave()
    if settings.nodes > 1:
        raise BadInput(
            f"A training on {settings.nodes} computers is started on each of them.",
            "Give the same command behind srun, or behind torchrun --nnodes, on every computer.",
        )
    check_shares(settings, settings.devices)
    if settings.devices == 1:
        return pretrain_here(cohort_folder, out, settings, progress, title=title)
    task = {"cohort": str(cohort_folder), "out": str(out), "title": title, "settings": settings.model_dump(mode="json")}
    return _launched(task, settings.devices, progress)


def _launched(task: dict[str, Any], processes: int, progress: Progress) -> PretrainResult:
    """Start the processes, pass on what they say, and return what they made."""
    with tempfile.TemporaryDirectory(prefix="brainlm-train-") as folder, (Path(folder) / "errors").open("w+") as errors:
        file = Path(folder) / "task.json"
        file.write_text(json.dumps(task), encoding="utf-8")
        running = subprocess.Popen(
            command(processes, file), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            encoding="utf-8", env=environment(), start_new_session=True,  # Ctrl-C is ours to pass on
        )  # fmt: skip
        told = _Told(running, progress)
        try:
            told.listen()
        finally:
            assert running.stdin is not None
            running.stdin.close()  # whatever happened: they end now
            try:
                running.wait(_STOPPING_S)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            told.reader.join(_STOPPING_S)
        errors.seek(0)
        return told.outcome(errors.read()[-4000:])


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


class _Told:
    """What the processes say, passed on; a person's wish to stop, passed on to them."""

    def __init__(self, running: subprocess.Popen[str], progress: Progress) -> None:
        self.running, self.progress = running, progress
        self.lines: SimpleQueue[str] = SimpleQueue()
        self.where: tuple[float, str] = (0.0, "Starting the processes")
        self.result: dict[str, Any] | None = None
        self.error: EngineError | None = None
        self.stopped: BaseException | None = None
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
                self._pass_on(line)
            except Empty:
                pass
            if self.stopped is None:
                try:
                    self.progress(*self.where)
                except BaseException as error:  # Ctrl-C too
                    self.stopped = error
                    until = time.monotonic() + _STOPPING_S
                    self._stop()

    def _stop(self) -> None:
        assert self.running.stdin is not None
        try:
            self.running.stdin.write("stop\n")
            self.running.stdin.flush()
        except OSError:
            pass  # they have just ended

    def _pass_on(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return  # some library's own print
        if not isinstance(said, dict):
            return
        if "stage" in said:
            self.where = (said["fraction"], said["stage"])
        elif "log" in said:
            self.progress.log(said["log"])
        elif "result" in said:
            self.result = said["result"]
        elif "error" in said:
            error = from_info(ErrorInfo.model_validate(said["error"]))
            if self.error is None or isinstance(self.error, Cancelled):
                self.error = error

    def outcome(self, errors: str) -> PretrainResult:
        """Return what was made, or raise what went wrong."""
        if self.stopped is not None:
            raise self.stopped
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise EngineError(
                "A process of the training ended without a word.", "Go on from the last checkpoint.", errors
            )
        return PretrainResult(**{**self.result, "folder": Path(self.result["folder"])})
