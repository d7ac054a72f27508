"""What follows a moment of a recording, from a model held warm."""

from __future__ import annotations

from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.api.messages import Reply
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def forecast(
    warm: Warm, recording_id: str, model_id: str, origin: int, *, horizon: int, history: int, scaling: str = ""
) -> Reply[ForecastInfo]:
    """Forecast from one origin; see :class:`ForecastInfo` for the arrays."""
    from brainlm_engine.tasks import forecast as run
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = run(
        model, recording, origin, horizon=horizon, history=history, recording_id=recording_id,
        scaling=chosen_scaling(scaling, model),
    )  # fmt: skip
    return Reply(made.info, made.arrays)


def rolling_forecast(warm: Warm, job_id: str) -> Reply[ForecastInfo]:
    """Return the result of a finished ``rolling_forecast`` job."""
    from brainlm_engine.jobs.forecast_jobs import load_rolling

    return load_rolling(job_id)
