"""The yardstick of the speed comparison is the published model: its outputs, its gradients, its names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.mark.shared_data
def test_plain_13m_is_the_published_model(shared_reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from plain_13m import Config, Plain13M

    folder = shared_reference / "golden_tiny"
    config = json.loads((folder / "config.json").read_text())
    model = Plain13M(Config.of(config)).eval()
    left_out = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert set(left_out.missing_keys) == {"vit.embeddings.pos_embedding.pe", "decoder.pos_embedding.pe"}
    assert not left_out.unexpected_keys
    golden = load_file(folder / "io.safetensors")
    inputs = golden["signal_vectors"], golden["xyz_vectors"], golden["noise"]
    close = torch.testing.assert_close

    output = model(*inputs)
    close(output.prediction, golden["logits"], atol=1e-4, rtol=0)
    close(output.latent, golden["latent"], atol=1e-5, rtol=0)
    close(output.mask, golden["mask"], atol=0, rtol=0)
    close(output.loss, golden["loss"][0], atol=1e-5, rtol=0)
    close(model.vit.embeddings.pos_embedding.pe[:16], golden["pe_head"], atol=0, rtol=0)
    attentions: list[torch.Tensor] = []
    model.vit(*inputs, attentions)
    assert len(attentions) == 2
    for place, weights in enumerate(attentions):
        close(weights, golden[f"attn_{place}"], atol=1e-5, rtol=0)

    output.loss.backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    expected = load_file(folder / "grads.safetensors")
    assert gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        close(gradients[name], gradient, atol=1e-5 + 1e-4 * float(gradient.abs().max()), rtol=0)

    mae = Plain13M(Config.of({**config, "loss_fn": "mae"})).eval()
    mae.load_state_dict(model.state_dict())
    close(mae(*inputs).loss, golden["loss_mae"][0], atol=1e-5, rtol=0)


def test_plain_13m_has_the_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from plain_13m import Plain13M

    with torch.device("meta"):
        model = Plain13M()
    assert sum(weight.numel() for weight in model.parameters()) == 13_429_292
    assert len(model.state_dict()) == 124
