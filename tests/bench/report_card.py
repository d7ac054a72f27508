"""The report card of the shipped model: into its folder, the README and the help.

    brainlm-engine evaluate studio-tiny COHORT --save sim.json
    brainlm-engine evaluate studio-tiny ABIDE.h5 --people 240 --save abide.json
    python tests/bench/report_card.py sim.json abide.json

Several files on the same data are put together: later ones add parts to earlier ones, and a part that is there twice is
the later one. Everything between the two marks in README.md is written anew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from brainlm_engine.api.report_card import as_markdown  # noqa: E402
from brainlm_engine.models.registry import find_model  # noqa: E402
from brainlm_engine.report.cards import keep_report  # noqa: E402
from brainlm_engine.tasks.evaluate import Evaluation, note_in_card  # noqa: E402

BEGIN, END = "<!-- report card: begin -->", "<!-- report card: end -->"
_PARTS = ("forecasts", "networks", "embeddings")
_INTRO = """What the shipped model does on people it has never seen, beside the simple methods, with 95 % intervals
over people. The tab **Report card** of the Model workspace shows it for every model; **Evaluate on a Cohort…** makes it
for your own (`brainlm-engine evaluate MODEL COHORT` on the command line, `--save card.md` writes it, `--parts` leaves
parts out, `--external DATA` adds other cohorts). Ten minutes for a hundred people on two processor cores. Written by
`tests/bench/report_card.py`.
"""


def whole(files: list[Path]) -> list[Evaluation]:
    """Put the files together by what they are about."""
    tables: dict[str, Evaluation] = {}
    for path in files:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("external", None)
        new = Evaluation.model_validate(content)
        old = tables.get(new.data)
        if old is not None:
            kept = {part: getattr(old, part) for part in _PARTS if getattr(new, part) is None}
            new = new.model_copy(update={**kept, "about": {**old.about, **new.about}})
        tables[new.data] = new
    return list(tables.values())


def number(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write .434 [.420, .447]."""
    if value is None:
        return "–"
    words = [f"{each:.3f}".replace("0.", ".", 1).replace("-", "−") for each in (value, low, high) if each is not None]
    return words[0] if len(words) < 3 else f"{words[0]} [{words[1]}, {words[2]}]"


def rows_of(table: Evaluation) -> dict[str, tuple[str, str]]:
    """Return ability -> (the model, the best simple method)."""
    found = {}
    people = f"{table.people} people"
    best = max(table.rows[1:], key=lambda row: row.r2)
    model = table.rows[0]
    found["Filling in 75 % hidden patches, R²"] = (
        f"{number(model.r2, model.low, model.high)} ({people})",
        f"{number(best.r2, best.low, best.high)} {_low(best.title)}",
    )  # fmt: skip
    if (told := table.forecasts) is not None:
        ours = next(row for row in told.rows if row.method == "forecast")
        simple = min((row for row in told.rows if row.method not in ("forecast", "model")), key=lambda row: row.error)
        found["Forecasting 20 frames, MSE as a share of the mean's (lower is better)"] = (
            f"{number(ours.error, ours.low, ours.high)} ({told.people} people; 90 % band: {told.coverage_90:.1%})",
            f"{number(simple.error, simple.low, simple.high)} {_title(simple.title)}",
        )
    if (nets := table.networks) is not None:
        of = {row.method: row for row in nets.rows}
        attention = of["attention"]
        others = ("connectivity", "raw", "vae", "gcn", "xyz", "mirrored")
        other = max((of[name] for name in others), key=lambda row: row.accuracy)
        found["Seven networks of one person, zero-shot by attention, share of parcels right"] = (
            f"{number(attention.accuracy, attention.low, attention.high)} ({nets.people} people{_sites(nets.data)}; "
            f"noise as input {number(of['noise'].accuracy)}, untrained {number(of['untrained'].accuracy)})",
            f"{number(other.accuracy, other.low, other.high)} {_low(other.title)}",
        )
        found[f"Own map found among {nets.people} people (chance {nets.chance:.0%})"] = tuple(
            f"{each.found:.0%} [{each.low:.0%}, {each.high:.0%}]" + " functional connectivity" * (place > 0)
            for place, each in enumerate(nets.retrieval)
        )  # type: ignore[assignment]
    for trait in table.embeddings.traits if table.embeddings is not None else ():
        ours_, *rest = trait.rows
        simple_ = max(rest, key=lambda row: row.figure)
        figure = "AUC" if trait.kind == "group" else "R²"
        found[f"Reading {trait.name} from the embedding, {figure}"] = (
            f"{number(ours_.figure, ours_.low, ours_.high)} ({trait.people} people{_sites(table.embeddings.data)})",
            f"{number(simple_.figure, simple_.low, simple_.high)} {_low(simple_.title)}",
        )
    return found


def _sites(data: str) -> str:
    """Return ' of 6 sites' where only some are asked."""
    found = re.search(r"of (\d+ sites)", data)
    return f" of {found[1]}" if found else ""


def _low(title: str) -> str:
    return title[:1].lower() + title[1:]


def _title(title: str) -> str:
    return title if title[:2].isupper() else _low(title)


def readme_block(tables: list[Evaluation]) -> str:
    """Return one table: a row per ability, two columns per cohort."""
    each = [rows_of(table) for table in tables]
    header = ["", *(cell for table in tables for cell in (f"Studio-tiny: {table.data}", "best simple method"))]
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for name in dict.fromkeys(name for rows in each for name in rows):
        cells = [cell for rows in each for cell in rows.get(name, ("–", "–"))]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="+", help="JSON files of evaluate --save")
    args = parser.parse_args()
    tables, folder = whole(args.tables), find_model("studio-tiny")
    for table in tables:
        note_in_card(table, folder)
        card = keep_report(table, folder, shipped_too=True)
    help_page = ROOT / "resources" / "help" / "report-card.md"
    text = as_markdown(card).split("\n", 1)[1]
    help_page.write_text(f"# Report card\n\n{_INTRO}\n## Studio tiny\n{text}".rstrip() + "\n", encoding="utf-8")
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{readme_block(tables)}\n{END}{after}", encoding="utf-8")
    print(readme_block(tables))


if __name__ == "__main__":
    main()
