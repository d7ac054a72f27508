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
        self.dismissed: set[str] = set()

    def ask(self, wrong: str = "", error: EngineError | None = None) -> bool:
        """Put the unanswered questions into the strip; True while one of them must be answered first.

        One that has a default stays there until it is answered or dismissed, whatever has been computed meanwhile.

        Parameters
        ----------
        wrong, error : the question whose last answer failed, and how; both are then one message
        """
        scan = self._state.case.scan
        if scan is None:
            return False
        for question in scan.info.questions:
            name = question.question_id
            if name not in scan.answers and name not in self.dismissed and not (question.found and name != wrong):
                self._put(question, error if name == wrong else None)
        return scan.unanswered

    def ask_all(self) -> None:
        """Ask every question of the file again, also those that are answered or have a default."""
        scan = self._state.case.scan
        self.dismissed.clear()
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

    def dismiss(self, key: str) -> None:
        """Leave a question at its default without asking again; it can still be answered from the menu."""
        self.dismissed.add(key.removeprefix(QUESTION))

    def set_answers(self, answers: dict[str, str]) -> None:
        """Hold these answers, none else; what is answered is no longer asked, what no longer is, is asked again."""
        scan = self._state.case.scan
        if scan is None:
            return
        fresh = [name for name, value in answers.items() if scan.answers.get(name) != value]
        scan.answers.clear()
        scan.answers.update(answers)
        self._state.case.answered += 1
        for name in fresh:
            self.drop(name)
        self.ask()

    def drop(self, question_id: str) -> None:
        """No longer ask a question."""
        self._state.notices.drop(f"{QUESTION}{question_id}")

    def take_back(self, question_id: str, error: EngineError) -> bool:
        """Forget an answer that turned out wrong and ask again; False when that question was never answered."""
        scan = self._state.case.scan
        if scan is None or scan.answers.pop(question_id, None) is None:
            return False
        self._state.edits.forget(f"answer:{question_id}")
        return self.ask(question_id, error)

    def asks(self, scan: OpenScan, question_id: str) -> bool:
        """Return True when the file has that question."""
        return any(question.question_id == question_id for question in scan.info.questions)
