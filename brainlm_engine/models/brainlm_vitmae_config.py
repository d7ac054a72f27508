"""Sizes and settings of the published ViTMAE models, and how to know one by its config.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor
from torch.nn import functional

from brainlm_engine.models.picture import FRAMES, SIDE, Picture

SIGNAL_DIVISOR = 5.6430855
MODES = ("auto_encode", "predict_last", "predict_last_pixel")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "relu": functional.relu,
    "silu": functional.silu,
}


def matches(config: dict[str, Any]) -> bool:
    """Tell whether a published config.json describes this architecture (and not a photo model or the 13M one)."""
    if (
        config.get("model_type") != "vit_mae"
        or "num_landmarks" in config
        or config.get("patch_size") not in tuple(SIDE)
    ):
        return False
    size = config.get("image_size")
    return isinstance(size, list | tuple) or size in SIDE.values()


@dataclass(frozen=True)
class ViTMAEConfig:
    """Sizes and settings by their published names; the defaults are the published code's (the 111M model)."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    patch_size: int = 16
    num_channels: int = 3
    qkv_bias: bool = True
    decoder_hidden_size: int = 512
    decoder_num_hidden_layers: int = 8
    decoder_num_attention_heads: int = 16
    decoder_intermediate_size: int = 2048
    mask_ratio: float = 0.75
    norm_pix_loss: bool = False
    train_mode: str = "auto_encode"
    timepoint_patching_size: int = 20
    signal_divisor: float = SIGNAL_DIVISOR
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.patch_size not in SIDE:
            raise ValueError(f"patch_size is {self.patch_size}; only 16 and 14 exist")
        side, size = SIDE[self.patch_size], self.extra.get("image_size")
        if size not in (None, side, [side, side], (side, side)):
            raise ValueError(f"image_size is {size}; patches of {self.patch_size} need {side} x {side}")
        for width, heads in (
            (self.hidden_size, self.num_attention_heads),
            (self.decoder_hidden_size, self.decoder_num_attention_heads),
        ):
            if heads < 1 or width < 4 or width % heads or width % 4:
                raise ValueError(f"a width of {width} cannot be shared by {heads} heads and four position waves")
        if not 0 <= self.mask_ratio <= 1 or self.train_mode not in MODES or self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"impossible mask_ratio, train_mode or hidden_act: {self}")
        if self.timepoint_patching_size < 1 or FRAMES % self.timepoint_patching_size:
            raise ValueError(f"{FRAMES} frames cannot be cut into patches of {self.timepoint_patching_size}")

    @property
    def picture(self) -> Picture:
        """The padded picture these models read."""
        return Picture(self.patch_size, self.timepoint_patching_size)

    def decoder(self) -> ViTMAEConfig:
        """Return the sizes of the decoder's layers under the encoder's names."""
        sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        return ViTMAEConfig(**asdict(self) | {name: getattr(self, f"decoder_{name}") for name in sizes})
