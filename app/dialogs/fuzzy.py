"""How well typed letters fit a command's name."""

from __future__ import annotations


def score(letters: str, name: str) -> float:
    """Return how well ``letters`` (in this order, gaps allowed) fit ``name``; 0 = not at all, more is better.

    Letters at the start of a word and letters that follow each other count more.
    """
    wanted, text = letters.lower().replace(" ", ""), name.lower()
    if not wanted:
        return 1.0
    total, position, before = 0.0, 0, -2
    for letter in wanted:
        found = text.find(letter, position)
        if found < 0:
            return 0.0
        start = _word_start(text, letter, position)
        if start >= 0 and found != before + 1:
            found = start
        total += 3.0 if found == before + 1 else 2.0 if found == 0 or not text[found - 1].isalnum() else 1.0
        before, position = found, found + 1
    return total / (len(wanted) * 3.0) + 1.0 / (10.0 + len(text))


def _word_start(text: str, letter: str, position: int) -> int:
    for place in range(position, len(text)):
        if text[place] == letter and (place == 0 or not text[place - 1].isalnum()):
            return place
    return -1
