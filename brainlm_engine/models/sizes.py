"""Sizes of our own architecture that a person can choose by name (no torch: asked for early).

``base`` and ``large`` are for a graphics processor. Heads are 64 or 128 wide and widths multiples of 128, as
its matrix units like it. ``base`` is as shallow as ``tiny`` and wide instead: what lies between the matrix products
(norms, residuals, activations) grows with the width, the products with its square, so that a wide model spends more of
its time on arithmetic than a deep one of as many parameters.
"""

from __future__ import annotations

from brainlm_engine.api.training import ModelSize

#: what learned most in the same time, see resources/help/benchmarks.md; tied attention reaches the same R2 in the same
#: time on a graphics processor, and its maps tell a person's networks. Base and large go without: on a graphics
#: processor fitting so many factors to every window takes longer than their layers
_OWN: dict[str, int | str | bool] = {"guess": "person", "left_out": True, "attention": "tied"}

SIZES = (
    ModelSize(
        size_id="mini",
        sizes={
            "width": 32, "heads": 2, "encoder_layers": 2, "decoder_layers": 1, "registers": 4, "factors": 32,
            "place_width": 96, **_OWN,
        },
        n_parameters=91_327,
    ),
    ModelSize(size_id="tiny", sizes={**_OWN}, n_parameters=499_839),
    ModelSize(
        size_id="small",
        sizes={"width": 128, "heads": 4, "encoder_layers": 6, "decoder_layers": 3, "factors": 96, **_OWN},
        n_parameters=2_392_031,
    ),
    ModelSize(
        size_id="base",
        sizes={
            "width": 1536, "heads": 12, "encoder_layers": 3, "decoder_layers": 1, "factors": 128, "place_width": 384,
        },
        n_parameters=150_391_061,
        learning_rate=0.256 / 1536,  # as of any width
    ),
    ModelSize(
        size_id="large",
        sizes={
            "width": 1280, "heads": 20, "encoder_layers": 9, "decoder_layers": 3, "factors": 128, "place_width": 512,
        },
        n_parameters=302_014_357,
        learning_rate=2e-4,
    ),
)  # fmt: skip

#: The published architectures, in the sizes they were published in. Parameters as for 424 parcels and 200 frames: the
#: positions of all patches are among them.
PUBLISHED = (
    ModelSize(
        size_id="brainlm-13m", architecture="brainlm-13m", sizes={}, n_parameters=13_429_292, learning_rate=3e-4
    ),
    ModelSize(
        size_id="brainlm-vitmae", architecture="brainlm-vitmae", sizes={}, n_parameters=112_590_080,
        learning_rate=3e-4, masks=("mixed", "random"), parcels=424, frames=200,
    ),
    ModelSize(
        size_id="brainlm-causal", architecture="brainlm-causal", sizes={}, n_parameters=6_360_980, learning_rate=3e-4
    ),
)  # fmt: skip
