"""What a model is used for. Importing this package imports torch; the app never does."""

from brainlm_engine.tasks.reconstruct import Reconstruction, reconstruct
from brainlm_engine.tasks.recording import RecordingReconstruction, reconstruct_recording

__all__ = ["Reconstruction", "RecordingReconstruction", "reconstruct", "reconstruct_recording"]
