"""Parcel time series: what every task of the engine works on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole


@dataclass(frozen=True)
class Recording:
    """One recording, parcellated.

    Attributes
    ----------
    series : (parcels, frames) float32, in ``unit``; missing parcels hold NaN
    tr_s : seconds per frame
    xyz : (parcels, 3) float32, MNI mm; NaN where unknown
    missing : (parcels,) bool, True where the scan holds no usable signal
    coverage : (parcels,) float32, share of the parcel's voxels inside the scan, 0..1
    atlas_id : the atlas, '' when only coordinates are known
    names, networks : per parcel; empty when unknown
    unit : 'raw', '% signal change' or 'SD'
    name : what the person calls it (usually the file's name)
    provenance : source file, fingerprint, software version, steps
    """

    series: NDArray[np.float32]
    tr_s: float
    xyz: NDArray[np.float32]
    missing: NDArray[np.bool_]
    coverage: NDArray[np.float32]
    atlas_id: str = ""
    names: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    unit: str = "raw"
    name: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parcels = self.series.shape[0]
        if self.series.ndim != 2 or self.xyz.shape != (parcels, 3) or self.missing.shape != (parcels,):
            raise ValueError(
                f"series {self.series.shape}, xyz {self.xyz.shape}, missing {self.missing.shape} do not fit"
            )

    @property
    def n_parcels(self) -> int:
        """Number of parcels, missing ones included."""
        return int(self.series.shape[0])

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.series.shape[1])

    def save(self, path: Path) -> None:
        """Write to one safetensors file, whole or not at all."""
        from safetensors.numpy import save_file

        head = {
            "tr_s": self.tr_s, "atlas_id": self.atlas_id, "names": list(self.names), "networks": list(self.networks),
            "unit": self.unit, "name": self.name, "provenance": self.provenance,
        }  # fmt: skip
        arrays = {
            "series": np.ascontiguousarray(self.series, np.float32),
            "xyz": np.ascontiguousarray(self.xyz, np.float32),
            "missing": np.ascontiguousarray(self.missing, np.uint8),
            "coverage": np.ascontiguousarray(self.coverage, np.float32),
        }
        with written_whole(path) as temporary:
            save_file(arrays, temporary, metadata={"recording": json.dumps(head)})

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what :meth:`save` wrote."""
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise _no_file(path)
        try:
            with safe_open(path, framework="np") as file:
                head = json.loads((file.metadata() or {})["recording"])
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise BadInput(
                f"{path.name} is not a recording of this program, or it is damaged.",
                "Open the original scan again to make a new one.",
                str(error),
            ) from error
        return cls(
            series=arrays["series"],
            tr_s=float(head["tr_s"]),
            xyz=arrays["xyz"],
            missing=arrays["missing"].astype(bool),
            coverage=arrays["coverage"],
            atlas_id=head["atlas_id"],
            names=tuple(head["names"]),
            networks=tuple(head["networks"]),
            unit=head["unit"],
            name=head["name"],
            provenance=head["provenance"],
        )


def _no_file(path: Path) -> BadInput:
    if path.is_dir():
        return BadInput(f"{path.resolve().name or path} is a folder, not a recording.", "Give a recording inside it.")
    if path.exists():
        return BadInput(f"{path.name} is a device or a pipe, not a recording.", "Give a recording.")
    return BadInput(f"{path.name} is not there (any more).", "Check its name, and that its disk is connected.")
