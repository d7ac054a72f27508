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
    published: bool = False
    """made by others: read from their config.json, which does not name it"""

    def model_class(self) -> type[MaskedModel]:
        """Import and return the class."""
        found: type[MaskedModel] = getattr(importlib.import_module(self.module), self.class_name)
        return found


ARCHITECTURES: dict[str, Architecture] = {
    "studio": Architecture("Studio masked autoencoder", "brainlm_engine.models.studio", "Studio"),
    "brainlm-13m": Architecture("BrainLM 13M", "brainlm_engine.models.brainlm_13m", "BrainLM13M", published=True),
    "brainlm-vitmae": Architecture(
        "BrainLM ViTMAE", "brainlm_engine.models.brainlm_vitmae", "BrainLMViTMAE", published=True
    ),
    "brainlm-causal": Architecture(
        "BrainLM decoder-only", "brainlm_engine.models.brainlm_causal", "BrainLMCausal", published=True
    ),
}
