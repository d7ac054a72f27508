"""Commands are data: complete, unique, spoken for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import app
from app.actions.conditions import reason
from app.actions.lists import ALL, MENUS
from app.controllers.commands import Commands
from app.dialogs.fuzzy import score
from app.state import AppState
from app.text import has, tr

SOURCES = sorted(Path(app.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.id)
def test_each_command_has_words_a_method_and_a_menu(action: object) -> None:
    assert has(f"action.{action.id}")  # type: ignore[attr-defined]
    assert callable(getattr(Commands, action.callback))  # type: ignore[attr-defined]
    assert action.menu in MENUS  # type: ignore[attr-defined]
    for need in action.needs:  # type: ignore[attr-defined]
        assert has(f"reason.{need}")


def test_ids_and_shortcuts_are_unique() -> None:
    assert len({a.id for a in ALL}) == len(ALL)
    keys = [a.shortcut for a in ALL if a.shortcut]
    assert len(set(keys)) == len(keys)


def test_checked_fields_exist() -> None:
    state = AppState()
    for action in ALL:
        if action.checked is not None and action.checked[0] != "dock":
            part, field = action.checked[0].split(".")
            assert hasattr(getattr(state, part), field), action.id


def test_reasons_are_sentences() -> None:
    state = AppState()
    for action in ALL:
        why = reason(action.needs, state)
        assert why == "" or why.endswith(".")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_text_exists(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args
        if called and isinstance(node.args[0], ast.Constant):
            assert has(str(node.args[0].value)), f"{path.name}: {node.args[0].value}"


def test_style_sheets_come_from_the_theme_only() -> None:
    for path in SOURCES:
        if "theme" not in path.parts:
            assert "setStyleSheet" not in path.read_text(encoding="utf-8"), path


def test_fuzzy_search_prefers_word_starts() -> None:
    names = [tr(f"action.{a.id}") for a in ALL]

    def best(letters: str) -> str:
        return max(names, key=lambda name: score(letters, name))

    assert best("recon") == "Reconstruct"
    assert best("bfl") == "Brain from Left"
    assert best("undo") == "Undo"
    assert score("zzz", "Undo") == 0
