"""Models: the list of those installed."""

from __future__ import annotations

from brainlm_engine.api.messages import ModelList
from brainlm_engine.server.warm import Warm


def models(warm: Warm) -> ModelList:
    """List the models."""
    from brainlm_engine.models import list_models

    return list_models()
