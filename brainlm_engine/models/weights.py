"""Reading weights: every key and shape is checked, nothing is ever left at random values, no pickle is opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole

if TYPE_CHECKING:
    from torch import Tensor

    from brainlm_engine.models.base import MaskedModel

WEIGHTS = "model.safetensors"
PYTORCH = "pytorch_model.bin"
_PICKLES = ("model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl")


def weights_sha256(folder: Path | None) -> str:
    """Return the hash of a model's weights, '' for one that was built by hand or has other files."""
    path = folder / WEIGHTS if folder is not None else None
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of ``folder/model.safetensors``, or of a published ``pytorch_model.bin``.

    The latter is a pickle: it is opened by torch's reader of tensors alone, which runs nothing that is in it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    if not path.is_file():
        if (folder / PYTORCH).is_file():
            return _read_pytorch(folder / PYTORCH)
        pickles = [name for name in _PICKLES if (folder / name).exists()]
        if pickles:
            raise BadInput(
                f"The model {folder.name} stores its weights in {pickles[0]}, a Python pickle that could run "
                "any program.",
                f"Ask for the weights as {WEIGHTS}.",
            )
        raise BadInput(
            f"The model folder {folder.name} holds no {WEIGHTS}.", "Choose a folder with config.json and it."
        )
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"PK" or start[:1] == b"\x80":
        raise BadInput(
            f"{WEIGHTS} of the model {folder.name} is a Python pickle under another name, which could run any program.",
            "Ask for the weights as a real safetensors file.",
        )
    try:
        tensors: dict[str, Tensor] = load_file(path)
        return tensors
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise BadInput(
            f"The weights of the model {folder.name} are damaged or incomplete.",
            "Copy or download the model again.",
            str(error),
        ) from error


def _read_pytorch(path: Path) -> dict[str, Tensor]:
    import pickle
    import warnings

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unusual pickle protocol: it is read or refused all the same
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path.name} of the model {path.parent.name} holds more than numbers and could run a program; it was not "
            "opened.",
            f"Ask for the weights as {WEIGHTS}.",
            str(error),
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise BadInput(
            f"The weights of the model {path.parent.name} are damaged or incomplete.",
            "Copy or download the model again.",
            str(error),
        ) from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise BadInput(
            f"{path.name} of the model {path.parent.name} is not a plain list of weights.",
            "Choose the folder of a published checkpoint.",
        )
    return dict(found)


def fill(model: MaskedModel, weights: dict[str, Tensor], name: str) -> None:
    """Put ``weights`` into ``model``; refuse anything that does not fit exactly."""
    import torch

    tables = model.tables()
    state = model.state_dict()
    wanted = {key: value for key, value in state.items() if key not in tables}
    odd = [key for key in tables.keys() & weights.keys() if not _same_table(tables[key], weights[key])]
    if odd:
        raise BadInput(
            f"The weights of {name} hold another table {odd[0]} than the published model has.",
            "They belong to a changed model; choose a published checkpoint.",
        )
    weights = {key: value for key, value in weights.items() if key not in tables}
    missing, extra = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    if missing or extra:
        some = [f"lacks {_listed(missing)}"] * bool(missing) + [f"holds unknown {_listed(extra)}"] * bool(extra)
        raise BadInput(
            f"The weights of {name} belong to another architecture: the file {' and '.join(some)}.",
            "Choose a model whose config.json and weights belong together.",
            "\n".join(missing + extra),
        )
    wrong = [key for key in wanted if wanted[key].shape != weights[key].shape]
    if wrong:
        key = wrong[0]
        raise BadInput(
            f"The weights of {name} have another size than its config.json says: {key} is {tuple(weights[key].shape)}, "
            f"not {tuple(wanted[key].shape)}.",
            "Choose a model whose config.json and weights belong together.",
            "\n".join(wrong),
        )
    broken = [key for key, value in weights.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise BadInput(
            f"The weights of {name} hold values that are not numbers, in {_listed(broken)}.",
            "Its training went wrong or the file is damaged; choose another model.",
        )
    model.load_state_dict(state | {key: value.to(wanted[key].dtype) for key, value in weights.items()}, strict=True)


def _same_table(own: Tensor, stored: Tensor) -> bool:
    return own.shape == stored.shape and bool((own - stored.to(own.dtype)).abs().max() < 1e-5)


def write_weights(model: MaskedModel, folder: Path) -> None:
    """Write all parameters, buffers and fixed tables to ``folder/model.safetensors``, float32."""
    from safetensors.torch import save_file

    whole = {**model.state_dict(), **model.tables()}
    tensors = {key: value.detach().cpu().contiguous() for key, value in whole.items()}
    with written_whole(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
