"""The loss by language: a language that a model knows worse shows, and few people do not."""

import numpy as np

from demur.training.audit.skew import loss_by_language

PEOPLE = 30


def rows(worse: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str | None]]:
    """Four rows a person: thirty write German, thirty Polish, three Maltese."""
    drawn = np.random.default_rng(1)
    persons = np.repeat(np.arange(2 * PEOPLE + 3), 4)
    tags: list[str | None] = ["de-AT" if who < PEOPLE else "pl" if who < 2 * PEOPLE else "mt" for who in persons]
    tokens = drawn.integers(5, 40, len(persons))
    loss = tokens * (4 + 0.2 * drawn.standard_normal(len(persons)) + worse * np.array([tag == "pl" for tag in tags]))
    return loss, tokens, persons, tags


def test_a_language_that_is_known_worse_shows() -> None:
    whole, *by_language = loss_by_language(*rows(worse=0.5)).figures
    found = {each.name: each for each in by_language}
    assert found["pl"].interval is not None
    assert found["de"].interval is not None
    assert found["pl"].interval[0] > found["de"].interval[1]
    assert (whole.n, found["de"].n, found["de"].of) == (2 * PEOPLE + 3, PEOPLE, "persons")


def test_without_a_difference_none_shows() -> None:
    found = {each.name: each for each in loss_by_language(*rows(worse=0.0)).figures}
    assert found["pl"].interval is not None
    assert found["de"].value is not None
    assert found["pl"].interval[0] < found["de"].value < found["pl"].interval[1] + 0.1


def test_few_people_have_no_figure() -> None:
    found = {each.name: each for each in loss_by_language(*rows(worse=0.5)).figures}
    assert "mt" not in found
    others = found["other languages"]
    assert (others.value, others.n, others.interval) == (None, 0, None)
    assert "fewer than 10" in others.note


def test_equal_rows_give_equal_figures() -> None:
    assert loss_by_language(*rows(worse=0.5)).json() == loss_by_language(*rows(worse=0.5)).json()
