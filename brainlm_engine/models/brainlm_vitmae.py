"""The published BrainLM "ViTMAE" models (111M and 650M): a window of 424 x 200 values, read as a picture.

How a window becomes a prediction, top to bottom:

1. Rows are put in the order of ascending MNI Y (back to front of the head; ties stay in parcel order), and the signal
   is divided by 5.6430855, a constant of the published notebooks.
2. The picture, three equal channels, is padded with -1 to a square: 432 x 432 for patches of 16 x 16 values, 434 x 434
   for 14 x 14. So 52 % of the patches hold nothing but padding, and one patch spans 16 parcels and 16 frames.
3. Each patch becomes a token, plus a fixed 2-D sine-cosine position. Only visible tokens, behind a summary token, go
   through the encoder: a pre-norm vision transformer.
4. The decoder puts one learned token wherever a patch was hidden, runs a smaller transformer over all of them and turns
   each token back into a patch; padding is cut away and the three channels are averaged.

Names of parameters, equations and defaults are those of the published class, so its weights load as they are. What is
different, on purpose: the given ``noise`` is always honoured, noise not given is the same every time, ties are broken
in order, values that were not measured are shown as 0 (as the published pipeline writes them) and never scored, and the
decoder does not run for embeddings. TR is not an input: the models were trained at 0.735 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.attention_tiles import Reader, Watch, watching
from brainlm_engine.models.base import UNKNOWN_SCALING, MaskedModel, directly
from brainlm_engine.models.brainlm_vitmae_config import MODES, ViTMAEConfig, matches
from brainlm_engine.models.brainlm_vitmae_layers import Layer
from brainlm_engine.models.output import ModelOutput
from brainlm_engine.models.parcel_attention import Groups
from brainlm_engine.models.picture import FRAMES, PARCELS, back_to_front, by_rank, pick_rows

NAME = "brainlm-vitmae"
__all__ = ["NAME", "BrainLMViTMAE", "ImageOutput", "ViTMAEConfig", "matches"]


@dataclass(frozen=True)
class ImageOutput:
    """What the published class returns for a batch of pictures of 424 rows (back to front) and 200 columns.

    Attributes
    ----------
    loss : scalar, over hidden measured values without the padding; in the unit of the picture
    logits : (B, 424, 200) prediction in the unit of the picture
    mask : (B, 424, 200) bool, True = hidden
    ids_restore : (B, S) int64, rank of each patch of the picture (row by row) in the order of hiding; of ``S`` patches
        those with a rank below ``K`` are visible
    latent : (B, 1 + K, D) summary token, then the visible patches by rank; after the final LayerNorm
    hidden_states : when asked for, (B, 1 + K, D) tokens, then the output of every encoder layer (before the LayerNorm)
    attentions : when asked for, (B, H, 1 + K, 1 + K) per encoder layer
    """

    loss: Tensor
    logits: Tensor
    mask: Tensor
    ids_restore: Tensor
    latent: Tensor
    hidden_states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]


def sincos_table(width: int, grid: int) -> Tensor:
    """Return the fixed positions (1, 1 + grid * grid, width) float32, computed in double; the first row is zero.

    The first half of the channels tells the column, the second the row; each half is all sines, then all cosines.
    """
    place = torch.arange(grid, dtype=torch.float64)
    angle = place[:, None] * 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    waves = torch.cat([angle.sin(), angle.cos()], -1)  # (grid, width / 2)
    column, row = waves.expand(grid, grid, -1), waves[:, None].expand(grid, grid, -1)
    table = torch.cat([column, row], -1).flatten(0, 1)
    return torch.cat([torch.zeros_like(table[:1]), table])[None].float()


class PatchEmbeddings(nn.Module):
    """Each patch of the picture as one linear map, under its published name."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, config.patch_size, config.patch_size)


class Embeddings(nn.Module):
    """From the padded picture to tokens with positions."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.channels = config.num_channels
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.position_embeddings = nn.Parameter(
            sincos_table(config.hidden_size, config.picture.grid), requires_grad=False
        )
        self.patch_embeddings = PatchEmbeddings(config)

    def forward(self, picture: Tensor, ids_keep: Tensor) -> Tensor:
        """Return the summary token and the tokens ``ids_keep (B, K)`` of ``picture (B, side, side)``."""
        channels = picture[:, None].expand(-1, self.channels, -1, -1)
        tokens = self.patch_embeddings.projection(channels).flatten(2).transpose(1, 2) + self.position_embeddings[:, 1:]
        tokens = tokens.gather(1, ids_keep[..., None].expand(-1, -1, tokens.shape[-1]))
        summary = self.cls_token + self.position_embeddings[:, :1]
        return torch.cat([summary.expand(len(tokens), -1, -1), tokens], 1)


class Encoder(nn.Module):
    """The layers, under their published name."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))


class ViT(nn.Module):
    """The encoder: visible tokens only."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        picture: Tensor,
        ids_keep: Tensor,
        present: Tensor | None = None,
        watch: Watch | None = None,
        run: Callable[..., Any] = directly,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the latent (B, 1 + K, D) and the states before each layer and after the last.

        ``present (B, K)`` bars tokens that only fill up a sample with fewer visible patches than its neighbours.
        """
        allowed = None if present is None else functional.pad(present, (1, 0), value=True)[:, None, None]
        states = [self.embeddings(picture, ids_keep)]
        for layer in self.encoder.layer:
            states.append(run(layer, states[-1], allowed, watch))
        return self.layernorm(states[-1]), states


class Decoder(nn.Module):
    """From the latent to the values of every patch."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        own = config.decoder()
        width = own.hidden_size
        self.decoder_embed = nn.Linear(config.hidden_size, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_pos_embed = nn.Parameter(sincos_table(width, config.picture.grid), requires_grad=False)
        self.decoder_layers = nn.ModuleList(Layer(own) for _ in range(own.num_hidden_layers))
        self.decoder_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.decoder_pred = nn.Linear(width, config.patch_size**2 * config.num_channels)

    def forward(
        self, latent: Tensor, ids_restore: Tensor, present: Tensor | None, run: Callable[..., Any] = directly
    ) -> Tensor:
        """Return (B, S, patch * patch * channels) from ``latent (B, 1 + K, D)``."""
        x = self.decoder_embed(latent)
        summary, tokens = x[:, :1], x[:, 1:]
        empty = self.mask_token.to(x.dtype)
        if present is not None:
            tokens = torch.where(present[..., None], tokens, empty)
        tokens = torch.cat([tokens, empty.expand(len(x), ids_restore.shape[1] - tokens.shape[1], -1)], 1)
        tokens = tokens.gather(1, ids_restore[..., None].expand(-1, -1, x.shape[-1]))
        x = torch.cat([summary, tokens], 1) + self.decoder_pos_embed
        for layer in self.decoder_layers:
            x = run(layer, x)
        out: Tensor = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        return out


class BrainLMViTMAE(MaskedModel):
    """The masked autoencoder described at the top of this file."""

    limits: tuple[str, ...] = (
        "It reads windows of exactly 424 parcels of the A424 atlas and 200 frames, at the TR it was trained at.",
        "It sees the recording as a picture: one patch spans 16 (or 14) parcels and frames, and a patch of the picture "
        "is hidden as soon as any of its values is. A mask that is scattered over parcels hides nearly everything.",
        "It knows a parcel only by its rank from back to front of the head.",
    )
    rebuilt: ClassVar[tuple[str, ...]] = ("vit.embeddings.position_embeddings", "decoder.decoder_pos_embed")
    input_note: ClassVar[str] = UNKNOWN_SCALING

    def __init__(self, config: ViTMAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ViTMAEConfig()
        self.answer_size = (424, 200)
        self.vit = ViT(config)
        self.decoder = Decoder(config)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.normal_(module.weight, std=config.initializer_range)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.vit.embeddings.cls_token, std=config.initializer_range)
        nn.init.normal_(self.decoder.mask_token, std=config.initializer_range)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BrainLMViTMAE:
        """Build from a published config.json; keys it does not know are kept for :meth:`config_dict`."""
        known = {each.name for each in fields(ViTMAEConfig)} - {"extra"}
        extra = {key: value for key, value in config.items() if key not in known}
        return cls(ViTMAEConfig(**{key: config[key] for key in known & config.keys()}, extra=extra))

    def config_dict(self) -> dict[str, Any]:
        """Return the contents of a published config.json."""
        numbers = asdict(self.config)
        extra: dict[str, Any] = numbers.pop("extra")
        published: dict[str, Any] = {"model_type": "vit_mae", "image_size": [self.config.picture.side] * 2}
        return published | numbers | extra

    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames make one patch in the engine's masks and answers: 20, whatever the TR."""
        return self.config.timepoint_patching_size

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
    ) -> ModelOutput:
        """Fill in the hidden patches of ``signal``, in its own order of parcels and its own unit.

        Parameters
        ----------
        signal : (B, 424, 200) float, robust-scaled; NaN = not measured (shown as 0, never scored)
        xyz : (B, 424, 3) float, MNI mm; only Y is used, for the order. NaN = unknown (last in order, shown as 0)
        noise : deciding the random mask, the smallest stay visible. (B, S) float, one per patch of the picture, as
            published; or (B, V, N) or (B, V * N), of which a patch of the picture takes the value at its middle, and
            then patches of padding stay visible
        mask : True = hidden, goes before ``noise``. (B, S) bool hides just these patches of the picture, and scores
            what they hold, as in training; or (B, V, N) bool, N patches of 20 frames. **A patch of the picture
            (16 or 14 parcels and frames) is hidden when any hidden value falls in it**, so more is hidden from the
            model than was asked for; only what was asked for is scored. Patches of padding stay visible.
            Without mask and noise the mask is that of ``train_mode``; for 'auto_encode' random, the same every time
        tr_s : not used, the model knows no TR
        queries : not used: all patches are decoded, the loss is over the hidden ones in any case
        attentions : keep the encoder's attention weights, one (B, H, 1 + K, 1 + K) per layer; or a reader, which is
            shown them tile by tile

        Returns
        -------
        output : as every model; the loss is the mean squared error in the unit of ``signal``, ``tokens`` gives for
            each visible patch of the picture the parcel and time patch at its middle, -1 for padding

        Raises
        ------
        BadInput
            When the window has another size than 424 x 200.
        """
        config, geometry = self.config, self.config.picture
        image, order = self._image(signal, xyz)
        shape = (len(image), PARCELS, FRAMES // config.timepoint_patching_size, config.timepoint_patching_size)
        hidden, of_picture = None, mask is not None and mask.shape[1:] == (geometry.patches,)
        if mask is not None and of_picture:
            hidden, mask = mask.to(device=image.device, dtype=torch.bool), None
        elif mask is not None:
            mask = mask.to(device=image.device, dtype=torch.bool).expand(shape[:3])
            hidden = geometry.hidden_by_mask(mask, order)
        elif noise is not None and noise.shape[1:] != (geometry.patches,):
            hidden = geometry.hidden_by_noise(noise, order, config.mask_ratio)
        mode = None if noise is None else "auto_encode"
        out = self.fill_image(image, noise=noise, hidden=hidden, train_mode=mode, attentions=attentions)
        back = order.argsort(1)
        prediction = (pick_rows(out.logits, back) * config.signal_divisor).view(shape)
        covered = pick_rows(out.mask, back).view(shape)
        if mask is not None:
            asked = mask[..., None]
        else:  # every hidden value where just these were asked for, else patches that are hidden altogether
            asked = covered if of_picture else covered.all(-1, keepdim=True)
        placed = torch.isfinite(xyz).all(-1)[:, :, None, None]
        counted = asked & placed & torch.isfinite(signal).view(shape)
        error = prediction - torch.where(counted, signal.view(shape), prediction)
        loss = error.to(torch.promote_types(error.dtype, torch.float32)).square().sum() / counted.sum()
        tokens = by_rank(geometry.ids(order), out.ids_restore)[:, : out.latent.shape[1] - 1]
        if hidden is not None:  # a sample with fewer visible patches than its neighbours is filled up
            tokens = tokens.masked_fill(by_rank(hidden, out.ids_restore)[:, : tokens.shape[1]], -1)
        prediction = prediction.masked_fill(~placed, torch.nan)
        scored = counted.any(-1).to(prediction.dtype)
        return ModelOutput(prediction, out.latent, scored, loss, out.attentions, tokens, counted.sum())

    def embed(
        self,
        signal: Tensor,
        xyz: Tensor,
        tr_s: float | None = None,
        *,
        before_norm: bool = False,
        attentions: Reader | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Encode with everything visible, tokens in the order of the picture; the decoder never runs.

        Parameters
        ----------
        before_norm : leave out the final LayerNorm, as some published analyses do
        attentions : is shown the attention weights tile by tile

        Returns
        -------
        latent : (B, 1 + S, D), the summary token first
        tokens : (B, S) parcel and time patch at the middle of each patch, as in :meth:`forward`
        """
        image, order = self._image(signal, xyz)
        ids = torch.arange(self.config.picture.patches, device=image.device).expand(len(image), -1)
        watch = None if attentions is None else watching(attentions)
        latent, states = self.vit(self._picture(image), ids, None, watch)
        return (states[-1] if before_norm else latent), self.config.picture.ids(order)

    def groups(self, signal: Tensor, xyz: Tensor) -> Groups:
        """Say which tokens of :meth:`embed` are of the same parcels: those of one row of patches of the picture."""
        geometry, (_, order) = self.config.picture, self._image(signal, xyz)
        held = geometry.middles(order.device)[2].view(geometry.grid, geometry.grid)
        tokens = 1 + torch.arange(geometry.patches, device=order.device).view(held.shape)[held]
        row = (order.argsort(1) + geometry.top) // geometry.size
        known = torch.isfinite(xyz).all(-1)
        return Groups(tokens.view(int(held.any(1).sum()), -1), torch.where(known, row, -1))

    def fill_image(
        self,
        image: Tensor,
        *,
        noise: Tensor | None = None,
        hidden: Tensor | None = None,
        train_mode: str | None = None,
        mask_ratio: float | None = None,
        attentions: bool | Reader = False,
        hidden_states: bool = False,
    ) -> ImageOutput:
        """Answer as the published class does.

        Parameters
        ----------
        image : (B, 424, 200) float, rows already in order, already divided; NaN = not measured
        noise : (B, S) float for 'auto_encode': the ``int(S * (1 - mask_ratio))`` smallest stay visible, in rising order
        hidden : (B, S) bool, hides just these patches of the picture; goes before noise and mode
        train_mode : one of ``MODES``, default the configuration's. 'predict_last' hides the patches that hold the last
            ``mask_ratio`` of the frames; 'predict_last_pixel' just these frames: in a patch that they share with
            earlier ones they are set to 0
        mask_ratio : default the configuration's
        """
        mode = train_mode or self.config.train_mode
        ratio = self.config.mask_ratio if mask_ratio is None else mask_ratio
        if mode not in MODES:
            raise ValueError(f"train_mode is {mode!r}, not one of {MODES}")
        geometry, picture = self.config.picture, self._picture(image)
        from_column = geometry.side
        if hidden is None and mode != "auto_encode":
            from_column, first, behind = geometry.last_columns(ratio, whole_patches=mode == "predict_last")
            column = torch.arange(geometry.patches, device=image.device) % geometry.grid
            hidden = ((column >= first) & (column < behind)).expand(len(image), -1)
            picture[:, :, from_column : first * geometry.size] = 0
        restore, visible = self._ranks(image, noise, hidden, ratio)
        most = int(visible.max())
        present = torch.arange(most, device=image.device) < visible[:, None]
        bars = None if bool(present.all()) else present
        watch = watching(attentions)
        latent, states = self.vit(picture, restore.argsort(1)[:, :most], bars, watch, self.run_layer)
        if bars is not None:
            latent = latent * functional.pad(bars, (1, 0), value=True)[..., None]
        logits = geometry.laid_out(self.decoder(latent, restore, bars, self.run_layer)).mean(-1)
        gone = geometry.hidden_values(restore >= visible[:, None])
        gone = gone | (torch.arange(FRAMES, device=image.device) >= from_column - geometry.left)
        loss = self._image_loss(logits, image, gone)
        shown = tuple(states if hidden_states else ())
        return ImageOutput(loss, logits, gone, restore, latent, shown, tuple(watch.maps) if watch else ())

    def _ranks(self, image: Tensor, noise: Tensor | None, hidden: Tensor | None, ratio: float) -> tuple[Tensor, Tensor]:
        """Return the rank of every patch (B, S), hidden ones last, and the number of visible ones (B,)."""
        total = self.config.picture.patches
        if hidden is not None:
            shuffle = torch.argsort(hidden.to(torch.uint8), dim=1, stable=True)
            return shuffle.argsort(1), (~hidden).sum(1)
        if noise is None:
            fixed = torch.rand(total, generator=torch.Generator().manual_seed(0))
            noise = fixed.to(image.device).expand(len(image), -1)
        shuffle = torch.argsort(noise, dim=1, stable=True)
        return shuffle.argsort(1), torch.full((len(image),), int(total * (1 - ratio)), device=image.device)

    def _image_loss(self, logits: Tensor, image: Tensor, gone: Tensor) -> Tensor:
        """Return the mean squared error over hidden measured values; optionally of rows brought to mean 0, SD 1."""
        counted = gone & torch.isfinite(image)
        target = torch.where(torch.isfinite(image), image, 0).to(torch.promote_types(image.dtype, torch.float32))
        if self.config.norm_pix_loss:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        return ((logits.to(target.dtype) - target).square() * counted).sum() / counted.sum()

    def _picture(self, image: Tensor) -> Tensor:
        """Return the padded square (B, side, side) in the precision of the weights; gaps are 0."""
        image = torch.where(torch.isfinite(image), image, 0).to(self.vit.embeddings.cls_token.dtype)
        return self.config.picture.padded(image)

    def _image(self, signal: Tensor, xyz: Tensor) -> tuple[Tensor, Tensor]:
        """Return the picture's values (B, 424, 200), NaN where not measured, and the parcel of each row (B, 424)."""
        if signal.shape[1:] != (PARCELS, FRAMES) or xyz.shape[1:] != (PARCELS, 3):
            raise BadInput(
                f"This model reads windows of exactly {PARCELS} parcels and {FRAMES} frames, not of "
                f"{signal.shape[1]} parcels and {signal.shape[2]} frames.",
                f"Use a recording in the A424 atlas with {FRAMES} frames or more, or a model for any atlas and length.",
            )
        order = back_to_front(xyz)
        known = torch.isfinite(signal) & torch.isfinite(xyz).all(-1, keepdim=True)
        return pick_rows(torch.where(known, signal, torch.nan), order) / self.config.signal_divisor, order
