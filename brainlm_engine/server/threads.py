"""How many threads the numerical libraries of a worker use."""

from __future__ import annotations

import os


def use_planned_threads() -> None:
    """Give numpy the threads this worker was planned with (``OPENBLAS_NUM_THREADS``).

    On Linux a worker is forked from a process in which numpy was loaded with one thread (so that nothing is forked in
    the middle of threaded work); libraries loaded later read the variable themselves.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(int(os.environ.get("OPENBLAS_NUM_THREADS", "1")), user_api="blas")
