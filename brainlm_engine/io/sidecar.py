"""The .json beside a scan or table (BIDS): its TR, whether it is simulated, and what this program wrote into it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from brainlm_engine.io.own import OwnSeries, own_of_json
from brainlm_engine.io.repetition import plausible


@dataclass(frozen=True)
class Sidecar:
    """``tr_s`` seconds per frame or None; ``simulated`` True when the file says that no person was scanned; ``own`` is
    what 'parcellate' wrote, None for a file of another program.
    """

    tr_s: float | None = None
    simulated: bool = False
    own: OwnSeries | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person must be told."""
        return ("This recording is simulated; no person was scanned.",) if self.simulated else ()


def read_sidecar(path: Path) -> Sidecar:
    """Read the .json that belongs to ``path``; an absent or unreadable one says nothing."""
    stem = re.sub(r"(\.nii)?(\.gz)?$", "", path.name)
    if stem == path.name:
        stem = path.stem
    try:
        content = json.loads(path.with_name(stem + ".json").read_text("utf-8"))
    except (OSError, ValueError):
        return Sidecar()
    if not isinstance(content, dict):
        return Sidecar()
    value = content.get("RepetitionTime")
    simulated = content.get("Simulated") is True
    provenance = content.get("Provenance")
    if isinstance(provenance, dict):
        simulated = simulated or provenance.get("simulated") is True
    usable = isinstance(value, int | float) and not isinstance(value, bool) and plausible(float(value))
    tr_s = float(value) if usable and value is not None else None
    return Sidecar(tr_s, simulated, own_of_json(content))
