"""``brainlm-engine atlas`` as a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

from brainlm_engine.atlas import load_atlas


def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brainlm_engine", "atlas", *arguments], capture_output=True, text=True, check=False
    )


def test_list_add_show(tmp_path: Path) -> None:
    listed = json.loads(engine("list", "--json").stdout)["atlases"]
    assert listed[0]["atlas_id"] == "mni424"
    assert {"a424", "schaefer-400", "aal"} <= {atlas["atlas_id"] for atlas in listed if not atlas["installed"]}

    own = load_atlas()
    labels = np.where(own.labels <= 3, own.labels, 0).astype(np.int16)
    nib.save(nib.Nifti1Image(labels, own.affine), tmp_path / "three.nii.gz")
    added = engine("add", str(tmp_path / "three.nii.gz"), "--id", "three", "--title", "Three", "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["n_parcels"] == 3

    shown = json.loads(engine("show", "three", "--json").stdout)
    assert [parcel["name"] for parcel in shown["parcels"]] == ["Parcel 1", "Parcel 2", "Parcel 3"]

    again = engine("add", str(tmp_path / "three.nii.gz"), "--id", "three", "--json")
    assert again.returncode == 2
    assert "already is an atlas" in json.loads(again.stdout)["error"]["message"]
    assert "Traceback" not in again.stderr
