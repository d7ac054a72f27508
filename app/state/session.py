"""What comes back after a crash or a good night: which scan, where one looked, what one asked. Never the data."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from app.state.app_state import AppState
from app.state.parts import INTO, AttentionState, ModelTab, Shown
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.api.networks import SOURCES
from brainlm_engine.api.perturb import Target

_VIEW = (
    "crosshair_mm", "frame", "speed", "selected", "overlay", "scale", "cmap", "low", "high", "threshold", "opacity",
    "surface", "brain_layout", "radiological", "time_unit", "names_hidden",
)  # fmt: skip
_NETWORKS = ("source", "into", "shown")
_ATTENTION = ("whose", "source", "layer", "head", "direction", "scale")


class Session(BaseModel):
    """One session on disk."""

    model_config = ConfigDict(extra="ignore")

    version: int = 1
    closed: bool = True
    pid: int = 0
    saved: float = 0.0
    path: str = ""
    name: str = ""
    answers: dict[str, str] = {}
    atlas_id: str = "mni424"
    motion_path: str = ""
    workspace: str = "cases"
    view: dict[str, Any] = {}
    model_id: str = ""
    mask: MaskSpec = MaskSpec()
    scaling: str = ""
    start: int = 0
    shown: str = "reconstructed"
    second: str = ""
    model_tab: str = "reconstruct"
    horizon: int = 20
    networks: dict[str, str] = {}
    attention: dict[str, Any] = {}
    targets: tuple[Target, ...] = ()
    ahead: int = 0


def snapshot(state: AppState, *, saved: float, pid: int, closed: bool) -> Session:
    """Return the session as ``state`` has it now."""
    scan = state.case.scan
    return Session(
        closed=closed,
        pid=pid,
        saved=saved,
        path=state.case.path if scan is not None else "",
        name=scan.info.name if scan is not None else "",
        answers=dict(scan.answers) if scan is not None else {},
        atlas_id=state.case.atlas_id,
        motion_path=state.case.motion_path,
        workspace=state.shell.workspace,
        view={name: getattr(state.view, name) for name in _VIEW},
        model_id=state.model.model_id,
        mask=state.model.mask,
        scaling=state.model.scaling,
        start=state.model.start,
        shown=state.model.shown,
        second=state.compare.path if state.compare.scan is not None else "",
        model_tab=state.shell.model_tab,
        horizon=state.forecast.horizon,
        networks={name: getattr(state.networks, name) for name in _NETWORKS},
        attention={name: getattr(state.attention, name) for name in _ATTENTION},
        targets=state.perturb.targets if state.perturb.whose == (state.case.path, state.case.atlas_id) else (),
        ahead=state.perturb.ahead,
    )


def restore_settings(session: Session, state: AppState) -> None:
    """Put the saved settings back; a value that no longer fits is left at its present one."""
    current = state.view
    checked = type(current).model_validate(
        {**current.model_dump(), **{k: v for k, v in session.view.items() if k in _VIEW}}
    )
    current.put(**{name: getattr(checked, name) for name in _VIEW})
    state.model.put(mask=session.mask, scaling=session.scaling, start=session.start)
    if session.shown in get_args(Shown):
        state.model.put(shown=session.shown)
    if session.model_tab in get_args(ModelTab):
        state.shell.put(model_tab=session.model_tab)
    state.forecast.put(horizon=max(1, session.horizon))
    offered = {"source": SOURCES, "into": INTO, "shown": ("found", "reference", "right")}
    state.networks.put(**{name: value for name, value in session.networks.items() if value in offered.get(name, ())})
    _restore_attention(session.attention, state.attention)
    if session.targets:
        state.perturb.put(
            whose=(state.case.path, state.case.atlas_id), ahead=max(0, session.ahead), targets=session.targets, chosen=0
        )
    state.case.motion_path = session.motion_path
    if session.model_id:
        state.model.model_id = session.model_id


def _restore_attention(saved: dict[str, Any], attention: AttentionState) -> None:
    kept = {name: saved[name] for name in _ATTENTION if name in saved}
    try:
        checked = AttentionState.model_validate(kept)
    except ValidationError:
        return  # written by another version
    attention.put(
        **{name: max(0, value) if isinstance(value := getattr(checked, name), int) else value for name in kept}
    )
