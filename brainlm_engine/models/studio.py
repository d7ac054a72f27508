"""Our own compact masked autoencoder: any atlas, any TR, any length.

How it reads a window, top to bottom:

1. Patches of 14.4 s on a common time grid (:mod:`brainlm_engine.models.patches`).
2. Places: a parcel is known only by its MNI coordinates, through Fourier features of (x, y, z) and of the mirrored
   (|x|, y, z), so that an unseen atlas is just other points of the same brain (:mod:`brainlm_engine.models.places`).
3. Factors: each place has learned loadings on a few dozen factors and a learned precision. Within a time patch the
   factor time courses are the ridge solution over the visible parcels, in closed form. This is a first guess for every
   hidden patch, as good as a regression fitted on all training people (:mod:`brainlm_engine.models.first_guess`).
4. Encoder: attention among the visible parcels of one time patch plus a few registers; the registers and one summary
   token then attend to each other across time. Cost grows with parcels**2 x patches, not (parcels x patches)**2.
5. Decoder: every parcel attends to its own patches over time, then to the visible parcels of its time patch.
6. Head: a correction to the first guess.

Attention over time uses rotary phases of the patch's time in seconds, so the length of a window is free.

Each of these can be switched to a plainer or a richer form (:class:`brainlm_engine.models.studio_config.StudioConfig`);
``tests/bench/ablation.py`` trains the forms against each other.

==================  ========================================================================================
coordinates         ``fourier``; ``xyz`` goes through the same perceptron bare; ``learned`` is a table for the
                    parcels of one atlas: such a model reads no other
guess               ``people``, ``window`` or ``person``: whose covariance the first guess rests on
factors = 0         no first guess; the head predicts the signal itself
left_out            the encoder sees what the *other* parcels say of a visible patch, so that the difference is
                    that parcel's own news
bands               ridges of their own for bands of temporal frequency
attention           ``joint``: the encoder's blocks attend among all visible patches of the window, one set of
                    registers and the summary, with rotary phases of time; nothing else attends across time there.
                    ``tied``: among the parcels of a time patch, by one map for the whole window
                    (:mod:`brainlm_engine.models.tied_attention`)
registers = 0       the mean of a time patch's visible tokens stands in for them: what attention across time
                    adds to it is added to all of these tokens
patch_unit          ``frames``: a patch is 20 frames whatever the TR, and time is counted in patches
decoder_layers = 0  the head sees the first guess, the place and the parcel's own token: nothing the encoder finds
                    reaches a hidden patch
==================  ========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from brainlm_engine.models.attention import Block, in_halves, phases_of
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.first_guess import FirstGuess, Guess
from brainlm_engine.models.masks import hide_noisiest
from brainlm_engine.models.output import ModelOutput
from brainlm_engine.models.patches import PATCH_S, SAMPLE_S, SAMPLES, Patches, cut, frames_per_patch, resampling
from brainlm_engine.models.places import Places
from brainlm_engine.models.studio_config import StudioConfig
from brainlm_engine.models.studio_layers import (
    decoder_layer,
    encoder_layer,
    encoder_layer_of_means,
    joint_layer,
    tied_decoder_layer,
    tied_encoder_layer,
)  # fmt: skip
from brainlm_engine.models.tied_attention import Layout
from brainlm_engine.models.time_packing import Packing
from brainlm_engine.models.visible import Seen

NAME = "studio"
_ONE_ATLAS = "It has learned the parcels of one atlas by their numbers and reads no other."
_FRAMES = "Its patches are 20 frames long whatever the TR, so that a patch lasts longer the slower the recording."


@dataclass(frozen=True)
class Reading:
    """A batch of windows as the encoder and the decoder read it.

    Attributes
    ----------
    patches : the windows, cut
    seen : which patches are visible
    guess : (B, V, N, 20) first guess from the factors, and what the encoder is told of it
    place, decoder_place : (B, V, D)
    times : (N,) start of each time patch, in patches of 14.4 s
    """

    patches: Patches
    seen: Seen
    guess: Guess
    place: Tensor
    decoder_place: Tensor
    times: Tensor


class Studio(MaskedModel):
    """The masked autoencoder described at the top of this file."""

    def __init__(self, config: StudioConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StudioConfig()
        width, heads, ratio = config.width, config.heads, config.mlp_ratio
        self.patch_s = PATCH_S if config.patch_unit == "seconds" else 0.0
        self.limits = (_ONE_ATLAS,) * config.one_atlas + (_FRAMES,) * (config.patch_unit == "frames")
        if config.one_atlas:
            self.answer_size = (config.parcels, self.answer_size[1])
        self.places = Places(config)
        self.first_guess = FirstGuess(config)
        self.embed_patch = nn.Linear(2 * SAMPLES if config.factors else SAMPLES, width)
        self.registers = nn.Parameter(torch.randn(config.registers, width) * 0.3)
        self.summary = nn.Parameter(torch.randn(1, width) * 0.3)
        self.encoder = nn.ModuleList(Block(width, heads, ratio) for _ in range(config.encoder_layers))
        self.joint, self.tied = config.attention == "joint", config.attention == "tied"
        self.over_time = nn.ModuleList(
            Block(width, heads, 0) for _ in range(0 if self.joint else config.encoder_layers)
        )
        self.encoder_norm = nn.LayerNorm(width)
        self.to_decoder = nn.Linear(width, width)
        self.embed_guess = nn.Linear(SAMPLES, width) if config.factors else None
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
        """Build from the numbers and words of a config.json; unknown ones are ignored."""
        known = {field.name for field in fields(StudioConfig)}
        return cls(StudioConfig(**{key: value for key, value in config.items() if key in known}))

    def config_dict(self) -> dict[str, Any]:
        """Return the numbers and words for a config.json."""
        return self.config.written()

    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames make one patch of 14.4 s (or 20, see ``patch_unit``)."""
        return frames_per_patch(self._own_tr(tr_s))

    def _own_tr(self, tr_s: float | None) -> float:
        """Return the TR as the model takes it: where patches are counted in frames, all are alike."""
        return SAMPLE_S if tr_s is None or self.config.patch_unit == "frames" else float(tr_s)

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
        tr_s = self._own_tr(tr_s)
        patches = cut(signal, xyz, tr_s)
        hidden = self._hidden(patches.usable, noise, mask)
        reading = self._read(patches, patches.usable & ~hidden, xyz, tr_s)
        kept: list[Tensor] | None = [] if attentions else None
        tokens, registers, summary = self._encode(reading, kept)
        asked = torch.arange(signal.shape[1], device=signal.device) if queries is None else queries
        correction = self._decode(reading, tokens, registers, summary, asked)
        answer = reading.guess.everywhere[:, asked] + correction
        prediction = answer @ resampling(tr_s, signal.device)[1].to(signal.dtype).T
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
        tr_s = self._own_tr(tr_s)
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
        known = self.places(xyz)
        guess = self.first_guess(patches.samples, visible, known.precision, known.loadings)
        steps = torch.arange(visible.shape[2], device=visible.device)
        times = steps * (frames_per_patch(tr_s) * tr_s / PATCH_S)
        return Reading(patches, Seen(visible), guess, known.encoder, known.decoder, times)

    def _encode(self, reading: Reading, kept: list[Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return visible tokens (B, N, K, D), registers (B, N, R, D) and the summary (B, 1, D)."""
        seen, samples = reading.seen, reading.patches.samples
        told = samples if self.embed_guess is None else torch.cat([samples, reading.guess.of_visible], -1)
        tokens = in_halves(self.embed_patch(seen.gather(told)) + seen.gather_place(reading.place))
        summary = self.summary.to(tokens.dtype).expand(len(tokens), 1, -1)
        mix = self._mix_jointly if self.joint else self._mix_in_turn
        tokens, registers, summary = mix(reading, tokens, summary, kept)
        tokens = self.encoder_norm(tokens)
        tokens = tokens if seen.even else tokens * seen.real
        return tokens, self.encoder_norm(registers), self.encoder_norm(summary)

    def _mix_in_turn(
        self, reading: Reading, tokens: Tensor, summary: Tensor, kept: list[Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend among the parcels of a time patch, then across time, layer by layer."""
        seen = reading.seen
        batch, n_patches, _, width = tokens.shape
        n_registers = self.registers.shape[0]
        registers = self.registers.to(tokens.dtype).expand(batch, n_patches, n_registers, width)
        joined = torch.cat([registers, tokens], 2)
        summary = summary.contiguous()
        # the summary stands at the middle of the window: no end of it is nearer
        ticks = torch.cat([reading.times.mean()[None], reading.times.repeat_interleave(max(1, n_registers))])
        phases = phases_of(ticks, width // self.config.heads)
        allowed, real = seen.allowed(n_registers), seen.real.to(joined.dtype)
        layout = Layout.of(seen, n_registers) if self.tied else None
        for within, across in zip(self.encoder, self.over_time, strict=True):
            weights: list[Tensor] | None = None if kept is None else []
            if self.tied:
                joined, summary = self.run_layer(
                    tied_encoder_layer, within, across, joined, summary, n_registers, layout, phases, weights
                )  # fmt: skip
            else:
                layer, how = (encoder_layer, n_registers) if n_registers else (encoder_layer_of_means, real)
                joined, summary = self.run_layer(layer, within, across, joined, summary, how, allowed, phases, weights)
            if kept is not None and weights:
                kept.append(weights[0].reshape(batch, n_patches, *weights[0].shape[-3:]))
        return joined[:, :, n_registers:], joined[:, :, :n_registers], summary

    def _mix_jointly(
        self, reading: Reading, tokens: Tensor, summary: Tensor, kept: list[Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend among all visible patches of the window at once."""
        batch, n_patches, slots, width = tokens.shape
        n_registers = self.registers.shape[0]
        registers = self.registers.to(tokens.dtype).expand(batch, n_registers, width)
        ticks = torch.cat([reading.times.mean().expand(1 + n_registers), reading.times.repeat_interleave(slots)])
        phases = phases_of(ticks, width // self.config.heads)
        allowed = reading.seen.allowed_together(1 + n_registers)
        line = torch.cat([summary, registers, tokens.flatten(1, 2)], 1)
        for block in self.encoder:
            line = self.run_layer(joint_layer, block, line, allowed, phases, kept)
        tokens = line[:, 1 + n_registers :].reshape(batch, n_patches, slots, width)
        registers = line[:, None, 1 : 1 + n_registers].expand(-1, n_patches, -1, -1)
        return tokens, registers, line[:, :1]

    def _decode(self, reading: Reading, tokens: Tensor, registers: Tensor, summary: Tensor, asked: Tensor) -> Tensor:
        """Return the correction of the first guess for the asked parcels: (B, Q, N, 20)."""
        tokens, registers, summary = self.to_decoder(tokens), self.to_decoder(registers), self.to_decoder(summary)
        n_patches, width = tokens.shape[1], tokens.shape[3]
        context = torch.cat([registers, summary[:, None].expand(-1, n_patches, -1, -1), tokens], 2)
        always = registers.shape[2] + 1
        state = reading.seen.scatter(tokens, self.hidden_token, asked)  # (B, N, Q, D)
        if self.embed_guess is not None:
            state = state + self.embed_guess(reading.guess.everywhere[:, asked]).transpose(1, 2)
        state = in_halves((state + reading.decoder_place[:, None, asked]).contiguous())
        packing = Packing.of(state)
        phases = phases_of(reading.times.repeat(packing.rows), width // self.config.heads)
        layer: Callable[..., Tensor] = tied_decoder_layer if self.tied else decoder_layer
        where = Layout.of(reading.seen, always) if self.tied else reading.seen.allowed(always)
        context = context if self.tied else context.flatten(0, 1)
        for along, across in zip(self.own_time, self.decoder, strict=True):
            state = self.run_layer(layer, along, across, state, context, where, packing.allowed, phases)
        correction: Tensor = self.head(state).transpose(1, 2)
        return correction


def _masked_error(prediction: Tensor, patches: Patches, queries: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean squared error over the scored frames, and how many these are."""
    counted = (patches.measured[:, queries] & scored[..., None]).to(prediction.dtype)
    error = (prediction - patches.frames[:, queries]).square() * counted
    count = counted.sum()
    return error.sum() / count, count
