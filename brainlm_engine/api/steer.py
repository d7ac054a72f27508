"""Messages about steering: what change of a recording would bring a model's state of it to a target."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from brainlm_engine.api.messages import Message
from brainlm_engine.api.perturb import Target

AimKind = Literal["activity", "recordings", "contrast"]
StateKind = Literal["regions", "summary", "connectivity"]
FormKind = Literal["additive", "gain", "network", "low_rank", "gaussian"]
Method = Literal["lbfgs", "adam"]
STATES: tuple[StateKind, ...] = get_args(StateKind)
FORMS: tuple[FormKind, ...] = get_args(FormKind)
METHODS: tuple[Method, ...] = get_args(Method)
#: people of a contrast, when nobody says: reading a recording takes about a quarter of a second
USUAL_PEOPLE = 20
#: fewer shuffled targets than this cannot give p < .05
LEAST_SHUFFLES = 19


class Aim(Message):
    """Where the state is to go.

    ``activity``: the model, not shown the regions of ``targets``, is to expect the targets' values of them.
    ``recordings``: the mean state of other recordings, one or many. ``contrast``: the recording's own state and what
    takes people of a cohort from one condition, or group, to another: ``column`` is 'task' or one of participants.tsv.
    """

    kind: AimKind
    targets: tuple[Target, ...] = ()
    recordings: tuple[str, ...] = Field(default=(), description="paths, or ids of recordings that are open")
    cohort: str = Field(default="", description="folder")
    column: str = "task"
    first: str = ""
    second: str = ""
    people: int = Field(default=USUAL_PEOPLE, ge=3, description="at most")


class SteerSpec(Message):
    """A question "what would it take?": everything that decides its answer, but the recording and the model.

    ``state`` is what is brought to the target: ``regions``, mean and SD over time of every region's embedding;
    ``summary``, the summary token; ``connectivity``, the correlations of the series themselves, without a model: what
    a model's answer is to be held against. An aim of activity has the model's expectation for state.

    ``form`` is what may be changed: ``additive``, a course per region; ``gain``, one factor per region; ``network``,
    a course per reference network; ``low_rank``, two courses that all regions share; ``gaussian``, a height per
    region of one bump in time.
    """

    aim: Aim
    state: StateKind = "regions"
    form: FormKind = "additive"
    regions: tuple[int, ...] = Field(default=(), description="that may be changed, counted from 0; () = all")
    start: int = Field(default=0, ge=0, description="first frame that may be changed")
    stop: int = Field(default=0, ge=0, description="frame after the last; 0 = the end")
    sparsity: float = Field(default=1.0, ge=0.0, description="weight of the mean size per region: few regions")
    smoothness: float = Field(default=0.0, ge=0.0, description="weight of the mean square step per time patch")
    energy: float = Field(default=0.0, ge=0.0, description="weight of the mean square change")
    most: float = Field(default=3.0, gt=0.0, description="SD that no frame is changed by more than")
    method: Method = "lbfgs"
    steps: int = Field(default=15, ge=1, le=1000)
    restarts: int = Field(default=2, ge=1, le=20, description="from nothing, then from random changes")
    nulls: int = Field(default=19, ge=0, description="times the change found is moved to random regions")
    shuffles: int = Field(default=0, ge=0, description="times a change is sought for a shuffled target")
    seed: int = 0


class NetworkChange(Message):
    """How much of the change lies in one reference network."""

    network: str
    parcels: int
    magnitude: float = Field(description="SD, root mean square over time, mean over the parcels that may be changed")
    share: float = Field(description="the same in units of the mean over all parcels that may be changed")
    null: float = Field(default=float("nan"), description="median share for shuffled targets")
    p: float = Field(default=float("nan"), description="of shuffled targets whose share is as large, one-sided")


class SteerInfo(Message):
    """What it would take.

    Arrays, with P parcels, T frames: ``measured (P, T)`` float32, SD; ``change (P, T)`` SD, what is added to it;
    ``magnitude (P,)`` SD, root mean square over the frames that may be changed, NaN where nothing may be changed;
    ``over_time (T,)`` SD, root mean square over the parcels; ``sensitivity (P,)``, how fast the squared distance falls
    per SD of a parcel's change, at no change; ``null_left (N,)``, distance left when the change is moved to random
    regions; ``null_shares (S, K)``, of the networks, for shuffled targets. For an aim of activity ``aimed (3, T)``: the
    model's expectation of the targets' regions before and after, and what was wanted, NaN outside the targets.
    """

    recording_id: str = ""
    model_id: str = ""
    spec: SteerSpec
    toward: str = Field(description="where the state is to go, in words")
    start: int = Field(description="first frame of the arrays, in the recording")
    tr_s: float
    patch_frames: int
    distance: float = Field(description="Euclidean, from the state to the target, before")
    left: float = Field(description="distance after, as a share of the distance before")
    curves: tuple[tuple[float, ...], ...] = Field(default=(), description="per start, the least distance left so far")
    agreement: float = Field(
        default=float("nan"), description="mean correlation of the magnitudes that the other starts found with the best"
    )
    size: float = Field(description="SD, root mean square of the change over all that may be changed")
    peak: float = Field(description="SD, largest change of a frame")
    null_left: float = Field(default=float("nan"), description="median distance left, moved to random regions")
    p: float = Field(default=float("nan"), description="of random places that come as near, one-sided")
    linear: float = Field(
        default=float("nan"), description="distance left if the model were linear around the recording"
    )
    networks: tuple[NetworkChange, ...] = ()
    stopped: bool = Field(default=False, description="ended before it was done, because a person said so")
    verdict: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class SteerSoFar(Message):
    """Where a search is. Array: ``magnitude (P,)`` SD, of the best change so far; empty before the first step."""

    running: bool = False
    stage: str = ""
    curve: tuple[float, ...] = ()
    start: int = Field(default=0, description="which start the curve is of, counted from 0")
