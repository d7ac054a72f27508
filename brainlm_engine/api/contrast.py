"""Messages about contrasts between groups or conditions of people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from brainlm_engine.api.messages import Message

What = Literal["attention", "networks", "embedding"]
WHATS: tuple[What, ...] = ("attention", "networks", "embedding")
ALPHA = 0.05


class ContrastMethod(Message):
    """What came of one measure: the model's, or the simple one beside it."""

    method: str = Field(description="name in front of its arrays")
    title: str
    names: tuple[str, ...] = Field(description="of the tests, in the order of the arrays")
    of_parcels: bool = Field(description="one test per parcel, in the order of the atlas")
    tested: int = Field(description="tests that could be done")
    significant: int = Field(description="of them with a family-wise p below .05")
    discovered: int = Field(description="of them with a false discovery rate below .05")
    strongest: str = Field(default="", description="name of the test with the largest abs(t)")
    strongest_t: float = float("nan")
    strongest_effect: float = float("nan")
    smallest_p: float = Field(default=float("nan"), description="smallest family-wise p")


class ContrastInfo(Message):
    """How two groups of people, or two conditions of the same people, differ.

    Arrays, per method M with n tests: ``M_t``, ``M_p``, ``M_p_family``, ``M_q``, ``M_effect``, ``M_low``, ``M_high``,
    each (n,) float32, NaN where nothing could be tested; t above 0 = more in ``second``. The model's measure comes
    first in ``methods``, the simple one after it.
    """

    model_id: str = ""
    data: str = Field(description="name of the cohort")
    what: What
    column: str = Field(description="'task' or a column of participants.tsv")
    first: str
    second: str
    paired: bool = Field(description="both conditions of the same people; else two groups of people")
    people: tuple[int, int] = Field(description="in each; of a paired contrast the same people twice")
    recordings: int
    covariates: tuple[str, ...] = ()
    permutations: int = Field(description="the data as they are counted with them")
    seed: int = 0
    df: int = Field(description="degrees of freedom of t")
    methods: tuple[ContrastMethod, ...]
    agreement: float = Field(description="correlation of both t maps, NaN where they are not of the same tests")
    only_model: int = Field(default=0, description="tests significant in the model's measure and not in the simple one")
    verdict: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class ContrastChoices(Message):
    """What can be contrasted in a cohort."""

    path: str
    columns: dict[str, tuple[str, ...]] = Field(
        default={}, description="column -> its values that at least three people have, 'task' first where there are two"
    )
    numbers: tuple[str, ...] = Field(default=(), description="columns of numbers, for covariates")
    problem: str = ""
    next_step: str = ""
