"""Sizes and switches of our own architecture: everything that is needed to build a model of it anew."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from brainlm_engine.models.patches import SAMPLES

#: which words a switch takes; the first is the default
CHOICES: dict[str, tuple[str, ...]] = {
    "coordinates": ("fourier", "xyz", "learned"),
    "guess": ("people", "window", "person"),
    "attention": ("factorised", "joint", "tied"),
    "patch_unit": ("seconds", "frames"),
}
_MAY_BE_ZERO = ("registers", "factors", "decoder_layers", "parcels")


@dataclass(frozen=True)
class StudioConfig:
    """Sizes and switches of :class:`brainlm_engine.models.studio.Studio`; its module says what the switches do.

    Attributes
    ----------
    width, heads, mlp_ratio : of the attention blocks
    encoder_layers : at least 1
    decoder_layers : 0 = the head sees the first guess, the place and the parcel's own token only
    registers : tokens per time patch that belong to no parcel; 0 = time is mixed through the mean of a patch's tokens
    factors : of the first guess; 0 = no first guess
    frequencies, place_width : of the Fourier features and the perceptron behind them
    mask_ratio : share hidden when nothing is said
    coordinates : 'fourier' features, bare 'xyz', or a table 'learned' for the ``parcels`` of one atlas
    guess : covariance of the first guess: that of all 'people', of the factors in this 'window', of this 'person'
    left_out : the encoder sees for a visible patch what the *other* parcels say of it, not a fit to itself
    bands : bands of temporal frequency with a ridge of their own; divides 20
    attention : 'factorised' into parcels and time, 'joint' among all visible patches, or 'tied': factorised,
        with one map between parcels for all time patches
    patch_unit : a patch lasts 14.4 'seconds' whatever the TR, or 20 'frames' whatever their duration
    parcels : of the atlas, where coordinates are learned
    """

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
    coordinates: str = "fourier"
    guess: str = "people"
    left_out: bool = False
    bands: int = 1
    attention: str = "factorised"
    patch_unit: str = "seconds"
    parcels: int = 0

    def __post_init__(self) -> None:
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, not {getattr(self, name)!r}")
        if not isinstance(self.left_out, bool):
            raise ValueError(f"left_out must be true or false, not {self.left_out!r}")
        numbers = {name: value for name, value in asdict(self).items() if name not in (*CHOICES, "left_out")}
        wrong = [name for name, value in numbers.items() if not (value > 0 or (value == 0 and name in _MAY_BE_ZERO))]
        if wrong:
            raise ValueError(f"{wrong[0]} must be above 0, not {numbers[wrong[0]]}")
        if self.mask_ratio >= 1:
            raise ValueError(f"mask_ratio must be below 1, not {self.mask_ratio}")
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of {2 * self.heads}, twice the heads, not {self.width}")
        if SAMPLES % self.bands:
            raise ValueError(f"bands must divide {SAMPLES}, and {self.bands} does not")
        if not self.factors and (self.guess != "people" or self.left_out or self.bands > 1):
            raise ValueError("without factors there is no first guess to refine: leave guess, left_out and bands alone")
        if self.attention == "tied" and not self.registers:
            raise ValueError("tied attention needs registers, and there are none")
        if (self.coordinates == "learned") != bool(self.parcels):
            raise ValueError("learned coordinates need the number of parcels of their atlas, and only they do")

    @property
    def one_atlas(self) -> bool:
        """True when a model of this kind can read one atlas only."""
        return self.coordinates == "learned"

    def written(self) -> dict[str, Any]:
        """Return the numbers and words for a config.json."""
        return asdict(self)
