"""Conditions from events tables, and which of them a window belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess.events import LAG_S, read_events, window_conditions

HEAD = "onset\tduration\ttrial_type\n"


def _table(folder: Path, text: str) -> Path:
    path = folder / "sub-1_events.tsv"
    path.write_text(text)
    return path


def test_the_condition_that_fills_most_of_a_window(tmp_path: Path) -> None:
    events = read_events(_table(tmp_path, HEAD + "0\t10\tone\n10\t3\ttwo\n16\t4\ttwo\n20\t1\tn/a\n"))
    assert events.names == ("one", "two")
    starts = np.array([0.0, 10.0, 20.0]) + LAG_S
    assert window_conditions(events, starts, 10.0).tolist() == [0, 1, -1]
    assert window_conditions(events, starts + 5, 10.0).tolist() == [0, -1, -1]  # half of one; 4 of 10 s of two


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("onset\tduration\n0\t1\n", "lacks a column"),
        (HEAD, "not a table of events"),
        (HEAD + "0\tlong\tone\n", "no number"),
        (HEAD + "0\tnan\tone\n", "holds no events"),
        (HEAD + "0\t1\tn/a\n", "holds no events"),
        (HEAD + "".join(f"{n}\t1\tkind{n}\n" for n in range(20)), "20 conditions"),
    ],
)
def test_tables_of_something_else_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        read_events(_table(tmp_path, text))
    assert "sub-1_events.tsv" in caught.value.message
    assert caught.value.next_step
