"""Predicted beside true responses to stimulated parcels, in simulated people whose responses are known.

Each parcel is moved up and down by 1 SD for one time patch in a person's resting recording; the model's answer (mean
over this and the next patch, half the difference) is compared over all other parcels with the simulator's true
response to an input at that parcel over the same frames. The truth is linear in the input, so that the response to
inhibition is its mirror image. Simple predictors stand beside the model: functional connectivity and a ridge VAR(1) of
the same recording; both of other people, as the model has learned from others too; nearness; and the model's answer to
noise with the recording's own spectra.

True responses are mostly of one sign. So directions are told of *specific* responses, less their mean over the brain:
these go up and down. Ranks are the same with and without that mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.api.validation import Interval, Predictor, ValidationInfo
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import Simulator, Stimulus
from brainlm_engine.tasks.network_maps import connectivity, noise_like
from brainlm_engine.tasks.perturb.intervene import run_of
from brainlm_engine.tasks.perturb.window import plan
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.floating]
SEED = 977  # people of a seed that no shipped model was trained on
FRAMES, TR_S = 300, 0.72
OTHERS, FIRST_OTHER = 20, 1000
#: of a VAR, as shares of the mean variance times the number of parcels
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
EDGES_MM = (0.0, 25.0, 50.0, 75.0, 100.0, 200.0)
_STRONG = 0.9
_DRAWS = 2000
_TUNED_ON = 4  # other people, and as many stimulated parcels of each


@dataclass(frozen=True)
class Validation:
    """What came of it; arrays as in :class:`ValidationInfo`."""

    info: ValidationInfo
    arrays: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Bench:
    """The simulator and the times of a stimulus: one time patch from ``onset`` on."""

    simulator: Simulator
    frames: int
    onset: int
    patch: int

    def recording(self, index: int) -> Recording:
        return self.simulator.recording(self.simulator.person(index), self.frames, TR_S)

    def truth(self, index: int, recording: Recording, parcel: int) -> Floats:
        """Return (P,): mean true response over the patch of the stimulus and the next one, SD of the recording."""
        person = self.simulator.person(index)
        span = Stimulus((parcel,), self.onset * TR_S, (self.onset + self.patch) * TR_S)
        raw = self.simulator.response(person, span, self.frames, TR_S) * self.simulator.brain(person).baseline[:, None]
        seen: Floats = raw[:, self.onset : self.onset + 2 * self.patch].mean(1) / recording.series.std(1)
        return seen


def validate(
    model: MaskedModel,
    *,
    people: int = 20,
    parcels: int = 12,
    frames: int = FRAMES,
    seed: int = SEED,
    progress: Progress = SILENT,
) -> Validation:
    """Compare predictors with the truth.

    Parameters
    ----------
    people : simulated; intervals are over them
    parcels : stimulated in each, at random

    Raises
    ------
    BadInput
        When there are too few people or frames.
    """
    from brainlm_engine.atlas import load_atlas

    clock = Clock()
    if people < 2 or parcels < 2:
        raise BadInput("Validation takes at least two people and two stimulated parcels.", "Ask for more.")
    patch = model.frames_per_patch(TR_S)
    if frames < 6 * patch:
        raise BadInput(f"{frames} frames are too few.", f"Ask for at least {6 * patch}.")
    bench = _Bench(Simulator(load_atlas("mni424"), seed=seed), frames, frames // 2 // patch * patch, patch)
    progress(0.0, "Simulating other people")
    others = [bench.recording(FIRST_OTHER + index) for index in range(OTHERS)]
    penalty = _tuned(bench, others)
    group_fc = np.mean([connectivity(each) for each in others], axis=0)
    group_var = var_responses(others, patch, penalty)
    found: dict[str, list[NDArray[np.float64]]] = {}
    null, down, decay = [], [], []
    for index in range(people):
        recording = bench.recording(index)
        noise, fc = noise_like(recording), connectivity(recording)
        var = var_responses([recording], patch, penalty)
        chosen = np.random.default_rng([seed, index]).choice(recording.n_parcels, parcels, replace=False)
        rows: dict[str, list[tuple[float, float]]] = {}
        truths, answers = [], []
        for number, parcel in enumerate(map(int, chosen)):
            progress((index + number / parcels) / people, f"Person {index + 1} of {people}")
            true = bench.truth(index, recording, parcel)
            up, low = answer(model, recording, parcel, bench.onset, patch)
            noisy = answer(model, noise, parcel, bench.onset, patch)
            guesses = {
                "the model": (up - low) / 2, "connectivity of the recording": fc[:, parcel],
                "VAR(1) of the recording": var[:, parcel], "connectivity of others": group_fc[:, parcel],
                "VAR(1) of others": group_var[:, parcel],
                "nearness": -np.linalg.norm(recording.xyz - recording.xyz[parcel], axis=1),
                "the model, history is noise": (noisy[0] - noisy[1]) / 2,
            }  # fmt: skip
            inside = np.arange(recording.n_parcels) != parcel
            for name, guess in guesses.items():
                rows.setdefault(name, []).append(_scores(guess, true, inside))
            truths.append(true)
            answers.append(guesses["the model"])
            down.append(_spearman(up, low, inside))
            decay.append(_decay(recording, parcel, {"truth": true, **guesses}))
        null += [
            _spearman(answers[one], truths[other], np.arange(recording.n_parcels) != chosen[one])
            for one in range(parcels) for other in (((one + 1) % parcels),)
        ]  # fmt: skip
        for name, each in rows.items():
            found.setdefault(name, []).append(np.nanmean(each, axis=0))
    by_person = {name: np.stack(each) for name, each in found.items()}  # (people, 2)
    ours = by_person["the model"][:, 0]
    predictors = tuple(
        Predictor(
            name=name, whole=interval(each[:, 0]), sign=interval(each[:, 1]), less=interval(ours - each[:, 0]),
        )
        for name, each in sorted(by_person.items(), key=lambda item: -item[1][:, 0].mean())
    )  # fmt: skip
    per_person = [np.mean(values) for values in np.reshape(null, (people, parcels))]
    mirrored = [np.nanmean(values) for values in np.reshape(down, (people, parcels))]
    info = ValidationInfo(
        model_id=model_id(model), people=people, parcels=parcels, frames=frames, tr_s=TR_S, predictors=predictors,
        null=interval(np.array(per_person)), down=interval(np.array(mirrored)), var_penalty=penalty,
        verdict=_verdict(predictors), seconds=clock.seconds,
    )  # fmt: skip
    order = ["truth", *(each.name for each in predictors)]
    curves = np.array([np.nanmean([each[name] for each in decay], axis=0) for name in order], np.float32)
    return Validation(info, {"decay": curves / curves[:, :1], "edges": np.array(EDGES_MM, np.float32)})


def answer(model: MaskedModel, recording: Recording, parcel: int, onset: int, patch: int) -> tuple[Floats, Floats]:
    """Return (P,) mean answers, over two patches, when a parcel moves up and when it moves down by 1 SD, less none."""
    moved = Target(regions=(parcel,), start=onset, stop=onset + patch, add=True)
    window = plan(model, recording, Scenario(targets=(moved,)), None, before=2, after=2)
    run = run_of(model, recording, window, None)
    below = np.where(window.where, 2 * window.measured - window.changed, window.measured)
    plain, up, low = (
        run.answers(each[None], window.hidden[None])[0][:, window.onset :].mean(1)
        for each in (window.measured, window.changed, below)
    )
    return up - plain, low - plain


def var_responses(recordings: list[Recording], patch: int, penalty: float) -> Floats:
    """Return (P, P), column = moved: mean response of a VAR(1) to an input held for a patch, over two patches.

    Parameters
    ----------
    penalty : of the ridge, as a share of the mean variance times the number of parcels
    """
    both = [(series[:, :-1], series[:, 1:]) for each in recordings for series in [zscored(each).astype(np.float64)]]
    parcels = len(both[0][0])
    within = np.sum([past @ past.T for past, _ in both], axis=0)
    ahead = np.sum([past @ now.T for past, now in both], axis=0)
    ridge = penalty * parcels * float(np.mean([past.var() for past, _ in both]))
    step = np.linalg.solve(within + ridge * np.eye(parcels), ahead).T
    total = state = np.zeros_like(step)
    for frame in range(2 * patch):
        state = step @ state + (np.eye(len(step)) if frame < patch else 0)
        total = total + state
    return np.asarray(total / (2 * patch))


def interval(values: NDArray[np.floating]) -> Interval:
    """Return the mean over people and its 95 % interval by bootstrap."""
    draws = np.random.default_rng(0).choice(values, (_DRAWS, len(values))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def _tuned(bench: _Bench, others: list[Recording]) -> float:
    """Return the penalty with which a person's own VAR predicts true responses best, among other people."""
    scores = np.zeros(len(PENALTIES))
    for index, recording in enumerate(others[:_TUNED_ON]):
        chosen = np.random.default_rng([SEED, 5, index]).choice(recording.n_parcels, _TUNED_ON, replace=False)
        truths = [bench.truth(FIRST_OTHER + index, recording, int(parcel)) for parcel in chosen]
        for number, penalty in enumerate(PENALTIES):
            var = var_responses([recording], bench.patch, penalty)
            for parcel, true in zip(chosen, truths, strict=True):
                scores[number] += _spearman(var[:, parcel], true, np.arange(len(true)) != parcel)
    return PENALTIES[int(scores.argmax())]


def _scores(guess: Floats, true: Floats, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the correlation with the truth, and the share of right directions among the strongest tenth."""
    known = inside & np.isfinite(guess)
    mine, theirs = guess[known] - guess[known].mean(), true[known] - true[known].mean()
    strong = np.abs(theirs) >= np.quantile(np.abs(theirs), _STRONG)
    return _spearman(guess, true, inside), float((np.sign(mine[strong]) == np.sign(theirs[strong])).mean())


def _spearman(one: Floats, other: Floats, inside: NDArray[np.bool_]) -> float:
    from scipy.stats import spearmanr

    known = inside & np.isfinite(one) & np.isfinite(other)
    return float(spearmanr(one[known], other[known]).statistic)


def _decay(recording: Recording, parcel: int, guesses: dict[str, Floats]) -> dict[str, NDArray[np.float64]]:
    """Return, by predictor, the mean |specific response| (D,) in bins of distance from the parcel."""
    away = np.linalg.norm(recording.xyz - recording.xyz[parcel], axis=1)
    bins = np.digitize(away, EDGES_MM[1:-1])
    inside = np.arange(len(away)) != parcel
    out = {}
    for name, guess in guesses.items():
        size = np.abs(guess - np.nanmean(guess[inside]))
        rows = [size[inside & (bins == place) & np.isfinite(size)] for place in range(len(EDGES_MM) - 1)]
        out[name] = np.array([row.mean() if row.size else np.nan for row in rows])
    return out


def _verdict(predictors: tuple[Predictor, ...]) -> str:
    """Say whether the model knows more than the simple predictors."""
    ours = next(each for each in predictors if each.name == "the model")
    told: Callable[[list[Predictor]], str] = lambda each: ", ".join(one.name for one in each) or "none"  # noqa: E731
    simple = [each for each in predictors if not each.name.startswith("the model")]
    above, below = ([e for e in simple if e.less.low > 0], [e for e in simple if e.less.high < 0])
    return (
        f"The model's answers correlate with the true responses by {ours.whole.mean:.2f}: more than {told(above)}; "
        f"less than {told(below)}."
    )
