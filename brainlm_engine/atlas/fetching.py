"""Fetching an atlas of the catalogue, on a person's request only."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.atlas.adding import Words, install
from brainlm_engine.atlas.catalogue import OFFERS, Offer
from brainlm_engine.atlas.download import download
from brainlm_engine.atlas.label_file import LabelVolume, read_label_file
from brainlm_engine.atlas.nilearn_download import ANSWER
from brainlm_engine.atlas.parcel_list import ListedParcel, read_parcel_list
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.registry import atlas_folder, load_atlas
from brainlm_engine.atlas.scratch import scratch_folder
from brainlm_engine.atlas.storage import CARD
from brainlm_engine.atlas.sums import same_as_first_time
from brainlm_engine.progress import SILENT, Progress

_POLL_S = 0.1


def fetch_atlas(atlas_id: str, progress: Progress = SILENT, base_url: str = "") -> Atlas:
    """Download an atlas, check it, and store it; one that is already there is loaded and nothing is downloaded.

    Parameters
    ----------
    atlas_id : one of the catalogue (``a424``, ``schaefer-400``, ``aal``, ``difumo-64``, ``yeo-7``, ``harvard-oxford``)
    base_url : a mirror to ask instead of the publisher (A424 and Schaefer only)
    """
    offer = OFFERS.get(atlas_id)
    if (there := atlas_folder(atlas_id)) is not None:
        if offer is not None:
            _refuse_another(there)
        return load_atlas(atlas_id)
    if offer is None:
        raise BadInput(f"No atlas “{atlas_id}” can be fetched.", f"Choose one of: {', '.join(OFFERS)}.")
    with scratch_folder() as folder:
        if offer.files:
            return _fetch_files(offer, folder, progress, base_url or offer.base_url)
        return _fetch_with_nilearn(offer, folder, progress, base_url)


def _refuse_another(folder: Path) -> None:
    """Refuse an atlas that took the id of an offer without being the publisher's: it was added from other files."""
    try:
        fetched = "checked" in json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # loading it tells what is wrong
    if not fetched:
        raise BadInput(
            f"The atlas “{folder.name}” on this computer was not fetched but added from other files.",
            f"Move its folder away ({folder}), then fetch it again.",
        )


def _fetch_files(offer: Offer, folder: Path, progress: Progress, base_url: str) -> Atlas:
    """Fetch files with known sums: labels, positions, and a CIFTI file for the names."""
    count = len(offer.files)
    for place, file in enumerate(offer.files):
        url = urllib.parse.urljoin(base_url, urllib.parse.quote(file.name))
        download(url, folder / file.name, file.sha256, _Part(progress, 0.6 * place / count, 0.6 / count))
        progress.log(f"{file.name}: checksum right")
    labels, table, names = (folder / file.name for file in offer.files)
    volume = read_label_file(labels)
    listed = read_parcel_list(table)
    sums = {file.name: file.sha256 for file in offer.files}
    named = LabelVolume(volume.values, volume.affine, _names_of(names))
    return install(
        named, listed, _words(offer, sums), label_file=labels, table_file=table, progress=_Part(progress, 0.6, 0.4)
    )


def _names_of(dlabel: Path) -> dict[int, str]:
    import nibabel as nib

    from brainlm_engine.atlas.dlabel import label_names

    return label_names(nib.load(dlabel))


def _fetch_with_nilearn(offer: Offer, folder: Path, progress: Progress, base_url: str) -> Atlas:
    answer = _run_nilearn(offer, folder, progress, base_url)
    sums = same_as_first_time(offer.atlas_id, [Path(path) for path in answer["downloads"]])
    labels = Path(answer["labels"])
    volume = read_label_file(labels, _Part(progress, 0.5, 0.1))
    present = {int(value) for value in volume.labels()}
    # the publishers' tables also list regions that own no voxel
    listed = [
        ListedParcel(row["label"], row["name"], row["network"]) for row in answer["rows"] if row["label"] in present
    ]
    return install(volume, listed, _words(offer, sums), label_file=labels, progress=_Part(progress, 0.6, 0.4))


def _run_nilearn(offer: Offer, folder: Path, progress: Progress, base_url: str) -> dict[str, Any]:
    """Run nilearn's fetcher in a process of its own, which ends when the person cancels."""
    command = [sys.executable, "-m", "brainlm_engine.atlas.nilearn_download", offer.atlas_id, str(folder)]
    process = subprocess.Popen(
        [*command, base_url] if base_url else command,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while process.poll() is None:
            progress(0.1, f"Downloading {offer.title}")
            time.sleep(_POLL_S)
    finally:
        process.kill()
        process.wait()
    try:
        answer: dict[str, Any] = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        answer = {"error": f"the download process ended with code {process.returncode}: {error}"}
    if "error" in answer:
        raise EngineError(
            f"{offer.title} could not be downloaded.",
            "Check the network connection and try again; nothing was kept.",
            answer["error"],
        )
    return answer


def _words(offer: Offer, sums: dict[str, str]) -> Words:
    return Words(
        offer.atlas_id, offer.title, offer.description, offer.licence, offer.citation,
        more={"downloads": sums, "checked": "published sums" if offer.files else "trusted on first download"},
    )  # fmt: skip


class _Part:
    """The stretch ``start .. start + length`` of a longer piece of work."""

    def __init__(self, whole: Progress, start: float, length: float) -> None:
        self._whole, self._start, self._length = whole, start, length

    def __call__(self, fraction: float, stage: str = "") -> None:
        self._whole(self._start + self._length * fraction, stage)

    def log(self, line: str) -> None:
        self._whole.log(line)
