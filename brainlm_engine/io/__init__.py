"""Reading recordings: 4D scans and tables of parcel series, whatever their format, orientation and faults.

The one door is :func:`open_scan`; ``build_cache`` makes a compressed scan fast to look at.
"""

from brainlm_engine.io.cache import build_cache
from brainlm_engine.io.opening import open_scan
from brainlm_engine.io.table import TableScan
from brainlm_engine.io.volume import VolumeScan

Scan = VolumeScan | TableScan

__all__ = ["Scan", "TableScan", "VolumeScan", "build_cache", "open_scan"]
