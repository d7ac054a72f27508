"""The one door for files: whatever a person drops, it becomes a scan, a table, or one plain sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import shown
from brainlm_engine.io.nifti import read_header
from brainlm_engine.io.sniff import Sniffed, sniff
from brainlm_engine.io.table import TableScan
from brainlm_engine.io.volume import VolumeScan
from brainlm_engine.io.voxels import GzipReader, PlainReader

_FOREIGN = ("afni", "minc", "parrec", "mgh")
_NO_ANSWERS: Mapping[str, str] = {}


def open_scan(path: str | os.PathLike[str], answers: Mapping[str, str] = _NO_ANSWERS) -> VolumeScan | TableScan:
    """Open a recording of any known format, judged by its content.

    Parameters
    ----------
    path : the file
    answers : answers to the questions of an earlier ``info``: ``{"tr": "2.0", "orientation": "frames_rows", ...}``

    Returns
    -------
    VolumeScan for 4D scans, TableScan for parcel series

    Raises
    ------
    BadInput
        One sentence naming the file and the cause, with a next step.
    """
    found = sniff(Path(path))
    if found.kind == "nifti2" and 3000 <= _nifti2_intent(found) < 3100:
        return TableScan.read(found, answers)
    if found.kind in ("nifti1", "nifti2"):
        header = read_header(found, answers)
        reader = GzipReader(header.layout) if header.layout.gzipped else PlainReader(header.layout)
        return VolumeScan(header, reader)
    if found.kind == "analyze":
        raise _analyze(found.path)
    if found.kind in _FOREIGN:
        from brainlm_engine.io.foreign import open_foreign

        return open_foreign(found, answers)
    return TableScan.read(found, answers)


def _nifti2_intent(found: Sniffed) -> int:
    return int.from_bytes(found.head[504:508], "little" if found.head[:2] == b"\x1c\x02" else "big")


def _analyze(path: Path) -> BadInput:
    if not path.with_suffix(".img").is_file():
        return BadInput(
            f"{shown(path)} is an Analyze header without its image file.", "Put the .img file into the same folder."
        )
    return BadInput(
        f"{shown(path)} is in the old Analyze format, which does not tell left from right.",
        "Convert it to NIfTI with the program that made it.",
    )
