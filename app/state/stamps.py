"""Requests carry a stamp; an answer to an old question is dropped."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stamp:
    """Which request this is, and the revision of what it asks about."""

    request: int
    revision: int

    @classmethod
    def of(cls, revision: int) -> Stamp:
        """Return a new stamp about ``revision``."""
        return cls(next(_numbers), revision)

    def fits(self, revision: int) -> bool:
        """Return True while the answer still belongs to what is on screen."""
        return self.revision == revision
