"""Hiding names: what a person called a file, a folder, a cohort or a model never shows while names are hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.messages import JobRecord, ModelInfo
from brainlm_engine.api.training import CohortInfo, TrainingInfo

SHORT = 2
"""words of so few letters are no name; replacing them would spoil every sentence"""
_COHORT_OF = re.compile(r"people \((.+)\)$")
Titled = tuple[tuple[str, str, str], ...]


class Names:
    """Remembers every file that was named in this window, so that lines written earlier can be veiled later."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._jobs: set[str] = set()
        case, compare, shell = state.case, state.compare, state.shell
        for part, field in ((case, "wanted"), (case, "path"), (compare, "wanted"), (shell, "last_session")):
            part.on(field).connect(lambda name: self.learn((name,)))
        for part, field in ((compare, "known"), (shell, "recent")):
            part.on(field).connect(self.learn)
        for part in (case, compare):
            part.on("scan").connect(lambda scan: self.learn((scan.info.name, *_paths(scan.answers)) if scan else ()))
        case.on("motion").connect(lambda motion: self.learn((motion.info.path, motion.info.name) if motion else ()))
        case.on("motion_path").connect(lambda path: self.learn((path,)))
        state.work.on("jobs").connect(self._heard)
        state.steer.on("cohort").connect(lambda path: self._cohorts((path,)))
        for field in ("cohort", "wanted"):
            state.train.on(field).connect(lambda path: self._cohorts((path,)))
        state.train.on("cohorts").connect(self._cohorts_known)
        state.train.on("trainings").connect(self._trainings)
        state.model.on("models").connect(self._models)
        self.learn(shell.recent)

    def learn(self, names: Iterable[str]) -> None:
        """Take paths or names into what is hidden from now on."""
        shell = self._state.shell
        fresh = [name for name in names if name and name not in shell.named]
        if fresh:
            shell.named = tuple(dict.fromkeys((*shell.named, *fresh)))

    def _heard(self, jobs: tuple[JobRecord, ...]) -> None:
        """Jobs of earlier days name files that this window never opened."""
        fresh = [job for job in jobs if job.job_id not in self._jobs]
        self._jobs.update(job.job_id for job in fresh)
        for job in fresh:
            params = {key: str(value) for key, value in job.params.items() if isinstance(value, str)}
            if job.kind == "pretrain":
                self._cohorts((params.get("cohort", ""),))
                model_id = params.get("model_id", "")
                self._title("model", params.get("title") or model_id, model_id)
        self.learn(path for job in fresh for path in _paths(job.params))

    def _title(self, kind: str, whose: str, *names: str) -> None:
        """Take what a cohort or a model is called, and ids and folders made of that, into what is hidden."""
        shell, known = self._state.shell, {name for _, _, name in self._state.shell.titled}
        words = (whose, *names, *(Path(name).name for name in names))
        fresh = [word for word in dict.fromkeys(words) if word and word not in known]
        if fresh:
            shell.titled = (*shell.titled, *((kind, whose, word) for word in fresh))

    def _cohorts(self, folders: Iterable[str]) -> None:
        for folder in folders:
            if folder:
                self._title("cohort", Path(folder).name, folder)
                self.learn((folder,))  # the folder it lies in

    def _cohorts_known(self, cohorts: tuple[CohortInfo, ...]) -> None:
        self._cohorts(cohort.path for cohort in cohorts)

    def _trainings(self, trainings: tuple[TrainingInfo, ...]) -> None:
        self._cohorts(training.cohort for training in trainings)
        for training in trainings:
            self._title("model", training.title, training.model_id, training.out)

    def _models(self, models: tuple[ModelInfo, ...]) -> None:
        """Shipped models have no name that a person gave; of an imported one the id is, of a trained one all is."""
        for model in models:
            if model.model_id in self._state.model.own:
                published = model.model_id in model.title
                self._title("model", model.model_id if published else model.title, model.model_id)
                cohort = _COHORT_OF.search(model.trained_on)
                if cohort is not None:
                    self._title("cohort", cohort.group(1))


def _paths(values: Mapping[str, object]) -> Iterator[str]:
    """Every text in ``values`` that has a folder in it, and its name."""
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _paths(value)
        elif isinstance(value, str) and Path(value).name not in ("", value):
            yield value


def veiled(state: AppState, text: str) -> str:
    """Return ``text`` with every known file name and path replaced, when names are hidden."""
    shell = state.shell
    return _veiled(_words(shell.named, shell.titled), text) if state.view.names_hidden and text else text


@lru_cache(maxsize=4)
def _words(named: tuple[str, ...], titled: Titled) -> tuple[tuple[str, str], ...]:
    """What is replaced by what, longest first: paths, their folders, their names as they are shown on one line."""
    words = set(named)
    for path in map(Path, named):
        words |= {path.name, "".join(c if c.isprintable() else "␤" if c in "\r\n" else "�" for c in path.name)}
        if path.name != str(path):
            words.add(str(path.parent))
    said = dict.fromkeys(words, tr("title.hidden"))
    whose: dict[str, dict[str, int]] = {}
    for kind, owner, word in titled:
        numbers = whose.setdefault(kind, {})
        number = numbers.setdefault(owner, len(numbers) + 1)
        said[word] = tr(f"title.hidden.{kind}", n=number)
    long = ((word, instead) for word, instead in said.items() if len(word) > SHORT)
    return tuple(sorted(long, key=lambda pair: len(pair[0]), reverse=True))


@lru_cache(maxsize=8192)
def _veiled(words: tuple[tuple[str, str], ...], text: str) -> str:
    """Kept, because a log of thousands of lines is veiled anew with every line that is added."""
    for word, instead in words:
        if word in text:
            text = text.replace(word, instead)
    return text


def veiled_notice(state: AppState, notice: Notice) -> Notice:
    """Return ``notice`` without names, when names are hidden."""
    if not state.view.names_hidden:
        return notice
    question = notice.question
    if question is not None and veiled(state, question.default) != question.default:
        question = question.model_copy(update={"default": ""})  # a file that was the answer before
    return replace(
        notice,
        text=veiled(state, notice.text),
        next_step=veiled(state, notice.next_step),
        details=veiled(state, notice.details),
        question=question,
    )


def veiled_job(state: AppState, job: JobRecord) -> JobRecord:
    """Return ``job`` as it may be shown, when names are hidden."""
    error = job.error
    if error is not None:
        told = {"message": veiled(state, error.message), "next_step": veiled(state, error.next_step)}
        error = error.model_copy(update=told)
    seen = {"title": veiled(state, job.title), "stage": veiled(state, job.stage), "error": error}
    return job.model_copy(update=seen)


def veiled_model(state: AppState, model: ModelInfo) -> ModelInfo:
    """Return ``model`` as it may be shown, when names are hidden."""
    if not state.view.names_hidden or model.model_id not in state.model.own:
        return model
    told = ("title", "trained_on", "problem")
    return model.model_copy(update={name: veiled(state, getattr(model, name)) for name in told})
