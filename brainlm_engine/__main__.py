"""``python -m brainlm_engine VERB``: the same as ``brainlm-engine VERB``."""

import sys

from brainlm_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
