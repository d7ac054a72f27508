"""The decoder-only BrainLM of 2026: one stack of layers over all tokens, and no look into the future.

How a window becomes a prediction, top to bottom:

1. A token is one parcel during 20 frames: a linear map of the frames, plus a linear map of the parcel's MNI position in
   mm, plus a sine-cosine table over the number of the time patch.
2. Where a patch is hidden, the whole token is replaced by one learned token.
3. Tokens stand time patch by time patch, behind a summary token. A token attends to all parcels of its own and of
   earlier time patches. No mask is ever built for that: each time patch simply attends to the front of the row of
   tokens, so any number of parcels and time patches is read, in half the work of a full mask.
4. Pre-norm transformer layers, and a small head that turns each token back into frames.

Names of parameters, equations and defaults are those of the published class, so its weights load as they are. Its flaws
are reproduced, since the published weights were trained with them:

- **Hidden tokens have no position.** They lose place *and* time in step 2, so all hidden parcels of one time patch get
  the same prediction.
- **The future leaks through the summary token**: it attends to everything and everything attends to it, so from the
  second layer on a token can know of later time patches.

What is different, on purpose: noise not given is the same every time, ties are broken in order, nothing needs to be
hidden (:meth:`BrainLMCausal.embed` hides nothing), and values that were not measured are shown as 0 (as the published
pipeline writes them) and never scored. TR is not an input.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.attention_tiles import Reader, Watch, watching
from brainlm_engine.models.base import MaskedModel, directly
from brainlm_engine.models.output import ModelOutput
from brainlm_engine.models.parcel_attention import Groups

NAME = "brainlm-causal"
MOST_PATCHES = 5000  # rows of the published position table
MODES = ("random", "forward", "none")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_new": functional.gelu,  # as published: not the tanh form of that name
    "relu": functional.relu,
    "swish": functional.silu,
}
LOSSES = ("mse", "mae")


def matches(config: dict[str, Any]) -> bool:
    """Tell whether a published config.json describes this architecture."""
    return config.get("model_type") == "brainlm" and "forward_mask_prob" in config


@dataclass(frozen=True)
class CausalConfig:
    """Sizes and settings by their published names; the defaults are the published code's."""

    hidden_size: int = 256
    num_hidden_layers: int = 8
    num_attention_heads: int = 8
    intermediate_size: int = 1024
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    qkv_bias: bool = True
    num_brain_voxels: int = 424
    num_timepoints_per_voxel: int = 200
    timepoint_patching_size: int = 20
    mask_ratio: float = 0.75
    loss_fn: str = "mse"
    forward_mask_prob: float = 0.5
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.num_attention_heads < 1 or self.hidden_size < 2 or self.hidden_size % self.num_attention_heads:
            raise ValueError(f"a width of {self.hidden_size} cannot be shared by {self.num_attention_heads} heads")
        if self.hidden_size % 2 or self.timepoint_patching_size < 1 or not 0 <= self.mask_ratio <= 1:
            raise ValueError(f"impossible hidden_size, timepoint_patching_size or mask_ratio: {self}")
        if self.hidden_act not in ACTIVATIONS or self.loss_fn not in LOSSES:
            raise ValueError(f"unknown hidden_act {self.hidden_act!r} or loss_fn {self.loss_fn!r}")

    @classmethod
    def read(cls, config: dict[str, Any]) -> CausalConfig:
        """Read a published config.json; keys that are not known are kept in ``extra``."""
        known = {each.name for each in fields(cls)} - {"extra"}
        extra = {key: value for key, value in config.items() if key not in known}
        return cls(**{key: config[key] for key in known & config.keys()}, extra=extra)

    def published(self) -> dict[str, Any]:
        """Return the contents of a published config.json."""
        numbers = asdict(self)
        extra: dict[str, Any] = numbers.pop("extra")
        return {"model_type": "brainlm"} | numbers | extra


class TemporalEncoding(nn.Module):
    """A sine-cosine table over the number of the time patch in its window, then dropout in training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        angle = torch.arange(MOST_PATCHES)[:, None] * rate
        self.register_buffer("pe", torch.stack([angle.sin(), angle.cos()], -1).flatten(1))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Add the first N rows to ``x (B, V, N, D)``."""
        table: Tensor = self.pe  # type: ignore[assignment]
        out: Tensor = self.dropout(x + table[: x.shape[2]])
        return out


class Embeddings(nn.Module):
    """From patches and positions to a row of tokens."""

    def __init__(self, config: CausalConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.mask_token = nn.Parameter(torch.empty(1, 1, width))
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.signal_projection = nn.Linear(config.timepoint_patching_size, width)
        self.xyz_projection = nn.Linear(3, width)
        self.temporal_encoding = TemporalEncoding(width)

    def forward(self, patches: Tensor, xyz: Tensor, hidden: Tensor | None) -> Tensor:
        """Return (B, 1 + N * V, D): the summary token, then time patch by time patch the parcels."""
        x = self.signal_projection(patches) + self.xyz_projection(xyz)[:, :, None]
        x = self.temporal_encoding(x).transpose(1, 2).flatten(1, 2)
        if hidden is not None:
            x = torch.where(hidden.transpose(1, 2).flatten(1)[..., None], self.mask_token.to(x.dtype), x)
        return torch.cat([self.cls_token.to(x.dtype).expand(len(x), -1, -1), x], 1)


class SelfAttention(nn.Module):
    """Multi-head attention of each time patch to itself, to earlier ones and to the summary token."""

    def __init__(self, config: CausalConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query = nn.Linear(width, width, bias=config.qkv_bias)
        self.key = nn.Linear(width, width, bias=config.qkv_bias)
        self.value = nn.Linear(width, width, bias=config.qkv_bias)

    def forward(self, x: Tensor, parcels: int, watch: Watch | None) -> Tensor:
        """Mix ``x (B, 1 + N * V, D)``; ``watch`` is shown the weights, which are otherwise never laid out."""
        query, key, value = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        length, dropout = x.shape[1], self.dropout if self.training else 0.0
        rows = [(0, 1, length)] + [(at, at + parcels, at + parcels) for at in range(1, length, parcels)]
        if watch is not None:
            watch.see(
                query, key, reach=torch.cat([torch.full((last - at,), seen) for at, last, seen in rows]).to(x.device)
            )
        mixed = []
        for first, last, seen in rows:  # the summary token sees all, a time patch what is not later than itself
            asking, keys, values = query[:, :, first:last], key[:, :, :seen], value[:, :, :seen]
            mixed.append(_attended(asking, keys, values, dropout))
        return torch.cat(mixed, 2).transpose(1, 2).flatten(2)


def _attended(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    """Fused attention. With dropout processors have none, and lay the weights out: then they are not kept."""
    attend = functional.scaled_dot_product_attention
    if not (dropout and torch.is_grad_enabled() and query.device.type == "cpu"):
        return attend(query, key, value, dropout_p=dropout)
    mixed: Tensor = checkpoint(attend, query, key, value, None, dropout, use_reentrant=False)
    return mixed


class Dense(nn.Module):
    """One linear map with dropout behind it; a module of its own only for the published name ``….dense``."""

    def __init__(self, inputs: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., outputs)."""
        out: Tensor = self.dropout(self.dense(x))
        return out


class Layer(nn.Module):
    """LayerNorm, attention, add; LayerNorm, perceptron, add."""

    def __init__(self, config: CausalConfig) -> None:
        super().__init__()
        width, wide = config.hidden_size, config.intermediate_size
        self.attention = SelfAttention(config)
        self.attn_output = Dense(width, width, config.hidden_dropout_prob)
        self.intermediate = Dense(width, wide)
        self.ffn_output = Dense(wide, width, config.hidden_dropout_prob)
        self.layernorm_before = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor, parcels: int, watch: Watch | None = None) -> Tensor:
        """Return ``x (B, 1 + N * V, D)`` updated."""
        x = x + self.attn_output(self.attention(self.layernorm_before(x), parcels, watch))
        out: Tensor = x + self.ffn_output(self.activation(self.intermediate(self.layernorm_after(x))))
        return out


class Backbone(nn.Module):
    """Everything but the head."""

    def __init__(self, config: CausalConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                start_xavier(module)
        for token in (self.embeddings.cls_token, self.embeddings.mask_token):
            nn.init.normal_(token, std=config.initializer_range)

    def cut(self, signal: Tensor, xyz: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``signal (B, V, T)`` as patches (B, V, N, P) and which frames were measured at a known position."""
        size = self.config.timepoint_patching_size
        n_patches, rest = divmod(signal.shape[2], size)
        if rest or not 1 <= n_patches <= MOST_PATCHES:
            raise BadInput(
                f"This model reads windows of whole patches of {size} frames, not of {signal.shape[2]} frames.",
                f"Choose a length that {size} divides.",
            )
        known = torch.isfinite(signal) & torch.isfinite(xyz).all(-1, keepdim=True)
        shape = (*signal.shape[:2], n_patches, size)
        return signal.reshape(shape), known.reshape(shape)

    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        hidden: Tensor | None = None,
        watch: Watch | None = None,
        run: Callable[..., Any] = directly,
    ) -> Tensor:
        """Return the states (B, 1 + N * V, D) after the final LayerNorm; ``hidden`` is (B, V, N) bool."""
        patches, known = self.cut(signal, xyz)
        dtype = self.embeddings.cls_token.dtype
        patches = torch.where(known, patches, 0).to(dtype)
        place = torch.where(torch.isfinite(xyz).all(-1, keepdim=True), xyz, 0).to(dtype)
        x = self.embeddings(patches, place, hidden)
        for layer in self.layers:
            x = run(layer, x, signal.shape[1], watch)
        out: Tensor = self.layernorm(x)
        return out

    def hidden_patches(self, shape: torch.Size, noise: Tensor | None, mode: str, device: torch.device) -> Tensor | None:
        """Return (B, V, N) bool: per parcel ``max(1, int(N * mask_ratio))`` of the largest noise, the last, or None."""
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}, not one of {MODES}")
        if mode == "none":
            return None
        n_patches = shape[2]
        if mode == "forward":
            return (torch.arange(n_patches, device=device) == n_patches - 1).expand(shape)
        if noise is None:
            fixed = torch.rand(shape[1:], generator=torch.Generator().manual_seed(0))
            noise = fixed.to(device).expand(shape)
        rank = torch.argsort(noise.reshape(shape), dim=2, stable=True).argsort(2)
        return rank >= n_patches - max(1, int(n_patches * self.config.mask_ratio))


class BrainLMCausal(MaskedModel):
    """The decoder-only model described at the top of this file."""

    limits: tuple[str, ...] = (
        "All hidden parcels of one time patch get the same prediction: where a patch is hidden, the published model "
        "forgets place and time.",
        "Although it is meant to read forward in time, what comes later leaks into what comes earlier through its "
        "summary token.",
        "It knows no TR: a patch is 20 frames, however long they last.",
    )
    rebuilt: ClassVar[tuple[str, ...]] = ("model.embeddings.temporal_encoding.pe",)

    def __init__(self, config: CausalConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CausalConfig()
        width = config.hidden_size
        self.model = Backbone(config)
        self.pred_head = nn.Sequential(
            nn.Linear(width, width // 2), nn.LeakyReLU(0.1), nn.Linear(width // 2, config.timepoint_patching_size)
        )
        for module in self.pred_head:
            if isinstance(module, nn.Linear):
                start_xavier(module)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BrainLMCausal:
        """Build from a published config.json; keys it does not know are kept for :meth:`config_dict`."""
        return cls(CausalConfig.read(config))

    def config_dict(self) -> dict[str, Any]:
        """Return the contents of a published config.json."""
        return self.config.published()

    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames make one patch: always the same number, whatever the TR."""
        return self.config.timepoint_patching_size

    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        noise: Tensor | None = None,
        mask: Tensor | None = None,
        tr_s: float | None = None,
        *,
        mode: str = "random",
        queries: Tensor | None = None,
        attentions: bool | Reader = False,
    ) -> ModelOutput:
        """Fill in the hidden patches of ``signal``.

        Parameters
        ----------
        signal : (B, V, T) float, robust-scaled, T a multiple of the patch; NaN = not measured (shown as 0, never
            scored)
        xyz : (B, V, 3) float, MNI mm; NaN = unknown position (the parcel is shown as 0 at the origin, never scored)
        noise : (B, V, N) or (B, V * N) float, deciding the random mask: the largest of each parcel are hidden
        mask : (B, V, N) bool, True = hidden; goes before ``noise`` and ``mode``
        tr_s : not used, the model knows no TR
        mode : 'random', the same every time when no noise is given; 'forward' hides the last patch of every parcel;
            'none' hides nothing
        queries : not used: all patches are decoded, the loss is over the hidden ones in any case
        attentions : keep the attention weights, one (B, H, 1 + N * V, 1 + N * V) per layer; or a reader, which is
            shown them tile by tile

        Returns
        -------
        output : as every model, but ``latent`` holds the tokens of **all** patches, time patch by time patch; in
            ``tokens`` the hidden ones are -1

        Raises
        ------
        BadInput
            When T is no multiple of the patch.
        """
        patches, known = self.model.cut(signal, xyz)
        shape = patches.shape[:3]
        if mask is not None:
            hidden: Tensor | None = mask.to(device=signal.device, dtype=torch.bool).expand(shape)
        else:
            hidden = self.model.hidden_patches(shape, noise, mode, signal.device)
        watch = watching(attentions)
        states = self.model(signal, xyz, hidden, watch, self.run_layer)
        prediction = self.pred_head(states[:, 1:]).unflatten(1, (shape[2], shape[1])).transpose(1, 2)
        scored = torch.zeros_like(known) if hidden is None else known & hidden[..., None]
        error = prediction - torch.where(scored, patches, prediction)
        error = error.to(torch.promote_types(error.dtype, torch.float32))
        loss = (error.square() if self.config.loss_fn == "mse" else error.abs()).sum() / scored.sum()
        placed = torch.isfinite(xyz).all(-1)[:, :, None, None]
        prediction = prediction.masked_fill(~placed, torch.nan)
        tokens = self._ids(shape, signal.device)
        if hidden is not None:
            tokens = tokens.masked_fill(hidden.transpose(1, 2).flatten(1), -1)
        maps = tuple(watch.maps) if watch else ()
        shown = scored.any(-1).to(prediction.dtype)
        return ModelOutput(prediction, states, shown, loss, maps, tokens, scored.sum())

    def embed(
        self, signal: Tensor, xyz: Tensor, tr_s: float | None = None, *, attentions: Reader | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode with everything visible; the head never runs.

        Parameters
        ----------
        attentions : is shown the attention weights tile by tile

        Returns
        -------
        latent : (B, 1 + N * V, D), the summary token first, then time patch by time patch
        tokens : (B, N * V) patch ids as in :class:`ModelOutput`
        """
        patches, _ = self.model.cut(signal, xyz)
        watch = None if attentions is None else watching(attentions)
        return self.model(signal, xyz, None, watch), self._ids(patches.shape[:3], signal.device)

    def groups(self, signal: Tensor, xyz: Tensor) -> Groups:
        """Say which tokens of :meth:`embed` are of the same parcel."""
        shape = self.model.cut(signal, xyz)[0].shape
        tokens = 1 + torch.arange(shape[1] * shape[2], device=signal.device).view(shape[2], shape[1]).T
        known = torch.isfinite(xyz).all(-1)
        return Groups(tokens, torch.where(known, torch.arange(shape[1], device=signal.device), -1))

    @staticmethod
    def _ids(shape: torch.Size, device: torch.device) -> Tensor:
        ids = torch.arange(shape[1] * shape[2], device=device).view(shape[1:])
        return ids.T.reshape(-1).expand(shape[0], -1)


def start_xavier(linear: nn.Linear) -> None:
    """Fresh weights as published: Xavier-uniform, no bias."""
    nn.init.xavier_uniform_(linear.weight)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
