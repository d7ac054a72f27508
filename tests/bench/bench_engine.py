"""How quick is the line between app and engine? Round trips against a bare local socket; how soon a loss is noticed.

Runs a real engine in a temporary study folder. ``python tests/bench/bench_engine.py``
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil

SHAPE = (91, 109, 91)


def main() -> None:
    """Run all measurements."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BRAINLM_HOME"] = folder
        bare = bare_socket(np.zeros((424, 200), np.float32))
        print(f"reference: 424 x 200 float32 over a bare local socket, median {bare:.2f} ms")
        asyncio.run(measure(Path(folder), bare))


async def measure(folder: Path, bare: float) -> None:
    """Measure against the reference ``bare`` (ms)."""
    from brainlm_engine.api.client import EngineClient

    gap = asyncio.create_task(longest_gap())
    begin = time.perf_counter()
    client = await EngineClient.connect()
    connected = time.perf_counter() - begin
    await client.ping()
    ready = time.perf_counter() - begin
    gap.cancel()
    print(f"engine started and connected in {connected:.2f} s, first answer after {ready:.2f} s")
    print(f"longest time this process's own event loop stood still meanwhile: {1000 * await gap:.0f} ms")

    row("ping", await times(client.ping, 300), bare)
    row("424 x 200 float32", await times(lambda: client.echo((424, 200)), 300), bare)
    path = folder / "scan.nii"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random((*SHAPE, 20), np.float32), np.diag([2, 2, 2, 1])), path)
    scan_id = (await client.open_scan(path, {"tr": "2"})).message.scan_id
    place = iter(range(10**6))

    def slices() -> Awaitable[object]:
        n = next(place)
        return client.slices(scan_id, n % 20, (n % 91, n % 109, n % 91))

    row("three slices of 91 x 109 x 91", await times(slices, 300), bare)
    row("one voxel over time", await times(lambda: client.series(scan_id, (next(place) % 91, 50, 50)), 300), bare)
    await jobs(client)
    await loss(client)


async def jobs(client: object) -> None:
    """How soon a job's start and its cancelling are seen."""
    from brainlm_engine.api.client import EngineClient

    assert isinstance(client, EngineClient)
    seen: dict[str, float] = {}
    client.on_job(lambda job: seen.setdefault(str(job.state), time.perf_counter()))
    await ended(client, (await client.submit("self-test", {"seconds": 0, "megabytes": 1})).job_id)
    start, cancel = [], []
    for _ in range(10):
        seen.clear()
        begin = time.perf_counter()
        job = await client.submit("self-test", {"seconds": 60, "megabytes": 1})
        while "running" not in seen:
            await asyncio.sleep(0.001)
        start.append(1000 * (seen["running"] - begin))
        await asyncio.sleep(0.15)
        begin = time.perf_counter()
        await client.cancel(job.job_id)
        while "cancelled" not in seen:
            await asyncio.sleep(0.001)
        cancel.append(1000 * (seen["cancelled"] - begin))
    print(f"job seen running after {np.median(start):.0f} ms (max {max(start):.0f}), "
          f"seen cancelled after {np.median(cancel):.0f} ms (max {max(cancel):.0f})")  # fmt: skip


async def loss(client: object) -> None:
    """Kill the engine: how soon is it noticed?"""
    from brainlm_engine.api.client import EngineClient

    assert isinstance(client, EngineClient)
    tree = [psutil.Process((await client.info()).pid)]
    tree += tree[0].children(recursive=True)
    noticed: list[float] = []
    client.on_lost(lambda _: noticed.append(time.perf_counter()))
    begin = time.perf_counter()
    tree[0].kill()
    while not noticed:
        await asyncio.sleep(0.001)
    print(f"killed engine noticed after {1000 * (noticed[0] - begin):.0f} ms")
    before = threading.active_count()
    await client.close()
    psutil.wait_procs(tree, timeout=10)
    left = sum(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in tree)
    print(f"threads before and after closing: {before}, {threading.active_count()}; processes left: {left}")


async def ended(client: object, job_id: str) -> None:
    """Wait for a job."""
    while not (await client.job(job_id)).state.ended:  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)


async def times(ask: Callable[[], Awaitable[object]], n: int) -> np.ndarray:
    """Return ``n`` round trips in ms, after ten to warm up."""
    out = np.empty(n + 10)
    for i in range(n + 10):
        begin = time.perf_counter()
        await ask()
        out[i] = 1000 * (time.perf_counter() - begin)
    return out[10:]


async def longest_gap() -> float:
    """Return the longest time between two turns of the event loop, in s, when cancelled."""
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


def row(name: str, ms: np.ndarray, bare: float) -> None:
    """Print one line."""
    p50, p95, p99 = np.percentile(ms, [50, 95, 99])
    print(f"{name:<32} p50 {p50:6.2f}  p95 {p95:6.2f}  p99 {p99:6.2f} ms   {p50 / bare:5.1f} x bare socket")


def bare_socket(array: np.ndarray) -> float:
    """Return the median round trip of ``array`` from another process over a local socket, in ms."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_answer, args=(there, array))
    process.start()
    out = []
    for _ in range(300):
        begin = time.perf_counter()
        here.send_bytes(b"?")
        np.frombuffer(here.recv_bytes(), array.dtype).reshape(array.shape)
        out.append(1000 * (time.perf_counter() - begin))
    here.send_bytes(b".")
    process.join()
    return float(np.median(out[10:]))


def _answer(line: Connection, array: np.ndarray) -> None:
    while line.recv_bytes() == b"?":
        line.send_bytes(array.tobytes())


if __name__ == "__main__":
    main()
