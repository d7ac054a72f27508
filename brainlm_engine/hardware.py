"""What this computer has: cores, memory, graphics cards, disk. Nothing heavy is imported to find out."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
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
