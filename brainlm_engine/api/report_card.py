"""A model's report card: what it can do on people it has never seen, beside the simple methods, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pydantic import Field

from brainlm_engine.api.messages import Message

RESEARCH = "For research use only."


class CardTable(Message):
    """One part of an evaluation."""

    part: str = Field(default="", description="of the evaluation: 'networks', 'age', ...; what a later run replaces")
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...] = Field(default=(), description="what the figures mean, and what beats the model")


class CardEvaluation(Message):
    """An evaluation on one cohort."""

    data: str
    made: str = Field(default="", description="date")
    facts: tuple[tuple[str, str], ...] = Field(default=(), description="program, weights, seed, settings")
    tables: tuple[CardTable, ...] = ()
    notes: tuple[str, ...] = ()


class ReportCard(Message):
    """All that is known of a model."""

    model_id: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()
    evaluations: tuple[CardEvaluation, ...] = ()


def as_markdown(card: ReportCard, *, level: int = 1) -> str:
    """Return the card as Markdown, its title a heading of ``level``."""
    lines = [f"{'#' * level} {card.title}", "", *(f"- {name}: {value}" for name, value in card.facts)]
    lines += ["", *(f"> {limit}" for limit in card.limits)] * bool(card.limits)
    for each in card.evaluations:
        lines += ["", f"{'#' * (level + 1)} {each.data[:1].upper()}{each.data[1:]}", "", *markdown_tables(each.tables)]
        lines += ["", *(f"- {note}" for note in each.notes)] * bool(each.notes)
        lines += ["", "; ".join(f"{name} {value}" for name, value in _made(each))] * bool(_made(each))
    return "\n".join([*lines, "", RESEARCH, ""])


def markdown_tables(tables: Iterable[CardTable]) -> list[str]:
    """Return the lines of tables and their sentences."""
    lines: list[str] = []
    for table in tables:
        lines += ["", f"**{table.title}**", "", _line(table.columns), _line(["---"] * len(table.columns))]
        lines += [_line(row) for row in table.rows]
        lines += ["", *table.sentences] * bool(table.sentences)
    return lines[1:]


def _made(each: CardEvaluation) -> tuple[tuple[str, str], ...]:
    return ((("made", each.made),) if each.made else ()) + each.facts


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_html(card: ReportCard, *, border: str = "#808080") -> str:
    """Return the card as the body of an HTML page without style sheets, for a text browser or a file."""
    parts = [f"<h2>{escape(card.title)}</h2>", _facts(card.facts)]
    parts += [f"<p><i>{escape(limit)}</i></p>" for limit in card.limits]
    for each in card.evaluations:
        parts.append(f"<h3>{escape(each.data[:1].upper() + each.data[1:])}</h3>")
        for table in each.tables:
            parts += [f"<p><b>{escape(table.title)}</b></p>", _table(table, border)]
            parts += [f"<p>{escape(sentence)}</p>" for sentence in table.sentences]
        parts += [f"<p>{escape(note)}</p>" for note in each.notes]
        parts.append(_facts(_made(each)))
    return "\n".join([*parts, f"<p>{RESEARCH}</p>"])


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "<p>" + "<br>".join(f"{escape(name)}: {escape(value)}" for name, value in facts) + "</p>"


def _table(table: CardTable, border: str) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        made = (
            f"<{tag} align='{'left' if place == 0 else 'right'}'>{escape(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    inside = "".join([row(table.columns, "th"), *(row(each, "td") for each in table.rows)])
    return f"<table border='1' cellspacing='0' cellpadding='4' bordercolor='{border}'>{inside}</table>"
