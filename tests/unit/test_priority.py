"""The engine's workers give way: nice, and in a session of their own, since the kernel shares between those first."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, os, psutil
from pathlib import Path
from brainlm_engine.server.priority import give_way
give_way(7)
group = Path("/proc/self/autogroup")
text = group.read_text() if group.exists() else ""
print(json.dumps([psutil.Process().nice(), os.getsid(0) == os.getpid(), text]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sessions and autogroups are Linux's")
def test_a_worker_has_a_nice_session_of_its_own() -> None:
    # a child that leads no group yet, as the nanny's workers are
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    nice, leads, autogroup = json.loads(done.stdout)
    assert nice >= 7
    assert leads
    if autogroup:
        assert autogroup.strip().endswith("nice 7")
