"""The one style sheet: what a palette cannot say (borders of 3:1, the 2-px focus ring, the rail, the notices)."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from string import Template

from app.theme.icons import resource
from app.theme.tokens import Theme

_ICONS = {"down": "chevron-down", "up": "chevron-up", "close": "close", "float": "float", "check": "check"}


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("sheet.qss").read_text(encoding="utf-8"))


def style_sheet(theme: Theme) -> str:
    """Return the application's style sheet in the colours of ``theme``.

    ``$line`` is a hairline between quiet areas; everything that must be seen to be used has ``$border`` (3:1).
    """
    icons = {name: resource(f"{file}-{theme.name}.svg") for name, file in _ICONS.items()}
    colours = {name: value for name, value in asdict(theme).items() if isinstance(value, str)}
    return _template().substitute(colours, line="#333B46" if theme.dark else "#D5DAE1", **icons)
