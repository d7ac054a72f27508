"""Help: the keyboard page is the program's own list, every link and picture exists."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "resources" / "help"


def test_keyboard_page_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "installers" / "keyboard_page.py"))["page"]()
    assert (HELP / "keyboard.md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("path", [*sorted(HELP.glob("*.md")), ROOT / "README.md"], ids=lambda p: p.name)
def test_links_and_pictures_exist(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (path.parent / t).exists()]
    assert missing == []
