"""The tour's stop at the Perturb workspace: a region is set, dragged with previews, and let go."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.tour.scenario import Tour

_REGION = "Left calcarine cortex 1"  # V1
_MOVES, _STEP_SD = 40, -0.04


async def perturb(tour: Tour) -> None:
    """Set left V1 to +1.5 SD for 40 s, drag it down, let go, compare with random regions."""
    studio, state = tour.studio, tour.studio.state
    perturbed, atlas, room = state.perturb, state.case.atlas, tour.studio.perturb_room
    assert atlas is not None
    assert room is not None
    tour.tell("Perturb: left V1 is set and dragged")
    with tour.pulse.phase("first paint of Perturb"):
        studio.show_workspace("perturb")
        controller = await room.ready()
        await studio.settled()
    studio.pointing.pick(next(n for n in range(atlas.info.n_parcels) if atlas.name(n) == _REGION))
    began = time.perf_counter()
    with tour.pulse.phase("perturb"):
        controller.editor.add()
        await tour.until(lambda: perturbed.result is not None or bool(perturbed.problem), "what follows")
    tour.seconds["what follows, first answer"] = time.perf_counter() - began
    if perturbed.result is None:
        raise RuntimeError(perturbed.problem)
    await studio.settled()
    spent = []
    with tour.pulse.phase("drag a target"):
        for _ in range(_MOVES):
            target, tr_s = perturbed.target, state.case.tr_s
            assert target is not None
            began = time.perf_counter()
            controller.drag(
                controller.editor.dragged(target.value + _STEP_SD, target.start * tr_s, target.stop * tr_s)
            )  # fmt: skip
            await controller.previews.settled()
            await tour.studio.drawn()
            spent.append(time.perf_counter() - began)
    tour.seconds["preview of a drag on brain and traces, median"] = statistics.median(spent)
    tour.seconds["preview of a drag on brain and traces, 95 of 100"] = sorted(spent)[round(0.95 * len(spent)) - 1]
    controller.editor.let_go()
    state.edits.undo()
    began = time.perf_counter()
    await studio.settled()
    tour.seconds[f"what follows, beside {perturbed.nulls} draws of random regions"] = time.perf_counter() - began
    await tour.picture("perturb-dark", "Perturb: left V1 set to +1.5 SD for 40 s, and what the model expects.")
    room.parts.comparison.keep()
    state.perturb.shown = "difference"
    state.view.frame = perturbed.targets[0].start + 30
    studio.set_theme("light")
    await tour.picture("perturb-light", "The difference at the time cursor, in the light theme.")
    studio.set_theme("dark")
    studio.pointing.clear()
    await _side_by_side(tour)
    await _how_much_follows(tour)
    await _what_it_would_take(tour)


async def _side_by_side(tour: Tour) -> None:
    """Keep the same region set down, and its whole network, beside the first scenario."""
    studio, perturbed, room = tour.studio, tour.studio.state.perturb, tour.studio.perturb_room
    assert room is not None
    assert room.controller is not None
    first = perturbed.targets[0]
    perturbed.put(shown="effect", nulls=19)
    with tour.pulse.phase("compare scenarios"):
        for name, change in (("Left V1 down", {"value": -1.5}), ("Left V1, pulse", {"shape": "pulse", "value": 3.0})):
            perturbed.put(targets=(first.model_copy(update=change),))
            await studio.settled()
            room.parts.comparison.keep()
            room.parts.comparison.rename(perturbed.compared, name)
        room.parts.comparison.rename(0, "Left V1 up")
        studio.state.steer.put(question="compare")
        await studio.settled()
    await tour.picture("compare-dark", "Scenarios side by side, on one scale.")
    path = tour.out / "perturbation.html"
    if not await room.parts.report.write(str(path)):
        raise RuntimeError("the report could not be written")
    perturbed.put(targets=(first,), nulls=39)
    studio.state.steer.put(question="follows")
    await studio.settled()


async def _how_much_follows(tour: Tour) -> None:
    """Set every network in turn, at seven values."""
    studio, sweep, room = tour.studio, tour.studio.state.sweep, tour.studio.perturb_room
    assert room is not None
    studio.state.steer.put(question="sweep")
    sweep.put(over="networks", count=5)
    began = time.perf_counter()
    with tour.pulse.phase("sweep"):
        if not await room.parts.sweeping.run():
            raise RuntimeError("the sweep did not end")
        await studio.settled()
    if sweep.result is not None:
        cells = len(sweep.result.info.cells)
        tour.seconds[f"a sweep of every network, {cells} answers"] = time.perf_counter() - began
    await tour.picture("sweep-dark", "How much follows: every network in turn, over a range of values.")
    studio.state.steer.put(question="follows")


async def _what_it_would_take(tour: Tour) -> None:
    """Bring the demo person, who looks at pictures, to rest, as that takes simulated people there."""
    studio, steer, room = tour.studio, tour.studio.state.steer, tour.studio.perturb_room
    assert room is not None
    tour.tell("Perturb: what would it take to come to rest?")
    steer.put(question="take")
    began = time.perf_counter()
    if not await room.parts.steering.make_demo():
        raise RuntimeError("the demo group could not be made")
    tour.seconds["the demo group: 24 people, rest and visual task"] = time.perf_counter() - began
    steer.put(first="visual", second="rest")
    began = time.perf_counter()
    with tour.pulse.phase("search a change"):
        await room.parts.steering.search()
    tour.seconds["what it would take: the target read, one search, 19 random places"] = time.perf_counter() - began
    if steer.result is None:
        raise RuntimeError(steer.problem)
    await studio.settled()
    await tour.picture("steer-dark", "What would it take: the change that brings the demo person from task to rest.")
    studio.set_theme("light")
    steer.put(shown="change")
    await tour.picture("steer-light", "The change at the time cursor, in the light theme.")
    studio.set_theme("dark")
    steer.put(question="follows", shown="magnitude")
