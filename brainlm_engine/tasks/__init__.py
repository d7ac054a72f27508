"""What a model is used for. Importing this package imports torch; the app never does."""

from brainlm_engine.tasks.forecast import Forecast, forecast, rolling_forecast
from brainlm_engine.tasks.reconstruct import Reconstruction, reconstruct
from brainlm_engine.tasks.recording import RecordingReconstruction, reconstruct_recording

__all__ = [
    "Forecast",
    "Reconstruction",
    "RecordingReconstruction",
    "forecast",
    "reconstruct",
    "reconstruct_recording",
    "rolling_forecast",
]
