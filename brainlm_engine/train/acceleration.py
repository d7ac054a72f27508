"""How the layers of a model are run while it learns: as they stand, compiled, or without keeping what lies in between.

Only layers are compiled, not the whole model: all layers of a kind share one piece of machine code, which is ready
within a minute and is where nearly all the time goes. What varies from step to step (windows, patches, visible parcels)
is compiled for any size as soon as it has been seen to vary, so that compiling comes to an end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from brainlm_engine.train.settings import TrainSettings

Layer = Callable[..., Any]
#: versions of one layer function (precision, with and without barred keys, sizes) before torch stops compiling new ones
_VERSIONS = 32
#: from so many parameters on, layers are compiled without being asked: for smaller models the minute that it takes is a
#: good part of a training
_WORTH_COMPILING = 5_000_000
#: of torch.compile, for trainings
BACKEND: str | Callable[..., Any] = "inductor"


class LayerRunner:
    """Runs layers for a model that learns; without gradients, as they stand.

    Attributes
    ----------
    compiles : layers are compiled first (:func:`torch.compile`)
    checkpoints : what a layer computes in between is thrown away and computed again for the gradient
    backend : of torch.compile; :data:`BACKEND` when not given
    gave_up : why layers are no longer compiled, when that had failed
    """

    def __init__(self, *, compiles: bool, checkpoints: bool, varied: bool = False, backend: str | Layer = "") -> None:
        self.compiles, self.checkpoints, self.backend = compiles, checkpoints, backend or BACKEND
        self.gave_up = ""
        self._varied = varied
        self._compiled: dict[Layer, Layer] = {}
        if compiles:
            import torch._dynamo

            config: Any = torch._dynamo.config
            config.recompile_limit = max(config.recompile_limit, _VERSIONS)
            _without_tiling_analysis()

    def __call__(self, layer: Layer, *args: Any) -> Any:
        """Run ``layer(*args)``."""
        if not torch.is_grad_enabled():
            return layer(*args)
        run = self._compile(layer) if self.compiles else layer
        return checkpoint(run, *args, use_reentrant=False) if self.checkpoints else run(*args)

    def give_up(self, error: BaseException) -> None:
        """Compile no more: run every layer as it stands."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = " ".join(lines[:2]) or type(error).__name__
        self.compiles, self.gave_up = False, f"they could not be compiled ({why[:200].rstrip('.')})"

    def _compile(self, layer: Layer) -> Layer:
        if layer not in self._compiled:
            # None: for the sizes at hand, and for any as soon as others come; True: for any from the start
            dynamic = True if self._varied else None
            self._compiled[layer] = torch.compile(layer, backend=self.backend, dynamic=dynamic)
        return self._compiled[layer]


def _without_tiling_analysis() -> None:
    """Spare the compiler a search for better tiles that fails (an assertion, torch 2.11 with CUDA) where sizes vary."""
    import torch._inductor.config

    triton: Any = torch._inductor.config.triton
    if hasattr(triton, "coalesce_tiling_analysis"):
        triton.coalesce_tiling_analysis = False


def layer_runner(settings: TrainSettings, *, spread: bool, n_parameters: int) -> LayerRunner:
    """Return the runner that the settings ask for; weights that are spread over processes cannot be compiled."""
    worth_it = settings.device == "cuda" and n_parameters >= _WORTH_COMPILING
    wanted = settings.compile == "on" or (settings.compile == "auto" and worth_it)
    return LayerRunner(
        compiles=wanted and not spread, checkpoints=settings.checkpointing == "on", varied=settings.variety
    )
