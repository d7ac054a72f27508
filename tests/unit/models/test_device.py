"""The device that models answer on."""

from __future__ import annotations

import pytest
import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models import device as devices
from brainlm_engine.models import load_model


def test_a_person_may_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devices.VARIABLE, "cpu")
    assert devices.answering_device() == torch.device("cpu")
    assert next(load_model().parameters()).device.type == "cpu"
    monkeypatch.setenv(devices.VARIABLE, "abacus")
    with pytest.raises(BadInput, match=r"BRAINLM_DEVICE is “abacus”.*Set it to cpu"):
        load_model()
    assert next(load_model(device="cpu").parameters()).device.type == "cpu", "what training starts from"


def test_a_card_that_is_seen_but_does_not_work_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(devices.VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_works", lambda _: False)
    assert devices.answering_device() == torch.device("cpu")
    monkeypatch.setattr(devices, "_works", lambda _: True)
    assert devices.answering_device() == torch.device("cuda")
