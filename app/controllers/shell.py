"""The window around the pages: caption, notices, docks, layouts, theme, title, and which commands can be used."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction

from app import theme
from app.actions.conditions import reason
from app.controllers.veil import veiled, veiled_notice
from app.services import storage
from app.services.preferences import save_preferences
from app.state import AppState
from app.text import has, tr
from app.views.main_window import MainWindow

if TYPE_CHECKING:
    from app.state.notices import Notice

PREFERENCES = (
    "theme", "atlas_id", "model_id", "scale", "time_unit", "radiological", "names_hidden", "enable_3d", "build_cache",
    "offer_session", "frame_limit",
)  # fmt: skip
BRIEF_MS = 6000
QUIET = ("frame", "crosshair_mm", "parcel", "detail", "speed", "measuring", "growing", "curve", "stage")


class ShellController:
    """Shows what the shell's state says."""

    def __init__(self, state: AppState, window: MainWindow) -> None:
        self._state, self._window = state, window
        self._unfolded = ""
        self._job = ("", "")
        self._recent: list[QAction] = []
        self._refresh = QTimer(window)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self.refresh_actions)
        self._connect()
        self._workspace_changed(state.shell.workspace)
        self._recent_changed(state.shell.recent)
        self.refresh_actions()

    def _connect(self) -> None:
        """All connections of the shell."""
        state, window, shell = self._state, self._window, self._state.shell
        state.notices.on("waiting").connect(self._notices_changed)
        shell.on("workspace").connect(self._workspace_changed)
        shell.on("recent").connect(self._recent_changed)
        shell.on("last_session").connect(self._session_changed)
        state.engine.on("status").connect(self._recent_usable)
        state.preferences.on("theme").connect(self._theme_changed)
        for field in PREFERENCES:
            state.preferences.on(field).connect(self._save_preferences)
        for field in ("scan", "recording", "phase", "cached", "wanted", "answered"):
            state.case.on(field).connect(self._caption)
        state.compare.on("wanted").connect(self._caption)
        for field in ("names_hidden",):
            state.view.on(field).connect(self._caption)
            state.view.on(field).connect(self._recent_again)
            state.view.on(field).connect(self._notices_changed)
            state.view.on(field).connect(self._session_again)
            state.view.on(field).connect(lambda _: window.fold_out.hide())
        state.edits.changed.connect(self._title)
        window.docks_changed.connect(lambda names: shell.put(docks=names))
        theme.switch().changed.connect(window.set_theme)
        self._watch_actions()

    def _watch_actions(self) -> None:
        """Commands are looked at again after any change that may matter to one of them."""
        state = self._state
        parts = (
            state.engine, state.case, state.compare, state.model, state.forecast, state.states, state.report,
            state.networks, state.perturb, state.steer, state.sweep, state.effective, state.attention, state.contrast,
            state.train, state.shell, state.view, state.notices,
        )  # fmt: skip
        for part in parts:
            for field in type(part).model_fields:
                if field not in QUIET:
                    part.on(field).connect(self._soon)
        state.edits.changed.connect(self._soon)
        state.work.on("selected").connect(self._soon)
        state.work.on("jobs").connect(self._jobs_changed)
        state.work.on("log").connect(self._log_changed)
        state.preferences.on("theme").connect(self._soon)

    def _soon(self, *_: object) -> None:
        if not self._refresh.isActive():
            self._refresh.start()

    def _jobs_changed(self, *_: object) -> None:
        """What can be done with the selected job depends on its state, not on how far it is."""
        job = self._state.work.job
        now = (job.job_id, job.state.value) if job is not None else ("", "")
        if now != self._job:
            self._job = now
            self._soon()

    def _log_changed(self, lines: tuple[str, ...]) -> None:
        if len(lines) == 1:
            self._soon()

    def refresh_actions(self) -> None:
        """Set every command enabled or not, checked or not."""
        board = self._window.board
        board.refresh(self._state, self._is_checked)
        undo, redo = self._state.edits.undo_label, self._state.edits.redo_label
        board["undo"].setText(f"{tr('action.undo')} {undo}".strip())
        board["redo"].setText(f"{tr('action.redo')} {redo}".strip())

    def _is_checked(self, when: tuple[str, object]) -> bool:
        path, value = when
        if path == "dock":
            if value == "panel":
                return self._state.shell.panel
            return value in self._state.shell.docks
        part, field = path.split(".")
        return bool(getattr(getattr(self._state, part), field) == value)

    # ------------------------------------------------------------ what is shown

    def name(self) -> str:
        """Return the open case's name, unless names are hidden."""
        scan = self._state.case.scan
        if scan is None:
            return ""
        return tr("title.hidden") if self._state.view.names_hidden else scan.info.name

    def _caption(self, *_: object) -> None:
        case, name = self._state.case, self.name()
        scan, recording = case.scan, case.recording
        self._title()
        wanted = case.wanted or self._state.compare.wanted
        if wanted:
            self._window.strip.set_caption(veiled(self._state, tr("open.busy", name=Path(wanted).name)))
            return
        if scan is None:
            self._window.strip.set_caption(tr("caption.nothing"))
            return
        info = scan.info
        if recording is not None:
            missing = int(recording.missing.sum())
            key = "caption.ready" if missing else "caption.ready_all"
            text = tr(
                key, name=name, frames=recording.info.n_frames,
                tr=tr("caption.tr_assumed" if "tr" in scan.assumed else "caption.tr", tr=f"{recording.info.tr_s:g}"),
                parcels=recording.info.n_parcels, missing=missing,
            )  # fmt: skip
        elif case.phase in ("asking", "failed"):
            text = tr(f"caption.{case.phase}", name=name)
        elif not scan.is_volume:
            text = tr("caption.table", name=name, parcels=info.shape[0], frames=info.n_frames)
        elif case.cached:
            text = tr("caption.preparing", name=name, frames=info.n_frames, stage=tr("caption.stage"))
        else:
            text = tr("caption.first", name=name, frames=info.n_frames)
        space = tr(f"space.{info.space.verdict}") if info.space is not None else ""
        unit = recording.info.unit if recording is not None else info.unit
        origin = tr("tag.simulated") if info.simulated else ""
        assumed = dict.fromkeys(tr(f"tag.assumed_{name}") for name in scan.assumed if has(f"tag.assumed_{name}"))
        self._window.strip.set_caption(text, tuple(t for t in (origin, info.format, space, *assumed, unit) if t), name)

    def _notices_changed(self, *_: object) -> None:
        waiting = self._state.notices.waiting
        self._window.strip.set_notices(tuple(veiled_notice(self._state, notice) for notice in waiting))
        if not any(_whole(notice) == self._unfolded for notice in waiting):
            self._window.fold_out.hide()
        for notice in waiting:
            if notice.tone == "success":
                QTimer.singleShot(BRIEF_MS, self._window, lambda brief=notice: self._drop_brief(brief))

    def _drop_brief(self, notice: Notice) -> None:
        """Good news goes by itself, unless it is being read."""
        if not (self._window.fold_out.isVisible() and self._unfolded == _whole(notice)):
            self._state.notices.drop(notice.key)

    def _title(self, *_: object) -> None:
        name = self.name()
        self._window.setWindowTitle(tr("title.window", name=name) if name else tr("title.empty"))
        self._window.setWindowModified(bool(name) and self._state.edits.unsaved)

    def _workspace_changed(self, name: str) -> None:
        self._window.show_page(name)

    def _recent_again(self, *_: object) -> None:
        self._recent_changed(self._state.shell.recent)

    def _session_again(self, *_: object) -> None:
        self._session_changed(self._state.shell.last_session)

    def _recent_changed(self, files: tuple[str, ...]) -> None:
        hidden = self._state.view.names_hidden
        rows = tuple(
            (path, f"{tr('title.hidden')} {number}" if hidden else Path(path).name, Path(path).exists())
            for number, path in enumerate(files, start=1)
        )
        self._window.cases.set_recent(rows, tips=not hidden)
        menu = self._window.recent_menu
        menu.clear()
        self._recent = [self._recent_action(*row) for row in rows]
        menu.addActions(self._recent)
        menu.setEnabled(bool(rows))
        self._recent_usable()

    def _recent_usable(self, *_: object) -> None:
        """Recent files open under the same condition as any other: there is an engine, and the file is there."""
        engine = reason(("engine",), self._state)
        self._window.cases.set_recent_reason(engine)
        for action in self._recent:
            why = engine if action.data() else tr("cases.gone")
            action.setEnabled(not why)
            action.setStatusTip(why)

    def _recent_action(self, path: str, name: str, there: bool) -> QAction:
        """Return the command that opens a recent file, for the menu and for the palette."""
        action = QAction(name.replace("&", "&&"))
        action.setData(there)
        action.setToolTip(name if self._state.view.names_hidden else path)
        action.triggered.connect(lambda _=False: self._window.cases.recent_chosen.emit(path))
        return action

    def _session_changed(self, name: str) -> None:
        saved = storage.read(storage.SESSION).get("saved", 0.0)
        when = datetime.fromtimestamp(float(saved or 0.0)).strftime("%d %B %Y, %H:%M")
        shown = tr("title.hidden") if self._state.view.names_hidden else name
        self._window.cases.set_session(tr("cases.continue_text", name=shown, when=when) if name else "")

    def _theme_changed(self, name: str) -> None:
        theme.apply(name)

    def _save_preferences(self, *_: object) -> None:
        save_preferences(self._state.preferences)

    def toggle_details(self, notice: Notice) -> None:
        """Fold the details of a message out or in; of one that has none, the whole of its sentence."""
        self._unfolded = _whole(notice)
        self._window.fold_out.toggle(veiled(self._state, self._unfolded), self._window.strip)

    # ------------------------------------------------------------ layouts

    def set_mood(self, mood: str) -> None:
        """Arrange the window for 'review' or 'lab'."""
        self._state.shell.put(mood=mood, panel=True)
        self._window.preset(mood)

    def layouts(self) -> dict[str, str]:
        """Return the saved layouts by name."""
        return {str(k): str(v) for k, v in storage.read(storage.LAYOUTS).items()}

    def save_layout(self, name: str) -> None:
        """Keep the present arrangement under ``name``."""
        if name.strip():
            storage.write(storage.LAYOUTS, {**self.layouts(), name.strip(): self._window.layout_state()})

    def restore_layout(self, name: str) -> None:
        """Arrange the window as saved under ``name``."""
        text = self.layouts().get(name)
        if text is not None:
            self._window.restore_layout(text)
            self._state.shell.docks = self._window.visible_docks()

    def save_window(self) -> None:
        """Keep size and arrangement for the next start."""
        window, state = self._window, self._state
        size = window.normalGeometry().size() if window.isMaximized() else window.size()
        look = {
            "theme": state.preferences.theme, "size": [size.width(), size.height()], "maximised": window.isMaximized(),
            "layout": window.layout_state(), "mood": state.shell.mood, "panel": state.shell.panel,
        }  # fmt: skip
        storage.write(storage.WINDOW, look)


def _whole(notice: Notice) -> str:
    """What folds out of a message."""
    return notice.details or f"{notice.text} {notice.next_step}".strip()
