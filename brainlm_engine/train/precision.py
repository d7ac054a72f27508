"""Half precision where it is asked for, and proof beforehand that it computes the same loss."""

from __future__ import annotations

import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.windows import Batch

#: largest difference of the first loss from float32, as a share of it
TOLERANCE = 0.02
_NAMES = {"16": "float16", "bf16": "bfloat16"}


def autocast(settings: TrainSettings) -> torch.autocast:
    """Matrix products in half precision inside the block, when the settings say so; weights stay float32."""
    half = torch.float16 if settings.precision == "16" else torch.bfloat16
    return torch.autocast(settings.device, dtype=half, enabled=settings.precision != "32")


def check_precision(model: MaskedModel, batch: Batch, settings: TrainSettings) -> str:
    """Compare the loss of one window in the chosen precision with float32 and return a sentence; '' for float32.

    Raises
    ------
    BadInput
        When they differ by more than :data:`TOLERANCE`.
    """
    if settings.precision == "32":
        return ""
    one = batch.rows(0, 1).to(settings.device)
    model.eval()
    with torch.no_grad():
        exact = float(model(one.signal, one.xyz, mask=one.hidden, tr_s=one.tr_s, queries=one.queries).loss)
        with autocast(settings):
            rough = float(model(one.signal, one.xyz, mask=one.hidden, tr_s=one.tr_s, queries=one.queries).loss)
    model.train()
    off = abs(rough - exact) / max(abs(exact), 1e-12)
    name = _NAMES[settings.precision]
    told = f"the first loss is {rough:.5f} in {name} and {exact:.5f} in float32, {100 * off:.2f} % apart"
    if not off <= TOLERANCE:
        raise BadInput(
            f"Half precision is not exact enough here: {told}, more than the {100 * TOLERANCE:g} % allowed.",
            "Train in float32: --precision 32.",
        )
    return f"Half precision: {told} (at most {100 * TOLERANCE:g} % are allowed)"
