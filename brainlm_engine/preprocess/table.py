"""A table of region series becomes a recording once it is known where its regions lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.repair import REPAIRS
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.io.own import OwnSeries
from brainlm_engine.io.table import TableScan
from brainlm_engine.preprocess.positions import positions_fit
from brainlm_engine.recording import Recording


def recording_from_table(scan: TableScan, atlas: Atlas | None = None, xyz: ArrayLike | None = None) -> Recording:
    """Give a table of series the positions of an atlas or of a coordinates file.

    Parameters
    ----------
    scan : (parcels, frames); its TR must be known
    atlas : an atlas with as many parcels, in the table's order; its names and networks are taken over
    xyz : (parcels, 3) MNI mm, instead of an atlas (or beside it: then these positions are used)

    Returns
    -------
    Recording
        ``provenance["positions"]`` says whether near regions correlate more than far ones.

    Raises
    ------
    BadInput
        When neither is given, the numbers of regions differ, or the TR is unknown.
    """
    n = scan.n_parcels
    if scan.tr_s is None:
        raise BadInput(
            f"{scan.name} does not say how many seconds lie between two frames.", "Give its TR, for example 2.0."
        )
    if atlas is None and xyz is None:
        raise BadInput(
            f"{scan.name} does not say where its {n} regions lie.",
            "Choose an atlas with as many regions, or a file with their coordinates.",
        )
    if atlas is not None and atlas.n_parcels != n:
        raise BadInput(
            f"{scan.name} has {n} regions, the atlas {atlas.title} has {atlas.n_parcels}.",
            "Turn the table: its frames are as many as the atlas's regions."
            if atlas.n_parcels == scan.n_frames
            else "Choose an atlas with as many regions, or a file with their coordinates.",
        )
    places = np.asarray(atlas.xyz if xyz is None and atlas is not None else xyz, np.float32)
    if places.shape != (n, 3):
        raise BadInput(
            f"{scan.name} has {n} regions, the coordinates are for {len(places)}.",
            "Choose the coordinates file that belongs to this table.",
        )
    check = positions_fit(scan.matrix, places)
    names = atlas.names if atlas is not None else scan.names
    return Recording(
        series=scan.matrix, tr_s=scan.tr_s, xyz=places, missing=scan.missing,
        coverage=np.where(scan.missing, 0, 1).astype(np.float32), atlas_id=atlas.atlas_id if atlas is not None else "",
        names=names, networks=atlas.networks if atlas is not None else (), unit="raw",
        name=f"{scan.name} (simulated)" if scan.simulated else scan.name,
        provenance={
            "source": scan.info.path, "fingerprint": scan.info.scan_id, "software": f"brainlm-studio {__version__}",
            "tr_source": scan.info.tr_source, "simulated": scan.simulated,
            "notes": list(dict.fromkeys([*scan.notes, check.text])),
            "steps": ["read as a table of series"],
            "positions": {"near_r": check.near_r, "far_r": check.far_r, "z": check.z, "ok": check.ok},
        },
    )  # fmt: skip


def recording_from_own(scan: TableScan, own: OwnSeries, atlas: Atlas | None) -> Recording:
    """Make the recording again that this program once wrote.

    Parameters
    ----------
    own : of ``scan``
    atlas : the atlas it was made with, None when there was none or it is not on this computer
    """
    recording = recording_from_table(scan, atlas, own.xyz)
    steps = own.provenance.get("steps")
    notes = list(recording.provenance["notes"])
    if own.atlas_id and atlas is None:
        notes.append(f"The atlas {own.atlas_id} it was made with is not on this computer; its positions are known.")
    provenance = {
        **recording.provenance, "notes": notes, "made_from": str(own.provenance.get("source", "")),
        "steps": [*(steps if isinstance(steps, list | tuple) else ()), f"read back from {scan.name}"],
    }  # fmt: skip
    if REPAIRS in own.provenance:  # which samples were filled in, not measured
        provenance[REPAIRS] = own.provenance[REPAIRS]
    return replace(
        recording, names=own.names or recording.names, networks=own.networks or recording.networks, unit=own.unit,
        coverage=own.coverage, provenance=provenance,
    )  # fmt: skip
