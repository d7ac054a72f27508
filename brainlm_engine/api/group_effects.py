"""Messages about one scenario in many people: what follows in each, and whether groups or conditions differ."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class GroupEffect(Message):
    """The specific effect on one reference network over people, or how two groups or conditions differ in it."""

    network: str
    mean: float = Field(description="SD; of a comparison second less first")
    low: float = Field(description="95 % interval, bootstrap over people")
    high: float
    p: float = Field(description="sign flips within people, or labels permuted between them; two-sided")
    q: float = Field(description="false discovery rate over the networks")


class GroupEffectsInfo(Message):
    """One scenario in many people.

    Arrays: ``effect (N, P)`` SD, mean effect of every person, NaN where set or left out; ``networks (N, K)`` specific
    effects; of a comparison of conditions both are second less first.
    """

    model_id: str = ""
    cohort: str
    targets: tuple[str, ...]
    people: tuple[str, ...]
    compared: str = Field(default="", description="what is compared, in words; '' = nothing")
    sizes: tuple[int, int] = (0, 0)
    reach: float = Field(description="SD, mean over people")
    networks: tuple[GroupEffect, ...]
    left_out: tuple[str, ...] = Field(default=(), description="people who could not be asked, and why")
    verdict: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
