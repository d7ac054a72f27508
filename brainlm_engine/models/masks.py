"""Which patches are hidden. True = hidden everywhere in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

KINDS = ("random", "parcels", "networks", "future", "last", "mixed", "mixed-networks")
#: percent of random, parcels, future and network masks where these are mixed
_WITH_NETWORKS = (55, 10, 10, 25)

#: the seven reference networks, subcortex and cerebellum: :data:`brainlm_engine.atlas.nearest_network.NETWORKS`
N_NETWORKS = 9


def hide_noisiest(noise: Tensor, ratio: float) -> Tensor:
    """Hide the ``ratio`` of parcels with the largest noise in every time patch.

    Parameters
    ----------
    noise : (B, V, N) float
    ratio : share hidden, 0..1; every patch keeps ``int(V * (1 - ratio))`` parcels, so that all are equally hard

    Returns
    -------
    hidden : (B, V, N) bool
    """
    parcels = noise.shape[1]
    keep = int(parcels * (1 - ratio) + 1e-9)
    order = noise.argsort(dim=1, stable=True)
    return torch.ones_like(noise, dtype=torch.bool).scatter(1, order[:, :keep], False)


def random_mask(shape: tuple[int, int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Hide parcels at random, anew in every time patch. ``shape`` is (B, V, N)."""
    return hide_noisiest(torch.rand(shape, generator=generator), ratio)


def parcel_mask(shape: tuple[int, int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Hide the same parcels for the whole window."""
    batch, parcels, n_patches = shape
    return random_mask((batch, parcels, 1), ratio, generator).expand(batch, parcels, n_patches)


def future_mask(shape: tuple[int, int, int], ratio: float, blocks: int, generator: torch.Generator) -> Tensor:
    """Hide the last ``blocks`` time patches of every parcel, and a random ``ratio`` of the earlier ones."""
    hidden = random_mask(shape, ratio, generator)
    hidden[:, :, -blocks:] = True
    return hidden


def network_mask(shape: tuple[int, int, int], ratio: float, members: Tensor, generator: torch.Generator) -> Tensor:
    """Hide ``members (V,)`` bool for the whole window, and a random ``ratio`` of the other parcels in every patch."""
    others = int((~members).sum())
    noise = torch.rand(shape, generator=generator).masked_fill(members[:, None], 2.0)
    rank = noise.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    return rank >= int(others * (1 - ratio) + 1e-9)


def token_mask(shape: tuple[int, int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Hide patches at random over the whole window: of its S patches exactly ``int(S * (1 - ratio))`` stay visible."""
    batch, parcels, n_patches = shape
    noise = torch.rand((batch, parcels * n_patches), generator=generator)
    kept = noise.argsort(dim=1, stable=True)[:, : int(parcels * n_patches * (1 - ratio))]
    return torch.ones_like(noise, dtype=torch.bool).scatter(1, kept, False).view(shape)


@dataclass(frozen=True)
class MaskPlan:
    """How the windows of one training step are hidden; the same for all of them, so that they fit one batch.

    Attributes
    ----------
    kind : 'random' (anew in every time patch), 'tokens' (over the whole window), 'parcels', 'networks' or 'future'
    ratio : share hidden; for 'networks' of the parcels outside them
    blocks : last time patches hidden, for 'future'
    networks : numbers of the networks hidden, for 'networks'
    """

    kind: Literal["random", "tokens", "parcels", "networks", "future"]
    ratio: float
    blocks: int = 0
    networks: tuple[int, ...] = ()

    def draw_each(
        self, shape: tuple[int, int], generators: list[torch.Generator], networks: NDArray[np.intp] | None = None
    ) -> Tensor:
        """Return ``hidden (B, V, N)``, each as :meth:`draw` makes it with its own generator; ``shape`` is (V, N)."""
        if self.kind in {"tokens", "networks"}:
            return torch.cat([self.draw((1, *shape), generator, networks) for generator in generators])
        columns = 1 if self.kind == "parcels" else shape[1]
        noise = torch.cat([torch.rand((1, shape[0], columns), generator=generator) for generator in generators])
        hidden = hide_noisiest(noise, self.ratio).repeat(1, 1, shape[1] // columns)
        if self.kind == "future":
            hidden[:, :, -self.blocks :] = True
        return hidden

    def draw(
        self, shape: tuple[int, int, int], generator: torch.Generator, networks: NDArray[np.intp] | None = None
    ) -> Tensor:
        """Return ``hidden``, a bool tensor of ``shape`` (B, V, N).

        Parameters
        ----------
        networks : (V,) number of each parcel's network, for 'networks'. Where these parcels have none of the networks
            to be hidden, or no others, a random 75 % is hidden.
        """
        if self.kind == "networks":
            members = torch.zeros(shape[1], dtype=torch.bool)
            if networks is not None:
                members = torch.from_numpy(np.isin(networks, self.networks))
            if members.any() and not members.all():
                return network_mask(shape, self.ratio, members, generator)
            return random_mask(shape, 0.75, generator)
        if self.kind == "parcels":
            return parcel_mask(shape, self.ratio, generator)
        if self.kind == "future":
            return future_mask(shape, self.ratio, self.blocks, generator)
        draw = token_mask if self.kind == "tokens" else random_mask
        return draw(shape, self.ratio, generator)


def plan_mask(
    kind: str,
    n_patches: int,
    generator: torch.Generator,
    ratios: tuple[float, ...] = (),
    *,
    mixture: tuple[int, int, int] = (70, 15, 15),
    random: Literal["random", "tokens"] = "random",
) -> MaskPlan:
    """Decide how one step's windows are hidden.

    Parameters
    ----------
    kind : 'random' (75 % unless ``ratios`` says otherwise), 'parcels', 'networks' (one to three, and 0, 50 or 75 %
        of the other parcels), 'future', 'last' (the last patch of all parcels and nothing else), 'mixed', or
        'mixed-networks': a quarter of the steps hide networks
    ratios : shares to draw from, each as likely; () is 75 %, and 50, 75, 75 or 90 % where kinds are mixed
    mixture : percent of random, parcels and future masks where kinds are mixed
    random : what a random mask is
    """

    def draw(count: int) -> int:
        return int(torch.randint(count, (1,), generator=generator))

    mixed = kind in ("mixed", "mixed-networks")
    if kind == "mixed-networks":
        dice, (random_share, parcels, future, _) = draw(100), _WITH_NETWORKS
        edges = (random_share, random_share + parcels, random_share + parcels + future)
        kind = ("random", "parcels", "future", "networks")[sum(dice >= edge for edge in edges)]
    elif mixed:
        dice = draw(100)
        kind = "random" if dice < mixture[0] else "parcels" if dice < mixture[0] + mixture[1] else "future"
    choices = ratios or ((0.5, 0.75, 0.75, 0.9) if mixed else (0.75,))
    ratio = choices[draw(len(choices))] if len(choices) > 1 else choices[0]
    if kind == "parcels":
        return MaskPlan("parcels", ratio)
    if kind == "networks":
        count = 1 + draw(3)
        chosen = torch.randperm(N_NETWORKS, generator=generator)[:count].sort().values.tolist()
        return MaskPlan("networks", (0.0, 0.5, 0.75)[draw(3)], networks=tuple(chosen))
    if kind == "last":
        return MaskPlan("future", 0.0, 1)
    if kind == "future":
        return MaskPlan("future", (0.0, 0.5, 0.75)[draw(3)], 1 + draw(min(3, max(1, n_patches - 1))))
    return MaskPlan(random, ratio)
