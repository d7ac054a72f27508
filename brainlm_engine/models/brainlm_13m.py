"""The published 13M BrainLM: a masked autoencoder over parcel x time patches, exactly as its authors' code computes it.

A window of ``V`` parcels and ``T`` frames becomes ``S = V * N`` tokens of ``P`` frames. Each token is a projection of
its frames, plus one of its parcel's MNI millimetres, plus a sine table of the patch's number. Some tokens are hidden;
the encoder sees a summary token (CLS) and the visible ones, the decoder all of them, with one learned token in every
hidden place. Blocks are post-LayerNorm: attention with a convolution over tokens, then a two-layer perceptron.

What one should know of it (and is kept, since the weights were trained that way):

- The convolution makes the encoder depend on the order of its tokens. The published code feeds them in the random
  order of the mask's noise; with an explicit ``noise`` so does this class. Without, tokens stand in their natural
  order, so that the same input always gives the same answer.
- Coordinates go in as raw millimetres; the time table counts patches inside the window, not frames of the scan.
- ``decoder.decoder_pred`` is allocated and stored, and never used.

Source: vandijklab/BrainLM (Apache-2.0); checkpoints ``old_13M`` (CC BY-NC-ND 4.0) are not part of this program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.models.attention_tiles import Reader, Watch, watching
from brainlm_engine.models.base import UNKNOWN_SCALING, MaskedModel, directly
from brainlm_engine.models.brainlm_13m_batches import alike, joined, mean_error, padded, spread
from brainlm_engine.models.brainlm_13m_config import Config13M, matches
from brainlm_engine.models.hidden_tokens import HiddenTokens, rows_of, worthwhile
from brainlm_engine.models.nystrom_attention import SelfAttention, attention_of, picked
from brainlm_engine.models.output import ModelOutput
from brainlm_engine.models.parcel_attention import Groups

NAME = "brainlm-13m"
__all__ = ["NAME", "TITLE", "BrainLM13M", "Config13M", "Times", "matches"]
TITLE = "BrainLM 13M (published)"
PE_ROWS = 5000
DROPOUT = 0.1  # hard-coded in the published code, on the embedding sums only


class AddNorm(nn.Module):
    """``LayerNorm(residual + dropout(W x + b))``."""

    def __init__(self, inner: int, width: int, config: Config13M) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """``x (B, L, inner)``, ``residual (B, L, width)``."""
        normed: Tensor = self.LayerNorm(residual + self.dropout(self.dense(x)))
        return normed


class Mixing(nn.Module):
    """Attention with its output projection; the published names are kept."""

    def __init__(self, config: Config13M, width: int, heads: int) -> None:
        super().__init__()
        self.self: SelfAttention = attention_of(config, width, heads)
        self.output = AddNorm(width, width, config)


class Widening(nn.Module):
    """The first half of the perceptron."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, inner)


class Layer(nn.Module):
    """One post-LayerNorm block."""

    def __init__(self, config: Config13M, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Mixing(config, width, heads)
        self.intermediate = Widening(width, inner)
        self.output = AddNorm(inner, width, config)

    def forward(
        self,
        x: Tensor,
        asked: Tensor | None = None,
        watch: Watch | None = None,
        hidden: HiddenTokens | None = None,
    ) -> Tensor:
        """Update ``x (B, L, D)``; with ``asked (Q,)`` or (B, Q) only those tokens, (B, Q, D)."""
        mixed = self.attention.self(x, asked, watch, hidden)
        x = self.attention.output(mixed, picked(x, asked))
        updated: Tensor = self.output(functional.gelu(self.intermediate.dense(x)), x)
        return updated


class Times(nn.Module):
    """The sine table of patch numbers. Published files carry it as a buffer; here it is made anew, bit for bit."""

    def __init__(self, width: int) -> None:
        super().__init__()
        place = torch.arange(PE_ROWS, dtype=torch.float32)[:, None]
        rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-torch.log(torch.tensor(10000.0)) / width))
        table = torch.stack([torch.sin(place * rate), torch.cos(place * rate)], -1).flatten(1)
        self.register_buffer("pe", table, persistent=False)
        self.dropout = nn.Dropout(DROPOUT)

    @property
    def table(self) -> Tensor:
        """(5000, D), the row of each patch number."""
        table: Tensor = self.pe  # type: ignore[assignment]
        return table

    def forward(self, x: Tensor) -> Tensor:
        """Add the time of each patch to ``x (B, V, N, D)``, then drop a tenth (training only)."""
        timed: Tensor = self.dropout(x + self.table[: x.shape[2]])  # never in half precision: it carries the sums
        return timed


class Embeddings(nn.Module):
    """Frames, place and time of every patch, and the summary token."""

    def __init__(self, config: Config13M) -> None:
        super().__init__()
        width = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.signal_embedding_projection = nn.Linear(config.timepoint_patching_size, width)
        self.xyz_embedding_projection = nn.Linear(3, width)
        self.pos_embedding = Times(width)

    def forward(self, patches: Tensor, xyz: Tensor) -> Tensor:
        """``patches (B, V, N, P)``, ``xyz (B, V, 3)`` to tokens (B, V * N, D), parcel by parcel."""
        x = self.signal_embedding_projection(patches) + self.xyz_embedding_projection(xyz)[:, :, None]
        tokens: Tensor = self.pos_embedding(x).flatten(1, 2)
        return tokens


class Layers(nn.Module):
    """A stack of blocks under the published name."""

    def __init__(self, config: Config13M) -> None:
        super().__init__()
        size = (config.hidden_size, config.num_attention_heads, config.intermediate_size)
        self.layer = nn.ModuleList(Layer(config, *size) for _ in range(config.num_hidden_layers))


class Encoder(nn.Module):
    """What the published code calls ``vit``."""

    def __init__(self, config: Config13M) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Layers(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        tokens: Tensor,
        kept: Tensor,
        watch: Watch | None = None,
        hidden: list[Tensor] | None = None,
        run: Callable[..., Any] = directly,
    ) -> Tensor:
        """Encode the summary token and the tokens ``kept (B, K)`` of ``tokens (B, S, D)``, in that order."""
        visible = rows_of(tokens, kept)
        x = torch.cat([self.embeddings.cls_token.to(visible.dtype).expand(len(visible), -1, -1), visible], 1)
        for layer in self.encoder.layer:
            if hidden is not None:
                hidden.append(x)
            x = run(layer, x, None, watch)
        if hidden is not None:
            hidden.append(x)
        latent: Tensor = self.layernorm(x)
        return latent


class Decoder(nn.Module):
    """From the encoder's tokens to the frames of every patch."""

    def __init__(self, config: Config13M) -> None:
        super().__init__()
        width, inner, patch = config.decoder_hidden_size, config.decoder_intermediate_size, config.patch_size
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_embed = nn.Linear(config.hidden_size, width)
        self.decoder_layers = nn.ModuleList(
            Layer(config, width, config.decoder_num_attention_heads, inner)
            for _ in range(config.decoder_num_hidden_layers)
        )
        self.decoder_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.decoder_pred = nn.Linear(width, patch**2 * config.num_channels)  # stored, never used
        self.decoder_xyz_projection = nn.Linear(3, width)
        self.pos_embedding = Times(width)
        self.decoder_pred1 = nn.Linear(width, width // 2)
        self.decoder_pred2 = nn.Linear(width // 2, config.timepoint_patching_size)
        self.tanh = config.use_tanh_decoder

    def forward(
        self,
        latent: Tensor,
        restore: Tensor,
        xyz: Tensor,
        asked: Tensor | None = None,
        run: Callable[..., Any] = directly,
    ) -> Tensor:
        """Frames of every token, (B, S, P), or of the tokens ``asked``, (Q,) or (B, Q): (B, Q, P).

        Parameters
        ----------
        latent : (B, 1 + K, D)
        restore : (B, S), rank of every token in the encoder's order; ranks from K on are hidden
        xyz : (B, V, 3)
        """
        x = self.decoder_embed(latent)
        places = self.mask_token.to(x.dtype).expand(len(x), restore.shape[1] - x.shape[1] + 1, -1)
        tokens = rows_of(torch.cat([x[:, 1:], places], 1), restore)
        tokens = tokens.reshape(len(x), xyz.shape[1], -1, x.shape[2]) + self.decoder_xyz_projection(xyz)[:, :, None]
        hidden = self._hidden_tokens(restore, latent.shape[1] - 1, xyz)
        x = torch.cat([x[:, :1], self.pos_embedding(tokens).flatten(1, 2)], 1)
        last = len(self.decoder_layers) - 1
        for place, layer in enumerate(self.decoder_layers):
            # the last block's answer at a token needs that token's query alone
            some = asked + 1 if asked is not None and place == last else None
            x = run(layer, x, some, None, hidden if place == 0 and some is None else None)
        if asked is None:
            x = x[:, 1:]
        x = functional.leaky_relu(self.decoder_pred1(self.decoder_norm(x)), 0.1)
        frames: Tensor = self.decoder_pred2(x)
        return frames.tanh() if self.tanh else frames

    def _hidden_tokens(self, restore: Tensor, keep: int, xyz: Tensor) -> HiddenTokens | None:
        """Describe the hidden tokens by what they are the sum of, where that is exact and worth it."""
        hidden = (restore >= keep).view(len(restore), xyz.shape[1], -1)
        first: Layer = self.decoder_layers[0]  # type: ignore[assignment]
        if self.training or not first.attention.self.exact or not worthwhile(hidden):
            return None
        place, table = self.decoder_xyz_projection, self.pos_embedding.table
        return HiddenTokens.of(hidden, xyz, place.weight.T, table[: hidden.shape[2]] + self.mask_token[0] + place.bias)


class BrainLM13M(MaskedModel):
    """The masked autoencoder described at the top of this file."""

    limits: tuple[str, ...] = (
        "A convolution over tokens makes its encoder depend on the order of the parcels.",
        "It knows no TR: a patch is a fixed number of frames, however long they last.",
    )
    input_note: ClassVar[str] = UNKNOWN_SCALING

    def __init__(self, config: Config13M | None = None) -> None:
        super().__init__()
        self.config = config = config or Config13M()
        self.source: dict[str, Any] = {}
        self.vit = Encoder(config)
        self.decoder = Decoder(config)
        self.answer_size = (40, 200 // config.timepoint_patching_size * config.timepoint_patching_size)
        self._initialise()

    def _initialise(self) -> None:
        """Encoder N(0, 0.02) throughout; decoder Xavier, its convolutions as torch makes them; biases 0."""
        for module in self.vit.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.normal_(module.weight, std=self.config.initializer_range)
        for module in self.decoder.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        for token in (self.vit.embeddings.cls_token, self.decoder.mask_token):
            nn.init.normal_(token, std=self.config.initializer_range)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BrainLM13M:
        """Build from a published config.json; keys it does not need are kept for :meth:`config_dict`."""
        known = {field.name for field in fields(Config13M)}
        made = cls(Config13M(**{key: value for key, value in config.items() if key in known}))
        made.source = dict(config)
        return made

    def config_dict(self) -> dict[str, Any]:
        """Return the numbers for a config.json, foreign ones included."""
        own = {field.name: getattr(self.config, field.name) for field in fields(Config13M)}
        return {"model_type": "brainlm_mae", "architectures": ["BrainLMForPretraining"], **self.source, **own}

    def tables(self) -> dict[str, Tensor]:
        """Published files carry the two sine tables of patch numbers (20 of their 74 MB)."""
        table = self.decoder.pos_embedding.table
        return {f"{part}.pos_embedding.pe": table.clone() for part in ("vit.embeddings", "decoder")}

    def frames_per_patch(self, tr_s: float) -> int:
        """Return the fixed number of frames of a patch: the model knows no TR."""
        return self.config.timepoint_patching_size

    # ------------------------------------------------------------ one pass

    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        noise: Tensor | None = None,
        mask: Tensor | None = None,
        tr_s: float | None = None,
        *,
        queries: Tensor | None = None,
        attentions: bool | Reader = False,
        hidden_states: list[Tensor] | None = None,
    ) -> ModelOutput:
        """Fill in the hidden patches of ``signal``.

        Parameters
        ----------
        signal : (B, V, T) float, scaled as the weights were trained; T a multiple of the patch. NaN = not measured:
            shown as 0 as in the published pipeline, never scored
        xyz : (B, V, 3) float, MNI mm; a parcel without a position is left out
        noise : (B, S) float: the ``int(S * (1 - mask_ratio))`` smallest stay visible, in the order of their noise
        mask : (B, V, N) bool, True = hidden, goes before ``noise``. Without either, a fixed random mask is used.
        tr_s : ignored, the model knows no TR
        queries : (Q,) or (B, Q) int, predict these tokens (of the parcels with a position) only: ``prediction`` is
            (B, Q, P) and the loss is over them (training)
        attentions : keep the encoder's attention weights, (B, H, 1 + K, 1 + K) per layer; or a reader, which is shown
            them tile by tile
        hidden_states : receives the encoder's tokens before every layer and after the last

        Notes
        -----
        Windows that hide different numbers of patches, or miss different parcels, are run one by one; their attention
        must be asked for one by one too.
        """
        known = torch.isfinite(xyz).all(-1)
        hidden = self._hidden(signal, mask) if mask is not None or noise is None else None
        if not alike(known, hidden):
            if attentions is not False:
                raise ValueError("windows that see different numbers of patches have no attention in common")
            parts = [
                self.forward(signal[i : i + 1], xyz[i : i + 1], None, None if hidden is None else hidden[i : i + 1])
                for i in range(len(signal))
            ]
            return joined(parts)
        rows = known[0].nonzero()[:, 0]
        patches, measured = self._patches(signal[:, rows])
        if hidden is not None:
            order = hidden[:, rows].flatten(1).to(torch.uint8).argsort(dim=1, stable=True)
            keep = int((~hidden[0, rows]).sum())
        else:
            assert noise is not None
            chosen = noise.reshape(len(signal), signal.shape[1], -1)[:, rows].flatten(1)
            order = chosen.argsort(dim=1, stable=True)
            keep = int(chosen.shape[1] * (1 - self.config.mask_ratio))
        restore = order.argsort(1)
        watch = watching(attentions)
        places = xyz[:, rows].to(patches.dtype)
        tokens = self.vit.embeddings(patches, places)
        latent = self.vit(tokens, order[:, :keep], watch, hidden_states, self.run_layer)
        frames = self.decoder(latent, restore, places, queries, self.run_layer)
        gone = (restore >= keep).view(len(restore), len(rows), -1)
        scored = gone[..., None] & measured
        if queries is not None:
            patches, scored = picked(patches.flatten(1, 2), queries), picked(scored.flatten(1, 2), queries)
        else:
            frames = frames.reshape(len(frames), len(rows), -1, frames.shape[2])
        loss = mean_error(frames, patches, scored, self.config.loss_fn)
        if queries is None:
            frames = spread(frames, rows, signal.shape[1], torch.nan)
        shown = spread((gone & measured.any(-1)).to(signal.dtype), rows, signal.shape[1], 0.0)
        n_patches = gone.shape[2]
        ids = rows[order[:, :keep] // n_patches] * n_patches + order[:, :keep] % n_patches
        maps = tuple(watch.maps) if watch else ()
        return ModelOutput(frames, latent, shown, loss, maps, ids, scored.sum())

    def embed(
        self, signal: Tensor, xyz: Tensor, tr_s: float | None = None, *, attentions: Reader | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode with everything visible, tokens in their natural order; the decoder never runs.

        Parameters
        ----------
        attentions : is shown the attention weights tile by tile

        Returns
        -------
        latent : (B, 1 + K, D), the summary token first
        tokens : (B, K) patch ids as in :class:`ModelOutput`
        """
        known = torch.isfinite(xyz).all(-1)
        if not alike(known, None):
            if attentions is not None:
                raise ValueError("windows that see different numbers of patches have no attention in common")
            parts = [self.embed(signal[i : i + 1], xyz[i : i + 1]) for i in range(len(signal))]
            return padded([part[0] for part in parts], 0.0), padded([part[1] for part in parts], -1)
        rows = known[0].nonzero()[:, 0]
        patches, _ = self._patches(signal[:, rows])
        tokens = self.vit.embeddings(patches, xyz[:, rows].to(patches.dtype))
        order = torch.arange(tokens.shape[1], device=signal.device).expand(len(signal), -1)
        ids = (rows[:, None] * patches.shape[2] + torch.arange(patches.shape[2], device=signal.device)).flatten()
        watch = None if attentions is None else watching(attentions)
        return self.vit(tokens, order, watch), ids.expand(len(signal), -1)

    def groups(self, signal: Tensor, xyz: Tensor) -> Groups:
        """Say which tokens of :meth:`embed` are of the same parcel."""
        known = torch.isfinite(xyz).all(-1)
        n_patches = signal.shape[2] // self.config.timepoint_patching_size
        tokens = 1 + torch.arange(int(known[0].sum()) * n_patches, device=signal.device)
        return Groups(tokens.view(-1, n_patches), torch.where(known, known.cumsum(1) - 1, -1))

    def _patches(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """(B, V, N, P) with 0 where nothing was measured, and what was measured, (B, V, N, P) bool."""
        patch = self.config.timepoint_patching_size
        if signal.shape[2] % patch:
            raise ValueError(f"{signal.shape[2]} frames are not a multiple of the patch of {patch}")
        shape = (*signal.shape[:2], -1, patch)
        shown = torch.nan_to_num(signal, nan=0.0, posinf=0.0, neginf=0.0)
        return shown.reshape(shape), torch.isfinite(signal).reshape(shape)

    def _hidden(self, signal: Tensor, mask: Tensor | None) -> Tensor:
        """(B, V, N) bool: the mask asked for, or a fixed random one."""
        shape = (len(signal), signal.shape[1], signal.shape[2] // self.config.timepoint_patching_size)
        if mask is not None:
            return mask.to(device=signal.device, dtype=torch.bool).expand(shape)
        count = shape[1] * shape[2]
        rank = torch.rand(count, generator=torch.Generator().manual_seed(0)).argsort().argsort()
        hidden = rank >= int(count * (1 - self.config.mask_ratio))
        return hidden.to(signal.device).view(1, *shape[1:]).expand(shape)
