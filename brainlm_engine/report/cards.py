"""From the table of an evaluation to a report card, and where report cards are kept."""

from __future__ import annotations

from pathlib import Path

from brainlm_engine.api.report_card import CardEvaluation, CardTable, ReportCard
from brainlm_engine.files import written_whole
from brainlm_engine.models.card import Card
from brainlm_engine.models.weights import weights_sha256
from brainlm_engine.paths import data_dir, resources_dir
from brainlm_engine.report.numbers import NOT_KNOWN, interval, share
from brainlm_engine.tasks.evaluate import Evaluation
from brainlm_engine.tasks.evaluate_all import SHOWN
from brainlm_engine.tasks.evaluate_embeddings import EmbeddingEvaluation
from brainlm_engine.tasks.evaluate_forecasts import ForecastEvaluation
from brainlm_engine.tasks.evaluate_networks import NetworkEvaluation

FILE = "report.json"
_LEADS = (1, 2, 5, 10, 20)
_OTHER = "Made with other weights than the model has now: evaluate it again."


def tables_of(table: Evaluation) -> tuple[CardTable, ...]:
    """Return the parts of an evaluation, each as text."""
    made = [_reconstruction(table)]
    made += [_forecasts(table.forecasts)] if table.forecasts is not None else []
    made += [_networks(table.networks)] if table.networks is not None else []
    made += _embeddings(table.embeddings) if table.embeddings is not None else []
    return tuple(made)


def _reconstruction(table: Evaluation) -> CardTable:
    rows = tuple(
        (
            row.title, share(row.r2), interval(row.low, row.high),
            NOT_KNOWN if row.method == "model" else interval(row.difference_low, row.difference_high),
        )
        for row in table.rows
    )  # fmt: skip
    better = [
        f"{row.title} is better."
        for row in table.rows[1:]
        if row.difference_high is not None and row.difference_high < 0
    ]
    people = "1 person" if table.people == 1 else f"{table.people} people"
    title = f"Filling in {table.mask_ratio:.0%} of the patches, {people}: R²"
    columns = ("Method", "R²", "95 % interval", "Model better by")
    return CardTable(part="reconstruction", title=title, columns=columns, rows=rows, sentences=tuple(better))


def _forecasts(table: ForecastEvaluation) -> CardTable:
    leads = [lead for lead in _LEADS if lead <= table.horizon]
    rows = tuple(
        (row.title, share(row.error), interval(row.low, row.high), *(share(row.by_lead[lead - 1]) for lead in leads))
        for row in table.rows
    )
    told = [f"{table.coverage_90:.1%} of what followed was inside the 90 % band."]
    told += [f"Surely better than the forecast: {each}." for each in table.worse_at]
    told += ["No simple method is surely better than the forecast at any lead."] * (not table.worse_at)
    return CardTable(
        part="forecasts", title=f"Forecasting {table.horizon} frames from {table.history}, {table.people} people: "
        "MSE as a share of that of the mean",
        columns=("Method", "Error", "95 % interval", *(f"Frame {lead}" for lead in leads)), rows=rows,
        sentences=tuple(told),
    )  # fmt: skip


def _networks(table: NetworkEvaluation) -> CardTable:
    rows = tuple(
        (
            row.title, share(row.accuracy), interval(row.low, row.high), share(row.nmi),
            share(table.group_accuracy.get(row.method)),
        )
        for row in table.rows
    )  # fmt: skip
    told = [
        f"Own map found among {table.people} people, {row.title[:1].lower()}{row.title[1:]}: {row.found:.0%} "
        f"[{row.low:.0%}, {row.high:.0%}], chance {table.chance:.0%}."
        for row in table.retrieval
    ]
    return CardTable(
        part="networks",
        title=f"Seven networks, zero-shot, {table.people} people: share of {table.parcels} parcels right",
        columns=("Compared by", "Right", "95 % interval", "NMI", "Mean map"), rows=rows,
        sentences=(f"Attention of layer {table.layer}, chosen on other people.", *told),
    )  # fmt: skip


def _embeddings(table: EmbeddingEvaluation) -> list[CardTable]:
    made = []
    for trait in table.traits:
        group = trait.kind == "group"
        figure, other = ("AUC", "Balanced accuracy") if group else ("R²", "Mean absolute error")
        name = f"{trait.name} ({trait.levels[1]} or {trait.levels[0]})" if group else trait.name
        rows = tuple(
            (row.title, share(row.figure), interval(row.low, row.high), share(row.other)) for row in trait.rows
        )
        title = f"Reading {name} of {trait.people} people, learned from {trait.taught} others: {figure}"
        columns = ("Source", figure, "95 % interval", other)
        made.append(CardTable(part=trait.name, title=title, columns=columns, rows=rows, sentences=(trait.verdict,)))
    return made


def evaluation_card(table: Evaluation) -> CardEvaluation:
    """Return one evaluation as a report card shows it."""
    about = dict(table.about)
    made = about.pop("date", "")
    return CardEvaluation(
        data=table.data, made=made, facts=tuple((name, value) for name, value in about.items() if value),
        tables=tables_of(table), notes=table.notes,
    )  # fmt: skip


def report_card(folder: Path) -> ReportCard:
    """Return what is known of the model in ``folder``: its card, and all evaluations that are kept."""
    card = Card.load(folder)
    info = card.info
    facts = (
        ("Architecture", info.architecture), ("Parameters", f"{info.n_parameters:,}"),
        ("Trained on", info.trained_on or "unknown"), ("Licence", info.licence or "unknown"),
        ("Atlas", "any" if info.any_atlas else info.atlas_id or "unknown"), ("TR of the training", f"{info.tr_s:g} s"),
        ("Command", card.command),
    )  # fmt: skip
    evaluations: dict[str, CardEvaluation] = {}
    now = weights_sha256(folder)[:SHOWN]
    for path in (folder / FILE, _own_file(folder)):
        if path == folder / FILE or _is_shipped(folder):
            evaluations |= {each.data: _checked(each, now) for each in _kept(path)}
    return ReportCard(
        model_id=folder.name, title=info.title or folder.name, facts=tuple(fact for fact in facts if fact[1]),
        limits=card.limits, evaluations=tuple(evaluations.values()),
    )  # fmt: skip


def keep_report(table: Evaluation, folder: Path, *, shipped_too: bool = False) -> ReportCard:
    """Add an evaluation to the report card of the model in ``folder``; the one on the same data before goes.

    What comes with the program is not changed: its evaluations are kept with the person's data, unless ``shipped_too``.
    """
    path = _own_file(folder) if _is_shipped(folder) and not shipped_too else folder / FILE
    new, before = evaluation_card(table), _kept(path)
    old = next((each for each in before if each.data == new.data), None)
    if old is not None and dict(old.facts).get("weights") == dict(new.facts).get("weights"):
        parts = {each.part for each in new.tables}
        new = new.model_copy(update={"tables": (*new.tables, *(each for each in old.tables if each.part not in parts))})
    kept = (*(each for each in before if each.data != new.data), new)
    card = report_card(folder).model_copy(update={"evaluations": kept})
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        temporary.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return report_card(folder)


def _kept(path: Path) -> tuple[CardEvaluation, ...]:
    return ReportCard.model_validate_json(path.read_text(encoding="utf-8")).evaluations if path.is_file() else ()


def _checked(each: CardEvaluation, weights: str) -> CardEvaluation:
    """Say so where an evaluation was made with other weights than the model has now."""
    made_with = dict(each.facts).get("weights", "")
    if not made_with or made_with == weights or _OTHER in each.notes:
        return each
    return each.model_copy(update={"notes": (_OTHER, *each.notes)})


def _is_shipped(folder: Path) -> bool:
    return resources_dir() in folder.resolve().parents


def _own_file(folder: Path) -> Path:
    return data_dir() / "report_cards" / f"{folder.name}.json"
