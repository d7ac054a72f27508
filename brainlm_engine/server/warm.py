"""What the interactive worker keeps at hand: opened scans, atlases, recordings and models, the last few used."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LastUsed(Generic[T]):
    """The last ``size`` things used, by key. Safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: Hashable) -> T | None:
        """Return what is held under ``key``, or None."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
            return self._things.get(key)

    def put(self, key: Hashable, thing: T) -> T:
        """Hold ``thing`` under ``key``; the least recently used one goes when there are too many."""
        with self._lock:
            self._things[key] = thing
            self._things.move_to_end(key)
            while len(self._things) > self._size:
                self._things.popitem(last=False)
        return thing

    def get_or_make(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is held under ``key``, made now if need be."""
        found = self.get(key)
        return found if found is not None else self.put(key, make())

    def drop(self, key: Hashable) -> None:
        """Let go of one thing."""
        with self._lock:
            self._things.pop(key, None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._things.clear()


class Warm:
    """All that is held warm on one interactive worker.

    ``opened`` remembers how each scan was opened (path and answers), so that one that fell out is opened again.
    ``perturbed`` counts perturbations asked for, so that what was overtaken can end. ``search`` is the search of a
    change that is going on, or the last one.
    """

    def __init__(self) -> None:
        self.scans: LastUsed[Any] = LastUsed(6)
        self.opened: dict[str, tuple[str, dict[str, str]]] = {}
        self.atlases_on_scans: LastUsed[Any] = LastUsed(4)
        self.recordings: LastUsed[Any] = LastUsed(8)
        self.models: LastUsed[Any] = LastUsed(3)
        self.maps: LastUsed[Any] = LastUsed(16)
        self.networks: LastUsed[Any] = LastUsed(6)
        self.previews: LastUsed[Any] = LastUsed(2)
        self.goals: LastUsed[Any] = LastUsed(4)
        self.perturbed = 0
        self.search: Any = None

    def clear(self) -> None:
        """Let go of everything."""
        for things in (self.scans, self.atlases_on_scans, self.recordings, self.models, self.maps):
            things.clear()
        for made in (self.networks, self.previews, self.goals):
            made.clear()
