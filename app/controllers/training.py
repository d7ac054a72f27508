"""The Train workspace: start, pause, resume, stop, clone; it follows what the engine does and survives its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer

from app.controllers.cohorts import CohortController
from app.controllers.failures import tell_error
from app.controllers.training_drawing import TrainingDrawing
from app.controllers.training_estimate import EstimateController
from app.services.engine import EngineService
from app.services.latest import Latest
from app.services.tasks import Tasks
from app.state import AppState
from app.state.notices import Notice
from app.state.training import Training, with_state
from app.text import tr
from brainlm_engine.api.errors import EngineError, EngineLost
from brainlm_engine.api.messages import JobRecord, JobState, Reply
from brainlm_engine.api.training import TrainingInfo

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.views.pages.train import TrainPage

KEY, DONE, CUT = "train:run", "train:done", "train:interrupted"
FOLLOW_MS = 1000
PRETRAIN, EVALUATE = "pretrain", "evaluate"


class TrainingController:
    """Everything that happens to trainings; :class:`TrainingDrawing` shows them."""

    def __init__(
        self, state: AppState, engine: EngineService, page: TrainPage, tasks: Tasks, modelling: ModelController
    ) -> None:
        self._state, self._engine, self._tasks, self._modelling = state, engine, tasks, modelling
        self._seen: dict[str, JobState] = {}
        self._was_lost = False
        self.cohorts = CohortController(state, engine, page.cohort, tasks)
        self.estimate = EstimateController(state, engine, page)
        self.drawing = TrainingDrawing(state, page, self.estimate)
        self.latest: Latest[str, Reply[TrainingInfo]] = Latest(self._ask, self._take, self._failed)
        self._follow = QTimer(page)
        self._follow.setInterval(FOLLOW_MS)
        self._follow.timeout.connect(self.look)
        self._connect(page)

    def _connect(self, page: TrainPage) -> None:
        """All connections of this page."""
        state, train = self._state, self._state.train
        self._engine.job_changed.connect(self._job_changed)
        self._engine.lost.connect(self._lost)
        self._engine.connected.connect(self._connected)
        state.work.on("jobs").connect(self._jobs_changed)
        train.on("out").connect(self._chosen)
        state.shell.on("workspace").connect(self._followed)
        train.on("trainings").connect(self._followed)
        page.table.chosen.connect(lambda out: train.put(out=out))
        page.settings.changed.connect(self._setting)

    def _setting(self, field: str, value: object) -> None:
        train = self._state.train
        linked = {"size": train.with_size, "launch": train.with_launch}
        changes = linked[field](str(value)) if field in linked else {field: value}
        self._state.edits.set(tr("edit.training"), train, **changes)

    # ------------------------------------------------------------ what is known

    async def load(self) -> None:
        """Fetch what can be chosen, the cohorts and the trainings."""
        train = self._state.train
        try:
            train.fit_to(await self._engine.client.training_choices())
            await self.cohorts.load()
            await self.refresh()
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return
        if self._was_lost:
            self._was_lost = False
            self._offer_resume()

    async def refresh(self) -> None:
        """List the trainings; the newest is on show when none was chosen."""
        train = self._state.train
        train.trainings = (await self._engine.client.trainings()).trainings
        if train.on_show is None and train.trainings:
            train.out = train.trainings[0].out
        self.look()

    def look(self) -> None:
        """Read the training on show once more."""
        training = self._state.train.on_show
        if training is not None and self._state.engine.status == "ready":
            self.latest.wish(training.job_id)

    async def _ask(self, job_id: str) -> Reply[TrainingInfo]:
        return await self._engine.client.training(job_id)

    def _take(self, _asked: str, reply: Reply[TrainingInfo]) -> None:
        train, info = self._state.train, reply.message
        if info.out != train.out:
            return
        short = info.model_copy(update={"points": (), "levels": (), "preview": None})
        train.trainings = tuple(short if t.out == info.out else t for t in train.trainings)
        train.detail = Training(info, dict(reply.arrays))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, EngineError) and not isinstance(error, EngineLost):
            tell_error(self._state, error, KEY)

    def _chosen(self, *_: object) -> None:
        self._state.train.detail = None
        self.look()
        self._followed()

    def _followed(self, *_: object) -> None:
        """Look every second while a training that runs is on screen."""
        training = self._state.train.on_show
        runs = training is not None and not training.state.ended and self._state.shell.workspace == "train"
        if runs != self._follow.isActive():
            self._follow.start() if runs else self._follow.stop()
        if runs:
            self.look()

    # ------------------------------------------------------------ jobs

    def _jobs_changed(self, jobs: tuple[JobRecord, ...]) -> None:
        train = self._state.train
        for field, kind in (("active", PRETRAIN), ("evaluating", EVALUATE)):
            running = next((job.job_id for job in jobs if job.kind == kind and not job.state.ended), "")
            if getattr(train, field) != running:
                setattr(train, field, running)

    def _job_changed(self, record: JobRecord) -> None:
        if record.kind not in (PRETRAIN, EVALUATE):
            return
        before, self._seen[record.job_id] = self._seen.get(record.job_id), record.state
        if before != record.state:
            self._tasks.start(self._moved(record, before), tr("train.settings"))

    async def _moved(self, record: JobRecord, before: JobState | None) -> None:
        try:
            await self.refresh()
            if record.kind == PRETRAIN and record.state is JobState.DONE and before is not None:
                await self._finished(record)
        except EngineLost:
            return

    async def _finished(self, record: JobRecord) -> None:
        """A model is there: list it, say so, and compare it with the simple methods."""
        await self._modelling.load_models()
        training = next((t for t in self._state.train.trainings if t.job_id == record.job_id), None)
        if training is None:
            return
        button = (("train_open", tr("train.done.button")),)
        self._state.notices.tell(Notice(DONE, "success", tr("train.done", title=training.title), buttons=button))
        await self.evaluate(training)

    def _lost(self, _error: EngineLost) -> None:
        """What ran was interrupted; until the engine is back nobody else can say so."""
        train = self._state.train
        self._was_lost = True
        train.trainings = tuple(t if t.state.ended else with_state(t, JobState.INTERRUPTED) for t in train.trainings)
        train.busy = ""

    def _connected(self) -> None:
        self._tasks.start(self.load(), tr("train.settings"))

    def _offer_resume(self) -> None:
        cut = next((t for t in self._state.train.trainings if t.state is JobState.INTERRUPTED), None)
        if cut is not None and cut is self._state.train.trainings[0]:
            button = (("train_resume", tr("train.resume.button")),)
            self._state.train.out = cut.out
            text = tr("train.interrupted" if cut.step else "train.interrupted.early", title=cut.title, step=cut.step)
            self._state.notices.tell(Notice(CUT, "warning", text, buttons=button))

    # ------------------------------------------------------------ what can be asked for

    async def start(self) -> bool:
        """Start a training with the settings of the form; True when its job is queued."""
        train = self._state.train
        if train.chosen is None or train.model_size is None:
            return False
        params = train.job_params(train.title or self.drawing.default_title())
        return await self._submit(params)

    async def pause(self) -> bool:
        """Stop the training on show after its present step; everything learned is kept."""
        training = self._state.train.on_show
        if training is None or training.state.ended:
            return False
        return await self._halt(training, "pausing")

    async def resume(self) -> bool:
        """Go on with the training on show."""
        training = self._state.train.on_show
        if training is None or not training.resumable:
            return False
        self._state.notices.drop(CUT)
        return await self._submit(training.params)

    async def lower(self) -> bool:
        """Go on with a training whose loss was no longer a number, with half the learning rate it had."""
        training = self._state.train.on_show
        if training is None or not (training.spoiled and training.resumable and training.learning_rate):
            return False
        return await self._submit({**training.params, "learning_rate": training.learning_rate / 2})

    async def stop(self) -> bool:
        """End the training on show now and make a model of what was learned."""
        training, train = self._state.train.on_show, self._state.train
        if training is None:
            return False
        if not training.state.ended and not await self._halt(training, "stopping"):
            return False
        now = next((t for t in train.trainings if t.out == training.out), training)
        if not now.resumable or now.step == 0:
            return False
        return await self._submit({**now.params, "steps": now.step})

    async def evaluate(self, training: TrainingInfo | None = None) -> bool:
        """Compare a finished model (the one on show) with the simple methods, as a job."""
        chosen = training or self._state.train.on_show
        if chosen is None or not chosen.usable:
            return False
        params = {"model": chosen.model_id, "data": chosen.cohort, "threads": chosen.params.get("threads", 2)}
        try:
            await self._engine.submit(EVALUATE, params, tr("job.train_evaluate", title=chosen.title))
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        return True

    def clone(self) -> None:
        """Put the settings of the training on show into the form."""
        train = self._state.train
        if train.on_show is not None:
            self._state.edits.set(tr("edit.clone"), train, **train.settings_of(train.on_show))

    async def _submit(self, params: dict[str, Any]) -> bool:
        train = self._state.train
        train.busy = "starting"
        try:
            job = await self._engine.submit(PRETRAIN, params, tr("job.train", title=params.get("title", "")))
            train.trainings = (await self._engine.client.trainings()).trainings
            train.out = next((t.out for t in train.trainings if t.job_id == job.job_id), train.out)
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        finally:
            train.busy = ""
        return True

    async def _halt(self, training: TrainingInfo, busy: str) -> bool:
        """Ask a training to stop and wait until it did; False when it ended otherwise."""
        train = self._state.train
        train.busy = busy
        try:
            await self._engine.client.cancel(training.job_id)
            await self._engine.finished(training.job_id)
        except EngineLost:
            return False
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(self._state, error, KEY)
                return False
            train.trainings = (await self._engine.client.trainings()).trainings
            return True
        finally:
            train.busy = ""
        return False  # it was done before it could be stopped

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        await self.latest.settled()
        await self.estimate.settled()

    async def close(self) -> None:
        """Stop following."""
        self._follow.stop()
        await self.latest.stop()
        await self.estimate.stop()
