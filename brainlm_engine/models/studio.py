"""Our own compact masked autoencoder: any atlas, any TR, any length.

How it reads a window, top to bottom:

1. Patches of 14.4 s on a common time grid (:mod:`brainlm_engine.models.patches`).
2. Places: a parcel is known only by its MNI coordinates, through Fourier features of (x, y, z) and of the mirrored
   (|x|, y, z), so that an unseen atlas is just other points of the same brain.
3. Factors: each place has learned loadings on a few dozen factors and a learned precision. Within a time patch the
   factor time courses are the ridge solution over the visible parcels, in closed form. This is a first guess for every
   hidden patch, as good as a regression fitted on all training people, and differentiable.
4. Encoder: attention among the visible parcels of one time patch plus a few registers; the registers and one summary
   token then attend to each other across time. Cost grows with parcels**2 x patches, not (parcels x patches)**2.
5. Decoder: every parcel attends to its own patches over time, then to the visible parcels of its time patch.
6. Head: a correction to the first guess.

Attention over time uses rotary phases of the patch's time in seconds, so the length of a window is free.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.masks import hide_noisiest
from brainlm_engine.models.output import ModelOutput
from brainlm_engine.models.patches import PATCH_S, SAMPLE_S, SAMPLES, Patches, cut, frames_per_patch, resampling
from brainlm_engine.models.positive_solve import solved
from brainlm_engine.models.time_packing import Packing
from brainlm_engine.models.visible import Seen

NAME = "studio"


@dataclass(frozen=True)
class StudioConfig:
    """Sizes of the model; everything that is needed to build it anew."""

    width: int = 64
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2
    registers: int = 8
    factors: int = 64
    frequencies: int = 48
    place_width: int = 192
    mlp_ratio: int = 4
    mask_ratio: float = 0.75

    def __post_init__(self) -> None:
        wrong = [name for name, value in asdict(self).items() if not value > 0]
        if wrong or self.mask_ratio >= 1 or self.width % (2 * self.heads):
            raise ValueError(f"impossible sizes: {asdict(self)}")


class Attention(nn.Module):
    """Multi-head attention; keys may be barred, positions may be rotated, weights may be asked for."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        allowed: Tensor | None = None,
        phases: tuple[Tensor, Tensor] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """``x (B, L, D)`` looks at ``context (B, M, D)``; ``allowed (B, 1, 1, M)`` bool bars keys."""
        batch, length, width = x.shape
        query = self.query(x).view(batch, length, self.heads, -1).transpose(1, 2)
        key, value = self.key_value(context).view(batch, context.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        if phases is not None:
            query, key = _rotate(query, phases), _rotate(key, phases)
        if weights is not None:
            scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
            weights.append((scores if allowed is None else scores.masked_fill(~allowed, -torch.inf)).softmax(-1))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


def _rotate(x: Tensor, phases: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, -1)
    cos, sin = phases
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


def _phases(times: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Rotary phases of ``times (L,)``, in patches: periods from 6 to some 400 patches."""
    half = head_width // 2
    rates = 100.0 ** (-torch.arange(half, device=times.device) / half)
    angle = times[:, None] * rates
    return angle.cos(), angle.sin()


class Block(nn.Module):
    """Attention, then (optionally) a two-layer perceptron, each after a LayerNorm and added to its input."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, *, crossed: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.context_norm = nn.LayerNorm(width) if crossed else None
        self.attention = Attention(width, heads)
        self.mlp = (
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, mlp_ratio * width), nn.GELU(), nn.Linear(mlp_ratio * width, width)
            )
            if mlp_ratio
            else None
        )

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        allowed: Tensor | None = None,
        phases: tuple[Tensor, Tensor] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Return ``x (B, L, D)`` updated."""
        normed = self.norm(x)
        keys = normed if context is None or self.context_norm is None else self.context_norm(context)
        x = x + self.attention(normed, keys, allowed, phases, weights)
        return x if self.mlp is None else x + self.mlp(x)


def encoder_layer(  # noqa: PLR0917 (whoever runs layers passes them on by place)
    within: Block,
    across: Block,
    tokens: Tensor,
    summary: Tensor,
    n_registers: int,
    allowed: Tensor | None,
    phases: tuple[Tensor, Tensor],
    weights: list[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Attend within each time patch, then across time: the registers and the summary (B, 1, D) only.

    ``tokens (B, N, R + K, D)`` are the registers of each time patch and its visible parcels.
    """
    batch, n_patches, _, width = tokens.shape
    tokens = within(tokens.flatten(0, 1), allowed=allowed, weights=weights).reshape(tokens.shape)
    line = across(torch.cat([summary, tokens[:, :, :n_registers].flatten(1, 2)], 1), phases=phases)
    registers = line[:, 1:].reshape(batch, n_patches, n_registers, width)
    return torch.cat([registers, tokens[:, :, n_registers:]], 2), line[:, :1].contiguous()


def decoder_layer(  # noqa: PLR0917
    along: Block,
    across: Block,
    state: Tensor,
    context: Tensor,
    allowed: Tensor | None,
    own: Tensor | None,
    phases: tuple[Tensor, Tensor],
) -> Tensor:
    """Attend along each parcel's own patches, then to ``context (B * N, M, D)``; ``state (B, N, Q, D)``.

    ``own`` and ``phases`` are of as many parcels as :class:`Packing` puts into one sequence.
    """
    batch, n_patches, _, width = state.shape
    rows = along(state.transpose(1, 2).reshape(-1, phases[0].shape[0], width), allowed=own, phases=phases)
    state = rows.reshape(batch, -1, n_patches, width).transpose(1, 2)
    updated: Tensor = across(state.flatten(0, 1), context, allowed).reshape(batch, n_patches, -1, width)
    return updated


class Places(nn.Module):
    """From MNI coordinates to what the model knows about a place."""

    scale_mm = 60.0

    def __init__(self, config: StudioConfig) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(7)
        bands = torch.tensor([1.0, 2.5, 6.0]).repeat_interleave(-(-config.frequencies // 3))[: config.frequencies]
        self.register_buffer("waves", torch.randn(3, config.frequencies, generator=draw) * bands)
        wide = config.place_width
        self.trunk = nn.Sequential(
            nn.Linear(4 * config.frequencies + 4, wide), nn.GELU(), nn.Linear(wide, wide), nn.GELU()
        )
        self.encoder = nn.Linear(wide, config.width)
        self.decoder = nn.Linear(wide, config.width)
        self.loadings = nn.Linear(wide, config.factors)
        self.precision = nn.Linear(wide, 1)

    def forward(self, xyz: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return encoder place (B, V, D), decoder place (B, V, D), loadings (B, V, R), precision (B, V, 1)."""
        point = torch.nan_to_num(xyz) / self.scale_mm
        mirrored = torch.cat([point[..., :1].abs(), point[..., 1:]], -1)
        waves: Tensor = self.waves  # type: ignore[assignment]
        angles = torch.cat([point @ waves, mirrored @ waves], -1)
        known = self.trunk(torch.cat([point, mirrored[..., :1], angles.sin(), angles.cos()], -1))
        return (
            self.encoder(known),
            self.decoder(known),
            self.loadings(known),
            functional.softplus(self.precision(known)),
        )


@dataclass(frozen=True)
class Reading:
    """A batch of windows as the encoder and the decoder read it.

    Attributes
    ----------
    patches : the windows, cut
    seen : which patches are visible
    guess : (B, V, N, 20) first guess from the factors
    place, decoder_place : (B, V, D)
    times : (N,) start of each time patch, in patches of 14.4 s
    """

    patches: Patches
    seen: Seen
    guess: Tensor
    place: Tensor
    decoder_place: Tensor
    times: Tensor


class Studio(MaskedModel):
    """The masked autoencoder described at the top of this file."""

    patch_s: ClassVar[float] = PATCH_S

    def __init__(self, config: StudioConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StudioConfig()
        width, heads, ratio = config.width, config.heads, config.mlp_ratio
        self.places = Places(config)
        self.embed_patch = nn.Linear(2 * SAMPLES, width)
        self.registers = nn.Parameter(torch.randn(config.registers, width) * 0.3)
        self.summary = nn.Parameter(torch.randn(1, width) * 0.3)
        self.encoder = nn.ModuleList(Block(width, heads, ratio) for _ in range(config.encoder_layers))
        self.over_time = nn.ModuleList(Block(width, heads, 0) for _ in range(config.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.to_decoder = nn.Linear(width, width)
        self.embed_guess = nn.Linear(SAMPLES, width)
        self.hidden_token = nn.Parameter(torch.randn(width) * 0.02)
        self.own_time = nn.ModuleList(Block(width, heads, 0) for _ in range(config.decoder_layers))
        self.decoder = nn.ModuleList(Block(width, heads, 2, crossed=True) for _ in range(config.decoder_layers))
        self.head = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, SAMPLES)
        )
        for parameter in self.head[-1].parameters():  # begin with the first guess as it is
            nn.init.zeros_(parameter)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Studio:
        """Build from the numbers of a config.json; unknown ones are ignored."""
        known = {field.name for field in fields(StudioConfig)}
        return cls(StudioConfig(**{key: value for key, value in config.items() if key in known}))

    def config_dict(self) -> dict[str, Any]:
        """Return the numbers for a config.json."""
        return asdict(self.config)

    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames make one patch of 14.4 s."""
        return frames_per_patch(tr_s)

    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        noise: Tensor | None = None,
        mask: Tensor | None = None,
        tr_s: float | None = None,
        *,
        queries: Tensor | None = None,
        attentions: bool = False,
    ) -> ModelOutput:
        """Fill in the hidden patches of ``signal``.

        Parameters
        ----------
        signal : (B, V, T) float, z-scored per parcel; NaN = not measured (never shown, never scored)
        xyz : (B, V, 3) float, MNI mm; NaN = unknown position (the parcel is left out)
        noise : (B, V * N) or (B, V, N) float, deciding the random mask: the smallest values stay visible
        mask : (B, V, N) bool, True = hidden; goes before ``noise``. Without either, a fixed random mask is used.
        tr_s : seconds per frame, 0.72 when not given
        queries : (Q,) int, decode only these parcels (training): V becomes Q in ``prediction`` and ``mask``
        attentions : keep the encoder's attention weights
        """
        tr_s = SAMPLE_S if tr_s is None else float(tr_s)
        patches = cut(signal, xyz, tr_s)
        hidden = self._hidden(patches.usable, noise, mask)
        reading = self._read(patches, patches.usable & ~hidden, xyz, tr_s)
        kept: list[Tensor] | None = [] if attentions else None
        tokens, registers, summary = self._encode(reading, kept)
        asked = torch.arange(signal.shape[1], device=signal.device) if queries is None else queries
        correction = self._decode(reading, tokens, registers, summary, asked)
        prediction = (reading.guess[:, asked] + correction) @ resampling(tr_s, signal.device)[1].to(signal.dtype).T
        scored = (hidden & patches.usable)[:, asked]
        loss, count = _masked_error(prediction, patches, asked, scored)
        unknown = ~torch.isfinite(xyz).all(-1)[:, asked]
        prediction = prediction.masked_fill(unknown[:, :, None, None], torch.nan)
        latent = torch.cat([summary, tokens.flatten(1, 2)], 1)
        shown = scored.to(signal.dtype)
        return ModelOutput(prediction, latent, shown, loss, tuple(kept or ()), reading.seen.ids(), count)

    def embed(self, signal: Tensor, xyz: Tensor, tr_s: float | None = None) -> tuple[Tensor, Tensor]:
        """Encode with everything visible; the decoder never runs.

        Returns
        -------
        latent : (B, 1 + K, D), the summary token first
        tokens : (B, K) patch ids as in :class:`ModelOutput`
        """
        tr_s = SAMPLE_S if tr_s is None else float(tr_s)
        patches = cut(signal, xyz, tr_s)
        reading = self._read(patches, patches.usable, xyz, tr_s)
        tokens, _, summary = self._encode(reading, None)
        return torch.cat([summary, tokens.flatten(1, 2)], 1), reading.seen.ids()

    def _hidden(self, usable: Tensor, noise: Tensor | None, mask: Tensor | None) -> Tensor:
        if mask is not None:
            return mask.to(device=usable.device, dtype=torch.bool).expand_as(usable)
        if noise is None:
            fixed = torch.rand(usable.shape[1:], generator=torch.Generator().manual_seed(0))
            noise = fixed.to(usable.device).expand(usable.shape)
        return hide_noisiest(noise.reshape(usable.shape), self.config.mask_ratio)

    def _read(self, patches: Patches, visible: Tensor, xyz: Tensor, tr_s: float) -> Reading:
        place, decoder_place, loadings, precision = self.places(xyz)
        guess = _first_guess(patches.samples, precision * visible, loadings)
        steps = torch.arange(visible.shape[2], device=visible.device)
        times = steps * (frames_per_patch(tr_s) * tr_s / PATCH_S)
        return Reading(patches, Seen(visible), guess, place, decoder_place, times)

    def _encode(self, reading: Reading, kept: list[Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return visible tokens (B, N, K, D), registers (B, N, R, D) and the summary (B, 1, D)."""
        seen = reading.seen
        both = torch.cat([reading.patches.samples, reading.guess], -1)
        tokens = self.embed_patch(seen.gather(both)) + seen.gather_place(reading.place)
        batch, n_patches, _, width = tokens.shape
        n_registers = self.registers.shape[0]
        registers = self.registers.expand(batch, n_patches, n_registers, width)
        joined, summary = torch.cat([registers, tokens], 2), self.summary.expand(batch, 1, width).contiguous()
        # the summary stands at the middle of the window: no end of it is nearer
        ticks = torch.cat([reading.times.mean()[None], reading.times.repeat_interleave(n_registers)])
        phases = _phases(ticks, width // self.config.heads)
        allowed = seen.allowed(n_registers)
        for within, across in zip(self.encoder, self.over_time, strict=True):
            weights: list[Tensor] | None = None if kept is None else []
            joined, summary = self.run_layer(
                encoder_layer, within, across, joined, summary, n_registers, allowed, phases, weights
            )
            if kept is not None and weights:
                kept.append(weights[0].reshape(batch, n_patches, *weights[0].shape[1:]))
        joined = self.encoder_norm(joined)
        registers, tokens = joined[:, :, :n_registers], joined[:, :, n_registers:]
        return tokens if seen.even else tokens * seen.real, registers, self.encoder_norm(summary)

    def _decode(self, reading: Reading, tokens: Tensor, registers: Tensor, summary: Tensor, asked: Tensor) -> Tensor:
        """Return the correction of the first guess for the asked parcels: (B, Q, N, 20)."""
        tokens, registers, summary = self.to_decoder(tokens), self.to_decoder(registers), self.to_decoder(summary)
        n_patches, width = tokens.shape[1], tokens.shape[3]
        context = torch.cat([registers, summary[:, None].expand(-1, n_patches, -1, -1), tokens], 2).flatten(0, 1)
        allowed = reading.seen.allowed(registers.shape[2] + 1)
        state = reading.seen.scatter(tokens, self.hidden_token, asked)  # (B, N, Q, D)
        guess = self.embed_guess(reading.guess[:, asked]).transpose(1, 2)
        state = (state + guess + reading.decoder_place[:, None, asked]).contiguous()
        packing = Packing.of(state)
        phases = _phases(reading.times.repeat(packing.rows), width // self.config.heads)
        for along, across in zip(self.own_time, self.decoder, strict=True):
            state = self.run_layer(decoder_layer, along, across, state, context, allowed, packing.allowed, phases)
        correction: Tensor = self.head(state).transpose(1, 2)
        return correction


def _first_guess(samples: Tensor, weight: Tensor, loadings: Tensor) -> Tensor:
    """Ridge over the visible parcels of each time patch on the learned loadings.

    Parameters
    ----------
    samples : (B, V, N, 20)
    weight : (B, V, N), precision of the visible, 0 for the hidden
    loadings : (B, V, R)

    Returns
    -------
    guess : (B, V, N, 20), the factors' time courses carried to every parcel
    """
    with torch.autocast(samples.device.type, enabled=False):  # a solve in half precision is none
        samples, weight, loadings = (x.float() if x.dtype == torch.bfloat16 else x for x in (samples, weight, loadings))
        gram = torch.einsum("bvr,bvn,bvs->bnrs", loadings, weight, loadings)
        gram = gram + torch.eye(gram.shape[-1], device=gram.device, dtype=gram.dtype)
        right = torch.einsum("bvr,bvns->bnrs", loadings, weight[..., None] * samples)
        factors = solved(gram, right)
        return torch.einsum("bvr,bnrs->bvns", loadings, factors)


def _masked_error(prediction: Tensor, patches: Patches, queries: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean squared error over the scored frames, and how many these are."""
    counted = (patches.measured[:, queries] & scored[..., None]).to(prediction.dtype)
    error = (prediction - patches.frames[:, queries]).square() * counted
    count = counted.sum()
    return error.sum() / count, count
