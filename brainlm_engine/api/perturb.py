"""Messages about perturbations: what regions are set to, and what a model then expects of all others."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from brainlm_engine.api.messages import Message

Shape = Literal["step", "pulse", "ramp", "silence", "draw"]
SHAPES: tuple[Shape, ...] = ("step", "pulse", "ramp", "silence", "draw")
#: 99.6 % of the z-scores that models here are trained on lie within
USUAL_SD = 3.0
#: no further: hardly any z-score of a training lies beyond
HARD_SD = 8.0
#: fewer null draws than this cannot give p < .05
LEAST_NULLS = 19
#: simulations of a statistical model; said wherever a result is
CAPTION = "Simulation of a statistical model. Not a treatment recommendation."


class Target(Message):
    """Regions, a span of time, and what their activity is set to there.

    ``step`` holds ``value``; ``pulse`` rises to it and falls again (raised cosine); ``ramp`` goes from 0 to it;
    ``silence`` is the region's mean, 0; ``draw`` takes ``values``, stretched over the span: drawn by hand, or copied
    from another recording. With ``add`` they are added to what was measured. ``strength`` blends both with what was
    measured: 1 = the target itself, 0 = nothing changes.
    """

    regions: tuple[int, ...] = Field(description="parcels, counted from 0")
    start: int = Field(description="first frame, in the recording")
    stop: int = Field(description="frame after the last, in the recording; may lie past its end")
    shape: Shape = "step"
    value: float = Field(default=1.0, description="SD of the recording")
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    add: bool = False
    values: tuple[float, ...] = Field(default=(), description="SD, for 'draw'")


def level(target: Target) -> NDArray[np.float64]:
    """Return (frames,) SD: what a target wants, frame by frame of its span."""
    frames = max(target.stop - target.start, 1)
    along = (np.arange(frames) + 0.5) / frames
    if target.shape == "step":
        return np.full(frames, target.value)
    if target.shape == "pulse":
        return target.value * np.sin(math.pi * along) ** 2
    if target.shape == "ramp":
        return target.value * along
    if target.shape == "silence":
        return np.zeros(frames)
    values = np.asarray(target.values or (0.0,), np.float64)
    return np.interp(along, (np.arange(len(values)) + 0.5) / len(values), values)


class Scenario(Message):
    """One perturbation as a document: everything that decides its result, but the recording and the model."""

    name: str = ""
    targets: tuple[Target, ...] = ()
    ahead: int = Field(default=0, ge=0, description="frames to go on past the recording's end, or past the window's")
    nulls: int = Field(default=39, ge=0, description="random regions to compare with; 0 = none")
    seed: int = 0
    note: str = ""


class NetworkEffect(Message):
    """What a perturbation does to one reference network: the mean over its parcels that were not set."""

    network: str
    parcels: int
    effect: float = Field(description="SD, mean over the frames from the onset on, perturbed - unperturbed")
    specific: float = Field(description="SD, the same less the mean over the whole brain")
    null_sd: float = Field(default=float("nan"), description="SD of the specific effect over null draws")
    p: float = Field(default=float("nan"), description="of the specific effect among the null draws, two-sided")


class PerturbInfo(Message):
    """What follows if: a window with the targets set, beside the same window as it was measured.

    Arrays, with P parcels and T frames, all in SD of the recording: ``measured (P, T)``, NaN where nothing was
    measured; ``unperturbed (P, T)``, the model's answer when the targets' regions are as measured; ``perturbed
    (P, T)``, when they are set; before the onset both are what was measured. ``set (P, T)`` uint8, 1 where a region
    is set. ``half_width (2, T)``: of the 50 % and 90 % bands around both answers, NaN before the onset. ``effect
    (P,)``, mean difference from the onset on, NaN for parcels left out; ``specific (P,)``, the same less its mean over
    the whole brain. With nulls: ``null_sd (P,)``, SD of the specific effect when other regions are set, ``p (P,)`` of
    the specific effect, two-sided, ``null_reach (N,)``, the reach of every draw.
    """

    recording_id: str = ""
    model_id: str = ""
    scenario: Scenario
    start: int = Field(description="first frame of the window, in the recording")
    onset: int = Field(description="first frame that is set, in the window")
    measured_frames: int = Field(description="frames of the window inside the recording; what follows lies ahead")
    patch_frames: int
    tr_s: float
    reach: float = Field(description="SD, mean |perturbed - unperturbed| over the frames and parcels that are not set")
    null_reach: float = Field(default=float("nan"), description="median over null draws")
    p: float = Field(default=float("nan"), description="share of draws that reach as far, one-sided")
    nulls: int = 0
    beyond: float = Field(description="share of the frames set that lie outside what the model has usually seen")
    networks: tuple[NetworkEffect, ...] = ()
    bands_from: str = ""
    exact: bool = Field(default=True, description="False for previews, interpolated between exact answers")
    verdict: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class EffectFile(Message):
    """An effect as a file's content: array ``content (bytes,)`` uint8."""

    name: str


class PreviewInfo(Message):
    """A quick answer while a target is dragged.

    Arrays: ``unperturbed (P, T)``, ``perturbed (P, T)`` and ``effect (P,)`` float32 as in :class:`PerturbInfo`.
    """

    scenario: Scenario
    start: int
    onset: int
    exact: bool = Field(description="the model's own answer; False: interpolated between two of them")
    seconds: float = 0.0
