"""Small choices inside a step that only a graphics processor can decide: each in the forms that compute the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from brainlm_engine.models.positive_solve import solved
from brainlm_engine.models.time_packing import Packing, most_rows


def milliseconds(call: Callable[[], Tensor], rounds: int = 10) -> float:
    """Return the time of the call and its gradient."""

    def wait() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    for _ in range(2):
        call().float().square().sum().backward()
    wait()
    began = time.perf_counter()
    for _ in range(rounds):
        call().float().square().sum().backward()
    wait()
    return 1e3 * (time.perf_counter() - began) / rounds


def over_time(
    device: str, sequences: int, heads: int, patches: int = 10, head: int = 64
) -> Iterator[tuple[str, float]]:
    """Attention of many short sequences: one by one, packed with bars between them, and as plain products."""
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    query, key, value = (
        torch.randn(sequences, heads, patches, head, device=device, dtype=kind, requires_grad=True) for _ in range(3)
    )
    packing = Packing.into(most_rows(sequences, patches), patches, device)

    def packed(x: Tensor) -> Tensor:
        return x.transpose(1, 2).reshape(-1, packing.rows * patches, heads, head).transpose(1, 2)

    def products() -> Tensor:
        return (query @ key.mT / head**0.5).softmax(-1) @ value

    forms: dict[str, Callable[[], Tensor]] = {
        "one by one": lambda: functional.scaled_dot_product_attention(query, key, value),
        f"packed by {packing.rows}": lambda: functional.scaled_dot_product_attention(
            packed(query), packed(key), packed(value), attn_mask=packing.allowed
        ),
        "plain products": products,
    }
    for name, form in forms.items():
        yield f"attention over time, {name}", milliseconds(form)


def ridge(device: str, systems: int, factors: int = 128) -> Iterator[tuple[str, float]]:
    """The first guess's systems: our solve, and Cholesky differentiated by torch."""
    loadings = torch.randn(systems, 106, factors, device=device)
    gram = (loadings.mT @ loadings / 106 + torch.eye(factors, device=device)).requires_grad_()
    right = torch.randn(systems, factors, 20, device=device, requires_grad=True)
    yield "ridge, our solve", milliseconds(lambda: solved(gram, right), 3)
    yield "ridge, cholesky_solve", milliseconds(lambda: torch.cholesky_solve(right, torch.linalg.cholesky(gram)), 3)


def forms(device: str, batch: int, heads: int = 16, queries: int = 128) -> Iterator[tuple[str, float]]:
    """All of them at the sizes of a step, in milliseconds with the gradient."""
    yield from over_time(device, batch * queries, heads)
    yield from ridge(device, batch * 10)
