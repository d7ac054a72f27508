"""The window goes first: how the engine's workers give way to it when processors are short."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil

#: answers to a person who waits for them; work that takes its time
ANSWERING, WORKING = 5, 15
_AUTOGROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Lower this process's priority; while nothing else wants the processors that costs nothing.

    On most Linux desktops the kernel shares the processors between sessions first (autogroup) and looks at niceness
    only inside one: a nice process in the engine's session would still take half a core from the window. So this
    process gets a session of its own, and that session is nice.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process().nice(niceness)
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setsid()
            _AUTOGROUP.write_text(str(niceness), encoding="ascii")
