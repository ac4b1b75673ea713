"""Where checkpoints stand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import CONFIG, ROWS, Row, classes_of, plan_of, rows_of

from demur.training.filling import Plan
from demur.training.rows import Lists, Rows
from demur.training.spacing import checkpoint_steps, mass_of_steps

HAZARD = CONFIG.hazard


def made(rows: list[Row]) -> Plan:
    known = rows_of(rows)
    return plan_of(known, classes_of(known))


@given(ROWS, st.integers(0, 12))
def test_there_are_no_more_than_asked_for_and_none_at_the_ends(rows: list[Row], most: int) -> None:
    plan = made(rows)
    found = checkpoint_steps(plan, HAZARD, most)
    assert len(found) <= most
    assert found == sorted(set(found))
    assert all(0 < step < plan.steps for step in found)


@given(ROWS)
def test_everybody_begins_in_one_step(rows: list[Row]) -> None:
    plan = made(rows)
    mass, tokens = mass_of_steps(plan, HAZARD)
    assert mass.sum() == len(plan.people())
    assert tokens.sum() == plan.rows.tokens.sum()


def test_they_stand_close_where_many_begin() -> None:
    """One person with 200 rows, then 200 people with one each: nearly all checkpoints stand in the second half."""
    people = [[1]] * 200 + [[n] for n in range(2, 202)]
    rows = Rows.of([n.to_bytes(16, "big") for n in range(400)], [[1] * 8] * 400, people)
    found = checkpoint_steps(Plan.filled(rows, np.zeros(400, np.int64), 16), HAZARD, 20)
    assert len(found) >= 15
    assert sum(step >= 100 for step in found) >= len(found) - 2


def test_they_add_less_than_even_ones() -> None:
    sizes = [1000 // n for n in range(1, 300)]
    people = [[who] for who, size in enumerate(sizes) for _ in range(size)]
    rows = Rows.of([n.to_bytes(16, "big") for n in range(len(people))], [[1] * 8] * len(people), people)
    plan = Plan.filled(rows, np.zeros(len(rows), np.int64), 16)
    mass, tokens = mass_of_steps(plan, HAZARD)

    def added(steps: list[int]) -> float:
        """Tokens that replay goes back too far, a person."""
        begins = np.concatenate([[0], np.cumsum(tokens)])
        last = np.array([max([0, *(step for step in steps if step <= at)]) for at in range(plan.steps)])
        return float((mass * (begins[:-1] - begins[last])).sum() / mass.sum() / tokens.sum())

    rooted = checkpoint_steps(plan, HAZARD, 32)
    even = [round(plan.steps * each / 33) for each in range(1, 33)]
    assert added(rooted) < 0.75 * added(even)


@pytest.mark.parametrize("most", [1, 5])
def test_a_base_has_even_ones(most: int) -> None:
    rows = Rows.of([n.to_bytes(16, "big") for n in range(100)], [[1] * 8] * 100, [[]] * 100)
    found = checkpoint_steps(Plan.filled(rows, np.zeros(100, np.int64), 16), HAZARD, most)
    assert 0 < len(found) <= most
    assert Lists.of([[], [1]]).sizes.tolist() == [0, 1]
