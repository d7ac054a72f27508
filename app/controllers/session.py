"""The session on disk: written while something changes, offered after a crash, never loaded unasked."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QObject, QTimer

from app.controllers.opening import OpenController
from app.services import storage
from app.state import AppState
from app.state.notices import Notice
from app.state.session import Session, restore_settings, snapshot
from app.state.training_form import form_of, restore_form
from app.text import tr

EVERY_MS = 4000
OFFER, UNSAVED = "session:offer", "session:unsaved"


class SessionController(QObject):
    """Saves, offers and restores."""

    def __init__(
        self,
        state: AppState,
        opening: OpenController,
        compare: Callable[[str], Awaitable[bool]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._opening, self._compare = state, opening, compare
        self._refused = False
        self._earlier = self._read()
        self._form = form_of(state.train)
        self._mine: Session | None = None
        self._written = ""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.keep)
        state.case.on("scan").connect(self._opened)

    def _read(self) -> Session | None:
        saved = storage.read(storage.SESSION)
        if not saved.get("path"):
            return None
        try:
            return Session.model_validate(saved)
        except ValidationError:
            storage.set_aside(storage.SESSION)
            return None

    def restore_form(self) -> None:
        """Bring back the settings of the next training; they belong to no scan, so nobody is asked."""
        restore_form(self._state.train, storage.read(storage.TRAINING))
        self._form = form_of(self._state.train)

    def start(self) -> None:
        """Offer the earlier session and begin to save this one."""
        earlier, state = self._earlier, self._state
        if earlier is not None and Path(earlier.path).exists():
            state.shell.last_session = earlier.name
            if state.preferences.offer_session and not earlier.closed and not _alive(earlier.pid):
                name = tr("title.hidden") if state.view.names_hidden else earlier.name
                buttons = (("reopen", tr("notice.reopen")),)
                state.notices.tell(
                    Notice(OFFER, "info", tr("interrupted.title", name=name), tr("interrupted.next"), "", buttons)
                )
        self._timer.start(EVERY_MS)

    def _opened(self, *_: object) -> None:
        """Withdraw the offer once its own file is on screen."""
        case, earlier = self._state.case, self._earlier
        if case.scan is not None and earlier is not None and Path(case.path) == Path(earlier.path):
            self._state.notices.drop(OFFER)

    @property
    def earlier(self) -> Session | None:
        """The session found at start."""
        return self._earlier

    def save(self, closed: bool = False) -> bool:
        """Write what has changed of the session and the training form; False when the disk does not take it."""
        kept = self._save_form()
        if self._state.case.scan is None:
            return (not closed or self._close_last()) and kept
        return self._save_case(closed) and kept

    def _save_form(self) -> bool:
        form = form_of(self._state.train)
        if form != self._form and storage.write(storage.TRAINING, form):
            self._form = form
        return form == self._form

    def _save_case(self, closed: bool) -> bool:
        session = snapshot(self._state, saved=0.0, pid=os.getpid(), closed=closed)
        text = session.model_dump_json()
        if text == self._written:
            if self._state.edits.unsaved:
                self._state.edits.mark_saved()
            return True
        stamped = session.model_copy(update={"saved": time.time()})
        if not storage.write(storage.SESSION, stamped.model_dump(mode="json")):
            return False
        self._written, self._mine = text, stamped
        self._state.edits.mark_saved()
        return True

    def _close_last(self) -> bool:
        """Mark as closed what this window wrote last, else what it found and no other window has open."""
        last = self._mine or self._earlier
        if last is None or last.closed or _alive(last.pid):
            return True
        done = last.model_copy(update={"closed": True})
        return storage.write(storage.SESSION, done.model_dump(mode="json"))

    def keep(self, closed: bool = False) -> None:
        """Save, as happens by itself every few seconds; that the disk does not take it is told once.

        ``closed``: the case is being closed, so that nothing of it is open when the window ends without a goodbye.
        """
        saved = self.save(closed)
        if saved:
            self._state.notices.drop(UNSAVED)
        elif not self._refused:
            self._tell_unsaved()
        self._refused = not saved

    def save_now(self) -> None:
        """Save because the person asked for it; a failure is told each time."""
        self._refused = False
        self.keep()

    def _tell_unsaved(self) -> None:
        notice = Notice(
            UNSAVED,
            "warning",
            tr("session.unsaved", folder=storage.settings_dir()),
            tr("session.unsaved_next"),
        )
        self._state.notices.tell(notice)
        self._state.work.note(f"{notice.text} {notice.next_step}")

    async def reopen(self) -> bool:
        """Bring the earlier session back: scan, settings, position, and the scan that stood beside it."""
        session, state = self._earlier, self._state
        if session is None:
            return False
        state.notices.drop(OFFER)
        if not await self._opening.open_path(session.path, session.answers, session.atlas_id):
            return False
        self._opening.preparation.keep_look()
        restore_settings(session, state)
        state.edits.clear()
        if session.second and Path(session.second).exists():
            await self._compare(session.second)
        if session.workspace in ("view", "model", "networks", "perturb", "train"):
            state.shell.workspace = session.workspace
        return True

    def stop(self) -> None:
        """End the timer."""
        self._timer.stop()


def _alive(pid: int) -> bool:
    """Return True while another window of this program with that process id runs."""
    if pid <= 0 or pid == os.getpid():
        return False
    import psutil

    try:
        return "brainlm" in " ".join(psutil.Process(pid).cmdline()) or "app" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
