"""Build MNI-424 from the templates bundled with nilearn.

``python -m brainlm_engine.atlas.build --out resources/atlas/mni424``. The same versions of the libraries give the
same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from brainlm_engine.atlas.mask import MASK
from brainlm_engine.atlas.mni424.card import card_of
from brainlm_engine.atlas.mni424.parcels import build_parcels
from brainlm_engine.atlas.mni424.templates import brain_mask
from brainlm_engine.atlas.mni424.tissues import segment
from brainlm_engine.atlas.mni_grid import AFFINE
from brainlm_engine.atlas.projection import project_to_surface
from brainlm_engine.atlas.storage import nifti_bytes, write_atlas, write_bytes
from brainlm_engine.progress import SILENT, Progress


def build(out: Path, progress: Progress = SILENT) -> None:
    """Write the atlas and the template's brain mask to the folder ``out``."""
    progress(0.0, "Reading the templates")
    labels, rows = build_parcels(segment(), progress)
    progress(0.8, "Projecting to fsaverage5")
    surface = project_to_surface(
        labels, AFFINE, tuple(row.structure for row in rows), tuple(row.hemisphere for row in rows)
    )
    progress(0.9, "Writing")
    write_bytes(_made(out) / MASK, nifti_bytes(brain_mask().astype(np.uint8), AFFINE))
    write_atlas(out, labels, AFFINE, rows, surface=surface, card=card_of(labels, rows))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> int:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(
        prog="python -m brainlm_engine.atlas.build", description="Build the atlas MNI-424."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    build(parser.parse_args().out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
