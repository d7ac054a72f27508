"""The published fine-tuning of the decoder-only BrainLM: one number per window from its summary token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from brainlm_engine.models.brainlm_causal import Backbone, CausalConfig, start_xavier


class PredictionMLP(nn.Module):
    """Three linear maps with dropout and ReLU between them."""

    def __init__(self, inputs: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.lin1, self.lin2, self.lin3 = nn.Linear(inputs, width), nn.Linear(width, width), nn.Linear(width, outputs)
        self.dropout = nn.Dropout(dropout)
        for module in (self.lin1, self.lin2, self.lin3):
            start_xavier(module)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., outputs)."""
        x = torch.relu(self.dropout(self.lin1(x)))
        x = torch.relu(self.dropout(self.lin2(x)))
        out: Tensor = self.lin3(x)
        return out


class BrainLMCausalFinetuning(nn.Module):
    """A backbone and a perceptron of three layers on the summary token, by their published names."""

    def __init__(self, config: CausalConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CausalConfig()
        self.model = Backbone(config)
        width = config.hidden_size
        self.mlp_pred_head = PredictionMLP(width, width // 2, 1, config.hidden_dropout_prob)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BrainLMCausalFinetuning:
        """Build from a published config.json."""
        return cls(CausalConfig.read(config))

    def config_dict(self) -> dict[str, Any]:
        """Return the contents of a published config.json."""
        return self.config.published()

    def forward(
        self,
        signal: Tensor,
        xyz: Tensor,
        labels: Tensor | None = None,
        noise: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        mode: str = "none",
    ) -> tuple[Tensor, Tensor]:
        """Predict one number per window.

        Parameters
        ----------
        signal, xyz, noise, mask, mode : as in :meth:`BrainLMCausal.forward`, but nothing is hidden unless it is asked
            for (the published code always hides at random)
        labels : (B,) float; NaN = unknown (left out of the loss)

        Returns
        -------
        prediction : (B,) in the unit of the labels
        loss : scalar, mean over known labels; NaN without any
        """
        patches, _ = self.model.cut(signal, xyz)
        if mask is None:
            mode = "random" if noise is not None else mode
            mask = self.model.hidden_patches(patches.shape[:3], noise, mode, signal.device)
        prediction: Tensor = self.mlp_pred_head(self.model(signal, xyz, mask)[:, 0]).squeeze(-1)
        if labels is None:
            return prediction, prediction.new_full((), torch.nan)
        known = torch.isfinite(labels)
        error = (prediction - labels.to(prediction.dtype))[known]
        return prediction, (error.square() if self.config.loss_fn == "mse" else error.abs()).mean()
