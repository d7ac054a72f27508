"""The figures of a training as event files that TensorBoard draws: ``tensorboard --logdir MODEL/tensorboard``."""

from __future__ import annotations

from pathlib import Path

FOLDER = "tensorboard"


class Events:
    """Writes every look at the validation people; going on after a kill hides what is computed again."""

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder / FOLDER), purge_step=step + 1)

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Add one value per figure."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
