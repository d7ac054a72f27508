"""Sizes of the published 13M model, and how to know one by its config.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Config13M:
    """Sizes, by the names and with the defaults of the published code."""

    hidden_size: int = 256
    num_hidden_layers: int = 8
    num_attention_heads: int = 8
    intermediate_size: int = 1024
    hidden_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    decoder_hidden_size: int = 256
    decoder_num_hidden_layers: int = 4
    decoder_num_attention_heads: int = 8
    decoder_intermediate_size: int = 1024
    num_brain_voxels: int = 424
    num_timepoints_per_voxel: int = 490
    timepoint_patching_size: int = 49
    mask_ratio: float = 0.5
    loss_fn: str = "mse"
    use_tanh_decoder: bool = False
    num_landmarks: int = 64
    segment_means_seq_len: int = 64
    conv_kernel_size: int | None = 65
    patch_size: int = 16
    num_channels: int = 3

    def __post_init__(self) -> None:
        if self.decoder_hidden_size != self.hidden_size:
            raise ValueError("decoder_hidden_size must equal hidden_size: places and times are added to both")
        if self.hidden_size % (2 * self.num_attention_heads) or self.loss_fn not in ("mse", "mae"):
            raise ValueError(f"impossible sizes: {self}")


def matches(config: dict[str, Any]) -> bool:
    """Tell whether a published config.json is of this architecture (its ``model_type`` has two spellings)."""
    return "timepoint_patching_size" in config and "num_landmarks" in config
