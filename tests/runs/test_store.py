"""A store is a function of the rows in it: whatever came and went, in which order, and whatever was killed."""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demur.errors import CorpusError
from demur.runs import store as stores
from demur.runs.ngrams import Counts, chances, contexts_of
from demur.runs.store import ROWS, VECTORS, Kept, Store

WIDTH = 3
PEOPLE = 5
SOME_ROWS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 6), min_size=1, max_size=9), st.sets(st.integers(1, PEOPLE), min_size=1, max_size=2)
    ),
    min_size=1,
    max_size=12,
)


def kept(number: int, ids: Sequence[int], people: Sequence[int]) -> Kept:
    """A row, whose vectors follow from its tokens, as a base's states do."""
    packed = np.array(ids, np.int32)
    row = hashlib.sha256(packed.tobytes()).digest()
    drawn = np.random.default_rng(list(row)).standard_normal((len(ids) - 1, WIDTH)).astype(np.float32)
    return Kept(number.to_bytes(16), row, sorted(people), packed, drawn)


def built(folder: Path, rows: Sequence[Kept]) -> str:
    with Store.create(folder, WIDTH) as store:
        if rows:
            store.add(rows)
        return store.digest()


def three(folder: Path) -> list[Kept]:
    rows = [kept(1, [0, 5, 6, 5], [1]), kept(2, [0, 5, 6], [1, 2]), kept(3, [0, 5, 5, 5], [3])]
    built(folder, rows)
    return rows


# The law


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SOME_ROWS, st.data())
def test_forgetting_is_never_having_had(said: list[tuple[list[int], set[int]]], data: st.DataObject) -> None:
    """People and rows leave in any order, some come back, and the store is the one built from what is left."""
    rows = {number: kept(number, ids, sorted(people)) for number, (ids, people) in enumerate(said)}
    steps = data.draw(st.lists(st.tuples(st.sampled_from(["person", "row", "back"]), st.integers(1, 12)), max_size=6))
    with TemporaryDirectory() as place, Store.create(Path(place) / "s", WIDTH) as store:
        store.add(list(rows.values()))
        left = dict(rows)
        for what, which in steps:
            if what == "back":
                returning = [each for number, each in rows.items() if number not in left][:which]
                store.add(returning)
                left |= {int.from_bytes(each.item): each for each in returning}
                continue
            if what == "person":
                gone = [number for number, each in left.items() if which in each.people]
                assert store.forget_people(np.array([which])) == len(gone)
            else:
                gone = [number for number in left if number == which]
                assert store.forget([which.to_bytes(16)]) == len(gone)
            left = {number: each for number, each in left.items() if number not in gone}
        assert store.digest() == built(Path(place) / "t", list(left.values()))
        assert list(store.findings()) == []
        assert store.people().tolist() == sorted({who for each in left.values() for who in each.people})
        store.copied(Path(place) / "c")
        with Store(Path(place) / "c") as copy:
            assert copy.digest() == store.digest()
            assert list(copy.findings()) == []
            assert len(copy.vectors()) == sum(len(each.vectors) for each in left.values())


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=6))
def test_counts_are_those_of_a_plain_count(rows: list[list[int]]) -> None:
    wanted: dict[tuple[tuple[int, ...], int], int] = {}
    for row in rows:
        for at in range(1, len(row)):
            for size in range(min(at, 3) + 1):
                pair = tuple(row[at - size : at]), row[at]
                wanted[pair] = wanted.get(pair, 0) + 1
    counts = Counts.of([np.array(row, np.int32) for row in rows])
    assert len(counts.count) == len(wanted)
    for (context, following), number in wanted.items():
        found, times = counts.continuations(contexts_of(list(context))[-1])
        assert times[found == following].tolist() == [number]


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=6), st.lists(st.integers(0, 3), max_size=5))
def test_chances_are_a_distribution(rows: list[list[int]], before: list[int]) -> None:
    found = chances(Counts.of([np.array(row, np.int32) for row in rows]), before, 4)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


# What is left of a row


def test_nothing_of_a_forgotten_row_is_left_in_the_files(tmp_path: Path) -> None:
    rows = three(tmp_path / "s")
    with Store(tmp_path / "s") as store:
        store.forget_people(np.array([3]))
    for path in (tmp_path / "s").iterdir():
        data = path.read_bytes()
        assert rows[2].ids[1:].tobytes() not in data
        assert rows[2].vectors[0].tobytes() not in data
        assert rows[2].row not in data


# Kills


@pytest.mark.filterwarnings("ignore")  # Lance warns of forks; the child does not touch it
@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_kill_while_it_forgets_is_carried_on(tmp_path: Path, moment: str) -> None:
    rows = three(tmp_path / "s")
    wanted = built(tmp_path / "t", rows[:2])
    pid = os.fork()  # nothing but SQLite and numpy runs here
    if not pid:
        store = Store(tmp_path / "s")
        if moment == "after the commit":
            store._zero = lambda *, durably: [] if durably else os._exit(9)  # type: ignore[method-assign]
        else:
            store._put = lambda *_: os._exit(9)  # type: ignore[method-assign]
        store.forget_people(np.array([3]))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    with Store(tmp_path / "s") as store:
        if moment == "after the commit":
            assert store.digest() == wanted
            assert rows[2].vectors.tobytes() in (tmp_path / "s" / VECTORS).read_bytes()
        store.forget_people(np.array([3]))
        store.settle()
        assert store.digest() == wanted
        assert rows[2].vectors.tobytes() not in (tmp_path / "s" / VECTORS).read_bytes()
        assert list(store.findings()) == []


def test_what_a_kill_left_behind_the_end_is_written_over(tmp_path: Path) -> None:
    rows = three(tmp_path / "s")
    with (tmp_path / "s" / VECTORS).open("ab") as file:
        file.write(b"what was not put on record")
    with Store(tmp_path / "s") as store:
        more = kept(4, [0, 1, 2], [4])
        store.add([more])
        assert store.digest() == built(tmp_path / "t", [*rows, more])


def test_a_copy_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    three(tmp_path / "s")
    (tmp_path / ".c").mkdir()
    (tmp_path / ".c" / ROWS).write_bytes(b"half of it")
    with Store(tmp_path / "s") as store:
        store.copied(tmp_path / "c")
        with Store(tmp_path / "c") as copy:
            assert copy.digest() == store.digest()


# Damage


def test_a_row_twice_is_refused(tmp_path: Path) -> None:
    rows = three(tmp_path / "s")
    with Store(tmp_path / "s") as store:
        before = store.digest()
        with pytest.raises(CorpusError):
            store.add([rows[0]])
        assert store.digest() == before


def test_counts_that_are_not_there_are_named(tmp_path: Path) -> None:
    three(tmp_path / "s")
    with sqlite3.connect(tmp_path / "s" / ROWS) as rows:
        rows.execute("delete from counts where context = 0 and following = 6")
    with Store(tmp_path / "s") as store:
        assert len(list(store.findings())) == 1
        with pytest.raises(CorpusError):
            store.forget_people(np.array([1]))
        assert store.people().tolist() == [1, 2, 3]


@pytest.mark.parametrize("damage", [b"", b"no database at all, but long enough to look at it" * 99])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, damage: bytes) -> None:
    three(tmp_path / "s")
    (tmp_path / "s" / ROWS).write_bytes(damage)
    with pytest.raises(CorpusError, match="damaged"):
        Store(tmp_path / "s")


def test_its_state_changes_with_its_file(tmp_path: Path) -> None:
    three(tmp_path / "s")
    before = stores.state_of(tmp_path / "s")
    with Store(tmp_path / "s") as store:
        assert store.forget_people(np.array([9])) == 0
        assert stores.state_of(tmp_path / "s") == before
        store.forget_people(np.array([3]))
    assert stores.state_of(tmp_path / "s") != before
