"""All of it in one place."""

from __future__ import annotations

from pydantic import Field

from app.state.compare import CompareState
from app.state.edits import EditStack
from app.state.effective import EffectiveState
from app.state.model import State
from app.state.notices import Notices
from app.state.parts import (
    AttentionState,
    CaseState,
    ContrastState,
    EngineState,
    ForecastState,
    ModelState,
    NetworksState,
    ReportState,
    ShellState,
    StatesState,
    ViewState,
    WorkState,
)
from app.state.perturb import PerturbState
from app.state.preferences import Preferences
from app.state.steer import SteerState
from app.state.sweep import SweepState
from app.state.training import TrainState


class AppState(State):
    """The state of the whole program; ``edits`` is its undo stack."""

    engine: EngineState = Field(default_factory=EngineState)
    case: CaseState = Field(default_factory=CaseState)
    compare: CompareState = Field(default_factory=CompareState)
    view: ViewState = Field(default_factory=ViewState)
    model: ModelState = Field(default_factory=ModelState)
    forecast: ForecastState = Field(default_factory=ForecastState)
    report: ReportState = Field(default_factory=ReportState)
    states: StatesState = Field(default_factory=StatesState)
    networks: NetworksState = Field(default_factory=NetworksState)
    perturb: PerturbState = Field(default_factory=PerturbState)
    steer: SteerState = Field(default_factory=SteerState)
    sweep: SweepState = Field(default_factory=SweepState)
    effective: EffectiveState = Field(default_factory=EffectiveState)
    attention: AttentionState = Field(default_factory=AttentionState)
    contrast: ContrastState = Field(default_factory=ContrastState)
    train: TrainState = Field(default_factory=TrainState)
    work: WorkState = Field(default_factory=WorkState)
    shell: ShellState = Field(default_factory=ShellState)
    preferences: Preferences = Field(default_factory=Preferences)
    notices: Notices = Field(default_factory=Notices)
    edits: EditStack = Field(default_factory=EditStack)

    @property
    def sweepable(self) -> bool:
        """True when the chosen target has a value that can be swept."""
        perturb = self.perturb
        chosen = 0 <= perturb.chosen < len(perturb.targets)
        return chosen and perturb.targets[perturb.chosen].shape not in ("silence", "draw")
