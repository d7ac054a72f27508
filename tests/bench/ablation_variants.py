"""Which forms of our architecture, of its masks and of its scaling are trained against each other, in one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BASE = "base"


@dataclass(frozen=True)
class Variant:
    """One line of the table.

    Attributes
    ----------
    name : for the command line and the folder
    title : for the reader
    model : sizes and switches, as in config.json
    settings : other settings of the training
    group : what is varied
    on_cuda : settings for graphics processors
    """

    name: str
    title: str
    model: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    group: str = "one thing less"
    on_cuda: dict[str, Any] = field(default_factory=dict)


_MINI = {
    "width": 32, "heads": 2, "encoder_layers": 2, "decoder_layers": 1, "registers": 4, "factors": 32, "place_width": 96,
}  # fmt: skip
_SMALL = {"width": 128, "heads": 4, "encoder_layers": 6, "decoder_layers": 3, "factors": 96}
_GENTLER = {"learning_rate": 1e-3}  # wider models
_PERSON: dict[str, Any] = {"guess": "person", "left_out": True}
_NETWORKS = {"masks": "mixed-networks"}
_IDEAS, _MASKS, _SCALES, _SIZES = "an idea more", "masks of the training", "scaling", "size"

VARIANTS: tuple[Variant, ...] = (
    Variant(BASE, "Today's model (tiny)", group="base line"),
    Variant("xyz", "Bare coordinates", {"coordinates": "xyz"}),
    Variant("learned", "A learned vector per parcel (one atlas)", {"coordinates": "learned"}),
    Variant("no-guess", "No first guess from factors", {"factors": 0}),
    Variant("no-registers", "No registers", {"registers": 0}),
    Variant("joint", "Joint attention among all visible patches", {"attention": "joint"}),
    Variant("tied", "One map between parcels for the whole window", {"attention": "tied"}, group=_IDEAS),
    Variant("frames", "Patches of 20 frames whatever the TR", {"patch_unit": "frames"}),
    Variant("decoder-0", "No decoder: the head on the first guess", {"decoder_layers": 0}),
    Variant("decoder-1", "One decoder layer", {"decoder_layers": 1}),
    Variant("decoder-4", "Four decoder layers", {"decoder_layers": 4}, group=_IDEAS),
    Variant("no-variety", "Only the cohort's own TR, length and parcels", settings={"variety": False}),
    Variant("window", "First guess: the window's own factor covariance", {"guess": "window"}, group=_IDEAS),
    Variant("person", "First guess: own covariance and own loadings", {"guess": "person"}, group=_IDEAS),
    Variant("left-out", "The encoder sees what the others say of a patch", {"left_out": True}, group=_IDEAS),
    Variant("bands", "Five ridges for five bands of frequency", {"bands": 5}, group=_IDEAS),
    Variant("person-left-out", "Own loadings, and what the others say", _PERSON, group=_IDEAS),
    Variant("all-ideas", "Own loadings, what the others say, five bands", {**_PERSON, "bands": 5}, group=_IDEAS),
    Variant("person-networks", "Own loadings, what the others say, masks with networks", _PERSON, _NETWORKS, _IDEAS),
    Variant("masks-random", "Random masks only", settings={"masks": "random"}, group=_MASKS),
    Variant("masks-parcels", "Whole parcels only", settings={"masks": "parcels"}, group=_MASKS),
    Variant("masks-networks", "Whole networks only", settings={"masks": "networks"}, group=_MASKS),
    Variant("masks-future", "The future only", settings={"masks": "future"}, group=_MASKS),
    Variant("masks-with-networks", "The mixture, with networks", settings=_NETWORKS, group=_MASKS),
    Variant("population", "Scaled as all training people", settings={"scaling": "population"}, group=_SCALES),
    Variant("mini", "Mini", _MINI, group=_SIZES),
    Variant("mini-person", "Mini, own loadings, what the others say", {**_MINI, **_PERSON}, group=_SIZES),
    Variant("small", "Small", _SMALL, _GENTLER, group=_SIZES),
    Variant("small-person", "Small, own loadings, what the others say", {**_SMALL, **_PERSON}, _GENTLER, group=_SIZES),
    Variant(
        "13m", "The published 13M architecture", settings={"architecture": "brainlm-13m"}, group="reference",
        on_cuda={"precision": "bf16"},  # it is large enough to gain from that; the others are not
    ),
)  # fmt: skip


def chosen(names: str) -> list[Variant]:
    """Return the variants named in ``a,b``, the base line first; all for ''."""
    known = {variant.name: variant for variant in VARIANTS}
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    if strange := [name for name in wanted if name not in known]:
        raise SystemExit(f"There is no variant {strange[0]}. There are: {', '.join(known)}.")
    return [known[name] for name in sorted(set(wanted), key=lambda name: (name != BASE, wanted.index(name)))]
