"""Checksums of files whose publishers give none: trusted at the first download, demanded ever after."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from brainlm_engine.api.errors import EngineError
from brainlm_engine.atlas.registry import added_folder
from brainlm_engine.atlas.storage import write_bytes

_FILE = "first-sums.json"


def sha256_of(path: Path) -> str:
    """Return the sha256 sum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_as_first_time(atlas_id: str, downloads: list[Path]) -> dict[str, str]:
    """Compare with the sums of the first download of this atlas, or remember them; return them by file name.

    The list outlives the atlas: it is demanded again when the atlas was deleted and is fetched anew.
    """
    path = added_folder() / _FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {file.name: sha256_of(file) for file in downloads}
    first = known.get(atlas_id)
    if first is None:
        content = json.dumps(known | {atlas_id: found}, indent=2) + "\n"
        write_bytes(path, content.encode())
        return found
    changed = sorted(name for name in first | found if first.get(name) != found.get(name))
    if changed:
        raise EngineError(
            f"{changed[0]} is not the file that was downloaded for “{atlas_id}” the first time: its checksum differs.",
            f"It was not kept. If its publisher changed it and you trust it, delete {path} and fetch again.",
        )
    return found
