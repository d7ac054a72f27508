"""Shared fixtures: the folder of real recordings, and a home of its own for every test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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


@pytest.fixture(autouse=True)
def brainlm_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test has its own data, cache and run folder."""
    home = tmp_path / "home"
    monkeypatch.setenv("BRAINLM_HOME", str(home))
    yield home
