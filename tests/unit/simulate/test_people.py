"""Simulated people: same numbers, same person; plausible scores; parts of a cohort that do not overlap."""

from __future__ import annotations

import numpy as np

from brainlm_engine.simulate.people import DATA_DICTIONARY, draw_person


def test_the_same_numbers_give_the_same_person() -> None:
    assert draw_person(3, 5) == draw_person(3, 5)
    assert draw_person(3, 5) != draw_person(3, 6)
    assert draw_person(3, 5) != draw_person(4, 5)


def test_scores_stay_in_the_ranges_of_their_questionnaires() -> None:
    people = [draw_person(1, index) for index in range(600)]
    for name, low, high in (
        ("age", 44, 82),
        ("neuroticism", 0, 12),
        ("gad7", 0, 21),
        ("pcl5", 17, 85),
        ("phq9", 0, 27),
    ):
        values = np.array([getattr(person, name) for person in people])
        assert low <= values.min() < values.max() <= high, name
    assert min(person.mean_fd for person in people) > 0.02
    assert {person.sex for person in people} == {"F", "M"}
    assert {person.site for person in people} == {"A", "B", "C"}
    assert 60 < np.mean([person.age for person in people]) < 66


def test_scores_share_the_distress_behind_them() -> None:
    people = [draw_person(1, index) for index in range(600)]
    distress = [person.distress for person in people]
    for name in ("neuroticism", "gad7", "pcl5", "phq9"):
        r = np.corrcoef(distress, [getattr(person, name) for person in people])[0, 1]
        assert 0.4 < r < 0.95, name


def test_every_person_is_in_one_part_and_each_part_exists_from_three_people_on() -> None:
    parts = [draw_person(1, index).split for index in range(200)]
    assert set(parts[:3]) == {"train", "val", "test"}
    assert (parts.count("train"), parts.count("val"), parts.count("test")) == (140, 30, 30)


def test_a_row_has_every_column_of_the_data_dictionary_and_no_minus_zero() -> None:
    rows = [draw_person(2, index).row() for index in range(100)]
    assert all(list(row) == list(DATA_DICTIONARY) for row in rows)
    assert not any(value.startswith("-") for row in rows for value in row.values())
