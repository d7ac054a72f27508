"""What a cohort folder holds, told before anything is trained on it: sizes, or one sentence about what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.training import CohortInfo
from brainlm_engine.cohort.reading import SPLITS, Cohort, Place, open_cohort

#: Recordings whose headers are looked at, evenly spread.
_LOOKED_AT = 200


def describe_cohort(folder: Path) -> CohortInfo:
    """Return the facts of ``folder``; what cannot be used carries a sentence and a next step, never an exception."""
    info = CohortInfo(path=str(folder), name=folder.name or str(folder))
    try:
        cohort = open_cohort(folder)
        people = {split: len(cohort.people(split)) for split in SPLITS}
        info = info.model_copy(
            update={
                "simulated": cohort.simulated,
                "people": people,
                "n_recordings": sum(len(paths) for paths in cohort.files.values()),
            }
        )
        _check_people(cohort, people)
        return info.model_copy(update=_sizes(cohort))
    except BadInput as error:
        return info.model_copy(update={"problem": error.message, "next_step": error.next_step})


def _check_people(cohort: Cohort, people: dict[str, int]) -> None:
    if not cohort.files:
        raise BadInput(
            f"{cohort.folder.name} holds no recordings.", "Put them into its folder recordings, one file per run."
        )
    for split, what in (("train", "learn from"), ("val", "look at while it learns")):
        if not people[split]:
            raise BadInput(
                f"{cohort.folder.name} has nobody with recordings to {what}: its split “{split}” is empty.",
                f"Give some people the split {split} in participants.tsv.",
            )


def _sizes(cohort: Cohort) -> dict[str, Any]:
    paths = [path for split in ("train", "val") for person in cohort.people(split) for path in cohort.files[person]]
    picked = [paths[index] for index in sorted(set(np.linspace(0, len(paths) - 1, _LOOKED_AT).astype(int)))]
    heads = [_head(path) for path in picked]
    first = heads[0]
    for path, head in zip(picked, heads, strict=True):
        if head["n_parcels"] != first["n_parcels"]:
            raise BadInput(
                f"{path.name} has {head['n_parcels']} parcels, the first recording of the cohort {first['n_parcels']}.",
                "Parcellate all recordings of a cohort with one atlas.",
            )
        if abs(head["tr_s"] - first["tr_s"]) > 0.01:
            raise BadInput(
                f"{path.name} has a TR of {head['tr_s']:g} s, the first recording of the cohort {first['tr_s']:g} s.",
                "Put recordings of another TR into a cohort of their own.",
            )
    return {**first, "n_frames": min(head["n_frames"] for head in heads)}


def _head(path: Place) -> dict[str, Any]:
    """Read what the header of a recording says; the numbers stay unread."""
    if not isinstance(path, Path):
        kind = path.kind
        return {
            "n_parcels": kind.n_parcels, "n_frames": path.n_frames, "tr_s": kind.tr_s, "atlas_id": kind.atlas_id,
        }  # fmt: skip
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            head = json.loads((file.metadata() or {})["recording"])
            n_parcels, n_frames = file.get_slice("series").get_shape()
            return {
                "n_parcels": n_parcels, "n_frames": n_frames, "tr_s": float(head["tr_s"]),
                "atlas_id": str(head["atlas_id"]),
            }  # fmt: skip
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BadInput(
            f"{path.name} is not a recording of this program, or it is damaged.",
            "Take it out of the cohort, or make it again from the scan.",
            str(error),
        ) from error
