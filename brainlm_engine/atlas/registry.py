"""Which atlases there are, and loading one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import AtlasInfo
from brainlm_engine.atlas.catalogue import OFFERS
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.storage import CARD, read_atlas
from brainlm_engine.paths import data_dir, resources_dir

DEFAULT_ATLAS = "mni424"


def shipped_folder() -> Path:
    """Return where the atlases that come with the program lie."""
    return resources_dir() / "atlas"


def added_folder() -> Path:
    """Return where fetched and added atlases lie."""
    return data_dir() / "atlases"


def atlas_folder(atlas_id: str) -> Path | None:
    """Return the folder of an installed atlas, None when there is none of that id."""
    if not atlas_id or Path(atlas_id).name != atlas_id:
        return None
    for root in (shipped_folder(), added_folder()):
        if (root / atlas_id / CARD).is_file():
            return root / atlas_id
    return None


def load_atlas(atlas_id: str = DEFAULT_ATLAS) -> Atlas:
    """Load an installed atlas; loaded once per process (and again when its files change)."""
    folder = atlas_folder(atlas_id)
    if folder is None:
        raise BadInput(
            f"There is no atlas “{atlas_id}” on this computer.",
            "Choose one of: " + ", ".join(installed_ids()) + "; or fetch or add it first.",
        )
    return _load(folder, (folder / CARD).stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(folder: Path, _changed: int) -> Atlas:
    atlas = read_atlas(folder)
    for array in (atlas.labels, atlas.affine, atlas.xyz, atlas.surface_left, atlas.surface_right):
        array.setflags(write=False)
    return atlas


def installed_ids() -> list[str]:
    """Return the ids of the atlases on this computer, the default one first."""
    cards = (card for root in (shipped_folder(), added_folder()) for card in root.glob(f"*/{CARD}"))
    found = {card.parent.name for card in cards if not card.parent.name.startswith(".")}
    return sorted(found, key=lambda name: (name != DEFAULT_ATLAS, name))


def list_atlases() -> list[AtlasInfo]:
    """Return the atlases on this computer (the default one first), then those that can be fetched."""
    here = [_info(atlas_id) for atlas_id in installed_ids()]
    known = {info.atlas_id for info in here}
    return here + [offer.info() for offer in OFFERS.values() if offer.atlas_id not in known]


def _info(atlas_id: str) -> AtlasInfo:
    """Describe an installed atlas; one whose files are damaged is listed with the reason and without parcels."""
    try:
        return load_atlas(atlas_id).info()
    except BadInput as error:
        return AtlasInfo(atlas_id=atlas_id, title=atlas_id, description=str(error), n_parcels=0, installed=False)
