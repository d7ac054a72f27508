"""The engine of BrainLM Studio: reads scans, runs models, trains them. Knows nothing of windows."""

import os

# Before torch or a BLAS is loaded anywhere: threads that wait should sleep. Spinning ones, the default, made a
# reconstruction ten times slower whenever another process was busy on the same cores, and slowed that process too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
