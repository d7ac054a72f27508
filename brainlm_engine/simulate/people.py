"""Simulated people: age, sex, site and scores, and the hidden numbers behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brainlm_engine.simulate.parameters import AGE_MEAN, AGE_SD

SITES = ("A", "B", "C")

#: Every 20 people: 14 train, 3 validate, 3 test. People are drawn independently, so position says nothing about them;
#: a cohort that grows keeps everybody in the same part.
SPLIT_PATTERN = (
    "train", "val", "test", "train", "train", "train", "train", "train", "train", "train",
    "train", "val", "test", "train", "train", "train", "train", "train", "val", "test",
)  # fmt: skip

#: What each column of participants.tsv means (BIDS data dictionary).
DATA_DICTIONARY: dict[str, dict[str, Any]] = {
    "participant_id": {"Description": "Simulated person; no real person stands behind it"},
    "age": {"Description": "Age; weakens coupling, most in default and salience networks", "Units": "years"},
    "sex": {"Description": "Sex; shifts coupling along one spatial axis", "Levels": {"F": "female", "M": "male"}},
    "site": {"Description": "Scanner; scales the thermal noise", "Levels": {site: f"site {site}" for site in SITES}},
    "neuroticism": {"Description": "Neuroticism score, 0..12; loads on a hidden distress factor"},
    "gad7": {"Description": "Anxiety, GAD-7, 0..21; loads on a hidden distress factor"},
    "pcl5": {"Description": "Post-traumatic stress, PCL, 17..85; loads on a hidden distress factor"},
    "phq9": {"Description": "Depression, PHQ-9, 0..27; loads on a hidden distress factor"},
    "mean_fd": {"Description": "Mean framewise displacement; sets how often motion spikes occur", "Units": "mm"},
    "split": {
        "Description": "Part of the cohort; no person is in two parts",
        "Levels": {"train": "fit", "val": "choose", "test": "report"},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One simulated person.

    Attributes
    ----------
    index : number of the person within the seed
    age : years, 44..82
    sex : 'F' or 'M'
    site : one of :data:`SITES`
    neuroticism, gad7, pcl5, phq9 : scores in the ranges of the questionnaires
    mean_fd : mean framewise displacement, mm
    age_z, distress, global_z : hidden: standardised age, the factor behind the scores, size of the global signal
    """

    index: int
    age: float
    sex: str
    site: str
    neuroticism: float
    gad7: float
    pcl5: float
    phq9: float
    mean_fd: float
    age_z: float
    distress: float
    global_z: float

    @property
    def person_id(self) -> str:
        """BIDS name of the person."""
        return f"sub-{self.index:05d}"

    @property
    def split(self) -> str:
        """'train', 'val' or 'test'."""
        return SPLIT_PATTERN[self.index % len(SPLIT_PATTERN)]

    @property
    def is_male(self) -> float:
        """1.0 for men, 0.0 for women."""
        return 1.0 if self.sex == "M" else 0.0

    def row(self) -> dict[str, str]:
        """Return the person's row of participants.tsv."""
        return {
            "participant_id": self.person_id, "age": f"{self.age:.1f}", "sex": self.sex, "site": self.site,
            "neuroticism": f"{self.neuroticism:.0f}", "gad7": f"{self.gad7:.0f}", "pcl5": f"{self.pcl5:.0f}",
            "phq9": f"{self.phq9:.0f}", "mean_fd": f"{self.mean_fd:.4f}", "split": self.split,
        }  # fmt: skip


def draw_person(seed: int, index: int) -> Person:
    """Draw person number ``index`` of this ``seed``; the same two numbers always give the same person."""
    rng = np.random.default_rng([seed, 77, index])
    age = float(np.clip(rng.normal(AGE_MEAN, AGE_SD), 44, 82))
    male = bool(rng.random() < 0.47)
    site = SITES[int(rng.integers(len(SITES)))]
    age_z = (age - AGE_MEAN) / AGE_SD
    distress = float(rng.standard_normal())

    def score(own: float) -> float:
        return 0.8 * distress + own * float(rng.standard_normal())

    temper = 0.75 * distress + 0.62 * float(rng.standard_normal()) - 0.12 * age_z + (-0.25 if male else 0.25)
    return Person(
        index=index,
        age=age,
        sex="M" if male else "F",
        site=site,
        neuroticism=_bounded(4.1 + 3.2 * temper, 0, 12),
        gad7=_bounded(np.exp(0.75 + 0.75 * score(0.6) - 0.1 * age_z) - 1, 0, 21),
        pcl5=_bounded(17 + np.exp(1.6 + 0.8 * score(0.6)), 17, 85),
        phq9=_bounded(np.exp(0.8 + 0.75 * score(0.6)) - 1, 0, 27),
        mean_fd=float(np.exp(rng.normal(-2.0 + 0.13 * age_z, 0.35))),
        age_z=age_z,
        distress=distress,
        global_z=float(rng.standard_normal()),
    )


def _bounded(value: float, low: float, high: float) -> float:
    return float(np.clip(np.round(value), low, high)) + 0.0  # never -0
