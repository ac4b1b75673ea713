"""The plan: what a step holds, and what taking people out leaves as it is."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import CONFIG, PEOPLE, ROWS, Row, classes_of, equal, head, plan_of, rewritten, rows_of

from demur.errors import CheckFailed
from demur.training.filling import Plan, fill, first_difference

B = CONFIG.step_tokens


def made(rows: list[Row]) -> Plan:
    known = rows_of(rows)
    return plan_of(known, classes_of(known))


@given(st.lists(st.integers(1, 20), max_size=60), st.integers(1, 40))
def test_a_step_closes_when_it_holds_enough(tokens: list[int], most: int) -> None:
    steps = fill(np.array(tokens, np.int32), most).tolist()
    held = [
        [one for one, step in zip(tokens, steps, strict=True) if step == each]
        for each in range(max(steps, default=-1) + 1)
    ]
    assert all(sum(each) >= most and sum(each[:-1]) < most for each in held[:-1])
    assert all(each and sum(each[:-1]) < most for each in held[-1:])


@given(st.lists(st.integers(1, 20), max_size=60), st.integers(1, 40), st.integers(0, 60))
def test_a_step_depends_on_no_row_behind_it(tokens: list[int], most: int, first: int) -> None:
    whole = fill(np.array(tokens, np.int32), most).tolist()
    assert fill(np.array(tokens[:first], np.int32), most).tolist() == whole[:first]


@given(ROWS, st.sets(PEOPLE, max_size=8))
def test_taking_people_out_is_as_if_they_had_never_been_there(rows: list[Row], gone: set[int]) -> None:
    known = rows_of(rows)
    classes = classes_of(known)
    left = rows_of([row for row in rows if not gone & set(row[2])])
    subjects = np.array(sorted(gone), np.int64)
    assert equal(plan_of(known, classes).without(subjects, B), plan_of(left, classes))


@given(ROWS, st.sets(PEOPLE, min_size=1, max_size=8))
def test_every_step_before_the_first_row_of_who_leaves_stays(rows: list[Row], gone: set[int]) -> None:
    plan = made(rows)
    subjects = np.array(sorted(gone), np.int64)
    theirs = plan.rows.people.holding(subjects)
    difference = first_difference(plan, plan.without(subjects, B))
    if not theirs.any():
        assert difference is None
        return
    first = int(np.argmax(theirs))
    assert difference == plan.step[first]
    left = plan.without(subjects, B)
    assert equal(head(plan, first), head(left, first))


@given(ROWS, st.data())
def test_the_first_difference_is_the_step_of_the_first_row_that_was_rewritten(
    rows: list[Row], data: st.DataObject
) -> None:
    plan = made(rows)
    which = sorted(data.draw(st.sets(st.integers(0, max(len(plan) - 1, 0)), max_size=3))) if len(plan) else []
    again = rewritten(plan, which)
    assert first_difference(plan, again) == (plan.step[which[0]] if which else None)
    assert first_difference(again, plan) == first_difference(plan, again)


@given(ROWS, st.integers(0, 8))
def test_a_longer_plan_differs_where_the_shorter_one_ends(rows: list[Row], left: int) -> None:
    plan = made(rows)
    shorter = head(plan, min(left, len(plan)))
    expected = plan.step[left] if left < len(plan) else None
    assert first_difference(plan, shorter) == expected
    assert first_difference(shorter, plan) == expected


@given(ROWS, st.sets(PEOPLE, max_size=4), st.integers(0, 10))
def test_steps_that_were_taken_stay_whoever_leaves(rows: list[Row], gone: set[int], after: int) -> None:
    plan = made(rows)
    subjects = np.array(sorted(gone), np.int64)
    left = plan.without(subjects, B, after=after)
    taken = int((plan.step < after).sum())
    assert equal(head(plan, taken), head(left, taken))
    assert not left.rows.people.holding(subjects)[taken:].any()
    difference = first_difference(plan, left)
    assert difference is None or difference >= min(after, plan.steps)


@given(ROWS, st.sets(PEOPLE, max_size=4), st.integers(0, 10))
def test_going_on_with_a_fresh_plan_takes_no_row_twice(rows: list[Row], gone: set[int], after: int) -> None:
    plan = made(rows)
    subjects = np.array(sorted(gone), np.int64)
    onward = plan.onward(after, plan.without(subjects, B), B)
    assert equal(onward, plan.without(subjects, B, after=after))
    assert [onward.ids(row).tolist() for row in range(len(onward))] == [
        plan.ids(plan.items().index(item)).tolist() for item in onward.items()
    ]


@given(ROWS)
def test_rows_and_steps_have_digests_of_their_content(rows: list[Row]) -> None:
    plan = made(rows)
    assert len({plan.step_digest(step) for step in range(plan.steps)}) == plan.steps
    for row in range(len(plan)):
        assert not equal(plan, rewritten(plan, [row]))


def test_a_plan_survives_the_disk_without_ids(tmp_path: Path) -> None:
    plan = made([(bytes([n] * 16), [n, 1], [n % 5 + 1, 9]) for n in range(30)])
    plan.write(tmp_path / "plan.parquet")
    again = Plan.read(tmp_path / "plan.parquet", plan.digest())
    assert equal(plan, again)
    assert not len(again.rows.ids)
    assert pq.read_table(tmp_path / "plan.parquet").column("position").to_pylist()[:3] == [0, 1, 2]
    whole = again.with_ids(rows_of([(bytes([n] * 16), [n, 1], [1]) for n in range(40)]))
    assert [whole.ids(row).tolist() for row in range(30)] == [plan.ids(row).tolist() for row in range(30)]


def test_an_empty_plan_is_one(tmp_path: Path) -> None:
    plan = made([])
    plan.write(tmp_path / "plan.parquet")
    assert (plan.steps, Plan.read(tmp_path / "plan.parquet", plan.digest()).steps) == (0, 0)


def test_an_edited_plan_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.parquet"
    plan = made([(bytes([n] * 16), [n, 1], [n % 5 + 1]) for n in range(30)])
    plan.write(path)
    table = pq.read_table(path)
    steps = pa.array([0, *table.column("step").to_pylist()[1:-1], 1], pa.int32())
    pq.write_table(table.set_column(0, table.schema.field("step"), steps), path)
    with pytest.raises(CheckFailed, match=r"plan\.parquet was changed"):
        Plan.read(path, plan.digest())
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckFailed, match=r"plan\.parquet was changed"):
        Plan.read(path, plan.digest())
    path.unlink()
    with pytest.raises(CheckFailed, match="is missing"):
        Plan.read(path)


def test_a_row_that_gives_something_else_now_is_named() -> None:
    plan = made([(bytes([n] * 16), [n, 1], [1]) for n in range(30)])
    with pytest.raises(CheckFailed, match=r"Row \d+ of the plan, in step \d+"):
        plan.with_ids(rows_of([(bytes([n] * 16), [n, n], [1]) for n in range(30)]))
    with pytest.raises(CheckFailed, match=r"Row \d+ of the plan"):
        plan.with_ids(rows_of([(bytes([n] * 16), [n, 1], [1]) for n in range(29)]))
