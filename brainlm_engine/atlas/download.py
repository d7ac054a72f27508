"""Getting one file from the network: whole, checked, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from brainlm_engine.api.errors import EngineError
from brainlm_engine.files import written_whole
from brainlm_engine.progress import SILENT, Progress

_CHUNK = 1 << 16
_TIMEOUT_S = 30.0
_AGAIN = "Check the network connection and try again."


def download(url: str, target: Path, sha256: str, progress: Progress = SILENT, timeout_s: float = _TIMEOUT_S) -> None:
    """Download ``url`` to ``target``; the file appears only when it is complete and has the sum ``sha256``.

    Raises
    ------
    EngineError
        One sentence: no network, the server's refusal, a download cut off, a wrong checksum.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise EngineError(f"{url} is no web address.", "Use an address that begins with https://.")
    name, host = _named(url)
    with written_whole(target) as temporary:
        try:
            found = _stream(url, temporary, progress, timeout_s)
        except urllib.error.HTTPError as error:
            error.close()
            raise EngineError(
                f"{host} does not give out {name} (HTTP {error.code}).", "Try again later; the file may have moved."
            ) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise EngineError(
                f"{name} could not be downloaded: {host} cannot be reached.", _AGAIN, str(error)
            ) from error
        if found != sha256:
            raise EngineError(
                f"{name} from {host} is not the file it should be: its checksum differs.",
                "It was not kept. Try again later, or add the atlas from files you trust.",
                f"expected sha256 {sha256}\nfound    sha256 {found}",
            )


def _named(url: str) -> tuple[str, str]:
    """Return the file's name and the host."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.unquote(Path(parts.path).name), parts.hostname or ""


def _stream(url: str, temporary: Path, progress: Progress, timeout_s: float) -> str:
    """Write the answer to ``temporary`` and return its sha256 sum."""
    name, host = _named(url)
    total = hashlib.sha256()
    received = 0
    progress(0.0, f"Asking {host} for {name}")
    request = urllib.request.Request(url, headers={"User-Agent": "brainlm-studio"})  # noqa: S310 (scheme checked above)
    with urllib.request.urlopen(request, timeout=timeout_s) as answer, temporary.open("wb") as file:  # noqa: S310
        promised = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            total.update(chunk)
            received += len(chunk)
            progress(min(received / promised, 1.0) if promised else 0.5, f"Downloading {name}")
    if received < promised:
        raise EngineError(f"The download of {name} broke off after {received} of {promised} bytes.", _AGAIN)
    return total.hexdigest()
