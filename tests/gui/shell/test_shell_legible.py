"""Nothing that must be read is cut: the palette, the side panels, the line above the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from clipping import clipped
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.controllers.studio import Studio
from app.services.preferences import save_recent
from app.state.notices import Notice
from app.views.main_window import MainWindow
from app.views.page_frame import PageFrame
from app.views.result_card import ResultCard
from app.views.tabbed import TabbedPage
from app.widgets.colour_bar import small_font
from brainlm_engine.api.training import ModelSize
from brainlm_engine.simulate import simulate_cohort

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
LONG = "The model fills in the hidden patches better than all simple methods but one. " * 6
ANSWERS = {"tr": "2.0", "positions": "mni424"}


@pytest.mark.parametrize("width", [900, 1280])
def test_the_palette_shows_names_and_keys_whole(window: MainWindow, live: Live, tmp_path: Path, width: int) -> None:
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


def write_table(path: Path, frames: int = 60) -> Path:
    """Parcel series in the order of the default atlas, with no table of head motion beside them."""
    values = np.random.default_rng(1).normal(100, 5, (frames, 424))
    np.savetxt(path, values, fmt="%.4f", delimiter="\t", header="\t".join(f"p{i}" for i in range(424)), comments="")
    return path


def wide(page: PageFrame) -> list[str]:
    """What in the side panel is wider than the room it has."""
    body, room = page.side.widget(), page.side.viewport().width()
    parts = [w for w in body.findChildren(QWidget) if w.isVisible() and not w.visibleRegion().isEmpty()]
    out = [f"{type(w).__name__} {w.accessibleName()}" for w in parts if w.mapTo(body, w.rect().topRight()).x() >= room]
    return out + ([f"all: {body.width()} > {room}"] if body.width() > room else [])


def test_side_panels_are_never_wider_than_their_room(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = write_table(tmp_path / "series.tsv")

    async def story(studio: Studio) -> None:
        window.resize(1280, 800)
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        assert studio.viewing is not None
        assert studio.modelling is not None
        await asyncio.sleep(0.1)
        view, fd = studio.viewing._page, studio.viewing._page.quality._values["fd"]
        assert fd.text() == "needs motion parameters"
        for docks in (False, True):
            window.show_dock("jobs", docks)
            window.resize(1280, 600 if docks else 800)
            await asyncio.sleep(0.1)
            assert not docks or view.side.verticalScrollBar().isVisible()
            assert not wide(view)
            assert fd.fontMetrics().horizontalAdvance("parameters") <= fd.width()
            assert fd.heightForWidth(fd.width()) <= fd.height(), "every line of it is on screen"
        studio.show_workspace("model")
        await studio.settled()
        await asyncio.sleep(0.2)
        assert studio.tabs is not None
        await studio.tabs.ready("forecast")
        for name, page in zip(("reconstruct", "forecast"), studio.tabs.pages, strict=True):
            studio.state.shell.put(model_tab=name)
            await studio.settled()
            await asyncio.sleep(0.2)
            assert not wide(page)

    live(story, window)


def test_a_table_without_positions_says_why_there_are_no_slices(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "series.tsv"
    np.savetxt(path, np.random.default_rng(1).normal(100, 5, (60, 37)), fmt="%.4f", delimiter="\t")

    async def story(studio: Studio) -> None:
        assert await studio.open_path(path, {"tr": "2.0"})
        assert studio.state.case.phase == "asking"
        assert studio.viewing is not None
        words = studio.viewing._page.slices.waiting
        assert words.isVisible()
        assert "question above" in words.text()
        assert words.size() == words.parentWidget().size()
        assert await studio.open_path(write_table(tmp_path / "known.tsv"), ANSWERS)
        assert await studio.prepared()
        await studio.settled()
        assert not words.isVisible()

    live(story, window)


def test_a_message_that_is_cut_has_details_and_stays_while_they_are_read(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        notices, strip, shell = studio.state.notices, window.strip, studio.shell
        for text, cut in ((LONG, True), ("Done.", False), ("Saved. " * 30, False)):
            notices.tell(Notice("whole", "success", text))
            await asyncio.sleep(0.05)
            assert strip._text.text().endswith(" …") == cut
            assert strip._whole.isVisible() == cut
        long = Notice("whole", "success", LONG)
        notices.tell(long)
        await asyncio.sleep(0.05)
        strip._whole.click()
        assert window.fold_out.isVisible()
        assert window.fold_out._text.toPlainText() == LONG.strip()
        shell._drop_brief(long)
        assert long in notices.waiting, "it is being read"
        window.fold_out.hide()
        shell._drop_brief(long)
        assert long not in notices.waiting

    live(story, window, engine=False)


def test_the_facts_stay_beside_a_very_long_name(window: MainWindow) -> None:
    name, facts = f"sub-{'rest' * 60}_bold.nii.gz", " · 5 × 2 s · 424 parcels"
    window.strip.set_caption(name + facts, ("NIfTI-1", "MNI"), name)
    caption = window.strip._caption
    caption.layout().activate()
    assert caption._text.shown(caption._text.width()).endswith(facts)
    assert caption._tags.width() >= caption._tags.sizeHint().width()
    assert window.width() <= 1280


async def trained(studio: Studio, until: Until, people: Path) -> None:
    """A finished training is on show, and the form is unfolded."""
    train = studio.state.train
    studio.show_workspace("train")
    await until(lambda: train.choices is not None)
    assert studio.training is not None
    train.put(size="mini", budget="steps", steps=3, batch=1, threads=1, variety=False)
    assert await studio.training.cohorts.choose(str(people))
    assert await studio.training.start()
    await until(lambda: any(t.usable for t in train.trainings), 200)
    await studio.settled()
    page = studio.training.drawing._page
    next(button for button in page.settings.findChildren(QToolButton) if button.isCheckable()).setChecked(True)


def test_nothing_is_cut_in_a_small_window(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    people = simulate_cohort(tmp_path / "seven people", 7, n_frames=60).folder
    path = write_table(tmp_path / "series.tsv", frames=210)

    async def story(studio: Studio) -> None:
        await trained(studio, until, people)
        train = studio.state.train
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        for size in ((900, 600), (1280, 800)):
            window.resize(*size)
            for name in ("cases", "view", "model", "train"):
                studio.show_workspace(name)
                await studio.settled()
                await asyncio.sleep(0.2)
                assert (window.width(), window.height()) == size
                assert not clipped(window), (name, size)
                page = window._pages[name]
                pages = page.pages if isinstance(page, TabbedPage) else (page,)
                for page in (each for each in pages if isinstance(each, PageFrame) and each.isVisible()):
                    assert not wide(page)
                    bar = page.side.verticalScrollBar()
                    bar.setValue(bar.maximum())
                    await asyncio.sleep(0.1)
                    assert not clipped(page), (name, size, "further down")
            assert studio.training is not None
            page = studio.training.drawing._page
            head = page.head._numbers
            assert "…" not in head.shown(head.width()), "units are whole"
            table = page.table.table
            assert table.horizontalHeader().length() <= table.viewport().width(), "no column is out of sight"
            hidden = [table.isColumnHidden(column) for column in range(6)]
            assert hidden == ([False, True, False, False, False, True] if size[0] == 900 else [False] * 6)
            metrics, preview = QFontMetrics(small_font(page.preview.font())), page.preview
            words = ("traces.hidden", "traces.hidden.short")
            assert min(preview.legend_room(metrics, word)[1] for word in words) <= preview.width() - 8
            assert page.loss.getAxis("left").label.boundingRect().width() <= page.loss.view.height() + 8
        assert train.choices is not None
        large = ModelSize(size_id="large", sizes={"width": 9}, n_parameters=302_000_000)
        train.choices = train.choices.model_copy(update={"sizes": (*train.choices.sizes, large)})
        train.size = "large"
        window.resize(900, 600)
        page.side.verticalScrollBar().setValue(0)
        await asyncio.sleep(0.2)
        assert page.settings._caution.isVisible()
        assert "302 M" in page.settings._size_facts.text()
        assert not clipped(page)

    live(story, window, timeout=400)


def test_a_failed_training_says_why_and_offers_what_to_do(qtbot: QtBot, window: MainWindow) -> None:
    card = ResultCard(window.board["train_evaluate"], window.board["train_lower"])
    qtbot.addWidget(card)
    card.resize(card.minimumWidth(), 120)
    card.show_failure("The loss is no longer a number at step 120. " * 4, "", lower=True)
    card.show()
    qtbot.waitUntil(card.verticalScrollBar().isVisible)
    assert card._lower.isVisible()
    inside = card.widget()
    assert inside.minimumSizeHint().width() <= card.viewport().width(), "the button is whole beside a scroll bar"
    assert not clipped(card)
    card.show_failure("", "Learning rate lowered from 0.002 to 0.001 at step 100.", lower=False)
    assert card._lower.isHidden()
    assert card._rates.isVisible()
