"""Writes the colour tables of this folder. Run once: ``python make_palettes.py CMCRAMERI_FOLDER``.

``CMCRAMERI_FOLDER`` is the ``cmaps`` folder of the PyPI package cmcrameri 1.10 (tables by Fabio Crameri, MIT);
cividis comes from matplotlib (by Jamie Nunez and others, CC0).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def write(name: str, kind: str, origin: str, table: np.ndarray) -> None:
    """One palette: two comment lines, then 256 rows of red green blue, 0..255."""
    head = f"{name} | {kind} | {origin}\nred green blue, 0..255"
    np.savetxt(HERE / f"{name}.txt", np.rint(table * 255).astype(int), fmt="%d", header=head)


def main(folder: Path) -> None:
    """Write all four palettes."""
    from matplotlib import colormaps

    write("cividis", "sequential", "matplotlib, CC0", colormaps["cividis"](np.arange(256))[:, :3])
    for name, kind in {"batlow": "sequential", "vik": "diverging", "vikO": "cyclic"}.items():
        write(name, kind, "Crameri scientific colour maps, MIT", np.loadtxt(folder / f"{name}.txt"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
