"""Atlases that can be fetched on request: where they come from, under which licence."""

from __future__ import annotations

from dataclasses import dataclass

from brainlm_engine.api.messages import AtlasInfo


@dataclass(frozen=True)
class RemoteFile:
    """One file of an atlas: its name under the base address and the sha256 sum it must have."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Offer:
    """One atlas that can be fetched.

    ``files`` are downloaded from ``base_url`` and checked against their sums. Without files, nilearn's own fetcher
    gets the atlas; its publishers give no sums, so those of the first download are kept and later ones must agree.
    """

    atlas_id: str
    title: str
    n_parcels: int
    licence: str
    citation: str
    description: str = ""
    base_url: str = ""
    files: tuple[RemoteFile, ...] = ()

    def info(self) -> AtlasInfo:
        """Return what the app shows of an atlas that is not on this computer."""
        return AtlasInfo(
            atlas_id=self.atlas_id, title=self.title, description=self.description, n_parcels=self.n_parcels,
            installed=False, licence=self.licence, citation=self.citation,
        )  # fmt: skip


#: The networks of Yeo 2011 in the order of their labels, as this program names them.
YEO_7 = (
    "Visual", "Somatomotor", "DorsalAttention", "SalienceVentralAttention", "Limbic", "Frontoparietal", "Default",
)  # fmt: skip

_A424 = Offer(
    "a424",
    "A424 (the atlas of the published BrainLM models)",
    424,
    "Apache-2.0 (vandijklab/BrainLM)",
    "Nemati et al. 2020; Ortega Caro et al. 2024 (BrainLM)",
    "360 cortical areas, 64 subcortical and cerebellar regions, 2 mm.",
    "https://raw.githubusercontent.com/vandijklab/BrainLM/main/toolkit/atlases/",
    (
        RemoteFile("A424+2mm.nii.gz", "8478d7516a2bbf295989835d5033d03e4283143a2955c90428f634951702501b"),
        RemoteFile("A424_Coordinates.dat", "cdad8f8859c211b1400211ebbad455dedcc4399ac14fd614354fb71b110c892c"),
        RemoteFile("A424.dlabel.nii", "aa44b971ff80d247f890365cbb5bc68583c84b37605bab04bc930dce8a263a1e"),
    ),
)


def _schaefer(n_parcels: int) -> Offer:
    return Offer(
        f"schaefer-{n_parcels}", f"Schaefer 2018, {n_parcels} parcels", n_parcels, "MIT (CBIG)",
        "Schaefer et al. 2018, Cerebral Cortex 28:3095", "Cortex, with its seven networks, 2 mm.",
    )  # fmt: skip


def _difumo(n_parcels: int) -> Offer:
    return Offer(
        f"difumo-{n_parcels}", f"DiFuMo, {n_parcels} modes", n_parcels, "free for non-commercial research",
        "Dadi et al. 2020, NeuroImage 221:117126",
        "Probability maps, made into parcels: each voxel belongs to its strongest map, 2 mm.",
    )  # fmt: skip


def _yeo(n_networks: int) -> Offer:
    return Offer(
        f"yeo-{n_networks}", f"Yeo 2011, {n_networks} networks", n_networks, "MIT (CBIG)",
        "Yeo et al. 2011, J Neurophysiol 106:1125", "Cortex, one parcel per network, 1 mm.",
    )  # fmt: skip


_OTHERS = (
    Offer(
        "aal", "AAL3", 166, "not stated by its authors", "Rolls et al. 2020, NeuroImage 206:116189",
        "Anatomical regions, version 3v2.",
    ),
    Offer(
        "harvard-oxford", "Harvard-Oxford cortex", 96, "FSL licence (non-commercial)",
        "Desikan et al. 2006, NeuroImage 31:968", "Cortical areas of both sides, most probable above 25 %, 2 mm.",
    ),
)  # fmt: skip

OFFERS: dict[str, Offer] = {
    offer.atlas_id: offer
    for offer in (
        _A424,
        *(_schaefer(n) for n in range(100, 1001, 100)),
        *_OTHERS,
        *(_difumo(n) for n in (64, 128, 256, 512, 1024)),
        *(_yeo(n) for n in (7, 17)),
    )
}
