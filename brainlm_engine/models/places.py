"""What a model knows of a place in the brain before it has seen any signal from there."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.studio_config import StudioConfig


class Known(NamedTuple):
    """What is known of every parcel.

    Attributes
    ----------
    encoder, decoder : (B, V, D), added to the tokens
    loadings : (B, V, R) on the factors of the first guess; R may be 0
    precision : (B, V, 1), > 0; of what the factors leave over
    """

    encoder: Tensor
    decoder: Tensor
    loadings: Tensor
    precision: Tensor


class Places(nn.Module):
    """From MNI coordinates to :class:`Known`, or, for one atlas only, from the parcel's number."""

    scale_mm = 60.0

    def __init__(self, config: StudioConfig) -> None:
        super().__init__()
        self.kind, self.factors, wide = config.coordinates, config.factors, config.place_width
        features = 4
        if self.kind == "fourier":
            draw = torch.Generator().manual_seed(7)
            bands = torch.tensor([1.0, 2.5, 6.0]).repeat_interleave(-(-config.frequencies // 3))[: config.frequencies]
            self.register_buffer("waves", torch.randn(3, config.frequencies, generator=draw) * bands)
            features = 4 * config.frequencies + 4
        if self.kind == "learned":
            self.table = nn.Parameter(torch.randn(config.parcels, wide) * 0.3)
        else:
            self.trunk = nn.Sequential(nn.Linear(features, wide), nn.GELU(), nn.Linear(wide, wide), nn.GELU())
        self.encoder = nn.Linear(wide, config.width)
        self.decoder = nn.Linear(wide, config.width)
        if self.factors:
            self.loadings = nn.Linear(wide, config.factors)
            self.precision = nn.Linear(wide, 1)

    def forward(self, xyz: Tensor) -> Known:
        """Return what is known at ``xyz (B, V, 3)`` mm; NaN = unknown, read as the origin and used nowhere."""
        known = self._of_parcels(xyz) if self.kind == "learned" else self.trunk(self._features(xyz))
        if not self.factors:
            none = xyz.new_zeros((*xyz.shape[:2], 0))
            return Known(self.encoder(known), self.decoder(known), none, xyz.new_ones((*xyz.shape[:2], 1)))
        precision = functional.softplus(self.precision(known))
        return Known(self.encoder(known), self.decoder(known), self.loadings(known), precision)

    def _features(self, xyz: Tensor) -> Tensor:
        """Return (B, V, F): the point, the distance from the midline, and their waves where these are wanted."""
        point = torch.nan_to_num(xyz) / self.scale_mm
        mirrored = torch.cat([point[..., :1].abs(), point[..., 1:]], -1)
        bare = [point, mirrored[..., :1]]
        if self.kind == "xyz":
            return torch.cat(bare, -1)
        waves: Tensor = self.waves  # type: ignore[assignment]
        angles = torch.cat([point @ waves, mirrored @ waves], -1)
        return torch.cat([*bare, angles.sin(), angles.cos()], -1)

    def _of_parcels(self, xyz: Tensor) -> Tensor:
        if xyz.shape[1] != len(self.table):
            raise BadInput(
                f"The model knows the {len(self.table)} parcels of its own atlas only; this recording has "
                f"{xyz.shape[1]}.",
                "Parcellate with the model's atlas, or choose a model that reads any atlas.",
            )
        return self.table.expand(len(xyz), -1, -1)
