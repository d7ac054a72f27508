"""How a recording is brought to the numbers that a model was trained on, and its answer back.

Our own models learn from series that are z-scored per parcel over the recording, and so does every score: results are
in SD of the recording. Published models learned from series scaled with statistics over a whole population. Both are
linear per parcel, so one is turned into the other, and the model's answer back into SD, with two numbers each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.card import Card, wants_population
from brainlm_engine.preprocess.population_scaling import PopulationScaling, RecordingFiles, fit_population
from brainlm_engine.preprocess.scaling import fit_scaling
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel

Floats = NDArray[np.float32]
ZSCORE, MODEL = "zscore", "model"
OF_RECORDING = "z-score per parcel over the recording"


@dataclass(frozen=True)
class ModelUnits:
    """What turns SD of a recording into a model's units: ``value * slope + shift``.

    Attributes
    ----------
    slope, shift : (parcels,) float64; NaN for parcels without signal or without statistics
    """

    slope: NDArray[np.float64]
    shift: NDArray[np.float64]

    def into(self, windows: Floats) -> Floats:
        """Return ``windows (..., parcels, frames)``, z-scored, in the model's units."""
        return (windows * self.slope[:, None] + self.shift[:, None]).astype(np.float32)

    def back(self, predicted: Floats) -> Floats:
        """Return a model's answer in SD of the recording."""
        return ((predicted - self.shift[:, None]) / self.slope[:, None]).astype(np.float32)


@dataclass(frozen=True)
class InputScaling:
    """Population statistics, and whose they are.

    Attributes
    ----------
    statistics : median and interquartile range per parcel
    whose : in words: 'the model' or 'the cohort NAME'
    atlas_id, unit : of the recordings they were taken from, '' when not known
    """

    statistics: PopulationScaling
    whose: str
    atlas_id: str = ""
    unit: str = ""

    def describe(self) -> str:
        """Return the scaling in one line."""
        over = f"{self.statistics.recordings:,} recordings"
        return f"{self.statistics.method}, median and interquartile range per parcel of {self.whose} ({over})"

    def units(self, recording: Recording) -> ModelUnits:
        """Return how SD of ``recording`` become the model's units.

        Raises
        ------
        BadInput
            When the statistics are of another atlas or unit.
        """
        parcels, name = len(self.statistics.median), recording.name or "The recording"
        other_atlas = self.atlas_id and recording.atlas_id and self.atlas_id != recording.atlas_id
        if parcels != recording.n_parcels or other_atlas:
            atlas = f" in the atlas {self.atlas_id}" if self.atlas_id else ""
            raise BadInput(
                f"{name} has {recording.n_parcels} parcels of {recording.atlas_id or 'an unnamed atlas'}; the scaling "
                f"statistics of {self.whose} are of {parcels} parcels{atlas}.",
                "Choose statistics of the same atlas, or z-score per recording.",
            )
        if self.unit and recording.unit != self.unit:
            raise BadInput(
                f"{name} is in the unit {recording.unit}; the scaling statistics of {self.whose} are in {self.unit}.",
                "Choose statistics of recordings in the same unit, or z-score per recording.",
            )
        series = np.where(recording.missing[:, None], np.nan, recording.series).astype(np.float32)
        own, theirs = fit_scaling(series), self.statistics.for_recording(series)
        offset = theirs.offset if theirs.offset is not None else 0.0
        slope = own.spread / theirs.spread * theirs.gain
        shift = ((own.centre - theirs.centre) / theirs.spread - offset) * theirs.gain
        return ModelUnits(np.asarray(slope, np.float64), np.asarray(shift, np.float64))


def chosen_scaling(choice: str, model: MaskedModel) -> InputScaling | None:
    """Return the statistics that ``choice`` names; None for z-scores.

    Parameters
    ----------
    choice : '' (the model's own statistics where its card has them, else z-scores), 'zscore', 'model', the id of kept
        statistics, a cohort's folder, or a file that :meth:`PopulationScaling.save` wrote

    Raises
    ------
    BadInput
        When there are no such statistics.
    """
    if choice == ZSCORE:
        return None
    if choice in ("", MODEL):
        own = _of_model(model)
        if own is None and choice == MODEL:
            raise BadInput(
                "The card of this model carries no scaling statistics.", "Choose a cohort’s, or z-score per recording."
            )
        return own
    card = _card(model)
    if card is not None and not wants_population(card):
        raise BadInput(
            f"{card.info.title} was trained on z-scores per recording; with other scaling its answers mean nothing.",
            "Leave the scaling out.",
        )
    if "/" not in choice and kept_path(choice).is_file():
        return _from_file(kept_path(choice))
    path = Path(choice)
    return cohort_scaling(path) if path.is_dir() else _from_file(path)


def cohort_scaling(folder: Path, progress: Progress = SILENT) -> InputScaling:
    """Return the robust statistics over the 'train' recordings of a cohort; computed once, then kept.

    Raises
    ------
    BadInput
        When the folder is no cohort, or its recordings do not fit each other.
    """
    return _from_file(kept_path(keep_cohort_statistics(folder, progress)))


def keep_cohort_statistics(folder: Path, progress: Progress = SILENT) -> str:
    """Compute the statistics of a cohort unless they are kept already; return the id they are kept under."""
    from hashlib import sha256

    from brainlm_engine.cohort import open_cohort

    cohort = open_cohort(folder)
    places = [place for person in cohort.people("train") for place in cohort.files[person]]
    paths = [place for place in places if isinstance(place, Path)]
    if len(paths) < len(places):
        raise BadInput(
            f"The recordings of {folder.name} are packed as z-scores, which have no unit of their own.",
            "Choose the cohort that it was packed from, or z-scores.",
        )
    if not paths:
        raise BadInput(
            f"The cohort {folder.name} has no recordings in its split “train”.", "Choose another cohort, or z-scores."
        )
    stamps = [(str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    scaling_id = sha256(repr(stamps).encode()).hexdigest()[:20]
    if not kept_path(scaling_id).is_file():
        first = Recording.load(paths[0])
        found = fit_population(_Told(paths, progress), "robust")
        origin = {"cohort": folder.resolve().name, "atlas_id": first.atlas_id, "unit": first.unit}
        kept_path(scaling_id).parent.mkdir(parents=True, exist_ok=True)
        found.save(kept_path(scaling_id), origin)
    return scaling_id


def kept_path(scaling_id: str) -> Path:
    """Return where statistics are kept."""
    from brainlm_engine.paths import data_dir

    return data_dir() / "scalings" / f"{scaling_id}.json"


def departure(model: MaskedModel, scaling: InputScaling | None) -> str:
    """Return how the input differs from what the weights were trained on, '' when it does not."""
    if scaling is None:
        card = _card(model)
        if card is None:
            return model.input_note
        if not wants_population(card):
            return ""
        if card.statistics is None:
            return model.input_note
        return (
            "The model was trained on series scaled with its own statistics; here each parcel is z-scored over the "
            "recording instead, a departure from its training."
        )
    if scaling.whose == "the model":
        return ""
    return (
        f"The model’s input is scaled with the statistics of {scaling.whose}, which stand in for those of its training "
        "recordings."
    )


def _card(model: MaskedModel) -> Card | None:
    folder = model.folder
    return Card.load(folder) if folder is not None and (folder / "card.json").exists() else None


def _of_model(model: MaskedModel) -> InputScaling | None:
    """Return the statistics in a published model's card; a model that was trained here takes care of its own."""
    card = _card(model)
    if card is None or card.statistics is None or not wants_population(card):
        return None
    try:
        statistics = PopulationScaling.of_content(card.statistics)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise BadInput(
            f"The scaling statistics in the card of {card.info.title} are damaged.",
            "Choose a cohort’s, or z-score per recording.",
            repr(error),
        ) from error
    return InputScaling(statistics, "the model", card.info.atlas_id, str(card.statistics.get("unit", "")))


def _from_file(path: Path) -> InputScaling:
    statistics, origin = PopulationScaling.load_with_origin(path)
    whose = f"the cohort {origin['cohort']}" if origin.get("cohort") else f"the file {path.name}"
    return InputScaling(statistics, whose, origin.get("atlas_id", ""), origin.get("unit", ""))


class _Told(RecordingFiles):
    """Recordings that tell which of them is being read; cancelling works between two of them."""

    def __init__(self, paths: list[Path], progress: Progress) -> None:
        super().__init__(paths)
        self._progress, self._read = progress, 0

    def __iter__(self) -> Iterator[Recording]:
        for recording in super().__iter__():
            self._read += 1
            told = (self._read - 1) % len(self) + 1
            self._progress(min(0.99, self._read / (2 * len(self))), f"Reading recording {told} of {len(self)}")
            yield recording
