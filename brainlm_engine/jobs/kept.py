"""What a job leaves for the window: a message and its arrays in one safetensors file of the study."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Message, Reply
from brainlm_engine.files import written_whole
from brainlm_engine.paths import data_dir

M = TypeVar("M", bound=Message)
_INFO = "info"


def keep(kind: str, job_id: str, info: Message, arrays: dict[str, NDArray[np.generic]]) -> Path:
    """Write a result under ``<study>/<kind>/<job_id>``; arrays become float32."""
    from safetensors.numpy import save_file

    path = _path(kind, job_id)
    with written_whole(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}, temporary,
            metadata={_INFO: info.model_dump_json()},
        )  # fmt: skip
    return path


def kept(kind: str, job_id: str, message: type[M]) -> Reply[M]:
    """Return what :func:`keep` wrote.

    Raises
    ------
    BadInput
        When the job left nothing of this kind, or its file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_path(kind, job_id), "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            info = message.model_validate_json((file.metadata() or {})[_INFO])
    except (OSError, SafetensorError, KeyError, ValidationError) as error:
        raise BadInput(
            f"The result of job {job_id} is not there or cannot be read.", "Run it again.", details=str(error)
        ) from None
    return Reply(info, arrays)


def _path(kind: str, job_id: str) -> Path:
    folder = data_dir() / kind
    path = folder / f"{job_id}.safetensors"
    if path.parent != folder:
        raise BadInput(f"{job_id} is not the id of a job.", "Choose a job from the list.")
    return path
