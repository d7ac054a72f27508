"""Attention that is the same in every time patch: against its definition, with and without hidden patches."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from brainlm_engine.models.attention import Block
from brainlm_engine.models.tied_attention import Layout, tied_cross, tied_self
from brainlm_engine.models.visible import Seen

BATCH, PARCELS, PATCHES, WIDTH, HEADS, ALWAYS = 2, 7, 5, 16, 2, 3


def layout_of(hidden_share: float, *, uneven: bool = True) -> tuple[Seen, Layout]:
    draw = torch.Generator().manual_seed(3)
    visible = torch.rand(BATCH, PARCELS, PATCHES, generator=draw) >= hidden_share
    if not uneven:
        visible = torch.ones_like(visible)
        visible[:, 1] = hidden_share == 0
    seen = Seen(visible)
    return seen, Layout.of(seen, ALWAYS)


def expected(query: Tensor, key: Tensor, value: Tensor, asking: Tensor, asked: Tensor, *, both: bool) -> Tensor:
    """One head, place by place: ``query (N, Q, d)``, ``asking (N, Q)`` and ``asked (N, P)`` say who is there."""
    out = torch.zeros(*query.shape[:2], value.shape[2])
    for row in range(query.shape[1]):
        scores = []
        for column in range(key.shape[1]):
            times = [n for n in range(len(query)) if asked[n, column] and (asking[n, row] or not both)]
            total = sum((query[n, row] @ key[n, column] for n in times), torch.zeros(()))
            scores.append(total / math.sqrt(max(1, len(times)) * query.shape[2]))
        for patch in range(len(query)):
            if asking[patch, row]:
                there = asked[patch].nonzero()[:, 0]
                share = torch.stack(scores)[there].softmax(0)
                out[patch, row] = share @ value[patch, there]
    return out


def spread(layout: Layout, values: Tensor) -> Tensor:
    """(B, N, S, ...) to (B, N, P, ...), padding left out."""
    out = torch.zeros(*values.shape[:2], layout.places, *values.shape[3:])
    for batch, patch, slot in layout.present.nonzero().tolist():
        out[batch, patch, layout.place[batch, patch, slot]] = values[batch, patch, slot]
    return out


@pytest.mark.parametrize(("share", "uneven"), [(0.6, True), (0.5, False), (0.0, False)])
@torch.no_grad()
def test_scores_are_added_up_over_the_window(share: float, uneven: bool) -> None:
    torch.manual_seed(0)
    seen, layout = layout_of(share, uneven=uneven)
    assert layout.whole == (share == 0)
    block = Block(WIDTH, HEADS, 0, crossed=True)
    tokens = torch.randn(BATCH, PATCHES, layout.place.shape[2], WIDTH)
    weights: list[Tensor] = []
    itself = tied_self(block, tokens, layout, weights)
    total = weights[0].masked_fill(~layout.present[:, :, None, None], 0).sum(-1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-6)

    state = torch.randn(BATCH, PATCHES, 4, WIDTH)
    crossed = tied_cross(block, state, tokens, layout)
    there = spread(layout, layout.present[..., None].float())[..., 0] > 0
    for of_batch in range(BATCH):
        for made, asking, normed, both in (
            (itself, tokens, block.norm(tokens), True),
            (crossed, state, block.context_norm(tokens), False),  # type: ignore[misc]
        ):
            query = block.attention.query(block.norm(asking))
            key, value = block.attention.key_value(normed).chunk(2, -1)
            if both:
                query = spread(layout, query)
            who = there if both else torch.ones(BATCH, PATCHES, 4, dtype=torch.bool)
            heads = [
                expected(
                    *(x[of_batch].unflatten(-1, (HEADS, -1))[:, :, head]
                      for x in (query, spread(layout, key), spread(layout, value))),
                    who[of_batch], there[of_batch], both=both,
                )
                for head in range(HEADS)
            ]  # fmt: skip
            wanted = block.attention.out(torch.cat(heads, -1))
            got = (made - asking)[of_batch]
            if both:
                real = layout.present[of_batch]
                at = layout.place[of_batch]
                wanted = wanted.gather(1, at[..., None].expand(-1, -1, WIDTH))[real]
                got = got[real]
            assert torch.allclose(got, wanted, atol=1e-5)
    assert seen.even == layout.even


def test_the_short_way_for_whole_windows_is_the_long_one() -> None:
    torch.manual_seed(0)
    _, layout = layout_of(0.0, uneven=False)
    block = Block(WIDTH, HEADS, 2, crossed=True)
    tokens = torch.randn(BATCH, PATCHES, layout.places, WIDTH)
    long = layout._replace(whole=False)
    short_weights: list[Tensor] = []
    long_weights: list[Tensor] = []
    assert torch.allclose(
        tied_self(block, tokens, layout, short_weights), tied_self(block, tokens, long, long_weights), atol=1e-5
    )
    assert torch.allclose(short_weights[0], long_weights[0], atol=1e-6)
    assert torch.allclose(tied_cross(block, tokens, tokens, layout), tied_cross(block, tokens, tokens, long), atol=1e-5)


@pytest.mark.parametrize("both", [False, True])
def test_time_patches_that_hold_the_same_places_share_a_softmax(both: bool) -> None:
    torch.manual_seed(0)
    visible = torch.ones(BATCH if both else 1, PARCELS, 6, dtype=torch.bool)
    visible[:, :, 3:] = False
    visible[:, 2, 3:5] = True  # three all there, two with one parcel, one with none
    seen = Seen(visible)
    with torch.no_grad():
        layout = Layout.of(seen, ALWAYS)
        assert layout.alike is not None
        assert sorted(len(places) - ALWAYS for _, places in layout.alike) == [0, 1, PARCELS]
        plain = layout._replace(alike=None)
        block = Block(WIDTH, HEADS, 0, crossed=True)
        tokens = torch.randn(len(visible), 6, layout.place.shape[2], WIDTH)
        state = torch.randn(len(visible), 6, 4, WIDTH)
        crossed = [tied_cross(block, state, tokens, each) for each in (layout, plain)]
        itself = [tied_self(block, tokens, each) for each in (layout, plain)]
    assert torch.allclose(*crossed, atol=1e-6)
    assert torch.allclose(itself[0][layout.present], itself[1][layout.present], atol=1e-6)
    assert Layout.of(seen, ALWAYS).alike is None, "not while gradients are kept"
    with torch.no_grad():
        assert Layout.of(layout_of(0.5)[0], ALWAYS).alike is None, "windows that differ"
        many = torch.eye(PARCELS, dtype=torch.bool)[None]
        assert Layout.of(Seen(many), ALWAYS).alike is None, "as many kinds as time patches"
