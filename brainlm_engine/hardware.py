"""What this computer has: cores, memory, graphics cards, disk. Nothing heavy is imported to find out."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

_GIB = 1 << 30


class Gpu(BaseModel):
    """One graphics card, as its driver reports it."""

    model_config = ConfigDict(frozen=True)

    name: str
    memory_total: int
    memory_free: int
    driver: str = ""


class Hardware(BaseModel):
    """What this computer has.

    Attributes
    ----------
    cores, threads : physical and logical processors
    memory_total, memory_free : bytes
    disk_free : bytes, where the study is kept
    torch : installed version, '' when there is none
    """

    model_config = ConfigDict(frozen=True)

    system: str
    python: str
    processor: str
    cores: int
    threads: int
    memory_total: int
    memory_free: int
    disk_free: int
    gpus: tuple[Gpu, ...]
    torch: str


def hardware(folder: Path) -> Hardware:
    """Look at this computer; ``folder`` is where the study is kept."""
    memory = psutil.virtual_memory()
    return Hardware(
        system=platform.platform(),
        python=platform.python_version(),
        processor=processor_name(),
        cores=psutil.cpu_count(logical=False) or 1,
        threads=os.cpu_count() or 1,
        memory_total=memory.total,
        memory_free=memory.available,
        disk_free=shutil.disk_usage(folder).free,
        gpus=gpus(),
        torch=installed_version("torch"),
    )


def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA cards, asked of the driver's own tool (no torch import)."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    fields = "name,memory.total,memory.free,driver_version"
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = []
    for line in answer.splitlines():
        name, total, free, driver = (value.strip() for value in line.split(","))
        found.append(Gpu(name=name, memory_total=int(total) << 20, memory_free=int(free) << 20, driver=driver))
    return tuple(found)


def memory_available() -> int:
    """Return the bytes that this process can still have: of the computer, its container or job, and its own limits."""
    return max(0, min(psutil.virtual_memory().available, _left_in_group(), _left_of_limits()))


def _left_in_group() -> int:
    """Return what the control groups that this process is in leave (Linux); pages of files can be given up."""
    left = sys.maxsize
    try:
        groups = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return left
    for line in groups:
        number, controllers, inside = line.split(":", 2)
        if number == "0":
            root, names = Path("/sys/fs/cgroup"), ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = Path("/sys/fs/cgroup/memory")
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        place = root / inside.lstrip("/")
        for folder in (place, *(parent for parent in place.parents if parent.is_relative_to(root))):
            left = min(left, _left_in(folder, *names))
    return left


def _left_in(folder: Path, limit: str, used: str, pages: str) -> int:
    try:
        most = int((folder / limit).read_text("utf-8"))
        held = int((folder / used).read_text("utf-8"))
        told = dict(line.split() for line in (folder / "memory.stat").read_text("utf-8").splitlines())
        return most - held + int(told.get(pages, 0))
    except (OSError, ValueError):  # no such group, or "max"
        return sys.maxsize


def _left_of_limits() -> int:
    """Return what the limits of this process leave (``ulimit -v`` and ``-d``)."""
    left = sys.maxsize
    if sys.platform == "win32":
        return left
    import resource

    memory = psutil.Process().memory_info()
    for kind, held in ((resource.RLIMIT_AS, memory.vms), (resource.RLIMIT_DATA, getattr(memory, "data", 0))):
        most, _ = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            left = min(left, most - held)
    return left


def describe_device() -> str:
    """Say in a few words what the engine computes on: 'NVIDIA H200' or 'CPU, 2 threads'."""
    cards = gpus()
    if cards and "+cpu" not in installed_version("torch"):
        return cards[0].name if len(cards) == 1 else f"{len(cards)} x {cards[0].name}"
    threads = os.cpu_count() or 1
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def installed_version(package: str) -> str:
    """Return the installed version of ``package``, '' when there is none. Does not import it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def processor_name() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def gib(n_bytes: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{n_bytes / _GIB:.1f} GiB"
