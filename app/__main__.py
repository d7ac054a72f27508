"""``brainlm-studio``: the window. Nothing heavy is imported before it is on screen."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from brainlm_engine import __version__


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="brainlm-studio",
        description="Look at a brain scan, see what a foundation model of brain activity makes of it. "
        "For research use only.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a 4D NIfTI image or a table of parcel series")
    parser.add_argument(
        "--tour", metavar="OUT", type=Path, help="show the demo case, leave pictures and a report in OUT"
    )
    parser.add_argument("--demo", action="store_true", help="open the demo case (simulated; made on first use)")
    parser.add_argument("--diagnose", action="store_true", help="print versions, graphics and engine facts, and end")
    parser.add_argument("--no-3d", action="store_true", help="never touch OpenGL")
    parser.add_argument("--engine", metavar="ADDRESS", help="use this engine instead of the one on this computer")
    parser.add_argument("--theme", choices=("dark", "light"), help="colours of this and later starts")
    parser.add_argument("--size", metavar="WxH", type=_size, help="size of the window in pixels, e.g. 1280x800")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        size = int(width), int(height)
    except ValueError:
        size = (0, 0)
    if not (320 <= size[0] <= 16384 and 240 <= size[1] <= 16384):
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write e.g. 1280x800")
    return size


def main(argv: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    options = build_parser().parse_args(argv)
    if options.tour is not None:
        from app.display import draw_without_display

        draw_without_display()
    from app.bootstrap import run

    if options.tour is None:
        return run(options)
    with tempfile.TemporaryDirectory() as neutral:  # the tour neither sees nor changes this person's settings
        os.environ["BRAINLM_SETTINGS"] = neutral
        return run(options)


if __name__ == "__main__":
    sys.exit(main())
