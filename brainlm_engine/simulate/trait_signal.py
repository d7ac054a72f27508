"""How much of the simulated traits a plain ridge regression finds in functional connectivity (FC)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.recording import Recording
from brainlm_engine.simulate.fc_statistics import connectivity, detrended

#: With fewer people the answer is mostly chance.
FEWEST_PEOPLE = 100
TRAITS = ("age", "sex", "neuroticism", "gad7", "pcl5", "phq9", "mean_fd")


@dataclass(frozen=True)
class TraitSignal:
    """What 10-fold cross-validation says of one trait: r with the truth, mean squared error of z-scores (1 = mean)."""

    trait: str
    r: float
    z_error: float


def read_people(folder: Path) -> dict[str, dict[str, str]]:
    """Return the rows of participants.tsv by person."""
    with (folder / "participants.tsv").open(newline="", encoding="utf-8") as file:
        return {row["participant_id"]: row for row in csv.DictReader(file, delimiter="\t")}


def trait_signals(recordings: Sequence[Recording], people: dict[str, dict[str, str]]) -> list[TraitSignal]:
    """Predict each trait from the whole FC matrix; empty with fewer than :data:`FEWEST_PEOPLE` people."""
    if len(recordings) < FEWEST_PEOPLE:
        return []
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict

    features = _components(np.stack([_fc_row(recording) for recording in recordings]))
    rows = [people[str(recording.provenance["person"])] for recording in recordings]
    found = []
    for trait in TRAITS:
        values = np.array([_number(row[trait]) for row in rows])
        z = (values - values.mean()) / values.std()
        folds = KFold(10, shuffle=True, random_state=0)
        predicted = cross_val_predict(RidgeCV(np.logspace(-1, 5, 13)), features, z, cv=folds)
        r = float(np.corrcoef(predicted, z)[0, 1])
        found.append(TraitSignal(trait, r, float(((predicted - z) ** 2).mean())))
    return found


def _number(text: str) -> float:
    return {"F": 0.0, "M": 1.0}[text] if text in "FM" else float(text)


def _fc_row(recording: Recording) -> NDArray[np.float32]:
    upper = np.triu_indices(recording.n_parcels, 1)
    row: NDArray[np.float32] = np.arctanh(connectivity(detrended(recording.series))[upper]).astype(np.float32)
    return row


def _components(rows: NDArray[np.float32], most: int = 200) -> NDArray[np.float64]:
    """Principal components without labels: the same people in far fewer numbers."""
    centred = rows - rows.mean(axis=0)
    variance, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    scores: NDArray[np.float64] = (vectors * np.sqrt(np.clip(variance, 0, None)))[:, -most:]
    scores /= scores.std()
    return scores
