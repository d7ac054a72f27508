"""What a person is told and asked about an opened file: the file's own information, its space, its positions."""

from __future__ import annotations

from brainlm_engine.api.messages import Choice, Question, ScanInfo
from brainlm_engine.atlas.registry import list_atlases
from brainlm_engine.io.table import TableScan
from brainlm_engine.io.volume import VolumeScan
from brainlm_engine.preprocess.space import check_space, space_question


def describe(scan: VolumeScan | TableScan) -> ScanInfo:
    """Return ``scan.info`` with everything that needs an atlas to be known: ``space`` and the questions that follow."""
    return _volume(scan) if isinstance(scan, VolumeScan) else _table(scan)


def _volume(scan: VolumeScan) -> ScanInfo:
    info = scan.info
    report = check_space(scan)
    question = space_question(report, scan.header.has_position)
    questions = (*info.questions, question) if question else info.questions
    return info.model_copy(update={"space": report, "questions": questions})


def _table(scan: TableScan) -> ScanInfo:
    info = scan.info
    fitting = [atlas for atlas in list_atlases() if atlas.installed and atlas.n_parcels == scan.n_parcels]
    matched = next((atlas.atlas_id for atlas in fitting if atlas.names == scan.names), "")
    if matched or (scan.own is not None and scan.own.placed):
        return info.model_copy(update={"atlas_id": matched})
    how = "Choose an atlas with as many regions, or a coordinates file." if fitting else "Choose a coordinates file."
    where = f"Where do the {scan.n_parcels} regions lie?" if scan.n_parcels > 1 else "Where does the region lie?"
    question = Question(
        question_id="positions",
        text=f"{where} {how}",
        choices=tuple(Choice(value=atlas.atlas_id, label=atlas.title) for atlas in fitting),
        default=fitting[0].atlas_id if len(fitting) == 1 else "",
        free=True,
        required=True,
    )
    return info.model_copy(update={"questions": (*info.questions, question)})
