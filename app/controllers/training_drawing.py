"""What the Train workspace draws: head, curves, preview, result, list and form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.training_estimate import in_words, size_name
from app.controllers.veil import veiled
from app.services.turns import Turns
from app.state import AppState
from app.text import tr
from app.theme import Theme
from brainlm_engine.api.messages import JobState

if TYPE_CHECKING:
    from app.controllers.training_estimate import EstimateController
    from app.views.pages.train import TrainPage
    from brainlm_engine.api.training import TrainingInfo

#: Simple methods whose levels are drawn; the others stand far below and would flatten the curve.
LEVELS = ("ridge_people", "ridge", "mean")
TONES = {
    JobState.DONE: "success", JobState.FAILED: "danger", JobState.INTERRUPTED: "warning", JobState.CANCELLED: "warning",
}  # fmt: skip
_FORM = (
    "title", "size", "masks", "budget", "minutes", "steps", "seed", "learning_rate", "batch", "threads", "device",
    "variety", "devices", "precision", "scaling", "launch", "nodes", "partition", "account", "time_limit", "memory_gb",
    "address", "cohort", "cohorts", "choices", "estimate", "trouble", "measuring", "active",
)  # fmt: skip


class TrainingDrawing:
    """Shows what the state holds; out of sight nothing is drawn until the workspace is entered."""

    def __init__(self, state: AppState, page: TrainPage, estimate: EstimateController) -> None:
        self._state, self._page, self._estimate = state, page, estimate
        self._previewed: tuple[str, int] = ("", -1)
        self.turns = Turns(page)
        train = state.train
        for field in _FORM:
            train.on(field).connect(self.form)
        train.on("trainings").connect(self.list)
        train.on("out").connect(self.list)
        train.on("detail").connect(self.detail)
        for field in ("busy", "evaluating"):
            train.on(field).connect(self.detail)
        state.work.on("jobs").connect(self.head)
        state.shell.on("workspace").connect(self._entered)
        state.view.on("names_hidden").connect(self._veil_changed)
        self.form()
        self.list()

    @property
    def _seen(self) -> bool:
        return self._state.shell.workspace == "train"

    def _entered(self, *_: object) -> None:
        """Draw what was left undrawn while the page was out of sight, a piece per turn."""
        if self._seen:
            self.turns.take(self.form, self.list, self._curves, self._preview, self._result)
        else:
            self.turns.drop()

    def _veil_changed(self, *_: object) -> None:
        """Names are hidden, or shown again: also what is out of sight, which a screen reader may still reach."""
        for part in (self.form, self.list, self._head, self._result):
            part()

    # ------------------------------------------------------------ form and list

    def default_title(self) -> str:
        """Return the name that a training gets when the person gives none."""
        train = self._state.train
        size = size_name(train.size)
        return tr("train.title.default", size=size, cohort=train.chosen.name) if train.chosen is not None else size

    def form(self, *_: object) -> None:
        """Show the settings of the next training."""
        state = self._state
        default = veiled(state, self.default_title())
        sizes = state.train.choices.sizes if state.train.choices is not None else ()
        published = frozenset(size.size_id for size in sizes if size.published)
        self._page.settings.show_sizes({size.size_id: size_name(size.size_id) for size in sizes}, published)
        self._page.settings.show_settings(
            state.train, default, self._estimate.words(), self._estimate.caution(), hidden=state.view.names_hidden
        )

    def list(self, *_: object) -> None:
        """Show the trainings, or how a first one is made."""
        train = self._state.train
        self._page.set_filled(bool(train.trainings))
        self._page.table.show_trainings(tuple(self._veiled(t) for t in train.trainings), train.out)
        self.head()

    # ------------------------------------------------------------ the training on show

    def _veiled(self, training: TrainingInfo) -> TrainingInfo:
        """Return a training as it may be shown."""
        if not self._state.view.names_hidden:
            return training
        told = ("title", "cohort", "cohort_name", "problem")
        return training.model_copy(update={name: veiled(self._state, getattr(training, name)) for name in told})

    def head(self, *_: object) -> None:
        """Show where the training is."""
        if self._seen:
            self._head()

    def _head(self) -> None:
        training = self._state.train.on_show
        if training is None:
            return
        training = self._veiled(training)
        job = self._state.work.find(training.job_id)
        busy = self._state.train.busy
        state = tr(f"train.busy.{busy}") if busy else tr(f"train.state.{training.state.value}")
        fraction = 1.0 if training.state is JobState.DONE else job.fraction if job is not None else 0.0
        self._page.head.show_training(
            training.title,
            state=(state, TONES.get(training.state, "") if not busy else ""),
            fraction=fraction,
            numbers=self._numbers(training),
            note=self._note(training),
        )

    def _numbers(self, training: TrainingInfo) -> str:
        job, detail = self._state.work.find(training.job_id), self._state.train.detail
        runs = training.state is JobState.RUNNING
        points = detail.info.points if detail is not None else ()
        parts = (
            [veiled(self._state, job.stage)]
            if runs and job is not None and job.stage
            else [tr("train.head.step", step=training.step)]
        )
        if points and points[-1].steps_per_s:
            parts.append(tr("train.head.rate", rate=f"{points[-1].steps_per_s:.2g}"))
        if training.seconds >= 1:
            parts.append(tr("train.head.trained", time=in_words(training.seconds)))
        if runs and job is not None and job.eta_s is not None:
            parts.append(tr("train.head.left", time=in_words(job.eta_s)))
        return "  ·  ".join(parts)

    def _note(self, training: TrainingInfo) -> tuple[str, str]:
        if training.problem and training.state is JobState.FAILED:
            return training.problem, "danger"
        if training.resumable:
            key = "train.head.resume" if training.step else "train.head.resume_0"
            return tr(key, step=training.step), "muted"
        waiting = [job for job in self._state.work.jobs if job.state is JobState.QUEUED]
        if training.state is JobState.RUNNING and waiting:
            return tr("train.head.waiting", title=veiled(self._state, waiting[-1].title)), "warning"
        return (tr("train.head.simulated"), "warning") if training.simulated else ("", "muted")

    def detail(self, *_: object) -> None:
        """Draw curves, preview and result."""
        if not self._seen:
            return
        self.head()
        self._curves()
        self._preview()
        self._result()

    def _curves(self) -> None:
        page, detail, training = self._page, self._state.train.detail, self._state.train.on_show
        points = detail.info.points if detail is not None else ()
        levels = detail.info.levels if detail is not None else ()
        by_method = {level.method: level.r2 for level in levels}
        steps = [point.step for point in points]
        measured = (points[-1].model_extra or {}).get("r2_measured", "") if points else ""
        page.r2_box.set_title(tr("train.r2.measured", how=measured) if measured else tr("train.r2"))
        page.r2.setAccessibleName(tr("train.curve.name", what=page.r2_box.title))
        page.r2.set_levels([(tr(f"train.level.{m}"), by_method[m]) for m in LEVELS if m in by_method])
        page.r2.set_points(steps, [point.validation_r2 for point in points])
        page.loss.set_points(steps, [point.loss for point in points])
        waiting = ""
        if detail is not None and not points and training is not None:
            waiting = tr("train.curve.nothing" if training.state.ended else "train.curve.first")
        for box in (page.r2_box, page.loss_box):
            box.set_waiting(waiting)

    def _preview(self) -> None:
        page, detail = self._page, self._state.train.detail
        preview = detail.info.preview if detail is not None else None
        if detail is None or preview is None:
            self._previewed = ("", -1)
            page.preview_box.set_title(tr("train.preview.none"))
            page.preview_box.set_waiting(tr("train.preview.waiting"))
            return
        this = (detail.info.out, preview.step)
        if this == self._previewed:
            return
        fresh, self._previewed = this[0] != self._previewed[0], this
        page.preview_box.set_title(tr("train.preview", step=preview.step))
        page.preview_box.set_waiting("")
        arrays = detail.arrays
        with page.preview.at_once():
            page.preview.set_series(arrays["measured"], preview.tr_s, preview.names, "SD")
            page.preview.set_predicted(arrays["predicted"], 0, arrays["mask"], preview.patch_frames)
        if fresh:
            page.preview.show_all()

    def _result(self) -> None:
        train, training = self._state.train, self._state.train.on_show
        result = training.evaluation if training is not None else None
        if result is not None:
            result = result.model_copy(update={"data": veiled(self._state, result.data)})
        usable = training is not None and training.usable
        key = "waiting" if not usable else "running" if train.evaluating else "ready"
        self._page.result.show_result(
            result, tr(f"train.result.{key}"), simulated=training is not None and training.simulated,
            offered=usable and result is None and not train.evaluating,
        )  # fmt: skip
        self._failure()

    def _failure(self) -> None:
        """Why a training failed and what can be done, where the result would have been."""
        training = self._state.train.on_show
        if training is None:
            return
        failed = training.state is JobState.FAILED
        problem = f"{training.problem} {training.next_step}".strip() if failed else ""
        lower = failed and training.spoiled and training.resumable
        self._page.result.show_failure(veiled(self._state, problem), training.rates, lower=lower)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)
