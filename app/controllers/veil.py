"""Hiding names: what a person called a file never shows while names are hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.state import AppState
from app.state.notices import Notice
from app.text import tr


def veiled(state: AppState, text: str) -> str:
    """Return ``text`` with every known file name and path replaced, when names are hidden."""
    if not state.view.names_hidden or not text:
        return text
    paths = [path for path in (state.case.path, state.case.wanted, *state.shell.recent) if path]
    paths += [path for path in state.compare.known if path]
    scan = state.case.scan
    words = {scan.info.name if scan is not None else "", state.shell.last_session}
    words |= {word for path in paths for word in (path, str(Path(path).parent), Path(path).name)}
    for word in sorted((w for w in words if len(w) > 2), key=len, reverse=True):
        text = text.replace(word, tr("title.hidden"))
    return text


def veiled_notice(state: AppState, notice: Notice) -> Notice:
    """Return ``notice`` without names, when names are hidden."""
    return replace(
        notice,
        text=veiled(state, notice.text),
        next_step=veiled(state, notice.next_step),
        details=veiled(state, notice.details),
    )
