"""The engine of BrainLM Studio: reads scans, runs models, trains them. Knows nothing of windows.

For Python programs: :func:`open_recording`, :func:`reconstruct`, :func:`forecast`, :func:`networks`, :func:`states`,
:func:`perturb`, :func:`steer` and :func:`repair`, see :mod:`brainlm_engine.interface`. They are looked up when they are
asked for, so that importing this package stays light.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainlm_engine.interface import forecast, networks, open_recording, perturb, reconstruct, repair, states, steer

# Before torch or a BLAS is loaded anywhere: threads that wait should sleep. Spinning ones, the default, made a
# reconstruction ten times slower whenever another process was busy on the same cores, and slowed that process too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "forecast",
    "networks",
    "open_recording",
    "perturb",
    "reconstruct",
    "repair",
    "states",
    "steer",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("brainlm_engine.interface"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
