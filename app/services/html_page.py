"""One HTML page: sections with text, tables and pictures, and what made them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_STYLE = """
:root{--bg:#fff;--text:#1a1f26;--muted:#55606e;--line:#d5dbe2;--accent:#1666b8}
@media (prefers-color-scheme:dark){:root{--bg:#171b21;--text:#e8ebf0;--muted:#a7b0bd;--line:#3a434f;--accent:#5aa9f0}}
body{margin:0 auto;max-width:1080px;padding:32px 24px 64px;background:var(--bg);color:var(--text);
 font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:40px 0 8px;border-top:1px solid var(--line);padding-top:24px}
p{margin:8px 0;max-width:75ch}.muted{color:var(--muted)}
figure{margin:16px 0}figure img{width:100%;height:auto;border:1px solid var(--line);border-radius:4px;display:block}
figcaption{color:var(--muted);font-size:13px;margin-top:6px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:12px 0}
th,td{text-align:left;padding:4px 20px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.number,th.number{text-align:right}
.verdict{border-left:3px solid var(--accent);padding:4px 12px;margin:16px 0}
footer{margin-top:48px;border-top:1px solid var(--line);padding-top:16px;color:var(--muted);font-size:13px}
"""


@dataclass(frozen=True)
class Picture:
    """A picture beside the report, with its caption."""

    file: str
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows under a header; the columns after the first are numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One headline of the report."""

    title: str
    text: str = ""
    verdict: str = ""
    table: Table | None = None
    pictures: tuple[Picture, ...] = field(default=())


def _table(table: Table) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        first, *rest = (html.escape(cell) for cell in row)
        return f"<{tag}>{first}</{tag}>" + "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in rest)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{cells('th', table.header)}</tr></thead><tbody>{body}</tbody></table>"


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    if section.verdict:
        parts.append(f'<p class="verdict">{html.escape(section.verdict)}</p>')
    if section.table:
        parts.append(_table(section.table))
    for picture in section.pictures:
        name, caption = html.escape(picture.file, quote=True), html.escape(picture.caption)
        parts.append(
            f'<figure><img src="{name}" alt="{caption}" loading="lazy"><figcaption>{caption}</figcaption></figure>'
        )
    return "\n".join(parts)


def write_report(target: Path, title: str, lead: str, sections: Sequence[Section], facts: Mapping[str, str]) -> Path:
    """Write the page to ``target`` (its pictures lie beside it) and return the path."""
    target.write_text(page_text(title, lead, sections, facts), encoding="utf-8")
    return target


def page_text(title: str, lead: str, sections: Sequence[Section], facts: Mapping[str, str]) -> str:
    """Return the page; pictures may be data of their own ("data:image/png;base64,...")."""
    rows = tuple((key, value) for key, value in facts.items())
    made = _table(Table(("What made this", ""), rows)).replace(' class="number"', "")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{html.escape(title)}</h1><p class="muted">{html.escape(lead)}</p>
{"".join(_section(section) for section in sections)}
<h2>Provenance</h2>{made}
<footer>For research use only. Simulation and reconstruction by a statistical model; not a medical device.
Everything was computed on this computer; nothing left it.</footer></body></html>
"""
