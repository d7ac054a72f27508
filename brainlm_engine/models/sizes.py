"""Sizes of our own architecture that a person can choose by name (no torch: asked for early)."""

from __future__ import annotations

from brainlm_engine.api.training import ModelSize

SIZES = (
    ModelSize(
        size_id="mini",
        sizes={
            "width": 32, "heads": 2, "encoder_layers": 2, "decoder_layers": 1, "registers": 4, "factors": 32,
            "place_width": 96,
        },
        n_parameters=91_285,
    ),
    ModelSize(size_id="tiny", sizes={}, n_parameters=499_797),
    ModelSize(
        size_id="small",
        sizes={"width": 128, "heads": 4, "encoder_layers": 6, "decoder_layers": 3, "factors": 96},
        n_parameters=2_391_989,
    ),
)  # fmt: skip
