"""Getting ready for what a person will probably ask next, so that the first time is as quick as the second."""

from __future__ import annotations

import importlib

from brainlm_engine.server.warm import Warm


def scans(warm: Warm) -> None:
    """Import what reads scans, and load the default atlas and the brain mask that every scan is compared with."""
    from brainlm_engine.atlas import load_atlas, mni_brain_mask

    importlib.import_module("brainlm_engine.io")
    importlib.import_module("brainlm_engine.preprocess")
    load_atlas()
    mni_brain_mask()


def models(warm: Warm) -> None:
    """Import what runs models, and load the default one."""
    from brainlm_engine.models import DEFAULT_MODEL
    from brainlm_engine.server.operations.reconstruct import held_model

    importlib.import_module("brainlm_engine.tasks")
    held_model(warm, DEFAULT_MODEL)
