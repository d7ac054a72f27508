"""Maps from parcel to parcel of one recording: attention of every layer and head, rollout, embeddings, connectivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainlm_engine.api.attention import AttentionInfo
from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.parcel_attention import parcel_attention
from brainlm_engine.models.studio import Studio
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import model_id, plan_window
from brainlm_engine.tasks.recording import window_starts
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
#: maps that are kept apart; a model with more has its heads averaged
MOST = 96
_LEAST_SHARE = np.float32(1e-6)  # so that a logarithm exists


@dataclass(frozen=True)
class ParcelMaps:
    """What is known of a recording; the arrays are described at :class:`AttentionInfo`.

    ``layer``, from 1 on, is the one whose attention tells networks best.
    """

    info: AttentionInfo
    arrays: dict[str, NDArray[np.generic]]

    layer: int = 0

    @property
    def attention(self) -> Floats:
        """(parcels, heads * parcels) logarithm of what each parcel takes from all, in every head of ``layer``."""
        return self.heads(self.layer)

    @property
    def shares(self) -> Floats:
        """(parcels, parcels) what each parcel takes from each in ``layer``, mean over heads."""
        return np.asarray(self.arrays["maps"][self.layer - 1].astype(np.float32).mean(0))

    def heads(self, layer: int) -> Floats:
        """Return (parcels, heads * parcels) as :attr:`attention`, of any layer from 1 on."""
        maps = self.arrays["maps"][layer - 1].astype(np.float32)
        return np.log(np.concatenate(list(maps), 1) + _LEAST_SHARE)

    @property
    def profiles(self) -> Floats:
        """(parcels, layers * heads * parcels) logarithm of what each parcel takes from all, in every layer and head."""
        maps = self.arrays["maps"].astype(np.float32)
        return np.log(np.concatenate(list(maps.reshape(-1, *maps.shape[2:])), 1) + _LEAST_SHARE)


def parcel_maps(
    model: MaskedModel,
    recording: Recording,
    *,
    frames: int | None = None,
    windows: int | None = None,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    layer: int | None = None,
) -> ParcelMaps:
    """Read all maps of ``recording``, everything visible.

    Parameters
    ----------
    frames : length of a window, None = 200
    windows : at most so many, evenly spread; None = all of the recording
    layer : of the networks, from 1 on; None = the one that the model's card names, or the last

    Raises
    ------
    BadInput
        When the model has no attention between parcels that can be read, or the recording cannot be used.
    """
    clock = Clock()
    units = scaling.units(recording) if scaling is not None else None
    _, length, notes = plan_window(model, recording, frames, scaling=scaling)
    series = zscored(recording)
    if model.scaling is not None:
        raise BadInput(
            "Attention of models that learned from population-scaled series cannot be read yet.",
            "Choose a model of z-scores, for example studio-tiny.",
        )
    starts = window_starts(recording.n_frames, length)
    if windows is not None and len(starts) > windows:
        starts = [starts[round(place)] for place in np.linspace(0, len(starts) - 1, windows)]
    maps, summary, rollout, tokens = [], [], [], []
    for start in starts:
        window = series[:, start : start + length]
        window = units.into(window[None])[0] if units is not None else window
        one = _studio(model, window, recording) if isinstance(model, Studio) else _published(model, window, recording)
        maps.append(one.maps)
        summary.append(one.summary)
        rollout.append(_rollout(one.maps.mean(1)))
        tokens.append(one.tokens)
    mean = np.mean(maps, 0)
    row = np.mean(summary, 0)
    if mean.shape[0] * mean.shape[1] > MOST:
        mean, row = mean.mean(1, keepdims=True), row.mean(1, keepdims=True)
    connectivity = _correlation(series)
    arrays: dict[str, NDArray[np.generic]] = {
        "maps": mean.astype(np.float16), "summary": row.astype(np.float16),
        "rollout": np.mean(rollout, 0).astype(np.float32), "embedding": _correlation(np.mean(tokens, 0), centred=False),
        "connectivity": connectivity,
    }  # fmt: skip
    named = layer or (model.card.figures.get("attention_layer") if model.card is not None else None)
    chosen = named if isinstance(named, int) and 1 <= named <= len(mean) else len(mean)
    telling = mean[chosen - 1].mean(0)
    info = AttentionInfo(
        recording_id=recording_id, model_id=model_id(model), windows=len(starts), window_frames=length,
        layers=mean.shape[0], heads=mean.shape[1], summary=_SUMMARY[isinstance(model, Studio)],
        layer=chosen, agreement=_alike(telling, connectivity), near=_alike(telling, _closeness(recording.xyz)),
        seconds=clock.seconds, notes=notes,
    )  # fmt: skip
    return ParcelMaps(info, arrays, chosen)


def chosen_map(made: ParcelMaps, source: str, layer: int | None = None, head: int | None = None) -> Floats:
    """Return one map (parcels, parcels) by name: 'attention', 'rollout', 'embedding' or 'connectivity'.

    Parameters
    ----------
    layer : of the attention, from 1 on; None = the last
    head : of the attention, from 1 on; None = the mean of all

    Raises
    ------
    BadInput
        When there is no such layer or head.
    """
    if source != "attention":
        return np.asarray(made.arrays[source], np.float32)
    info = made.info
    for what, asked, there in (("layer", layer, info.layers), ("head", head, info.heads)):
        if asked is not None and not 1 <= asked <= there:
            raise BadInput(f"There is no {what} {asked}: there are {there}.", f"Give one from 1 to {there}.")
    heads = made.arrays["maps"][(layer or info.layers) - 1].astype(np.float32)
    return np.asarray(heads.mean(0) if head is None else heads[head - 1])


_SUMMARY = {
    True: "The summary token reads the registers of every time patch; shown is what these take from each parcel.",
    False: "What the summary token takes from each parcel.",
}


@dataclass(frozen=True)
class _One:
    """One window: ``maps (L, H, P, P)``, ``summary (L, H, P)``, ``tokens (P, D)``; NaN for parcels left out."""

    maps: Floats
    summary: Floats
    tokens: Floats


def _inputs(model: MaskedModel, window: Floats, recording: Recording) -> tuple[torch.Tensor, torch.Tensor]:
    device = next(model.parameters()).device
    signal = torch.from_numpy(np.ascontiguousarray(window))[None].to(device)
    return signal, torch.from_numpy(np.array(recording.xyz, np.float32))[None].to(device)


def _studio(model: Studio, window: Floats, recording: Recording) -> _One:
    """Attention is among the parcels of one time patch: mean over time patches of what was visible there."""
    signal, xyz = _inputs(model, window, recording)
    if model.joint:
        raise BadInput("Maps of models that attend to all patches at once cannot be read yet.", "Choose another model.")
    n_registers = model.registers.shape[0]
    nothing = torch.zeros(
        1, signal.shape[1], signal.shape[2] // model.frames_per_patch(recording.tr_s), dtype=torch.bool
    )
    with torch.inference_mode():
        output = model(
            signal, xyz, mask=nothing.to(signal.device), tr_s=recording.tr_s, attentions=True,
            queries=torch.zeros(1, dtype=torch.int64, device=signal.device),
        )  # fmt: skip
    parcels, patches = nothing.shape[1:]
    ids = output.tokens[0].view(patches, -1).cpu()
    seen = np.zeros(parcels)
    layers, heads = len(output.attentions), output.attentions[0].shape[2]
    maps = np.zeros((layers, heads, parcels, parcels), np.float32)
    summary = np.zeros((layers, heads, parcels), np.float32)
    tokens = np.zeros((parcels, output.latent.shape[2]))
    latent = output.latent[0, 1:].view(patches, ids.shape[1], -1).float().cpu().numpy()
    everybody = torch.arange(parcels)[None] * patches + torch.arange(patches)[:, None]
    whole = torch.equal(ids, everybody)  # all parcels, in order: nothing to be looked up
    for layer, weights in enumerate(output.attentions if whole else ()):
        together = weights[0].float().sum(0).cpu().numpy()
        maps[layer] = together[:, n_registers:, n_registers:]
        summary[layer] = together[:, :n_registers, n_registers:].mean(1)
    for patch in range(patches):
        there = (ids[patch] >= 0).nonzero()[:, 0].numpy()
        who = (ids[patch][there] // patches).numpy()
        seen[who] += 1
        tokens[who] += latent[patch, there]
        for layer, weights in enumerate([] if whole else output.attentions):
            block = weights[0, patch].float().cpu().numpy()
            among = block[:, n_registers + there][:, :, n_registers + there]
            maps[layer][:, who[:, None], who] += among
            summary[layer][:, who] += block[:, :n_registers][:, :, n_registers + there].mean(1)
    left_out = seen == 0
    return _normalised(maps, summary, tokens / np.maximum(seen, 1)[:, None], left_out)


def _published(model: MaskedModel, window: Floats, recording: Recording) -> _One:
    if not hasattr(model, "groups"):
        raise BadInput(
            f"The model {model_id(model)} has no attention between parcels that can be read.", "Choose another model."
        )
    signal, xyz = _inputs(model, window, recording)
    layers = list(range(_n_layers(model)))
    try:
        read = parcel_attention(model, signal, xyz, layers, recording.tr_s)  # type: ignore[arg-type]
    except (NotImplementedError, ValueError, TypeError) as error:
        raise BadInput(
            f"The attention of the model {model_id(model)} cannot be read.", "Choose another model.", str(error)
        ) from error
    with torch.inference_mode():
        latent = model.embed(signal, xyz, recording.tr_s)[0][0].float().cpu()  # type: ignore[operator]
    groups = model.groups(signal, xyz)  # type: ignore[operator]
    place = groups.of_parcel[0].cpu()
    of_place = latent[groups.members.cpu()].mean(1)
    tokens = of_place[place.clamp(min=0)].numpy()
    maps, summary = read.maps[0].float().cpu().numpy(), read.summary[0].float().cpu().numpy()
    return _normalised(np.nan_to_num(maps), np.nan_to_num(summary), tokens, (place < 0).numpy())


def _n_layers(model: MaskedModel) -> int:
    config = getattr(model, "config", None)
    for name in ("num_hidden_layers", "n_layers", "layers"):
        if isinstance(found := getattr(config, name, None), int):
            return found
    raise BadInput(f"The model {model_id(model)} does not say how many layers it has.", "Choose another model.")


def _normalised(
    maps: NDArray[np.floating], summary: NDArray[np.floating], tokens: NDArray[np.floating], left_out: NDArray[np.bool_]
) -> _One:
    """Let each row's parcels sum to 1; parcels left out are NaN."""
    maps = maps / np.maximum(maps.sum(-1, keepdims=True), 1e-12)
    summary = summary / np.maximum(summary.sum(-1, keepdims=True), 1e-12)
    maps[..., left_out, :] = maps[..., left_out] = np.nan
    summary[..., left_out] = np.nan
    tokens = np.where(left_out[:, None], np.nan, tokens)
    return _One(maps.astype(np.float32), summary.astype(np.float32), tokens.astype(np.float32))


def _rollout(layers: Floats) -> Floats:
    """Follow attention through the layers, half of every layer passing by it (Abnar & Zuidema, 2020): (P, P).

    ``layers (L, P, P)``, mean over heads.
    """
    known = np.isfinite(layers[0]).any(1)
    inside = layers[:, known][:, :, known]
    through = np.eye(inside.shape[1], dtype=np.float32)
    for layer in inside:
        mixed = 0.5 * layer + 0.5 * np.eye(len(layer), dtype=np.float32)
        through = mixed / mixed.sum(1, keepdims=True) @ through
    out = np.full(layers.shape[1:], np.nan, np.float32)
    out[np.ix_(known, known)] = through
    return out


def _correlation(rows: NDArray[np.floating], *, centred: bool = True) -> Floats:
    """Return the correlation (or cosine) between rows, NaN for rows that hold NaN or do not vary."""
    known = np.isfinite(rows).all(1)
    inside = rows[known].astype(np.float64)
    if centred:
        inside = inside - inside.mean(1, keepdims=True)
    else:  # what all parcels have in common says nothing about who is like whom
        inside = inside - inside.mean(0)
    size = np.sqrt((inside**2).sum(1, keepdims=True))
    unit = inside / np.where(size > 1e-12, size, np.nan)
    out = np.full((len(rows), len(rows)), np.nan, np.float32)
    out[np.ix_(known, known)] = unit @ unit.T
    return out


def _closeness(xyz: Floats) -> Floats:
    return np.asarray(-np.linalg.norm(xyz[:, None] - xyz[None], axis=2), np.float32)


def _alike(one: NDArray[np.floating], other: Floats) -> float:
    """Return the correlation over pairs of parcels of two maps, both made symmetric; NaN where there is none."""
    upper = np.triu_indices(len(one), 1)
    first, second = ((each + each.T)[upper].astype(np.float64) for each in (one, other))
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 3 or first[known].std() == 0 or second[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(first[known], second[known])[0, 1])
