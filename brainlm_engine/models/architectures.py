"""Every architecture by the name its config.json carries. A new one is a file beside ``studio.py`` and a line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from brainlm_engine.models.base import MaskedModel


@dataclass(frozen=True)
class Architecture:
    """Where an architecture lives; imported only when a model of it is loaded."""

    title: str
    module: str
    class_name: str

    def model_class(self) -> type[MaskedModel]:
        """Import and return the class."""
        found: type[MaskedModel] = getattr(importlib.import_module(self.module), self.class_name)
        return found


ARCHITECTURES: dict[str, Architecture] = {
    "studio": Architecture("Studio masked autoencoder", "brainlm_engine.models.studio", "Studio"),
}
