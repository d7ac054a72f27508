"""Head motion of the open scan: looked for beside it, or from a file that a person chose."""

from __future__ import annotations

from app.controllers.failures import tell_error
from app.controllers.questions import SCAN_NOTICE
from app.services.engine import EngineService
from app.services.tasks import Tasks
from app.state import AppState
from app.state.data import FD_LIMIT_MM, HeadMotion
from app.text import tr
from brainlm_engine.api.errors import EngineError

MOTION_NOTICE = f"{SCAN_NOTICE}motion"


class MotionController:
    """Asks the engine for the framewise displacement; the newest question wins."""

    def __init__(self, state: AppState, engine: EngineService, tasks: Tasks) -> None:
        self._state, self._engine, self._tasks = state, engine, tasks
        self._asked = 0
        self._of = ""
        state.case.on("scan").connect(self._scan_changed)
        state.case.on("motion_path").connect(self._path_changed)

    def _scan_changed(self, *_: object) -> None:
        """Another scan forgets the motion of the one before; the same scan opened anew keeps what was chosen."""
        case = self._state.case
        self._asked += 1
        case.motion = None
        if case.scan is None or case.path != self._of:
            self._of = ""  # what follows is no choice of a person's
            case.motion_path = ""
        self._of = case.path if case.scan is not None else ""
        if case.scan is not None:
            self._tasks.start(self.look(case.motion_path), tr("facts.motion"))

    def _path_changed(self, path: str) -> None:
        """A session came back with the table that was chosen in it."""
        motion = self._state.case.motion
        if self._of and (motion is None or motion.info.path != path):
            self._tasks.start(self.look(path), tr("facts.motion"))

    async def choose(self, path: str) -> bool:
        """Take the motion from ``path``; False, with a message, when it does not fit the scan."""
        if not await self.look(path):
            return False
        self._state.case.motion_path = path
        return True

    async def look(self, path: str) -> bool:
        """Ask for the motion in ``path``, '' = beside the scan; True when there is one."""
        state, case, scan = self._state, self._state.case, self._state.case.scan
        if scan is None:
            return False
        self._asked += 1
        asked = self._asked
        state.notices.drop(MOTION_NOTICE)
        try:
            reply = await self._engine.client.motion(scan.info.scan_id, path)
        except EngineError as error:
            if asked == self._asked and path:
                tell_error(state, error, MOTION_NOTICE)
            return False
        if asked != self._asked:
            return False
        case.motion = HeadMotion(reply.message, reply.arrays.get("fd_mm"))
        if reply.message.path:
            state.work.note(source(case.motion))
        return case.motion.fd_mm is not None


def source(motion: HeadMotion) -> str:
    """Return where the head motion comes from, and what is done with it."""
    info = motion.info
    if info.problem:
        return tr("motion.unfit", problem=info.problem)
    if not info.path:
        return tr("motion.none")
    text = tr("motion.beside" if info.beside else "motion.chosen", name=info.name)
    return f"{text} {tr('motion.computed')}" if info.computed else text


def amount(motion: HeadMotion) -> str:
    """Return how much the head moved over the whole scan, '' when that is not known."""
    if motion.fd_mm is None:
        return ""
    mean, limit = f"{motion.mean_mm:.2f}", f"{FD_LIMIT_MM:g}"
    return tr("motion.fd", mean=mean, over=motion.n_over, of=motion.fd_mm.size, limit=limit)
