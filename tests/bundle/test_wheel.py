"""What is installed elsewhere is whole: the wheel carries both programs and every resource they read."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build from a clean export of what git tracks, as a release would."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in (file.decode() for file in files if file):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_every_resource_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(["git", "ls-files", "resources"], cwd=ROOT, capture_output=True, text=True, check=True)
    inside = set(wheel.namelist())
    assert [name for name in tracked.stdout.split() if name not in inside] == []


def test_both_programs_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = wheel.namelist()
    assert {name.split("/")[0] for name in inside if "dist-info" not in name} == {"app", "brainlm_engine", "resources"}
    points = wheel.read(next(name for name in inside if name.endswith("entry_points.txt"))).decode()
    assert "brainlm-studio = app.__main__:main" in points
    assert "brainlm-engine = brainlm_engine.cli:main" in points


def test_engine_needs_no_qt(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode()
    qt = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: PySide6")]
    assert qt
    assert all('extra == "engine"' not in line for line in qt)
