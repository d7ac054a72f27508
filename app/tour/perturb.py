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
    state.perturb.shown = "difference"
    state.view.frame = perturbed.targets[0].start + 30
    studio.set_theme("light")
    await tour.picture("perturb-light", "The difference at the time cursor, in the light theme.")
    studio.set_theme("dark")
    studio.pointing.clear()
