"""One of several processes that train together; ``torchrun`` starts it: ``python -m brainlm_engine.train.rank TASK``.

It speaks in lines of JSON on standard output and listens on standard input. When that ends, because whoever asked for
the training is gone, this process ends at once: torchrun's processes live in sessions of their own, and would go on.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

_ORPHANED = 3


def watch(stop: threading.Event) -> None:
    """Set ``stop`` when told so on standard input; end this process when that is closed."""

    def listen() -> None:
        for line in sys.stdin:
            if line.strip() == "stop":
                stop.set()
        os._exit(_ORPHANED)

    threading.Thread(target=listen, daemon=True).start()


def tell(said: dict[str, Any]) -> None:
    """Write one line, whole."""
    os.write(1, (json.dumps(said) + "\n").encode())


def main() -> int:
    """Train, and say what came of it."""
    stop = threading.Event()
    watch(stop)
    from brainlm_engine.train.told import carry_out

    return carry_out(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), stop.is_set, tell)


if __name__ == "__main__":
    from brainlm_engine.train.fabric_team import end_if_joined

    sys.exit(end_if_joined(main()))
