#!/usr/bin/env python3
"""Write resources/help/keyboard.md from the program's own list of actions: python installers/keyboard_page.py."""

from __future__ import annotations

from pathlib import Path

from app.actions import lists
from app.text import tr

MENUS = ("FILE", "EDIT", "VIEW", "BRAIN", "TIME", "MODEL", "NETWORKS", "PERTURB", "TRAIN", "ENGINE", "WINDOW", "HELP")


def page() -> str:
    """Return the page."""
    lines = ["# Keyboard", "", "Every command is in a menu and in the palette (Ctrl+Shift+P).", ""]
    for menu in MENUS:
        listed = (*getattr(lists, menu), *(lists.FORECAST if menu == "MODEL" else ()))
        rows = [action for action in listed if action.shortcut]
        if rows:
            lines += [f"## {tr(f'menu.{menu.lower()}').replace('&', '')}", "", "| key | command |", "|---|---|"]
            lines += [f"| {action.shortcut} | {tr(f'action.{action.id}')} |" for action in rows] + [""]
    lines += [
        "## In a drawing",
        "",
        "Tab goes from drawing to drawing; arrow keys move the crosshair, the brain or the time cursor.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    target = Path(__file__).resolve().parent.parent / "resources" / "help" / "keyboard.md"
    target.write_text(page(), encoding="utf-8")
