"""From an opened scan to a recording: parcel series, coverage, space, positions, scaling and quality."""

from brainlm_engine.preprocess.confounds import read_confounds, regress_out
from brainlm_engine.preprocess.describe import describe
from brainlm_engine.preprocess.from_file import Given, open_questions, recording_of
from brainlm_engine.preprocess.parcellate import parcellate
from brainlm_engine.preprocess.population_scaling import PopulationScaling, RecordingFiles, fit_population
from brainlm_engine.preprocess.positions import PositionCheck, positions_fit, read_coordinates
from brainlm_engine.preprocess.quality import Quality, quality
from brainlm_engine.preprocess.scaling import ScaledSeries, Scaling, fit_scaling, scale
from brainlm_engine.preprocess.space import check_space
from brainlm_engine.preprocess.table import recording_from_table

__all__ = [
    "Given", "PopulationScaling", "PositionCheck", "Quality", "RecordingFiles", "ScaledSeries", "Scaling",
    "check_space", "describe", "fit_population", "fit_scaling", "open_questions", "parcellate", "positions_fit",
    "quality", "read_confounds", "read_coordinates", "recording_from_table", "recording_of", "regress_out", "scale",
]  # fmt: skip
