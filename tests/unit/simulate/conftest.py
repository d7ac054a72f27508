"""One simulator for the tests of this folder, and what stops work in the middle."""

from __future__ import annotations

import pytest

from brainlm_engine.api.errors import Cancelled
from brainlm_engine.atlas import Atlas, load_atlas
from brainlm_engine.simulate import Simulator


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    """The default atlas."""
    return load_atlas("mni424")


@pytest.fixture(scope="session")
def simulator(atlas: Atlas) -> Simulator:
    """People of a seed that nothing was tuned on."""
    return Simulator(atlas, seed=11)


class StopAt:
    """A progress that is cancelled once ``fraction`` is reached, and remembers what it was told."""

    def __init__(self, fraction: float = 2.0) -> None:
        self.fraction = fraction
        self.seen: list[float] = []
        self.lines: list[str] = []

    def __call__(self, fraction: float, stage: str = "") -> None:
        self.seen.append(fraction)
        if fraction >= self.fraction:
            raise Cancelled("Stopped.", "")

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def stop_at() -> type[StopAt]:
    """The class itself: each test says where to stop."""
    return StopAt
