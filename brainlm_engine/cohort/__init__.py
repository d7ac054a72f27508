"""Cohorts: many people's recordings in one folder, split by person."""

from brainlm_engine.cohort.reading import (
    Cohort,
    Series,
    load_recording,
    load_series,
    open_cohort,
    scaled_alone,
    zscored,
)

__all__ = ["Cohort", "Series", "load_recording", "load_series", "open_cohort", "scaled_alone", "zscored"]
