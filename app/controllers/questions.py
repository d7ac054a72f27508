"""What a file does not say: the open questions in the strip, asked again after an answer that was wrong."""

from __future__ import annotations

from app.state import AppState
from app.state.data import OpenScan
from app.state.notices import Notice
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Question

SCAN_NOTICE = "scan:"
QUESTION = f"{SCAN_NOTICE}question:"


class Questions:
    """The questions of the open scan."""

    def __init__(self, state: AppState) -> None:
        self._state = state

    def ask(self, wrong: str = "", error: EngineError | None = None) -> bool:
        """Put the unanswered questions into the strip; True while one of them must be answered first.

        Parameters
        ----------
        wrong, error : the question whose last answer failed, and how; both are then one message
        """
        scan = self._state.case.scan
        if scan is None:
            return False
        for question in scan.info.questions:
            if question.question_id not in scan.answers:
                self._put(question, error if question.question_id == wrong else None)
        return scan.unanswered

    def ask_all(self) -> None:
        """Ask every question of the file again, also those that are answered or have a default."""
        scan = self._state.case.scan
        for question in scan.info.questions if scan is not None else ():
            asked = question.model_copy(update={"required": self._open(question)})
            if scan is not None and question.question_id in scan.answers:
                asked = asked.model_copy(update={"default": scan.answers[question.question_id]})
            self._put(asked)

    def _open(self, question: Question) -> bool:
        scan = self._state.case.scan
        return question.required and scan is not None and question.question_id not in scan.answers

    def _put(self, question: Question, error: EngineError | None = None) -> None:
        key = f"{QUESTION}{question.question_id}"
        if error is None:
            notice = Notice(key, "question", question.text, question=question)
        else:
            details = f"{error.next_step}\n{error.details}".strip()
            notice = Notice(key, "warning", error.message, question.text, details, question=question)
        self._state.notices.tell(notice)
        self._state.work.note(f"{notice.text} {notice.next_step}".strip())

    def settle(self) -> None:
        """The recording is there: what still has only its default no longer covers the caption."""
        self._state.notices.drop(QUESTION)

    def remember(self, question_id: str, value: str) -> None:
        """Keep an answer that changes nothing of what was read."""
        scan = self._state.case.scan
        if scan is not None:
            scan.answers[question_id] = value
        self._state.notices.drop(f"{QUESTION}{question_id}")

    def take_back(self, question_id: str, error: EngineError) -> bool:
        """Forget an answer that turned out wrong and ask again; False when that question was never answered."""
        scan = self._state.case.scan
        if scan is None or scan.answers.pop(question_id, None) is None:
            return False
        return self.ask(question_id, error)

    def asks(self, scan: OpenScan, question_id: str) -> bool:
        """Return True when the file has that question."""
        return any(question.question_id == question_id for question in scan.info.questions)
