"""nilearn's own fetchers, run in a process of their own: they cannot be told to stop, a process can.

``python -m brainlm_engine.atlas.nilearn_download ATLAS_ID FOLDER [BASE_URL]`` leaves in FOLDER the downloaded files and
``answer.json``: ``labels`` (file), ``rows`` (label, name, network), ``downloads`` (files to take sums of), or
``error``.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brainlm_engine.atlas.catalogue import YEO_7

ANSWER = "answer.json"
_SCHAEFER_NETWORKS = dict(
    zip(("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default"), YEO_7, strict=True)
)


@dataclass(frozen=True)
class Row:
    """One parcel: its label in the file, name, and network ('' = none)."""

    label: int
    name: str
    network: str = ""


@dataclass(frozen=True)
class Fetched:
    """What nilearn gave: the label (or probability) file, its rows, and all files that were downloaded."""

    labels: Path
    rows: list[Row]
    downloads: list[Path]


def fetch(atlas_id: str, folder: Path, base_url: str = "") -> Fetched:
    """Fetch one atlas of the catalogue into ``folder``."""
    family, _, number = atlas_id.partition("-")
    if family == "schaefer":
        return _schaefer(int(number), folder, base_url)
    if family == "difumo":
        return _difumo(int(number), folder)
    if family == "yeo":
        return _yeo(int(number), folder)
    return {"aal": _aal, "harvard": _harvard_oxford}[family](folder)


def schaefer_row(label: int, name: str) -> Row:
    """Read '7Networks_LH_Vis_1': side, network and number."""
    network = _SCHAEFER_NETWORKS.get(name.split("_")[2], "") if name.count("_") >= 2 else ""
    return Row(label, name.removeprefix("7Networks_"), network)


def _schaefer(n: int, folder: Path, base_url: str) -> Fetched:
    from nilearn import datasets

    got = datasets.fetch_atlas_schaefer_2018(n, resolution_mm=2, data_dir=folder, base_url=base_url or None, verbose=0)
    table = got.lut[got.lut["index"] > 0]
    rows = [schaefer_row(int(label), str(name)) for label, name in zip(table["index"], table["name"], strict=True)]
    return Fetched(Path(got.maps), rows, sorted(Path(got.maps).parent.glob("Schaefer*")))


def _difumo(n: int, folder: Path) -> Fetched:
    from nilearn import datasets

    got = datasets.fetch_atlas_difumo(n, resolution_mm=2, data_dir=folder, verbose=0)
    rows = [Row(place + 1, str(name)) for place, name in enumerate(got.labels["difumo_names"])]
    return Fetched(Path(got.maps), rows, [Path(got.maps)])


def _yeo(n: int, folder: Path) -> Fetched:
    from nilearn import datasets

    got = datasets.fetch_atlas_yeo_2011(data_dir=folder, n_networks=n, thickness="thick", verbose=0)
    names = YEO_7 if n == 7 else tuple(f"Network {place}" for place in range(1, n + 1))
    return Fetched(Path(got.maps), [Row(place + 1, name, name) for place, name in enumerate(names)], [Path(got.maps)])


def _aal(folder: Path) -> Fetched:
    from nilearn import datasets

    got = datasets.fetch_atlas_aal("3v2", data_dir=folder, verbose=0)
    rows = [Row(int(label), str(name)) for label, name in zip(got.indices, got.labels, strict=True) if int(label) > 0]
    return Fetched(Path(got.maps), rows, [Path(got.maps)])


def _harvard_oxford(folder: Path) -> Fetched:
    from nilearn import datasets

    got = datasets.fetch_atlas_harvard_oxford("cortl-maxprob-thr25-2mm", data_dir=folder, verbose=0)
    rows = [Row(place, str(name)) for place, name in enumerate(got.labels) if place > 0]
    return Fetched(Path(got.filename), rows, [Path(got.filename)])


def main(arguments: list[str]) -> int:
    """Fetch and leave the answer in the folder."""
    atlas_id, folder, base_url = arguments[0], Path(arguments[1]), (arguments[2] if len(arguments) > 2 else "")
    answer: dict[str, Any]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = fetch(atlas_id, folder / "files", base_url)
        answer = {
            "labels": str(got.labels),
            "rows": [asdict(row) for row in got.rows],
            "downloads": [str(path) for path in got.downloads],
        }
    except Exception as error:  # whatever nilearn, requests or the disk raise: the parent says it in one sentence
        answer = {"error": f"{type(error).__name__}: {error}"}
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
