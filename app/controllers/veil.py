"""Hiding names: what a person called a file or a folder never shows while names are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.messages import JobRecord

SHORT = 2
"""words of so few letters are no name; replacing them would spoil every sentence"""


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
        self.learn(path for job in fresh for path in _paths(job.params))


def _paths(values: Mapping[str, object]) -> Iterator[str]:
    """Every text in ``values`` that has a folder in it, and its name."""
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _paths(value)
        elif isinstance(value, str) and Path(value).name not in ("", value):
            yield value


def veiled(state: AppState, text: str) -> str:
    """Return ``text`` with every known file name and path replaced, when names are hidden."""
    return _veiled(_words(state.shell.named), text) if state.view.names_hidden and text else text


@lru_cache(maxsize=4)
def _words(named: tuple[str, ...]) -> tuple[str, ...]:
    """What is replaced, longest first: paths, their folders, and their names as they are shown on one line."""
    words = set(named)
    for path in map(Path, named):
        words |= {path.name, "".join(c if c.isprintable() else "␤" if c in "\r\n" else "�" for c in path.name)}
        if path.name != str(path):
            words.add(str(path.parent))
    return tuple(sorted((word for word in words if len(word) > SHORT), key=len, reverse=True))


@lru_cache(maxsize=8192)
def _veiled(words: tuple[str, ...], text: str) -> str:
    """Kept, because a log of thousands of lines is veiled anew with every line that is added."""
    hidden = tr("title.hidden")
    for word in words:
        if word in text:
            text = text.replace(word, hidden)
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
