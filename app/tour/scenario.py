"""What the tour does, step by step, through the same calls that the menus use."""

from __future__ import annotations

import asyncio
import math
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import qVersion

from app.controllers.veil import veiled, veiled_model
from app.services.html_page import Picture, Section, Table, write_report
from app.tour.perturb import perturb
from app.tour.pulse import Pulse
from brainlm_engine import __version__

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from brainlm_engine.api.messages import MaskSpec

_PREPARE_LIMIT_S = 600.0
_PLAY_S = 4.0
_SMALL, _LARGE = (1280, 800), (2560, 1440)


@dataclass
class Tour:
    """One run: the window, where its pictures go, and what was measured."""

    studio: Studio
    out: Path
    pulse: Pulse
    seconds: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    frames_per_second: float = 0.0

    def tell(self, line: str) -> None:
        """Say where the tour is."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    async def picture(self, name: str, caption: str) -> None:
        """Take a picture of the window as it is now."""
        await self.studio.settled()
        await asyncio.sleep(0.4)
        file = f"{name}.png"
        if not self.studio.window.grab().save(str(self.out / file), "PNG"):
            raise OSError(f"The picture {file} could not be written to {self.out}.")
        self.pictures[name] = Picture(file, caption)
        self.tell(f"  {file}")

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait for something that the engine does."""
        began = time.perf_counter()
        while not done():
            if time.perf_counter() - began > _PREPARE_LIMIT_S:
                raise TimeoutError(f"The tour waited {_PREPARE_LIMIT_S:.0f} s in vain: {what}.")
            await asyncio.sleep(0.02)

    def size(self, width: int, height: int) -> None:
        """Give the window a size."""
        self.studio.window.showNormal()
        self.studio.window.resize(width, height)


async def run(studio: Studio, out: Path) -> int:
    """Do the tour, write pictures and ``report.html`` into ``out``; return the exit code."""
    out = out.absolute()
    tour = Tour(studio, out, Pulse(studio.window))
    try:
        out.mkdir(parents=True, exist_ok=True)
        await _begin(tour)
        await _look(tour)
        await _reconstruct(tour)
        await _forecast(tour)
        await _states(tour)
        await _networks(tour)
        await _attention(tour)
        await perturb(tour)
        await _train(tour)
        await _other_looks(tour)
    except OSError as error:
        tour.tell(f"The tour could not write to {out}: {error.strerror or error}. Give another folder.")
        return 1
    except (TimeoutError, RuntimeError) as error:
        tour.tell(str(error))
        return 1
    report = _report(tour)
    tour.tell(f"Report: {report}")
    return 0


async def _begin(tour: Tour) -> None:
    studio = tour.studio
    tour.size(*_SMALL)
    studio.set_theme("dark")
    if studio.engine.state.status != "ready":
        raise RuntimeError(f"The engine did not start. {studio.engine.state.problem}".strip())
    await tour.picture("cases", "Cases: the start page, before anything is open.")
    tour.tell("Making and opening the demo case (simulated)")
    began = time.perf_counter()
    with tour.pulse.phase("open"):
        if not await studio.open_demo():
            raise RuntimeError("The demo case could not be opened; the log above says why.")
        tour.seconds["first volume on screen (demo case made first where needed)"] = time.perf_counter() - began
        await studio.settled()
    with tour.pulse.phase("first paint of View"):
        await asyncio.sleep(0.4)
    await tour.picture("view-first-volume", "The first volume is on screen while the rest is prepared behind it.")
    with tour.pulse.phase("prepare"):
        began = time.perf_counter()
        await studio.prepared()
        await tour.until(lambda: studio.state.case.recording is not None, "parcel series of the demo case")
        tour.seconds["parcel series ready"] = time.perf_counter() - began
        await tour.until(lambda: studio.state.case.cached, "cache of the demo case")


async def _look(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("View: crosshair, time, playing")
    studio.show_workspace("view")
    studio.pointing.point(-12.0, -88.0, 4.0)
    studio.player.go(100)
    await tour.picture("view-dark", "View: slices, 3D brain, traces and carpet on one crosshair and one time cursor.")
    shown = 0

    def count(_frame: int) -> None:
        nonlocal shown
        shown += 1

    signal = studio.state.view.on("frame")
    signal.connect(count)
    speed = studio.state.view.speed
    studio.state.view.speed = 40.0 * studio.state.case.tr_s
    began = time.perf_counter()
    with tour.pulse.phase("play"):
        studio.state.view.playing = True
        await asyncio.sleep(_PLAY_S)
        studio.state.view.playing = False
    tour.frames_per_second = shown / (time.perf_counter() - began)
    signal.disconnect(count)
    studio.state.view.speed = speed


async def _reconstruct(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("Model: reconstructing a window with 75 % of its patches hidden")
    began = time.perf_counter()
    studio.show_workspace("model")
    with tour.pulse.phase("first paint of Model"):
        await asyncio.sleep(0.4)
    with tour.pulse.phase("reconstruct"):
        await tour.until(
            lambda: studio.state.model.result is not None or bool(studio.state.model.problem), "the reconstruction"
        )
        tour.seconds["window reconstructed, baselines included"] = time.perf_counter() - began
    if studio.state.model.result is None:
        raise RuntimeError(studio.state.model.problem)
    studio.player.go(120)
    await tour.picture("model-dark", "Model: measured and reconstructed activity, hidden patches shaded in the traces.")
    studio.state.model.shown = "r2"
    await tour.picture("model-r2", "R2 of every parcel's hidden patches, on the brain.")
    studio.state.model.shown = "reconstructed"


async def _forecast(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("Model: forecasting 20 frames")
    with tour.pulse.phase("first paint of Forecast"):
        studio.state.shell.put(model_tab="forecast")
        await asyncio.sleep(0.4)
    began = time.perf_counter()
    with tour.pulse.phase("forecast"):
        assert studio.tabs is not None
        await studio.tabs.ready("forecast")
        studio.state.forecast.put(origin=300, beside=("ar", "shared"))
        made = await studio.forecast()
    tour.seconds["forecast, simple methods included"] = time.perf_counter() - began
    if made is None:
        raise RuntimeError(studio.state.forecast.problem or "The forecast was overtaken.")
    studio.player.go(303)
    await tour.picture("forecast-dark", "Forecast: one region with its bands, the error by time ahead, the brain.")
    studio.set_theme("light")
    await tour.picture("forecast-light", "The Forecast tab in the light theme.")
    studio.set_theme("dark")
    studio.state.shell.put(model_tab="reconstruct")


async def _states(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("Model: states along the recording")
    studio.state.shell.put(model_tab="states")
    began = time.perf_counter()
    with tour.pulse.phase("states"):
        found = await studio.states()
    tour.seconds["states of the recording"] = time.perf_counter() - began
    if found is None:
        raise RuntimeError(studio.state.states.problem or "The states were overtaken.")
    await tour.picture("states-dark", "States: windows by likeness, and the states they fall into over time.")
    studio.set_theme("light")
    await tour.picture("states-light", "The States tab in the light theme.")
    studio.set_theme("dark")
    studio.state.shell.put(model_tab="reconstruct")


async def _networks(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("Networks: functional networks of the recording")
    began = time.perf_counter()
    with tour.pulse.phase("first paint of Networks"):
        studio.show_workspace("networks")
        await asyncio.sleep(0.4)
    with tour.pulse.phase("networks"):
        networks = studio.state.networks
        await tour.until(lambda: networks.result is not None or bool(networks.problem), "the networks")
        tour.seconds["networks of the recording, first answer"] = time.perf_counter() - began
        if networks.result is None:
            raise RuntimeError(networks.problem)
        await tour.until(lambda: not networks.controlling and not networks.running, "the controls of the networks")
        tour.seconds["networks of the recording, controls included"] = time.perf_counter() - began
    studio.pointing.choose((20, 200))
    await tour.picture("networks-dark", "Networks: the brain by network, how alike the parcels are, mean activity.")
    networks.shown = "right"
    studio.set_theme("light")
    await tour.picture("networks-light", "Which parcels are in their reference network, in the light theme.")
    studio.set_theme("dark")
    networks.shown = "found"
    studio.pointing.clear()


async def _attention(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("Model: attention of one parcel")
    studio.show_workspace("model")
    studio.state.shell.put(model_tab="attention")
    began = time.perf_counter()
    with tour.pulse.phase("attention"):
        read = await studio.attention()
    tour.seconds["attention of the recording"] = time.perf_counter() - began
    if read is None:
        raise RuntimeError(studio.state.attention.problem or "The attention was overtaken.")
    before = studio.state.view.selected
    began = time.perf_counter()
    with tour.pulse.phase("attention of another parcel"):
        studio.pointing.choose((3,))
        await studio.settled()
    tour.seconds["attention of another parcel, on the brain"] = time.perf_counter() - began
    await tour.picture("attention-dark", "Attention: what one parcel takes from all others, and the whole matrix.")
    studio.set_theme("light")
    await tour.picture("attention-light", "The Attention tab in the light theme.")
    studio.set_theme("dark")
    studio.pointing.choose(before)
    studio.state.shell.put(model_tab="reconstruct")


async def _train(tour: Tour) -> None:
    tour.tell("Train: the page before the first training")
    tour.studio.show_workspace("train")
    await tour.picture("train-start", "Train: what it takes to train a model of your own.")
    tour.studio.show_workspace("model")


async def _other_looks(tour: Tour) -> None:
    studio = tour.studio
    tour.tell("The other theme, the other size")
    studio.set_theme("light")
    await tour.picture("model-light", "The Model workspace in the light theme.")
    studio.show_workspace("view")
    await tour.picture("view-light", "The View workspace in the light theme.")
    studio.shell.set_mood("lab")
    await tour.picture("lab-light", "Lab mood: jobs, log and details are docked.")
    tour.size(*_LARGE)
    await tour.picture("view-large-light", "2560 x 1440 pixels, light.")
    studio.set_theme("dark")
    studio.shell.set_mood("review")
    studio.show_workspace("model")
    await tour.picture("model-large-dark", "2560 x 1440 pixels, dark.")
    tour.size(*_SMALL)


def _report(tour: Tour) -> Path:
    result = tour.studio.state.model.result
    scan, recording = tour.studio.state.case.scan, tour.studio.state.case.recording
    assert result is not None
    assert scan is not None
    assert recording is not None
    forecast = tour.studio.state.forecast.result
    assert forecast is not None
    networks = tour.studio.state.networks.result
    assert networks is not None
    scores = tuple(
        (s.title, *(f"{v:.3f}" if math.isfinite(v) else "–" for v in (s.r2, s.r, s.mse))) for s in result.info.scores
    )
    figures = (
        *((name, f"{value:.2f} s") for name, value in tour.seconds.items()),
        ("frames shown per second while playing", f"{tour.frames_per_second:.1f}"),
        *(
            (f"longest time the window was blocked: {name}", f"{tour.pulse.longest_ms(name):.0f} ms")
            for name in tour.pulse.gaps_ms
        ),
    )
    take = tour.pictures
    steered = tour.studio.state.steer.result
    taken = steered.info.verdict if steered is not None else ""
    sections = (
        Section(
            "The case",
            f"{veiled(tour.studio.state, scan.info.name)}: {' x '.join(map(str, scan.info.shape))}, "
            f"TR {recording.info.tr_s:g} s, "
            f"{recording.info.n_parcels} parcels of the atlas {recording.info.atlas_id}, "
            f"{recording.info.n_missing} missing. The demo case is simulated.",
            pictures=(take["cases"], take["view-first-volume"], take["view-dark"]),
        ),
        Section(
            "What the model makes of it",
            f"{result.info.n_frames} frames from frame {result.info.start} on; {result.mask.mean():.0%} of the patches "
            "were hidden and filled in. R2, r and MSE are over the hidden frames only, in standard deviations.",
            result.info.verdict,
            Table(("Method", "R2", "r", "MSE"), scores),
            (take["model-dark"], take["model-r2"]),
        ),
        Section("What follows", forecast.info.verdict, pictures=(take["forecast-dark"],)),
        Section("States along the recording", pictures=(take["states-dark"],)),
        Section("Functional networks", networks.info.verdict, pictures=(take["networks-dark"],)),
        Section("What the model looks at", pictures=(take["attention-dark"],)),
        Section(
            "What follows if, and what it would take",
            "Left V1 set to +1.5 SD for 40 s; scenarios side by side (a report of them is perturbation.html); every "
            "network over a range of values; and the change that would bring the demo person from the task to rest.",
            taken,
            pictures=tuple(take[name] for name in ("perturb-dark", "compare-dark", "sweep-dark", "steer-dark")),
        ),
        Section("A model of your own", pictures=(take["train-start"],)),
        Section("Both themes, both sizes", pictures=tuple(take[name] for name in take if _is_look(name))),
        Section("How it felt", "Measured in this run, on this computer.", table=Table(("", "Measured"), figures)),
    )
    return write_report(
        tour.out / "report.html", "BrainLM Studio: the tour", "The main job on the demo case.", sections, _facts(tour)
    )


def _is_look(name: str) -> bool:
    return "light" in name or "large" in name


def _facts(tour: Tour) -> dict[str, str]:
    state = tour.studio.state
    engine, model = tour.studio.engine.state.info, state.model
    chosen = veiled_model(state, model.model) if model.model else None
    return {
        "BrainLM Studio": __version__,
        "Model": f"{chosen.title} ({veiled(state, chosen.model_id)})" if chosen else "",
        "Mask": _mask(model.mask),
        "Engine": f"{engine.device}" if engine else "",
        "System": platform.platform(),
        "Python, Qt, PySide": f"{platform.python_version()}, {qVersion()}, {PySide6.__version__}",
        "Made": time.strftime("%Y-%m-%d %H:%M"),
    }


def _mask(mask: MaskSpec) -> str:
    """Write a mask so that it can be drawn again: what was hidden, how much of it, the seed."""
    what = {
        "random": f"{mask.ratio:.0%} of the patches at random, seed {mask.seed}",
        "parcels": f"{len(mask.parcels)} parcels: {', '.join(map(str, mask.parcels))}",
        "network": f"the network {mask.network}",
        "span": f"patches {mask.span[0]} to {mask.span[1] - 1} of every parcel" if mask.span else "no patches",
        "none": "nothing",
    }
    return f"{mask.kind}: {what[mask.kind]}"
