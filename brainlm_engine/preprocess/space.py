"""Is a scan in MNI space? Its grid, its affine, and where its bright voxels lie against the template's brain."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Choice, Question, SpaceReport
from brainlm_engine.atlas.mask import mni_brain_mask
from brainlm_engine.io.volume import VolumeScan

#: overlap (Dice) from which a scan counts as MNI, and below which it does not
MNI_FROM, NATIVE_BELOW = 0.80, 0.70
#: what the question of space can be answered with
AFFINE, ATLAS = "affine", "atlas"
#: share of the template's brain that must lie inside the field of view to judge
_LEAST_COVERED = 0.5
_USUAL_GRIDS = frozenset(
    {(91, 109, 91), (61, 73, 61), (79, 95, 79), (79, 95, 68), (53, 63, 46), (53, 63, 52), (97, 115, 97),
     (182, 218, 182), (193, 229, 193), (65, 77, 65), (45, 54, 45), (46, 55, 46), (73, 92, 78)}
)  # fmt: skip


def check_space(scan: VolumeScan) -> SpaceReport:
    """Judge from the first volume whether ``scan`` is in MNI space.

    ``overlap`` is the Dice coefficient of its bright voxels with the MNI brain, both on the scan's grid.
    """
    if not scan.header.has_position:
        return SpaceReport(
            verdict="unknown", overlap=0.0,
            text=f"{scan.name} does not say where its voxels lie, so it cannot be compared with MNI space.",
        )  # fmt: skip
    volume, affine = _thinned(scan)
    brain, covered = _template_on(volume.shape, affine)
    if covered < _LEAST_COVERED:
        return SpaceReport(
            verdict="unknown", overlap=0.0,
            text=f"{scan.name} covers only {100 * covered:.0f} % of the MNI brain: too little to tell its space.",
        )  # fmt: skip
    bright = _bright(volume)
    both = float((bright & brain).sum())
    overlap = 2 * both / max(1.0, float(bright.sum() + brain.sum()))
    if overlap >= _needed(scan):
        text = f"{scan.name} is in MNI space: its brain overlaps the template by {100 * overlap:.0f} %."
        return SpaceReport(verdict="mni", overlap=overlap, text=text)
    text = f"This scan is not in MNI space: its brain overlaps the template by only {100 * overlap:.0f} %."
    if overlap >= NATIVE_BELOW:
        text = f"This scan may not be in MNI space: its brain overlaps the template by {100 * overlap:.0f} %."
        return SpaceReport(verdict="unknown", overlap=overlap, text=text)
    return SpaceReport(verdict="not_mni", overlap=overlap, text=text)


def _needed(scan: VolumeScan) -> float:
    """Return the overlap from which this scan counts as MNI: less on a usual MNI grid, more on an oblique one.

    What was resampled to MNI lies straight; an oblique grid is how a scanner leaves it.
    """
    directions = scan.affine[:3, :3] / np.sqrt((scan.affine[:3, :3] ** 2).sum(0))
    if np.abs(directions).max(0).min() < np.cos(np.deg2rad(2)):
        return MNI_FROM + 0.1
    usual = scan.canonical.shape in _USUAL_GRIDS or scan.header.claims_mni
    return MNI_FROM - 0.05 if usual else MNI_FROM


def space_question(report: SpaceReport, has_position: bool = True) -> Question | None:
    """Return what to ask about a scan that is not clearly in MNI space."""
    if report.verdict == "mni":
        return None
    lay = "Lay the atlas over it by the header's position only"
    if not has_position:
        lay = "Lay the atlas over its voxels as they come; left and right may be wrong"
    open_question = report.verdict == "not_mni" or not has_position
    return Question(
        question_id="space",
        text=f"{report.text} How shall its regions be found?",
        choices=(Choice(value=AFFINE, label=lay), Choice(value=ATLAS, label="Choose another atlas, made for it")),
        default="" if open_question else AFFINE,
        required=open_question,
    )


def space_note(report: SpaceReport, answers: Mapping[str, str], atlas_id: str, has_position: bool = True) -> str:
    """Return what a recording of this scan must say of how its regions were found; '' for a scan in MNI space.

    Parameters
    ----------
    answers : answers to the questions of the scan
    atlas_id : the atlas that was asked for, '' when none was named

    Raises
    ------
    BadInput
        For an answer that is none, or one that promises an atlas and names none.
    """
    answer = answers.get("space", AFFINE)
    if answer not in (AFFINE, ATLAS):
        raise BadInput(
            f"'{answer}' is not an answer to how the regions of this scan shall be found.",
            f"Answer space={AFFINE} or space={ATLAS}.",
        )
    if report.verdict == "mni":
        return ""
    if answer == ATLAS:
        if not atlas_id:
            raise BadInput("An atlas made for this scan was promised, but none is named.", "Name it (--atlas ID).")
        return f"{report.text} The atlas {atlas_id} was taken as made for it."
    if not has_position:
        return f"{report.text} The atlas was laid over its voxels as they come; left and right may be wrong."
    return f"{report.text} The atlas was laid over it by the header's position only."


def _thinned(scan: VolumeScan) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return every so many voxels of the first volume, about 4 mm apart, and their affine: enough to judge by."""
    zooms = np.sqrt((scan.affine[:3, :3] ** 2).sum(0))
    steps = [max(1, int(4.0 // zoom)) for zoom in zooms]
    volume = scan.volume(0)[:: steps[0], :: steps[1], :: steps[2]]
    return volume, scan.affine @ np.diag([*steps, 1.0])


def _template_on(shape: tuple[int, ...], affine: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
    """Return the template's brain on a grid, and the share of it inside the grid."""
    mask, mask_affine = mni_brain_mask()
    to_mask = np.linalg.inv(mask_affine) @ affine
    index = np.indices(shape).reshape(3, -1)
    index = np.floor(to_mask[:3, :3] @ index + to_mask[:3, 3:] + 0.5).astype(np.intp)
    inside = np.all((index >= 0) & (index < np.array(mask.shape)[:, None]), axis=0)
    on_grid = np.zeros(inside.size, bool)
    on_grid[inside] = mask[tuple(index[:, inside])]
    places = 3 * np.argwhere(mask[::3, ::3, ::3])
    to_grid = np.linalg.inv(affine) @ mask_affine
    position = places @ to_grid[:3, :3].T + to_grid[:3, 3]
    covered = ((position > -0.5) & (position < np.array(shape) - 0.5)).all(1).mean()
    return on_grid.reshape(shape), float(covered)


def _bright(volume: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return voxels brighter than Otsu's threshold between background and head."""
    values = np.nan_to_num(volume, nan=0.0, posinf=0.0, neginf=0.0)
    nonzero = values[values != 0]
    if nonzero.size < 10:
        return np.zeros(volume.shape, bool)
    if (values == 0).mean() > 0.3 and float(np.percentile(nonzero, 2)) < 0 < float(np.percentile(nonzero, 98)):
        return np.asarray(values != 0)  # centred data inside a mask: brightness says nothing, the mask does
    low, high = np.percentile(values, [0.5, 99.5])
    if high <= low:
        return np.asarray(values > low)
    counts, edges = np.histogram(np.clip(values, low, high), 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    mass = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * (below[-1] - below))
    return np.asarray(values > centres[int(np.nanargmax(between[:-1]))])
