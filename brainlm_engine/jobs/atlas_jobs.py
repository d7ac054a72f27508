"""Jobs that bring atlases onto this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress


def fetch(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Download an atlas from its publisher. ``params``: ``atlas_id``, and ``base_url`` of a mirror if there is one."""
    from brainlm_engine.atlas import fetch_atlas

    atlas = fetch_atlas(params["atlas_id"], progress, base_url=params.get("base_url") or "")
    return {"atlas_id": atlas.atlas_id, "n_parcels": atlas.n_parcels}


def add(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Add an atlas from files. ``params``: ``label_file``, ``table_file`` (or none), ``atlas_id``, ``title``."""
    from brainlm_engine.atlas import add_atlas

    table_file = Path(params["table_file"]) if params.get("table_file") else None
    atlas_id, title = str(params["atlas_id"]), str(params.get("title") or params["atlas_id"])
    atlas = add_atlas(Path(params["label_file"]), table_file, atlas_id, title, progress)
    return {"atlas_id": atlas.atlas_id, "n_parcels": atlas.n_parcels}
