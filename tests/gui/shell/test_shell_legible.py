"""Nothing that must be read is cut: the palette, the side panels, the line above the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.controllers.studio import Studio
from app.services.preferences import save_recent
from app.views.main_window import MainWindow

Live = Callable[..., None]


@pytest.mark.parametrize("width", [900, 1280])
def test_the_palette_shows_names_and_keys_whole(
    window: MainWindow, live: Live, tmp_path: Path, width: int
) -> None:
    long = tmp_path / f"sub-01_task-{'rest' * 25}_bold.nii"
    long.write_bytes(b"")

    async def story(studio: Studio) -> None:
        window.resize(width, 700)
        studio.boxes.palette()
        tree, line = studio.boxes._palette._list, studio.boxes._palette._line
        for typed in ("", "theme", "o"):
            line.setText(typed)
            assert tree.topLevelItemCount() > 1
            for column in (0, 2):
                assert tree.columnWidth(column) >= tree.sizeHintForColumn(column)
            assert sum(tree.columnWidth(column) for column in range(3)) <= tree.viewport().width()
            assert tree.columnWidth(1) >= 90
        studio.state.shell.recent = (str(long),)
        studio.boxes.palette()
        assert tree.columnWidth(2) >= tree.sizeHintForColumn(2)
        assert tree.columnWidth(1) >= 90, "a file's name does not push the reasons out"

    save_recent(())
    live(story, window, engine=False)
