"""Messages about forecasts."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class ForecastScore(Message):
    """How far one method was from what followed, over all leads and parcels that were measured."""

    method: str
    title: str
    mse: float = Field(description="SD² of the history")
    skill: float = Field(description="1 - MSE / MSE of the history's mean: 0 = as good as knowing nothing, 1 = exact")


class ForecastInfo(Message):
    """What follows an origin in a recording. Everything is in SD of each parcel's history, the origin's past.

    Arrays, with P parcels, H frames of history, K of forecast, M methods (the forecast first, then those of
    ``methods`` in their order): ``history (P, H)``, ``truth (P, K)`` with NaN where nothing was measured (yet),
    ``forecast (M, P, K)``, ``half_width (levels, K)`` of the bands round the forecast, ``mse (M, K)`` by lead, NaN
    where no truth is known, ``centre (P,)`` and ``scale (P,)``: SD times scale plus centre is the recording's own
    unit. Of many origins (``origins`` above 1): ``mse``, ``half_width``, ``coverage (levels, K)`` and
    ``skill_parcel (P,)``.
    """

    recording_id: str = ""
    model_id: str = ""
    origin: int = Field(description="first frame that is forecast; of many origins the first one")
    origins: int = 1
    history: int = Field(description="frames that the methods see")
    horizon: int = Field(description="frames that are forecast")
    tr_s: float
    methods: tuple[ForecastScore, ...] = Field(default=(), description="the forecast first, then the simple methods")
    levels: tuple[float, ...] = Field(default=(0.5, 0.9), description="of the bands")
    coverage: tuple[float, ...] = Field(
        default=(), description="share of measured frames inside each band; () = no truth"
    )
    bands_from: str = Field(default="", description="where the bands come from, in words")
    beats_mean_s: float | None = Field(
        default=None, description="seconds ahead up to which the forecast beat the mean on validation people"
    )
    verdict: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
