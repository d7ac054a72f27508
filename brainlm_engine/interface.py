"""The engine for Python programs: ``from brainlm_engine import open_recording, reconstruct``.

All are thin: they check what was given, as the command line does, and call what the rest of the engine calls. Torch is
imported by what needs a model only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Question

_EXAMPLES = {"ratio": 0.75, "seed": 0, "start": 0, "frames": 200, "origin": 300, "horizon": 20, "history": 180}
_EXAMPLES |= {"count": 7, "k": 4}

if TYPE_CHECKING:
    from brainlm_engine.api.perturb import Target
    from brainlm_engine.api.steer import Aim
    from brainlm_engine.recording import Recording
    from brainlm_engine.tasks.forecast import Forecast
    from brainlm_engine.tasks.networks import Networks
    from brainlm_engine.tasks.perturb import Intervention, Steering
    from brainlm_engine.tasks.reconstruct import Reconstruction
    from brainlm_engine.tasks.repair import Repair
    from brainlm_engine.tasks.states import States


def open_recording(
    path: str | PathLike[str],
    *,
    atlas: str = "",
    coordinates: str | PathLike[str] | None = None,
    tr: float | None = None,
    answers: Mapping[str, str] | None = None,
) -> Recording:
    """Open a 4D scan, a table of region series or a recording of this program, and return its region series.

    Parameters
    ----------
    path : any file that ``brainlm-engine inspect`` knows
    atlas : id of an installed atlas; '' for the default one (a scan), or for none (a table)
    coordinates : for a table, a file with the positions of its regions (MNI mm)
    tr : seconds per frame, when the file does not say so or is wrong
    answers : answers to the other questions of ``brainlm-engine inspect``, e.g. ``{"space": "affine"}``

    Returns
    -------
    Recording
        ``series`` (parcels, frames), ``xyz`` (parcels, 3) MNI mm, ``missing`` (parcels,), ``tr_s``; what was found and
        assumed is in ``provenance["notes"]``.

    Raises
    ------
    BadInput
        One sentence, when the file cannot be read or a required question is open.
    """
    from brainlm_engine.io import open_scan
    from brainlm_engine.preprocess import Given, open_questions, recording_of
    from brainlm_engine.recording import Recording

    if not isinstance(path, str | PathLike):
        raise BadInput(f"The file to open is {_kind(path)}, not a file name.", "Give the path of a file.")
    if answers is not None and not isinstance(answers, Mapping):
        raise BadInput(
            f"The answers are {_kind(answers)}, not a dict.", 'Give for example answers={"space": "affine"}.'
        )
    given_answers = dict(answers or {})
    if tr is not None:
        given_answers["tr"] = str(tr)
    scan = open_scan(path, given_answers)
    if scan.info.format == "BrainLM recording" and not (atlas or coordinates or given_answers):
        return Recording.load(Path(path))
    given = Given(given_answers, atlas, Path(coordinates) if coordinates is not None else None)
    for question in open_questions(scan, given):
        raise BadInput(f"{scan.info.name}: {question.text}", _how_to_give(question))
    return recording_of(scan, given)


def reconstruct(
    recording: Recording,
    model: str | PathLike[str] = "studio-tiny",
    ratio: float = 0.75,
    seed: int = 0,
    start: int = 0,
    *,
    frames: int | None = None,
    scaling: str | PathLike[str] = "",
) -> Reconstruction:
    """Hide patches of one window of a recording, fill them in, and score that beside simple methods.

    Parameters
    ----------
    recording : from :func:`open_recording`
    model : name or folder of a model
    ratio : share of patches hidden at random, at least 0 and below 1
    seed : which are hidden
    start : first frame of the window; moved back when the window would reach over the end
    frames : length of the window; None = 200, or all there are
    scaling : of the model's input: 'zscore' per recording, 'model' (its own statistics), a cohort's folder or a file of
        statistics; '' = the model's own where its card has them, else z-scores. The answer is in SD in any case

    Returns
    -------
    Reconstruction
        ``predicted`` and ``measured`` (parcels, frames) in SD, ``mask`` (parcels, patches), ``r2_parcel`` (parcels,),
        ``r2`` of the model, ``baselines`` (R2 by method), ``verdict`` and ``notes``.
    """
    from brainlm_engine.api.messages import MaskSpec
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks import reconstruct as run
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    if not hasattr(recording, "series"):  # the class itself would be imported for this alone
        raise BadInput(
            f"What is to be reconstructed is {_kind(recording)}, not a recording.",
            "Open the file first: recording = open_recording(path).",
        )
    _check_numbers(ratio=ratio)
    _check_numbers(whole=True, seed=seed, start=start, **({} if frames is None else {"frames": frames}))
    if not 0 <= ratio < 1:
        raise BadInput(f"The share hidden must be at least 0 and below 1, not {ratio:g}.", "Give for example 0.75.")
    asked = "" if frames is None else f" of {frames} frames"
    if seed < 0 or (frames is not None and frames < 1) or not 0 <= start < recording.n_frames:
        raise BadInput(
            f"No window{asked} with the seed {seed} begins at frame {start} of {recording.n_frames}.",
            f"Give a start from 0 to {recording.n_frames - 1}, frames from 1 on and a seed from 0 on.",
        )
    loaded = load_model(str(model))
    chosen = chosen_scaling(str(scaling), loaded)
    return run(loaded, recording, start, MaskSpec(ratio=ratio, seed=seed), frames, scaling=chosen)


def forecast(
    recording: Recording,
    model: str | PathLike[str] = "studio-tiny",
    origin: int | None = None,
    horizon: int = 20,
    *,
    history: int = 180,
    scaling: str | PathLike[str] = "",
) -> Forecast:
    """Forecast a recording from a frame on, with bands, and score that beside simple methods where it is known.

    Parameters
    ----------
    recording : from :func:`open_recording`
    model : name or folder of a model
    origin : first frame to be forecast; ``recording.n_frames`` for what nobody has seen; None = the last ``horizon``
    horizon, history : frames forecast, and frames looked at
    scaling : as for :func:`reconstruct`

    Returns
    -------
    Forecast
        ``forecast`` (parcels, horizon) in SD of the past, ``arrays`` and ``info`` (see ``ForecastInfo``), ``verdict``.
    """
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks import forecast as run
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    if not hasattr(recording, "series"):
        raise BadInput(
            f"What is to be forecast is {_kind(recording)}, not a recording.",
            "Open the file first: recording = open_recording(path).",
        )
    _check_numbers(whole=True, horizon=horizon, history=history, **({} if origin is None else {"origin": origin}))
    loaded = load_model(str(model))
    chosen = chosen_scaling(str(scaling), loaded)
    return run(loaded, recording, origin, horizon=horizon, history=history, scaling=chosen)


def networks(
    recording: Recording,
    model: str | PathLike[str] = "studio-tiny",
    source: str = "attention",
    *,
    count: int | None = None,
    controls: bool = True,
    scaling: str | PathLike[str] = "",
) -> Networks:
    """Find the functional networks of a recording, beside the controls that say what the figures mean.

    Parameters
    ----------
    recording : from :func:`open_recording`
    model : name or folder of a model
    source : what parcels are compared by: 'attention', 'all_attention', 'embedding', 'connectivity', 'raw' or
        'responses'
    count : networks nobody named, 2 or more; None = chosen by silhouette
    controls : also ask the model about noise, and the untrained model about the recording
    scaling : as for :func:`reconstruct`

    Returns
    -------
    Networks
        ``labels`` (parcels,) number in ``info.names`` or -1, ``arrays`` and ``info`` (see ``NetworksInfo``),
        ``verdict``.
    """
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.networks import networks as run

    _check_recording(recording, "whose networks are to be found")
    if count is not None:
        _check_numbers(whole=True, count=count)
        if count < 2:
            raise BadInput("One network is everything.", "Give count=2 or more.")
    loaded = load_model(str(model))
    chosen = chosen_scaling(str(scaling), loaded)
    return run(loaded, recording, source=source, count=count, controls=controls, scaling=chosen)


def states(
    recording: Recording,
    model: str | PathLike[str] = "studio-tiny",
    k: int | None = None,
    *,
    scaling: str | PathLike[str] = "",
    events: str | PathLike[str] = "",
) -> States:
    """Find states along a recording, in a model's embedding and beside it in the parcel series themselves.

    Parameters
    ----------
    recording : from :func:`open_recording`
    model : name or folder of a model
    k : number of states, 2 or more; None = by silhouette
    scaling : as for :func:`reconstruct`
    events : BIDS events table of this run; '' = the one beside the scan that the recording was made from, if any

    Returns
    -------
    States
        ``arrays`` and ``info``, see ``StatesInfo``.
    """
    from brainlm_engine.models import load_model
    from brainlm_engine.preprocess.events import read_events
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.states import brain_states

    _check_recording(recording, "whose states are to be found")
    if k is not None:
        _check_numbers(whole=True, k=k)
        if k < 2:
            raise BadInput("One state is everything.", "Give k=2 or more.")
    loaded = load_model(str(model))
    happened = read_events(Path(events)) if str(events) else None
    return brain_states(loaded, recording, k, scaling=chosen_scaling(str(scaling), loaded), events=happened)


def perturb(
    recording: Recording,
    targets: str | Target | Sequence[str | Target],
    model: str | PathLike[str] = "studio-tiny",
    *,
    ahead: int = 0,
    nulls: int = 99,
    seed: int = 0,
    scaling: str | PathLike[str] = "",
) -> Intervention:
    """Set regions of a recording and see what a model expects of the others.

    Parameters
    ----------
    recording : from :func:`open_recording`
    targets : texts as ``"Visual:+1.5@40-80"`` (regions, SD, seconds), or ``Target`` from ``brainlm_engine.api.perturb``
    model : name or folder of a model
    ahead : frames to go on longer
    nulls : draws of random regions to compare with
    scaling : as for :func:`reconstruct`

    Returns
    -------
    Intervention
        ``effect (parcels,)`` in SD, ``verdict``, ``arrays`` and ``info``, see ``PerturbInfo``.
    """
    from brainlm_engine.api.perturb import Scenario, Target
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import intervene
    from brainlm_engine.tasks.perturb.asked import parsed_target

    _check_recording(recording, "that is to be perturbed")
    _check_numbers(whole=True, ahead=ahead, nulls=nulls, seed=seed)
    given = [targets] if isinstance(targets, str | Target) else list(targets)
    wanted = tuple(each if isinstance(each, Target) else parsed_target(str(each), recording) for each in given)
    loaded = load_model(str(model))
    scenario = Scenario(targets=wanted, ahead=ahead, nulls=nulls, seed=seed)
    return intervene(loaded, recording, scenario, scaling=chosen_scaling(str(scaling), loaded))


def steer(
    recording: Recording,
    toward: Aim | str | PathLike[str] | Sequence[str | PathLike[str]],
    model: str | PathLike[str] = "studio-tiny",
    *,
    cohort: str | PathLike[str] = "",
    scaling: str | PathLike[str] = "",
    **settings: Any,
) -> Steering:
    """Search a change of a recording that brings a model's state of it to a target.

    Parameters
    ----------
    recording : from :func:`open_recording`
    toward : the file of another recording, or several; with ``cohort`` a contrast of its people, as
        ``"task=rest,visual"``; or an ``Aim`` from ``brainlm_engine.api.steer``
    model : name or folder of a model
    cohort : folder of a cohort, for a contrast
    scaling : as for :func:`reconstruct`
    settings : see :class:`brainlm_engine.api.steer.SteerSpec`; for example ``state="summary"``, ``form="gain"``,
        ``regions=(3, 17)``, ``shuffles=19``

    Returns
    -------
    Steering
        ``magnitude (parcels,)`` in SD, ``verdict``, ``arrays`` and ``info``, see ``SteerInfo``.
    """
    from pydantic import ValidationError

    from brainlm_engine.api.steer import SteerSpec
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import steer as run
    from brainlm_engine.tasks.perturb.aims import written_aim

    _check_recording(recording, "that is to be steered")
    unknown = [name for name in settings if name not in SteerSpec.model_fields or name == "aim"]
    if unknown:
        raise BadInput(
            f"There is no setting {unknown[0]!r}.",
            f"Settings: {', '.join(name for name in SteerSpec.model_fields if name != 'aim')}.",
        )
    try:
        spec = SteerSpec(aim=written_aim(toward, cohort), **settings)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"]))
        raise BadInput(f"The setting {where!r} cannot be used: {told['msg']}.", "Give another value.") from error
    loaded = load_model(str(model))
    return run(loaded, recording, spec, scaling=chosen_scaling(str(scaling), loaded))


def repair(
    recording: Recording,
    model: str | PathLike[str] = "studio-tiny",
    *,
    scaling: str | PathLike[str] = "",
    **settings: Any,
) -> Repair:
    """Fill in what is bad in a recording, and say how far off that probably is.

    Parameters
    ----------
    recording : from :func:`open_recording`
    model : name or folder of a model
    scaling : as for :func:`reconstruct`
    settings : what counts as bad and what fills it in, see :class:`brainlm_engine.api.repair.RepairSpec`; for example
        ``parcels=(3, 17)``, ``spans=((120, 140),)``, ``method="best"``

    Returns
    -------
    Repair
        ``recording`` (the new one; ``recording.save(path)`` writes it), ``filled`` (parcels, frames) and ``info``.
    """
    from pydantic import ValidationError

    from brainlm_engine.api.repair import RepairSpec
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.repair import repair as run

    if not hasattr(recording, "series"):
        raise BadInput(
            f"What is to be repaired is {_kind(recording)}, not a recording.",
            "Open the file first: recording = open_recording(path).",
        )
    try:
        spec = RepairSpec.model_validate(settings)
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        raise BadInput(
            f"These settings of the repair cannot be used: {wrong}.",
            'Give for example parcels=(3, 17), spans=((120, 140),), spikes=6.0 or method="best".',
            str(error),
        ) from error
    loaded = load_model(str(model))
    return run(loaded, recording, spec, scaling=chosen_scaling(str(scaling), loaded))


def _check_recording(recording: object, what: str) -> None:
    if not hasattr(recording, "series"):
        raise BadInput(
            f"That {what} is {_kind(recording)}, not a recording.",
            "Open the file first: recording = open_recording(path).",
        )


def _check_numbers(*, whole: bool = False, **given: object) -> None:
    """Refuse what is no number under its name; NumPy's are numbers too."""
    for name, value in given.items():
        if not isinstance(value, Integral if whole else Real):
            raise BadInput(
                f"{name} is {_kind(value)}, not a {'whole ' * whole}number.",
                f"Give for example {name}={_EXAMPLES[name]}.",
            )


def _kind(value: object) -> str:
    return "None" if value is None else f"{value!r:.40} of the type {type(value).__name__}"


def _how_to_give(question: Question) -> str:
    if question.question_id == "tr":
        return "Give tr, for example tr=2.0."
    if question.question_id == "positions":
        return 'Give atlas="ID" or coordinates="FILE".'
    values = " or ".join(f'"{choice.value}"' for choice in question.choices)
    return f'Give answers={{"{question.question_id}": ...}}' + f" with {values}." * bool(values)
