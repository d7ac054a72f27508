"""Shared fixtures: the folder of real recordings, and a home of its own for every test run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("BRAINLM_DEVICE", "cpu")  # results are compared with the processor's; engines inherit it


def shared_folder() -> Path:
    """Where real recordings lie, when they do."""
    return Path(os.environ.get("BRAINLM_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; absent means skipped, except in CI where it is an error."""
    folder = shared_folder()
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"shared data not found at {folder}")
        pytest.skip(f"shared data not found at {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_reference(shared_data: Path) -> Path:
    """The folder of the published code's inputs and outputs."""
    return shared_data.parent / "reference"


@pytest.fixture(autouse=True)
def brainlm_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has its own data, cache and run folder."""
    home = tmp_path / "home"
    monkeypatch.setenv("BRAINLM_HOME", str(home))
    return home


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test is a failure: there everything that can run must run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and not exitstatus:
        reporter.write_line(f"{len(skipped)} tests were skipped in CI, where all of them must run.", red=True)
        session.exitstatus = 1
