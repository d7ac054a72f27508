"""The Details dock: facts of what was selected last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.controllers.display import number
from app.controllers.motion import amount, source
from app.controllers.veil import veiled
from app.state import AppState
from app.text import has, tr
from app.views.main_window import MainWindow
from app.widgets import ticks
from brainlm_engine.api.repair import REPAIRS

Facts = tuple[tuple[str, str], ...]


class DetailsController:
    """A parcel, a job or the scan in rows of name and value."""

    _job_id = ""  # the job whose facts are on show

    def __init__(self, state: AppState, window: MainWindow) -> None:
        self._state, self._window = state, window
        self._shown: tuple[str, Facts] = ("", ())
        state.view.on("selected").connect(self._parcel)
        state.case.on("recording").connect(self._parcel)
        state.case.on("motion").connect(self._parcel)
        state.case.on("scan").connect(self._scan)
        state.view.on("names_hidden").connect(lambda _: self._show(*self._shown))
        window.jobs.selected.connect(self._job)
        state.work.on("jobs").connect(lambda _: self._job(self._job_id))

    def _show(self, title: str, facts: Facts) -> None:
        """Show facts; names inside them are veiled where names are hidden, now and when that changes."""
        self._shown = (title, facts)
        seen = tuple((name, veiled(self._state, value)) for name, value in facts)
        self._window.details.set_facts(veiled(self._state, title), seen)

    def _scan(self, *_: object) -> None:
        self._job_id = ""
        scan = self._state.case.scan
        if scan is None:
            self._show("", ())
            return
        info = scan.info
        facts = [
            (tr("facts.format"), info.format),
            (tr("facts.shape"), " × ".join(str(n) for n in info.shape)),
            (tr("facts.tr"), f"{info.tr_s:g} s ({info.tr_source})" if info.tr_s else tr("probe.none")),
            (
                tr("facts.voxel"),
                " × ".join(f"{z:g}" for z in info.zooms_mm) + " mm" if info.zooms_mm else tr("probe.none"),
            ),
            (
                tr("facts.values"),
                tr(
                    "facts.values_about" if scan.is_volume else "facts.values_text",
                    low=number(info.value_range[0]),
                    high=number(info.value_range[1]),
                    unit=info.unit,
                ),
            ),
            (tr("facts.space"), info.space.text if info.space is not None else tr("probe.none")),
        ]
        motion = self._state.case.motion
        if motion is not None:
            facts.append((tr("facts.motion"), source(motion)))
            if motion.fd_mm is not None:
                facts.append((tr("facts.fd"), amount(motion)))
        facts += self._filled()
        facts += [(tr("facts.note"), note) for note in info.notes]
        self._show(info.name, tuple(facts))

    def _filled(self) -> list[tuple[str, str]]:
        """What repairs filled in, one line a repair."""
        recording = self._state.case.recording
        if recording is None or recording.filled is None:
            return []
        share = f"{100 * float(recording.filled.mean()):.1f}"
        facts = [(tr("facts.filled"), tr("facts.filled_text", share=share, n=int(recording.filled.sum())))]
        for repair in recording.info.provenance.get(REPAIRS, ()):
            methods = repair.get("methods") if isinstance(repair, Mapping) else None
            if not isinstance(methods, Mapping):
                continue
            known = [(f"repair.kind.{kind}", f"repair.{method}") for kind, method in methods.items()]
            by = ", ".join(f"{tr(kind)}: {tr(method)}" for kind, method in known if has(kind) and has(method))
            told = tr("facts.repair_text", model=repair.get("model", ""), date=str(repair.get("date", ""))[:10], by=by)
            facts.append((tr("facts.repair"), told))
        return facts

    def _parcel(self, *_: object) -> None:
        self._job_id = ""
        case, selected = self._state.case, self._state.view.selected
        if not selected or case.atlas is None or case.recording is None:
            self._scan()
            return
        parcel, atlas, recording = selected[0], case.atlas, case.recording
        structures, series = atlas.info.structures, recording.series[parcel]
        known = bool(np.isfinite(series).any())
        place = "  ".join(ticks.number(float(v), 1.0) for v in recording.xyz[parcel]) + " mm"
        facts: list[tuple[str, str]] = [
            (tr("facts.parcel"), tr("facts.parcel_text", n=parcel + 1, of=recording.info.n_parcels)),
            (tr("facts.network"), atlas.network(parcel) or tr("probe.none")),
            (tr("facts.structure"), structures[parcel] if parcel < len(structures) else tr("probe.none")),
            (tr("facts.centre"), place),
            (tr("facts.coverage"), f"{100 * float(recording.coverage[parcel]):.0f} %"),
            (tr("facts.tsnr"), number(float(recording.tsnr[parcel])) or tr("probe.none")),
        ]
        if known:
            facts.append(
                (
                    tr("facts.mean"),
                    f"{number(float(series.mean()))} ± {number(float(series.std()))} {recording.info.unit}",
                )
            )
        if recording.filled is not None:
            share = float(recording.filled[parcel].mean())
            facts.append((tr("facts.filled"), tr("facts.filled_parcel", share=f"{100 * share:.1f}")))
        result = self._state.model.result
        if result is not None and parcel < result.r2_parcel.size:
            facts.append((tr("facts.r2"), number(float(result.r2_parcel[parcel])) or tr("probe.none")))
        title = atlas.name(parcel) + (f" + {len(selected) - 1}" if len(selected) > 1 else "")
        self._show(title, tuple(facts))

    def _job(self, job_id: str) -> None:
        job = self._state.work.find(job_id)
        if job is None:
            return
        self._job_id = job_id
        facts = [
            (tr("facts.state"), tr(f"jobs.state.{job.state.value}")),
            (tr("facts.stage"), job.stage),
            (tr("facts.kind"), job.kind),
            (tr("facts.id"), job.job_id),
        ]
        if job.error is not None:
            facts += [(tr("facts.error"), f"{job.error.message} {job.error.next_step}".strip())]
        facts += [(key, _written(value)) for key, value in job.params.items()]
        self._show(job.title, tuple(facts))


def _written(value: object) -> str:
    """Write a setting of a job; settings inside settings as 'name: value'."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_written(each)}" for key, each in value.items())
    return str(value)
