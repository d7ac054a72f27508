"""How real the simulated recordings are: a page of numbers beside real resting recordings.

``python -m brainlm_engine.simulate.report --cohort FOLDER --abide FILE.h5 --out PAGE.md``
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.fc_statistics import CohortStatistics, cohort_statistics, lag_one
from brainlm_engine.simulate.real_reference import (
    Matching,
    RealRecording,
    at_tr,
    match_regions,
    read_cohort,
    read_real,
)
from brainlm_engine.simulate.report_picture import picture
from brainlm_engine.simulate.trait_signal import TraitSignal, read_people, trait_signals

Floats = NDArray[np.float64]
_SAME_TR_S = 0.05
#: Frames of the simulated recordings given up so that slightly shorter real ones can take part.
_KEPT = 0.95


@dataclass(frozen=True)
class Comparison:
    """Both sides measured at one TR and length."""

    simulated: CohortStatistics
    real: CohortStatistics
    tr_s: float
    n_frames: int
    matching: Matching
    lag_by_tr: list[tuple[float, Floats, Floats]]
    n_sites: int


def compare(cohort: list[Recording], real: list[RealRecording], matching: Matching, tr_s: float = 2.0) -> Comparison:
    """Measure the simulated and the real recordings at ``tr_s``, cut to one length."""
    read = [at_tr(recording, tr_s)[matching.parcels] for recording in cohort]
    longest = min(series.shape[1] for series in read)
    usable = [r for r in real if abs(r.tr_s - tr_s) < _SAME_TR_S and r.series.shape[1] >= _KEPT * longest]
    if len(usable) < 10 or len(read) < 10:
        raise BadInput(
            f"{len(usable)} real and {len(read)} simulated recordings have {longest} frames at a TR of {tr_s} s.",
            "At least 10 of each are needed; choose another --tr or a shorter cohort.",
        )
    n_frames = min(longest, *(r.series.shape[1] for r in usable))
    return Comparison(
        simulated=cohort_statistics([series[:, :n_frames] for series in read], matching.layout),
        real=cohort_statistics([r.series[matching.regions, :n_frames] for r in usable], matching.layout),
        tr_s=tr_s,
        n_frames=n_frames,
        matching=matching,
        lag_by_tr=[_lag_at(tr, cohort, real, matching) for tr in sorted({round(r.tr_s, 2) for r in real})],
        n_sites=len({r.site for r in usable}),
    )


def _lag_at(
    tr_s: float, cohort: list[Recording], real: list[RealRecording], matching: Matching
) -> tuple[float, Floats, Floats]:
    simulated = [lag_one(at_tr(recording, tr_s)[matching.parcels]) for recording in cohort]
    measured = [lag_one(r.series[matching.regions]) for r in real if abs(r.tr_s - tr_s) < _SAME_TR_S]
    return tr_s, np.array(simulated), np.array(measured)


def page(result: Comparison, traits: list[TraitSignal], picture_name: str, made_by: str) -> str:
    """Return the page as Markdown."""
    n_sim, n_real = len(result.simulated.by_distance), len(result.real.by_distance)
    upper = np.triu_indices(7)
    blocks = np.corrcoef(result.simulated.network_blocks[upper], result.real.network_blocks[upper])[0, 1]
    lines = [
        "# How real is the simulated cohort?",
        "",
        "The demo cohort is **simulated**: nobody was scanned. This page measures it beside real resting recordings.",
        "",
        f"- Simulated: {n_sim} people, one resting recording each, read as a scanner with a TR of {result.tr_s:g} s "
        "would (nearest frame, no averaging).",
        f"- Real: {n_real} people from {result.n_sites} sites of ABIDE (C-PAC, no filter, no global signal regression; "
        f"Craddock 200 regions), TR {result.tr_s:g} s.",
        f"- Both: the first {result.n_frames} frames; line and parabola removed; {len(result.matching.regions)} places "
        "(each Craddock region and the MNI-424 parcel nearest to it, median "
        f"{np.median(result.matching.gap_mm):.1f} mm away).",
        "",
        f"![FC by distance, distribution of FC, FC of networks]({picture_name})",
        "",
        f"Mean ± standard deviation over recordings (n = {n_sim} simulated, {n_real} real). "
        "Difference: in standard deviations of the real recordings.",
        "",
        "| statistic | simulated | real | difference |",
        "|---|---|---|---|",
        *[
            _row(name, values, result.real.per_recording[name])
            for name, values in result.simulated.per_recording.items()
        ],
        _row("FC of two halves, same person (r)", result.simulated.within_person, result.real.within_person),
        _row("FC of two halves, two people (r)", result.simulated.between_people, result.real.between_people),
        "",
        f"Pattern of the 7 x 7 network matrix: r = {blocks:.2f} between simulated and real group means.",
        "",
        "Lag-1 autocorrelation at the TRs of the real sites:",
        "",
        "| TR (s) | simulated | n | real | n |",
        "|---|---|---|---|---|",
        *[f"| {tr:g} | {_pm(sim)} | {len(sim)} | {_pm(real)} | {len(real)} |" for tr, sim, real in result.lag_by_tr],
        "",
        *_trait_lines(traits, n_sim),
        "## Where it differs",
        "",
        *_differences(result),
        *_CAVEATS,
        "",
        f"Made by `{made_by}`, version {__version__}.",
    ]
    return "\n".join(lines) + "\n"


_CAVEATS = (
    "- The strengths of the simulator's parts were tuned towards the table above (real recordings at a TR of 2 s, "
    "other simulated people), so its agreement is by construction. The other TRs were not looked at; the sizes of the "
    "trait effects were set by hand so that traits differ in difficulty.",
    "- The two cohorts are of different people on purpose: ABIDE is 6 to 64 years old and half of it has a diagnosis "
    "of autism; the simulated people are 44 to 82.",
    "- C-PAC regressed motion and tissue signals out of the real recordings; the simulated ones keep their motion, "
    "heartbeat and drift.",
    "- Craddock regions hold about twice the volume of an MNI-424 parcel and were drawn where voxels correlate, and "
    "the real scans were smoothed: their short-range FC is higher by construction.",
    "- Traits act as written in the simulator (age weakens coupling, distress changes limbic coupling) and more "
    "strongly than in people: a model that finds them here may find much less in patients.",
)


def _trait_lines(traits: list[TraitSignal], n_people: int) -> list[str]:
    if not traits:
        return []
    return [
        f"What ridge regression on the FC of one recording finds of the traits ({n_people} simulated people, 10-fold):",
        "",
        "| trait | r with the truth | squared error of z-scores (1 = guessing the mean) |",
        "|---|---|---|",
        *[f"| {found.trait} | {found.r:.2f} | {found.z_error:.2f} |" for found in traits],
        "",
    ]


def _row(name: str, simulated: Floats, real: Floats) -> str:
    return f"| {name} | {_pm(simulated)} | {_pm(real)} | {_distance(simulated, real):+.1f} |"


def _pm(values: Floats) -> str:
    return f"{np.nanmean(values):.3f} ± {np.nanstd(values):.3f}"


def _distance(simulated: Floats, real: Floats) -> float:
    return float((np.nanmean(simulated) - np.nanmean(real)) / np.nanstd(real))


def _differences(result: Comparison) -> list[str]:
    """One sentence per statistic that is more than one standard deviation away, and the farthest network pairs."""
    pairs = {name: (values, result.real.per_recording[name]) for name, values in result.simulated.per_recording.items()}
    pairs["similarity of the two halves of one person"] = (result.simulated.within_person, result.real.within_person)
    pairs["similarity of two people"] = (result.simulated.between_people, result.real.between_people)
    far = [(name, *both) for name, both in pairs.items() if abs(_distance(*both)) > 1]
    lines = [
        f"- {name} is {'higher' if _distance(sim, real) > 0 else 'lower'} than in the real recordings "
        f"({np.nanmean(sim):.2f} against {np.nanmean(real):.2f})."
        for name, sim, real in far
    ]
    lines = lines or ["- No statistic of the table is more than one standard deviation from the real recordings."]
    spread = [
        f"{name} ({np.nanstd(sim):.3f} against {np.nanstd(real):.3f})"
        for name, (sim, real) in pairs.items()
        if not 0.5 < np.nanstd(sim) / np.nanstd(real) < 2
    ]
    if spread:
        lines.append("- People spread much more or less than real ones in: " + ", ".join(spread) + ".")
    gap = result.simulated.by_distance.mean(axis=0) - np.nanmean(result.real.by_distance, axis=0)
    lines.append(f"- FC of pairs nearer than 20 mm: {gap[0]:+.2f} from real; farther than 110 mm: {gap[-1]:+.2f}.")
    return lines


def main(argv: list[str] | None = None) -> int:
    """Write page and picture."""
    parser = argparse.ArgumentParser(prog="python -m brainlm_engine.simulate.report", description=__doc__)
    parser.add_argument("--cohort", type=Path, required=True, help="folder of a simulated cohort")
    parser.add_argument("--abide", type=Path, required=True, help="HDF5 file; cc200_coordinates.csv lies beside it")
    parser.add_argument("--out", type=Path, required=True, help="the page (.md); the picture (.svg) goes beside it")
    parser.add_argument("--tr", type=float, default=2.0, help="TR of the comparison, seconds (default 2)")
    args = parser.parse_args(argv)
    try:
        matching = match_regions(args.abide.parent / "cc200_coordinates.csv")
        cohort = read_cohort(args.cohort)
        result = compare(cohort, read_real(args.abide), matching, args.tr)
        traits = trait_signals(cohort, read_people(args.cohort))
        drawn = args.out.with_suffix(".svg")
        with written_whole(drawn) as temporary:
            temporary.write_text(picture(result.simulated, result.real), "utf-8")
        made_by = f"python -m brainlm_engine.simulate.report --cohort COHORT --abide {args.abide.name} --tr {args.tr:g}"
        with written_whole(args.out) as temporary:
            temporary.write_text(page(result, traits, drawn.name, made_by), "utf-8")
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
