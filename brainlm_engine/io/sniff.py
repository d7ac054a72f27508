"""What a file is, judged by its first bytes. The name only breaks ties between formats without a signature."""

from __future__ import annotations

import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown
from brainlm_engine.io.inflate import first_bytes

#: enough to see a NIfTI-2 header, a DICOM mark and MATLAB's HDF5 signature
_HEAD = 2048


@dataclass(frozen=True)
class Sniffed:
    """The format found and the file's first bytes, inflated when it is gzipped.

    ``kind`` is 'nifti1', 'nifti2', 'analyze', 'afni', 'minc', 'parrec', 'mgh', 'npy', 'npz', 'mat5', 'hdf5', 'xlsx',
    'recording' (safetensors) or 'text'.
    """

    path: Path
    kind: str
    gzipped: bool
    head: bytes


def _nifti_kind(head: bytes) -> str:
    sizes = {head[:4]} & {b"\x5c\x01\0\0", b"\0\0\x01\x5c"}
    if sizes and len(head) >= 348:
        return "nifti1" if head[344:348] in (b"n+1\0", b"ni1\0") else "analyze"
    if head[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") and head[4:7] in (b"n+2", b"ni2"):
        return "nifti2"
    return ""


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise BadInput(
            f"{shown(path)} is a damaged or incomplete zip, Excel or NumPy archive.",
            "Copy it again from its source.",
            str(error),
        ) from error
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise BadInput(f"{shown(path)} is a zip archive, not a scan.", "Unpack it and open a file from inside.")


def _by_signature(path: Path, head: bytes) -> str:
    if kind := _nifti_kind(head):
        return kind
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if head.startswith(b"MATLAB 5.0"):
        return "mat5"
    if head.startswith((b"\x89HDF\r\n\x1a\n", b"MATLAB 7.3")):
        return "minc" if path.suffix.lower() == ".mnc" else "hdf5"
    if head.startswith(b"CDF\x01"):
        return "minc"
    if head.startswith(b"\0\0\0\x01") and path.suffix.lower() in (".mgz", ".mgh", ".gz"):
        return "mgh"
    return ""


def _by_text(path: Path, head: bytes) -> str:
    start = head[:400]
    if re.search(rb"type\s*=\s*(string|integer|float)-attribute", start) or path.suffix.lower() == ".head":
        return "afni"
    if b"DATA DESCRIPTION FILE" in start:
        return "parrec"
    suffixes = [s.lower() for s in path.suffixes]
    if ".brik" in suffixes:
        return "afni"
    if path.suffix.lower() == ".rec":
        return "parrec"
    return ""


def _refused(path: Path, head: bytes) -> BadInput | None:
    name = shown(path)
    if head.startswith(b"version https://git-lfs"):
        return BadInput(
            f"{name} is a Git LFS pointer: a small text that stands for the real scan, which was not downloaded.",
            "Run 'git lfs pull' in its repository, then open it again.",
        )
    if re.search(r"\.nii(\.gz)?$", path.name, re.IGNORECASE) and _is_text(head):
        return BadInput(
            f"{name} is named as a NIfTI scan and is none: its first bytes are text.", "Copy it again from its source."
        )
    if head[128:132] == b"DICM":
        return BadInput(f"{name} is a DICOM file.", "Convert the series to NIfTI with dcm2niix, then open the result.")
    if head.lstrip().startswith(b"<?xml") and b"GIFTI" in head:
        return BadInput(
            f"{name} is a surface file (GIFTI), which this version cannot read as a recording.",
            "Open the volume (NIfTI) or a table of region series instead.",
        )
    if head.lstrip()[:1] in (b"{", b"["):
        return BadInput(f"{name} is a JSON description, not a recording.", "Open the scan or table it belongs to.")
    if head.startswith(b"\x80") and head[1:2] in b"\x02\x03\x04\x05":
        return BadInput(
            f"{name} is a Python pickle, which could run a program on opening and is refused.",
            "Save the numbers as .npy, .csv or .tsv instead.",
        )
    return None


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    odd = sum(b < 9 or 13 < b < 32 for b in head)
    return b"\0" not in head and odd <= len(head) // 50


def _is_safetensors(head: bytes) -> bool:
    """Return True for a length of 8 bytes (below 100 MB, little-endian) and the JSON header that follows it."""
    return head[8:10] == b'{"' and 2 < int.from_bytes(head[:8], "little") < 100_000_000


def _header_of_pair(path: Path) -> Path:
    """Return the .hdr for the .img of a header/image pair; any other path as it is."""
    stem = re.sub(r"\.img(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    if stem == path.name:
        return path
    for end in (".hdr", ".HDR", ".hdr.gz"):
        if (header := path.with_name(stem + end)).is_file():
            return header
    return path


def sniff(path: Path) -> Sniffed:
    """Find out what ``path`` is.

    Raises
    ------
    BadInput
        One sentence for a missing, unreadable, empty or unknown file.
    """
    if "\0" in str(path):
        raise BadInput("This is not a file name.", "Choose a file.")
    path = _header_of_pair(path)
    with reading(path):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(str(path))
        if not stat.S_ISREG(mode):  # reading a pipe or a device might never end
            raise BadInput(
                f"{shown(path)} is a device or a pipe, not a file.", "Save the scan to a file and open that."
            )
        with path.open("rb") as file:
            raw = file.read(_HEAD)
    if not raw and path.suffix.lower() not in (".rec", ".brik"):
        raise BadInput(f"{shown(path)} is empty (0 bytes).", "Copy it again from its source.")
    if _is_safetensors(raw):  # first: its length can look like the mark of anything
        return Sniffed(path, "recording", False, raw)
    gzipped = raw.startswith(b"\x1f\x8b")
    head = first_bytes(path, _HEAD) if gzipped else raw
    if refusal := _refused(path, head):
        raise refusal
    kind = _by_signature(path, head) or _by_text(path, head)
    if not kind and _is_text(head) and head:
        kind = "text"
    if not kind and path.suffix.lower() == ".img":
        raise BadInput(
            f"{shown(path)} is the image half of a header/image pair; its .hdr file is missing.",
            "Put the .hdr file into the same folder.",
        )
    if not kind:
        raise BadInput(
            f"{shown(path)} is not a scan or table this program knows.",
            "It reads 4D scans (NIfTI, AFNI, PAR/REC, MGH/MGZ) and tables (TSV, CSV, 1D, TXT, NPY, NPZ, MAT, HDF5, "
            "XLSX, ptseries), and recordings of its own (.safetensors).",
        )
    return Sniffed(path, kind, gzipped, head)
