"""Hidden names are nowhere: not in a text, a tooltip, a table or what a screen reader hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QCoreApplication, QEvent, QModelIndex, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QWidget

from app.controllers.studio import Studio
from app.controllers.veil import veiled, veiled_notice
from app.services import storage
from app.state import AppState
from app.state.notices import Notice
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import Question

Live = Callable[..., None]
SECRET = "Smith"
GETTERS = (
    "text", "toPlainText", "title", "windowTitle", "toolTip", "statusTip", "whatsThis", "accessibleName",
    "accessibleDescription", "placeholderText", "currentText",
)  # fmt: skip
ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)


def texts(app: QApplication) -> Iterator[tuple[str, str]]:
    """Every text of every widget, action and table cell of the program, hidden ones included."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for top in app.topLevelWidgets():
        for widget in (top, *top.findChildren(QWidget)):
            for name in GETTERS:
                getter = getattr(widget, name, None)
                if callable(getter):
                    yield f"{type(widget).__name__}.{name}", str(getter())
            heard = QAccessible.queryAccessibleInterface(widget)
            if heard is not None:
                yield f"{type(widget).__name__} heard", heard.text(QAccessible.Text.Name)
            if isinstance(widget, QAbstractItemView | QComboBox) and widget.model() is not None:
                yield from cells(widget.model())
        for action in top.findChildren(QAction):
            yield "action", f"{action.text()} {action.toolTip()} {action.statusTip()}"


def cells(model: QAbstractItemModel) -> Iterator[tuple[str, str]]:
    """What a table or list shows."""
    for row in range(model.rowCount(QModelIndex())):
        columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
        for column in range(columns):
            for role in ROLES:
                yield f"{type(model).__name__} {role.name}", str(model.index(row, column).data(role) or "")


def leaks(app: QApplication) -> list[tuple[str, str]]:
    return [(where, text) for where, text in texts(app) if SECRET in text]


def write_scan(path: Path) -> Path:
    rng = np.random.default_rng(5)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-24, -28, -20)
    image = nib.Nifti1Image(rng.normal(500, 20, (12, 14, 10, 30)).astype(np.float32), affine)
    image.header.set_zooms((4, 4, 4, 2.0))
    nib.save(image, path)
    return path


async def tell_much(studio: Studio, folder: Path) -> None:
    """Make the window say as much as it can about files: opened, asked, failed, compared, positioned, listed."""
    state = studio.state
    (folder / "Smith empty.nii").write_bytes(b"")
    np.savetxt(folder / "Smith series.1D", np.random.default_rng(1).normal(9, 1, (40, 30)), fmt="%.3f")
    (folder / "Smith places.csv").write_text("x,y,z\n1,2,3\n4,5,6\n")
    for dock in ("jobs", "log", "details"):
        studio.window.show_dock(dock, True)
    assert not await studio.open_path(folder / "Smith empty.nii")
    assert await studio.open_path(folder / "Smith series.1D", {"tr": "2.0"})
    studio._answered("scan:question:positions", str(folder / "Smith places.csv"))
    await asyncio.sleep(0.1)
    await studio.prepared()
    studio.opening.questions.ask_all()
    assert await studio.open_path(write_scan(folder / "Smith scan.nii"))
    await studio.opening.answer("space", "affine")
    await studio.prepared()
    assert await studio.compare(write_scan(folder / "Smith second.nii"))
    await studio.settled()
    job = await studio.engine.submit(
        "cache", {"path": str(folder / "Smith long ago.nii"), "answers": {}}, "Smith long ago.nii"
    )
    assert job.params
    for _ in range(200):
        if all(j.state.ended for j in state.work.jobs):
            break
        await asyncio.sleep(0.05)
    studio.window.jobs._table.selectRow(0)


def test_hidden_names_are_nowhere(window: MainWindow, live: Live, qapp: QApplication, tmp_path: Path) -> None:
    folder = tmp_path / "Smith family"
    folder.mkdir()

    async def story(studio: Studio) -> None:
        state = studio.state
        await tell_much(studio, folder)
        assert len(leaks(qapp)) > 20, "the names should be everywhere before they are hidden"
        notice = Notice("test", "danger", "Smith scan.nii broke.", details=f"{folder}/Smith scan.nii, line 1")
        state.notices.tell(notice)
        studio._notice_pressed(notice.key, "details")
        studio.commands.toggle_names()
        await asyncio.sleep(0.05)
        assert not window.fold_out.isVisible()
        studio._notice_pressed(notice.key, "details")
        assert window.fold_out.isVisible()
        studio.commands.clear_recent()
        for parcels in ((), (3,)):
            state.view.selected = parcels
            assert not leaks(qapp)
        studio.commands.toggle_names()
        assert leaks(qapp)

    live(story, window)


def test_names_hidden_from_the_start_stay_hidden(
    window: MainWindow, live: Live, qapp: QApplication, tmp_path: Path
) -> None:
    folder = tmp_path / "Smith family"
    folder.mkdir()
    storage.write(storage.PREFERENCES, {"names_hidden": True})

    async def story(studio: Studio) -> None:
        assert studio.state.view.names_hidden
        window.show_dock("details", True)
        assert await studio.open_path(write_scan(folder / "Smith scan.nii"))
        await studio.settled()
        assert not leaks(qapp)
        assert "Smith" in studio.state.case.path

    live(story, window)


def test_a_name_met_once_is_veiled_for_good() -> None:
    from app.controllers.veil import Names

    state = AppState()
    names = Names(state)
    state.shell.recent = ("/clinic/Smith.nii",)
    state.shell.recent = ()
    names.learn(["/b", "x"])  # too short to be told from words
    state.view.names_hidden = True
    assert veiled(state, "Smith.nii in /clinic, a box") == "Case in Case, a box"
    asked = Question(question_id="positions", text="Where?", default="/clinic/Smith.nii", free=True)
    shown = veiled_notice(state, Notice("k", "question", "Smith.nii asks", question=asked))
    assert shown.text == "Case asks"
    assert shown.question is not None
    assert shown.question.default == ""
    state.view.names_hidden = False
    assert veiled(state, "Smith.nii") == "Smith.nii"


async def train_and_use(studio: Studio, folder: Path) -> None:
    """Choose a cohort and train a model, both with telling names, and use that model."""
    train, state = studio.state.train, studio.state
    studio.show_workspace("train")
    await _until(lambda: train.choices is not None)
    assert studio.training is not None
    (folder / "Smith nothing").mkdir()
    assert not await studio.training.cohorts.choose(str(folder / "Smith nothing"))
    train.put(size="mini", budget="steps", steps=2, batch=1, threads=1, variety=False)
    assert await studio.training.cohorts.choose(str(folder / "Smith cohort"))
    assert await studio.training.start()
    await _until(lambda: any(t.evaluation is not None for t in train.trainings), 120)
    train.title = "Of the Smiths"
    await _until(lambda: any("mini" in model.model_id for model in state.model.models))
    state.model.model_id = next(model.model_id for model in state.model.models if "mini" in model.model_id)
    await studio.settled()


async def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_hidden_names_of_cohorts_and_models_are_nowhere(
    window: MainWindow, live: Live, qapp: QApplication, tmp_path: Path
) -> None:
    from brainlm_engine.simulate import simulate_cohort

    folder = tmp_path / "Smith family"
    simulate_cohort(folder / "Smith cohort", 7, n_frames=60)

    async def story(studio: Studio) -> None:
        state = studio.state
        for dock in ("jobs", "log", "details"):
            studio.window.show_dock(dock, True)
        await train_and_use(studio, folder)
        (made,) = state.model.own
        assert "smith" in made, "the model's folder is named after the cohort"
        for job in state.work.jobs:  # newest first: the log of the training is read last
            await studio.engine_life.show_log(job.job_id)
        studio.window.jobs._table.selectRow(len(state.work.jobs) - 1)
        seen = leaks(qapp)
        assert len(seen) > 20, "the names should be everywhere before they are hidden"
        studio.commands.toggle_names()
        await asyncio.sleep(0.05)
        assert studio.training is not None
        page = studio.training.drawing._page
        assert (page.settings.title.text(), page.settings.title.placeholderText()) == ("", "(hidden name)")
        page.settings.title.editingFinished.emit()
        assert state.train.title == "Of the Smiths", "leaving a field whose name is hidden changes nothing"
        for workspace in ("train", "model", "cases", "view"):
            studio.show_workspace(workspace)
            await studio.settled()
            assert not leaks(qapp)
            assert not [(where, text) for where, text in texts(qapp) if made in text or "smith" in text.lower()]
        assert page.cohort.box.currentText() == "Cohort 2", "the folder that was no cohort is the first"
        assert page.table.model.index(0, 0).data() == "Model 1"
        studio.commands.toggle_names()
        assert len(leaks(qapp)) > 20

    live(story, window, timeout=200)
