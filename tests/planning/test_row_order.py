"""The order of rows: what it depends on, and what it never does."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import CONFIG, KEY, ROWS, Row, classes_of, plan_of, rows_of

from demur.errors import CheckFailed
from demur.training import order
from demur.training.config import Config, Hazard
from demur.training.order import PARTS, Classes
from demur.training.rows import Ints, Lists


def starts_late(places: Callable[[Lists, Ints], Ints], rows: list[Row]) -> None:
    """No row that concerns somebody stands before their class: an objection costs their class at most."""
    known = rows_of(rows)
    each = classes_of(known).places(known.people.flat)
    assert (places(known.people, each)[known.people.owner] >= each).all()


def with_author(people: Lists, places: Ints) -> Ints:
    """The mutant: a row stands with its author, here the first of its people."""
    return np.asarray(places[people.ends - people.sizes])


@given(ROWS)
def test_a_row_stands_in_the_class_of_the_last_of_its_people(rows: list[Row]) -> None:
    starts_late(order.row_places, rows)


def test_a_row_that_stood_with_its_author_would_be_caught() -> None:
    rows: list[Row] = [(bytes([n] * 16), [1] * 9, [1]) for n in range(20)] + [(b"z" * 16, [1], [1, 2])]
    starts_late(order.row_places, rows)
    with pytest.raises(AssertionError):
        starts_late(with_author, rows)


@given(ROWS, st.data())
def test_the_order_of_two_rows_depends_on_no_other_row(rows: list[Row], data: st.DataObject) -> None:
    known = rows_of(rows)
    classes = classes_of(known)
    some = sorted(data.draw(st.sets(st.integers(0, max(len(rows) - 1, 0)), max_size=len(rows)))) if rows else []
    fewer = plan_of(known.take(np.array(some, np.int64)), classes).items()
    kept = set(fewer)
    assert fewer == [item for item in plan_of(known, classes).items() if item in kept]


@given(ROWS, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_reading(rows: list[Row], drawn: "random.Random") -> None:
    shuffled = drawn.sample(rows, len(rows))
    one, other = rows_of(rows), rows_of(shuffled)
    assert plan_of(one, classes_of(one)).digest() == plan_of(other, classes_of(other)).digest()


def test_another_key_gives_another_order_inside_a_class() -> None:
    rows = rows_of([(bytes([n] * 16), [1, 2], [n]) for n in range(1, 40)])
    classes = Classes(np.arange(1, 40), np.zeros(39, np.int64))
    one, other = plan_of(rows, classes).items(), plan_of(rows, classes, key=bytes(32)).items()
    assert one != other
    assert sorted(one) == sorted(other)


def drawn_alike(keyed: Callable[[bytes, bytes, Iterable[bytes], int], npt.NDArray[np.uint64]]) -> None:
    """Two workers that read the same rows put them in the same order."""
    items = np.arange(16 * 50, dtype=np.uint8).reshape(50, 16)
    orders = []
    for worker in range(2):
        high, low = keyed(KEY, b"item\0", map(bytes, items), worker).T
        orders.append(np.lexsort((low, high)).tolist())
    assert orders[0] == orders[1]


def test_a_key_that_depended_on_the_worker_would_be_caught() -> None:
    drawn_alike(lambda key, kind, values, _worker: order.keyed(key, kind, values))
    with pytest.raises(AssertionError):
        drawn_alike(lambda key, kind, values, worker: order.keyed(key, kind + bytes([worker]), values))


def test_classes_are_of_a_factor_of_two_and_the_prolific_come_first() -> None:
    found = order.smith(np.array([1, 2, 3, 4, 1000]), (Hazard(),))
    assert found.tolist() == [0, -1, -2, -2, -10]


def test_hazard_counts_as_fewer_tokens_do() -> None:
    table = (Hazard(0, 1.0), Hazard(100, 4.0))
    assert order.rates(np.array([0, 99, 100, 5000]), table).tolist() == [1, 1, 4, 4]
    assert order.smith(np.array([64, 256]), table).tolist() == [-6, -6]


@given(ROWS)
def test_everybody_counts_once_in_a_row(rows: list[Row]) -> None:
    known = rows_of(rows)
    persons, tokens = order.tokens_of(known.people, known.tokens)
    expected = {each: sum(len(ids) for _, ids, who in rows if each in who) for each in persons.tolist()}
    assert dict(zip(persons.tolist(), tokens.tolist(), strict=True)) == expected


def test_somebody_who_stands_twice_in_a_row_counts_once() -> None:
    persons, tokens = order.tokens_of(Lists.of([[7, 7], [7]]), np.array([3, 4], np.int32))
    assert (persons.tolist(), tokens.tolist()) == ([7], [7])


def test_a_class_above_its_share_is_split_by_people() -> None:
    persons, tokens = np.arange(1, 201), np.full(200, 8)
    classes = Classes.first(persons, tokens, Config(class_share=0.25), KEY)
    assert classes.split == {-3: 4}
    parts = classes.place - (-3) * PARTS
    assert set(parts.tolist()) == {0, 1, 2, 3}
    assert Classes.first(persons, tokens, Config(class_share=0.25), bytes(32)).place.tolist() != classes.place.tolist()


def test_new_people_change_nobody_elses_class() -> None:
    first = Classes.first(np.arange(1, 101), np.full(100, 8), CONFIG, KEY)
    grown = first.grown(np.arange(50, 151), np.full(101, 9000), CONFIG, KEY)
    assert grown.places(np.arange(1, 101)).tolist() == first.place.tolist()
    assert len(grown.subject) == 150
    assert (grown.places(np.arange(101, 151)) < first.place.min()).all()


def test_classes_survive_the_disk(tmp_path: Path) -> None:
    classes = Classes.first(np.arange(1, 101), np.arange(1, 101), CONFIG, KEY)
    classes.write(tmp_path / "classes.parquet")
    again = Classes.read(tmp_path / "classes.parquet")
    assert (again.subject.tolist(), again.place.tolist(), again.split) == (
        classes.subject.tolist(),
        classes.place.tolist(),
        classes.split,
    )
    (tmp_path / "classes.parquet").write_bytes(b"PAR1")
    with pytest.raises(CheckFailed, match=r"classes\.parquet"):
        Classes.read(tmp_path / "classes.parquet")


def test_who_is_held_out_depends_on_the_key_and_the_person_alone() -> None:
    persons = np.arange(10_000)
    held = order.held_out(persons, 0.02, KEY)
    assert 120 < held.sum() < 280
    assert order.held_out(persons[held], 0.02, KEY).all()
    assert not order.held_out(persons, 0.0, KEY).any()
