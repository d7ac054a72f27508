"""Models: one readable file per architecture, and the registry that finds and checks their weights.

Importing this package does not import torch; loading a model does.
"""

from brainlm_engine.models.registry import DEFAULT_MODEL, list_models, load_model

__all__ = ["DEFAULT_MODEL", "list_models", "load_model"]
