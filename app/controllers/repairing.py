"""Repair Recording…: looks for what is bad in the open recording, and writes a new one beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from app.controllers.failures import tell_error
from app.controllers.veil import veiled, veiled_model
from app.services.engine import EngineService
from app.services.tasks import Tasks
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.api.messages import JobRecord
from brainlm_engine.api.repair import RepairInfo, RepairSpec

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.dialogs.repair import RepairDialog
    from app.views.main_window import MainWindow

KEY = "model:repair"
#: recording, model, scaling, table of head motion, what counts as bad
Wish = tuple[str, str, str, str, RepairSpec]


class RepairController:
    """One box, one job at a time; what it shows always belongs to its settings, or is marked."""

    def __init__(
        self, state: AppState, engine: EngineService, window: MainWindow, tasks: Tasks, modelling: ModelController
    ) -> None:
        self._state, self._engine, self._window, self._tasks = state, engine, window, tasks
        self._modelling = modelling
        self.dialog: RepairDialog | None = None
        self._info: RepairInfo | None = None
        self._asked: Wish | None = None
        self._problem = ""
        self._job = ""
        self._whose = ""
        state.case.on("recording").connect(self._recording_changed)
        for field in ("motion", "atlas"):
            state.case.on(field).connect(self._show)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self._show)
        state.view.on("selected").connect(self._show)
        state.view.on("names_hidden").connect(self._show)
        engine.job_changed.connect(self._job_changed)

    def open(self) -> None:
        """Show the box."""
        from app.dialogs.repair import RepairDialog

        if self.dialog is None:
            dialog = RepairDialog(self._window)
            dialog.changed.connect(self._show)
            dialog.look_wanted.connect(lambda: self._tasks.start(self.look(), tr("action.repair")))
            dialog.stop_wanted.connect(lambda: self._tasks.start(self.stop(), tr("repair.stop")))
            dialog.write_wanted.connect(self._ask_where)
            dialog.finished.connect(self._closed)
            self.dialog = dialog
        self._show()
        self.dialog.show()
        self.dialog.raise_()

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
        if self._job:
            self._tasks.start(self.stop(), tr("repair.stop"))

    # ------------------------------------------------------------ ask

    def wish(self) -> Wish | None:
        """Return what the box asks for; None while something is missing.

        Raises
        ------
        BadInput
            When the frames cannot be understood.
        """
        state, dialog, recording = self._state, self.dialog, self._state.case.recording
        if dialog is None or recording is None or state.model.model is None:
            return None
        on = {name: box.isChecked() and box.isEnabled() for name, box in dialog.signs.items()}
        spec = RepairSpec(
            empty=on["empty"], dvars=on["dvars"], spikes=dialog.spikes.value() if on["spikes"] else 0.0,
            fd_mm=dialog.motion.value() if on["motion"] else 0.0,
            parcels=state.view.selected if on["selected"] else (), spans=spans_of_text(dialog.frames.text()),
            method=dialog.method.currentData(),
        )  # fmt: skip
        motion = state.case.motion
        path = motion.info.path if on["motion"] and motion is not None and motion.fd_mm is not None else ""
        return recording.info.recording_id, state.model.model_id, state.model.scaling_used, path, spec

    async def look(self) -> RepairInfo | None:
        """Look for what is bad and try the methods on good data; None when that failed or was stopped."""
        return await self._run("")

    async def write(self, path: str) -> RepairInfo | None:
        """Write the new recording; None when that failed or was stopped."""
        self._state.shell.named = tuple(dict.fromkeys((*self._state.shell.named, path)))
        info = await self._run(path)
        if info is not None and info.written:
            name = Path(path).name
            buttons = ((f"open:{path}", tr("repair.open")),)
            self._state.notices.tell(Notice(KEY, "success", tr("repair.written", name=name), "", "", buttons))
        return info

    async def _run(self, out: str) -> RepairInfo | None:
        try:
            wish = self.wish()
        except EngineError as error:
            self._put(None, None, str(error))
            return None
        if wish is None or self._job:
            return None
        recording_id, model_id, scaling, motion, spec = wish
        self._job, self._problem = "…", ""
        self._show()
        try:
            params: dict[str, Any] = {
                "recording_id": recording_id, "model_id": model_id, "motion_path": motion, "out": out,
                "spec": spec.model_dump(mode="json"), "scaling": await self._modelling.scaling.ready(scaling),
            }  # fmt: skip
            job = await self._engine.submit("repair", params, tr("job.repair", name=self._name()))
            self._job = job.job_id
            record = await self._engine.finished(job.job_id)
        except EngineError as error:
            self._job = ""
            if error.code != "cancelled" and (self.dialog is None or out):
                tell_error(self._state, error, KEY)
            self._put(*((self._info, self._asked) if out else (None, None)), str(error))
            return None
        self._job = ""
        info = RepairInfo.model_validate((record.result or {})["info"])
        if self._state.case.recording is None or self._state.case.recording.info.recording_id != recording_id:
            self._show()
            return info  # another scan is open by now: what was written is written
        self._put(info, wish, "")
        return info

    async def stop(self) -> None:
        """Stop what is running."""
        if self._job not in ("", "…"):
            await self._engine.client.cancel(self._job)

    def _ask_where(self) -> None:
        recording = self._state.case.recording
        if recording is None or self.dialog is None:
            return
        box = QFileDialog(self.dialog, tr("repair.write.title"))
        box.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        box.setOption(QFileDialog.Option.DontConfirmOverwrite)  # nothing is ever written over
        box.setNameFilter(tr("repair.filter"))
        box.setDefaultSuffix("safetensors")
        case = Path(self._state.case.path)
        box.setDirectory(str(case.parent))
        box.selectFile(f"{case.name.split('.')[0]}_repaired.safetensors")
        box.fileSelected.connect(lambda path: self._tasks.start(self.write(path), tr("action.repair")))
        box.finished.connect(box.deleteLater)
        box.open()

    # ------------------------------------------------------------ show

    def _put(self, info: RepairInfo | None, asked: Wish | None, problem: str) -> None:
        self._info, self._asked, self._problem = info, asked, problem
        self._show()

    def _recording_changed(self, *_: object) -> None:
        recording = self._state.case.recording
        whose = recording.info.recording_id if recording is not None else ""
        if whose != self._whose:
            self._whose = whose
            self._put(None, None, "")

    def _job_changed(self, record: JobRecord) -> None:
        if record.job_id == self._job and self.dialog is not None and not record.state.ended:
            self.dialog.show_running(
                tr("repair.running", stage=record.stage or "…", share=round(100 * record.fraction))
            )

    def _show(self, *_: object) -> None:
        dialog, state = self.dialog, self._state
        if dialog is None:
            return
        motion = state.case.motion
        dialog.show_motion(motion is not None and motion.fd_mm is not None)
        dialog.show_selection(len(state.view.selected))
        model = state.model.model
        dialog.show_model(veiled_model(state, model).title if model is not None else tr("reason.model"))
        if not self._job or self._job == "…":
            dialog.show_running(tr("repair.starting") if self._job else "")
        try:
            wish = self.wish()
        except BadInput:
            wish = None
        problem = tr("view.waiting") if state.case.recording is None else veiled(state, self._problem)
        dialog.show_found(self._info, problem, outdated=not _same(wish, self._asked))

    def _name(self) -> str:
        scan = self._state.case.scan
        return scan.info.name if scan is not None else ""


def _same(wish: Wish | None, asked: Wish | None) -> bool:
    """True when both find the same; which method fills in changes nothing about that."""
    if wish is None or asked is None:
        return wish is asked
    return (*wish[:4], wish[4].model_copy(update={"method": "model"})) == (
        *asked[:4],
        asked[4].model_copy(update={"method": "model"}),
    )


def spans_of_text(text: str) -> tuple[tuple[int, int], ...]:
    """Return '120:140, 300' as ((120, 140), (300, 301)).

    Raises
    ------
    BadInput
        When the text is no list of frames.
    """
    spans = []
    for word in filter(None, (part.strip() for part in text.replace(";", ",").split(","))):
        first, _, stop = word.replace("-", ":").partition(":")
        try:
            span = int(first), int(stop) if stop else int(first) + 1
        except ValueError:
            raise BadInput(tr("repair.frames.wrong", text=word), tr("repair.frames.example")) from None
        spans.append(span)
    return tuple(spans)
