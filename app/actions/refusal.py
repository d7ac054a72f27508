"""Why the training that the form describes cannot be started, in the engine's words or from what is plain here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.text import tr

if TYPE_CHECKING:
    from app.state.training import TrainState


def misfit(train: TrainState) -> tuple[str, str]:
    """Return what does not go together, and the next step, as far as it takes no measuring; ('', '') otherwise."""
    cohort, size, choices = train.chosen, train.model_size, train.choices
    if choices is not None and train.launch not in choices.launches:
        return tr(f"train.launch.missing.{train.launch}"), tr("train.launch.missing.next")
    if cohort is None or size is None:
        return "", ""
    if size.parcels is not None and size.frames is not None:
        few = train.window_frames != size.frames
        if cohort.n_parcels != size.parcels or few:
            told = {"parcels": cohort.n_parcels, "frames": cohort.n_frames}
            return tr("train.misfit.cohort", **told), tr("train.misfit.cohort.next")
    if size.masks and train.masks not in size.masks:
        names = tr("train.or").join(f"“{tr(f'train.masks.{name}')}”" for name in size.masks)
        return tr("train.misfit.masks"), tr("train.misfit.masks.next", names=names)
    return "", ""


def refusal(train: TrainState) -> str:
    """Return why it cannot be started and what to do, '' when it can."""
    told, known = misfit(train), train.estimate
    if not told[0]:
        told = train.trouble
    if not told[0] and known is not None and not known.fits:
        told = known.sentence, known.next_step
    return " ".join(filter(None, told))
