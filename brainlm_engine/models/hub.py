"""Published checkpoints from the Hugging Face hub: on request only, licence first, every file checked by its sum.

The hub tells each file's sum in its listing (SHA-256 for large files, git's SHA-1 for small ones); what arrives must
have it. Nothing of the person's goes out but the request itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.atlas.download import download
from brainlm_engine.models.exchange import import_model
from brainlm_engine.models.weights import PYTORCH, WEIGHTS
from brainlm_engine.progress import SILENT, Progress

PREFIX = "hf:"
HUB = "https://huggingface.co"
LICENCES = {
    "vandijklab/brainlm": "CC BY-NC-ND 4.0: with credit, not for commercial purposes, not passed on in changed form",
}
_TIMEOUT_S = 30.0


def fetch_model(
    source: str, name: str = "", *, accept_licence: bool = False, progress: Progress = SILENT, hub: str = HUB
) -> ModelInfo:
    """Download a checkpoint and import it.

    Parameters
    ----------
    source : ``hf:OWNER/REPOSITORY`` or ``hf:OWNER/REPOSITORY/FOLDER``, e.g. ``hf:vandijklab/brainlm/old_13M``
    name : what it is called here; by default the last part of ``source``
    accept_licence : the person has read the licence and accepts it

    Raises
    ------
    BadInput
        Before anything is downloaded, when the licence is not accepted or the source is no source.
    EngineError
        When the hub cannot be reached or a file is not what the hub says it is.
    """
    parts = source.removeprefix(PREFIX).split("/")
    if len(parts) < 2 or not all(parts) or ".." in parts:
        raise BadInput(f"“{source}” names no model on the hub.", "Write it like hf:vandijklab/brainlm/old_13M.")
    repository, folder = "/".join(parts[:2]), "/".join(parts[2:])
    if not accept_licence:
        licence = LICENCES.get(repository, f"the one on {hub}/{repository}")
        raise BadInput(
            f"The weights of {repository} have a licence of their own ({licence}).",
            "Read it there; if you accept it, add --accept-licence.",
        )
    files = _listing(hub, repository, folder)
    weights = next((file for file in (WEIGHTS, PYTORCH) if file in files), None)
    if weights is None or "config.json" not in files:
        raise EngineError(
            f"{source.removeprefix(PREFIX)} holds no config.json with {WEIGHTS} or {PYTORCH}.",
            f"Look at {hub}/{repository} for the folder that does.",
        )
    with tempfile.TemporaryDirectory(prefix="brainlm-hub-") as scratch:
        place = Path(scratch) / parts[-1]
        place.mkdir()
        for file in ("config.json", weights):
            url = f"{hub}/{repository}/resolve/main/{folder + '/' if folder else ''}{file}"
            _get(url, place / file, files[file], progress)
        return import_model(place, name or parts[-1], {"source": f"{hub}/{repository}", "folder": folder})


def _listing(hub: str, repository: str, folder: str) -> dict[str, dict[str, Any]]:
    """Return the files of a folder by name, as the hub describes them."""
    url = f"{hub}/api/models/{repository}/tree/main/{folder}".rstrip("/")
    request = urllib.request.Request(url, headers={"User-Agent": "brainlm-studio"})  # noqa: S310  (hub is https)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            rows = json.load(answer)
        return {Path(row["path"]).name: row for row in rows if row.get("type") == "file"}
    except urllib.error.HTTPError as error:
        error.close()
        raise EngineError(
            f"The hub has no {repository}/{folder}, or does not give it out (HTTP {error.code}).",
            "Check the name; some models must be applied for on the hub's web site first.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            "The Hugging Face hub cannot be reached.",
            "Check the network connection, or import a folder that you downloaded yourself.",
            str(error),
        ) from error


def _get(url: str, target: Path, row: dict[str, Any], progress: Progress) -> None:
    """Download a file and hold it against the sum in its row of the listing."""
    large = row.get("lfs")
    if large:
        download(url, target, str(large["oid"]), progress)
        return
    request = urllib.request.Request(url, headers={"User-Agent": "brainlm-studio"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            content = answer.read()
    except OSError as error:
        raise EngineError(f"{target.name} could not be downloaded.", "Try again later.", str(error)) from error
    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if found != row.get("oid"):
        raise EngineError(
            f"{target.name} is not the file the hub says it is: its checksum differs.",
            "It was not kept. Try again later.",
            f"expected {row.get('oid')}{os.linesep}found    {found}",
        )
    target.write_bytes(content)
