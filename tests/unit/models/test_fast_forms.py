"""Forms that are fast on a graphics processor compute what the plain ones do; here on any device."""

from __future__ import annotations

import pytest
import torch

from brainlm_engine.models.attention import Block
from brainlm_engine.models.attention import phases_of as _phases
from brainlm_engine.models.masks import MaskPlan, hide_noisiest
from brainlm_engine.models.positive_solve import solved
from brainlm_engine.models.time_packing import BLOCK, Packing, most_rows
from brainlm_engine.models.visible import Seen


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def systems(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    loadings = draw(6, 40, 12).to(dtype)
    return loadings.mT @ loadings + torch.eye(12, dtype=dtype), draw(6, 12, 5, seed=1).to(dtype)


def test_solve_is_cholesky_with_its_gradient() -> None:
    found = []
    for solve in (solved, lambda gram, right: torch.cholesky_solve(right, torch.linalg.cholesky(gram))):
        gram, right = (x.requires_grad_() for x in systems())
        solution = solve(gram, right)
        (solution * draw(6, 12, 5, seed=2)).sum().backward()
        assert gram.grad is not None
        # torch spreads the gradient over both triangles in its own way: the symmetric part is what counts
        found.append((solution.detach(), gram.grad + gram.grad.mT, right.grad))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-10)


def test_the_solve_of_graphics_processors_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from brainlm_engine.models import positive_solve

    gram, right = systems(torch.float32)
    factor = torch.linalg.cholesky(gram)
    half = torch.linalg.solve_triangular(factor, right, upper=False)
    there = torch.linalg.solve_triangular(factor.mT, half, upper=True)
    torch.testing.assert_close(positive_solve._back_and_forth(factor, right), there, atol=1e-5, rtol=1e-5)


def test_a_system_without_a_solution_gives_no_number_and_no_error() -> None:
    gram, right = systems()
    gram[2] = -torch.eye(12)
    gram[4, 0, 0] = torch.nan
    solution = solved(gram.requires_grad_(), right)
    fine = solution.isfinite().flatten(1).all(1)
    assert fine.tolist() == [True, True, False, True, False, True]


@pytest.mark.parametrize("missing", [False, True])
def test_only_the_parcels_asked_for_are_laid_back(missing: bool) -> None:
    visible = ~hide_noisiest(torch.rand((2, 30, 4), generator=torch.Generator().manual_seed(3)), 0.7)
    if missing:
        visible[0, :5] = False
    seen = Seen(visible)
    tokens, empty = draw(2, 4, seen.index.shape[2], 8), draw(8, seed=4)
    asked = torch.tensor([0, 3, 4, 11, 29])
    laid = seen.scatter(tokens, empty, asked)
    for window in range(2):
        for patch in range(4):
            shown = visible[window, :, patch].nonzero()[:, 0].tolist()
            for place, parcel in enumerate(asked.tolist()):
                expected = tokens[window, patch, shown.index(parcel)] if parcel in shown else empty
                assert torch.equal(laid[window, patch, place], expected)
    nothing = Seen(torch.zeros_like(visible))
    assert torch.equal(nothing.scatter(tokens[:, :, :0], empty, asked), empty.expand(2, 4, 5, 8))


def test_random_masks_bar_no_keys() -> None:
    even = Seen(~hide_noisiest(torch.rand((3, 50, 6)), 0.75))
    assert even.allowed(4) is None
    uneven = Seen(even.visible & (torch.arange(50) > 20)[None, :, None])
    allowed = uneven.allowed(4)
    assert allowed is not None
    assert allowed.shape == (18, 1, 1, 4 + uneven.index.shape[2])


@pytest.mark.parametrize(("parcels", "patches", "rows"), [(16, 10, 8), (9, 7, 9), (7, 60, 1), (6, 200, 1)])
def test_parcels_packed_into_one_sequence_do_not_see_each_other(parcels: int, patches: int, rows: int) -> None:
    torch.manual_seed(0)
    block = Block(32, 2, 0)
    x, times = draw(2 * parcels, patches, 32), torch.arange(patches) * 0.9
    found = most_rows(2 * parcels, patches)
    assert 2 * parcels % found == 0
    assert found * patches <= max(BLOCK, patches)
    packing = Packing.into(rows, patches)
    alone = block(x, phases=_phases(times, 16))
    wide = x.reshape(-1, rows * patches, 32)
    packed = block(wide, allowed=packing.allowed, phases=_phases(times.repeat(rows), 16))
    torch.testing.assert_close(packed.reshape(x.shape), alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "plan",
    [
        MaskPlan("random", 0.75), MaskPlan("tokens", 0.6), MaskPlan("parcels", 0.5), MaskPlan("future", 0.5, 2),
        MaskPlan("future", 0.0, 1),
    ],
    ids=lambda plan: f"{plan.kind}-{plan.ratio}",
)  # fmt: skip
def test_masks_of_many_windows_are_those_of_each(plan: MaskPlan) -> None:
    def generators() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(seed) for seed in range(4)]

    one_by_one = torch.cat([plan.draw((1, 33, 5), generator) for generator in generators()])
    assert torch.equal(plan.draw_each((33, 5), generators()), one_by_one)
