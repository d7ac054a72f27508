"""Which of the simulator's networks a parcel of any atlas belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.simulate import parameters as numbers

if TYPE_CHECKING:
    from brainlm_engine.atlas import Atlas

#: Words in network names of common atlases, most telling first.
_WORDS: tuple[tuple[str, int], ...] = (
    ("dors", numbers.DORSAL), ("sal", numbers.SALIENCE), ("ventattn", numbers.SALIENCE), ("ventral", numbers.SALIENCE),
    ("opercular", numbers.SALIENCE), ("limbic", numbers.LIMBIC), ("front", numbers.FRONTOPARIETAL),
    ("cont", numbers.FRONTOPARIETAL), ("default", numbers.DEFAULT), ("motor", numbers.SOMATOMOTOR),
    ("sommot", numbers.SOMATOMOTOR), ("vis", numbers.VISUAL), ("subcort", numbers.SUBCORTEX),
    ("cereb", numbers.CEREBELLUM),
)  # fmt: skip


def network_codes(atlas: Atlas) -> NDArray[np.intp]:
    """Return the network code of each parcel, (parcels,).

    Structures decide first (subcortex, cerebellum), then the name of the network. A parcel without either takes the
    code of the nearest parcel of MNI-424.
    """
    n = atlas.n_parcels
    codes = np.full(n, -1, dtype=np.intp)
    structures = atlas.structures or ("",) * n
    networks = atlas.networks or ("",) * n
    for parcel in range(n):
        codes[parcel] = _code(structures[parcel], networks[parcel])
    unknown = codes < 0
    if unknown.any():
        codes[unknown] = _nearest_codes(np.asarray(atlas.xyz, np.float64)[unknown])
    return codes


def _code(structure: str, network: str) -> int:
    if structure == "subcortex":
        return numbers.SUBCORTEX
    if structure == "cerebellum":
        return numbers.CEREBELLUM
    name = network.lower()
    return next((code for word, code in _WORDS if word in name), -1)


def _nearest_codes(xyz: NDArray[np.float64]) -> NDArray[np.intp]:
    from scipy.spatial import cKDTree

    from brainlm_engine.atlas import load_atlas

    reference = load_atlas("mni424")
    known = np.array(
        [_code(s, n) for s, n in zip(reference.structures, reference.networks, strict=True)], dtype=np.intp
    )
    usable = known >= 0
    tree = cKDTree(np.asarray(reference.xyz, np.float64)[usable])
    nearest: NDArray[np.intp] = known[usable][tree.query(np.nan_to_num(xyz))[1]]
    return nearest
