"""Targets as a person writes them: ``REGIONS:VALUE@FROM-TO``, seconds and SD."""

from __future__ import annotations

import re
from typing import cast

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import SHAPES, Shape, Target
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks

_HOW = "Write REGIONS:VALUE@FROM-TO, e.g. 'Left V1:+1.5@40-80' or 'Visual:-1@60-90:ramp', in SD and seconds."
#: shapes that a line of text can ask for
_WRITABLE = tuple(shape for shape in SHAPES if shape != "draw")
_FORM = re.compile(
    r"(?P<regions>.+):(?P<value>[+-]?\d+(\.\d*)?)@(?P<start>\d+(\.\d*)?)-(?P<stop>\d+(\.\d*)?)(:(?P<shape>[a-z]+))?"
)


def parsed_target(text: str, recording: Recording, *, add: bool = False) -> Target:
    """Return the target that ``text`` asks for.

    ``REGIONS`` are names, numbers from 1 or reference networks, separated by ``;``; a part of a name is enough when it
    fits one region only.

    Raises
    ------
    BadInput
        When the text has another form, or names a region that is not there or not the only one.
    """
    found = _FORM.fullmatch(text.strip())
    shape = (found["shape"] or "step") if found else ""
    if found is None:
        raise BadInput(f"{text!r} is no target: regions, a value in plain digits and a span are needed.", _HOW)
    if shape not in _WRITABLE:
        raise BadInput(
            f"{text!r} is no target: no shape is called {shape!r}.", f"Choose one of {', '.join(_WRITABLE)}."
        )
    regions = [region for name in found["regions"].split(";") for region in named_regions(name.strip(), recording)]
    start, stop = (round(float(found[name]) / recording.tr_s) for name in ("start", "stop"))
    if stop <= start:
        raise BadInput(f"{text!r} ends before it begins, or lasts less than a frame.", _HOW)
    return Target(
        regions=tuple(dict.fromkeys(regions)), start=start, stop=stop, shape=cast("Shape", shape),
        value=float(found["value"]), add=add,
    )  # fmt: skip


def named_regions(name: str, recording: Recording) -> list[int]:
    """Return the parcels that ``name`` means: a number from 1, a network, a region's name or a part of it.

    Raises
    ------
    BadInput
        When it means none, or more than one region.
    """
    if name.isdigit() and 1 <= int(name) <= recording.n_parcels:
        return [int(name) - 1]
    if name.isdigit():
        raise BadInput(f"No region is called {name!r}.", f"Numbers run from 1 to {recording.n_parcels}.")
    lower = name.lower()
    network = next((number for number, each in enumerate(NETWORKS) if each.lower() == lower.replace(" ", "")), None)
    if network is not None:
        labels = reference_networks(recording).labels
        return [
            int(parcel) for parcel in range(recording.n_parcels)
            if labels[parcel] == network and not recording.missing[parcel]
        ]  # fmt: skip
    exact = [parcel for parcel, each in enumerate(recording.names) if each.lower() == lower]
    close = exact or [parcel for parcel, each in enumerate(recording.names) if lower and lower in each.lower()]
    if len(close) != 1:
        several = ", ".join(recording.names[parcel] for parcel in close[:4])
        raise BadInput(
            f"{name!r} fits {len(close)} regions: {several} ..." if close else f"No region is called {name!r}.",
            f"Give a whole name, a number from 1 to {recording.n_parcels}, or a network ({', '.join(NETWORKS)}).",
        )
    return close
