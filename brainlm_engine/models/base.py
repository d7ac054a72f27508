"""What every architecture of the engine has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.models.output import ModelOutput

#: of the models by the van Dijk lab
UNKNOWN_SCALING = (
    "The published model was trained on robust-scaled series whose statistics are not public; here each parcel is "
    "z-scored over the recording."
)


def directly(layer: Callable[..., Any], *args: Any) -> Any:
    """Run a layer as it stands."""
    return layer(*args)


class MaskedModel(nn.Module):
    """A model that fills in hidden patches. Subclasses are one readable file each.

    Attributes
    ----------
    card, folder : what is known of the loaded weights and where they lie; None for a model built by hand
    answer_size : parcels and frames of the fixed input that the model is self-tested with
    limits : plain sentences for the card: what the architecture cannot do
    input_note : said beside every result: how the input differs from what the weights were trained on, or ''
    patch_s : length of a time patch when it is a time, whatever the TR; 0 = a number of frames
    run_layer : ``(layer, *args)`` runs one layer, a function of tensors; training may compile it or not keep what
        it computes in between (:mod:`brainlm_engine.train.acceleration`)
    rebuilt : keys of fixed tables that this class computes for itself; a weights file may hold them or leave them out
    """

    limits: ClassVar[tuple[str, ...]] = ()
    input_note: ClassVar[str] = ""
    patch_s: ClassVar[float] = 0.0
    rebuilt: ClassVar[tuple[str, ...]] = ()
    run_layer: Callable[..., Any] = staticmethod(directly)
    card: ModelInfo | None = None
    folder: Path | None = None
    answer_size: tuple[int, int] = (40, 200)

    def tables(self) -> dict[str, Tensor]:
        """Return the fixed tables by their keys in published files."""
        state = self.state_dict()
        return {key: state[key] for key in self.rebuilt}

    @classmethod
    @abstractmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedModel:
        """Build with fresh weights. Raises ``TypeError`` or ``ValueError`` when the numbers make no model."""

    @abstractmethod
    def config_dict(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to build the same model."""

    @abstractmethod
    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames make one patch at this TR."""

    @abstractmethod
    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        noise: Tensor | None = None,
        mask: Tensor | None = None,
        tr_s: float | None = None,
    ) -> ModelOutput:
        """Fill in the hidden patches of ``signal (B, V, T)`` at ``xyz (B, V, 3)`` mm; see the subclass."""

    def __call__(self, *args: Any, **kwargs: Any) -> ModelOutput:
        """Run :meth:`forward`."""
        output: ModelOutput = super().__call__(*args, **kwargs)
        return output
