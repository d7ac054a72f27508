"""Messages about validation: predicted beside true responses, in simulated people whose responses are known."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class Interval(Message):
    """A mean over people and its 95 % interval by bootstrap over people; NaN where nothing can be said."""

    mean: float
    low: float
    high: float


class Predictor(Message):
    """How well one predictor knows the true responses. Correlations are Spearman's, over all other parcels."""

    name: str
    whole: Interval = Field(description="with the true response")
    sign: Interval = Field(
        description="share of the strongest tenth, less the mean over the brain, that goes the right way; a coin: .5"
    )
    less: Interval = Field(description="the model's correlation (whole) less this one's, person by person")


class ValidationInfo(Message):
    """Predicted beside true responses.

    Arrays: ``decay (R, D)`` float32, mean |specific response|, as a share of that of the nearest parcels, by distance:
    rows are the truth and every predictor, columns bins of distance; ``edges (D + 1,)`` mm.
    """

    model_id: str = ""
    people: int
    parcels: int = Field(description="stimulated per person, up and down")
    frames: int
    tr_s: float
    predictors: tuple[Predictor, ...]
    null: Interval = Field(description="the model's correlation with the responses to other stimulated parcels")
    down: Interval = Field(description="correlation of the model's answers to up and to down; -1 = mirror images")
    var_penalty: float = Field(
        description="of the VAR, chosen on other people: share of the mean variance times parcels"
    )
    verdict: str = ""
    seconds: float = 0.0
