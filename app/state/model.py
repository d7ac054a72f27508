"""The base of every state object."""

from __future__ import annotations

from typing import Any

from psygnal import EventedModel, SignalInstance
from pydantic import ConfigDict


class State(EventedModel):
    """A pydantic model whose fields can be watched with :meth:`on`. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False, arbitrary_types_allowed=True)

    def on(self, field: str) -> SignalInstance:
        """Return the signal that fires with the new value when ``field`` changes."""
        return self.events[field]

    def put(self, **values: Any) -> None:
        """Set several fields; each one that changes fires once."""
        for name, value in values.items():
            setattr(self, name, value)
