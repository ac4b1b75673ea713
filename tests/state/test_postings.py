"""Postings find what reading the column finds, deleted rows or not; broken ones hide nobody, none outlives its rows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import batch, item, open_policy

from demur import workspace as workspaces
from demur.cli import run
from demur.corpus.datasets import postings
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.postings import COLUMNS, Postings
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.people.indexed.stored import write_arrays
from demur.words.columns import BITS, in_rows
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

PEOPLE = 40


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fragments have postings from their first row on."""
    monkeypatch.setattr(postings, "LEAST_ROWS", 1)
    monkeypatch.setattr(postings, "_COMMON", 8)


@pytest.fixture
def town(fast_tmp: Path) -> Workspace:
    """A corpus with a post of each of 40 people; every second one names another."""
    workspace = workspaces.create(fast_tmp / "w", open_policy())
    import_items(workspace, "table", [batch(posts(range(PEOPLE)))])
    return workspace


def posts(numbers: range) -> Iterator[dict[str, object]]:
    for n in numbers:
        others = f" and Xaver{n + 1} came along from the other side of the river" * (n % 2)
        yield item(f"{n}", f"forum:u{n}", f"Everybody heard that word{n % 7} is the thing of day {n}{others}.")


def here(workspace: Workspace) -> list[Path]:
    return sorted((workspace.beside_path / "postings").glob("*"))


def read_from_columns(corpus: Corpus, column: str, keys: set[int]) -> list[int]:
    """The addresses of the rows that hold one of some keys, from the rows themselves."""
    found = []
    for rows in corpus.batches([column]):
        row, key = in_rows(rows.column(column))
        held = {at for at, each in zip(row.tolist(), key.tolist(), strict=True) if each in keys}
        found += [rows.column("_rowaddr")[at].as_py() for at in sorted(held)]
    return sorted(found)


def require_found(workspace: Workspace, *, with_postings: bool = True) -> None:
    """Of every key, alone and among others, the rows are found that hold it."""
    with reading(workspace) as session:
        corpus = session.corpus
        known = [corpus._postings_of(each) is not None for each in corpus.dataset.get_fragments()]
        assert all(known) if with_postings else not any(known)
        for column in COLUMNS:
            held = (in_rows(rows.column(column))[1].tolist() for rows in corpus.batches([column]))
            keys = sorted({key for some in held for key in some})
            for some in (*([key] for key in keys), keys[::3], keys, [*keys[:2], 2**BITS - 1], []):
                assert corpus.holding(column, np.array(some)).tolist() == read_from_columns(corpus, column, set(some))


# What they tell


@given(
    st.lists(st.sets(st.integers(0, 2**BITS - 1) | st.integers(0, 40), max_size=12), max_size=60),
    st.lists(st.integers(0, 2**BITS - 1) | st.integers(0, 40), max_size=20),
)
def test_rows_are_those_that_hold_a_key(rows: list[set[int]], asked: list[int]) -> None:
    key = np.array([each for row in rows for each in sorted(row)], np.uint32)
    row = np.repeat(np.arange(len(rows)), [len(each) for each in rows]).astype(np.uint32)
    built = Postings.build(lambda: [(key[:50], row[:50]), (key[50:], row[50:])], len(rows))
    wanted = np.unique(np.array(asked, np.uint32))
    found = built.rows(wanted)
    if found is None:
        times = {each: sum(each in row for row in rows) for each in asked}
        assert max(times.values()) > len(rows) // 8 or len(wanted) * 16 > len(built.row)
    else:
        assert found.tolist() == [at for at, each in enumerate(rows) if each & set(asked)]


def test_a_common_key_has_none_and_is_named() -> None:
    row = np.arange(100, dtype=np.uint32)
    built = Postings.build(lambda: [(row * 0 + 7, row), (row + 1_000, row)], 100)
    assert built.common.tolist() == [7]
    assert built.rows(np.array([7, 1_004], np.uint32)) is None
    found = built.rows(np.array([1_004], np.uint32))
    assert found is not None
    assert found.tolist() == [4]


def test_look_ups_find_what_reading_finds(town: Workspace) -> None:
    require_found(town)


def test_deleted_rewritten_and_merged_rows_are_found_where_they_are(town: Workspace) -> None:
    for who in (3, 8):
        assert run(["object", "-w", str(town.root), "--account", f"forum:u{who}", "--channel", "letter"]) == 0
    import_items(town, "table", [batch(posts(range(5, 12)))])
    require_found(town)
    maintain(town)
    require_found(town)


def test_a_look_up_by_postings_reads_no_column(town: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(town) as session:
        monkeypatch.setattr(Corpus, "_read", nothing_to_read)
        grams = in_rows(next(session.corpus.batches(["grams"])).column("grams"))[1]
        once = [int(key) for key, times in zip(*np.unique(grams, return_counts=True), strict=True) if times == 1]
        assert len(session.corpus.holding("grams", np.array(once[:1]))) == 1


def nothing_to_read(_: Corpus, fragments: list[object], *__: object) -> Iterator[np.ndarray]:
    assert not fragments
    return iter(())


# A cache, and no more


def removed(workspace: Workspace) -> None:
    shutil.rmtree(workspace.beside_path / "postings")


def emptied(workspace: Workspace) -> None:
    for path in here(workspace):
        path.write_bytes(b"")


def flipped(workspace: Workspace) -> None:
    for path in here(workspace):
        data = bytearray(path.read_bytes())
        data[-3] ^= 1
        path.write_bytes(bytes(data))


def of_nothing(workspace: Workspace) -> None:
    """Whole, and of the right form, but without a row."""
    arrays = {f"{column}.{name}": array for column in COLUMNS for name, array in vars(Postings.build(list, 1)).items()}
    for path in here(workspace):
        write_arrays(path, postings._FORM, arrays)


HARM: list[Callable[[Workspace], None]] = [removed, emptied, flipped, of_nothing]


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_whatever_became_of_them_everything_is_found(town: Workspace, harm: Callable[[Workspace], None]) -> None:
    harm(town)
    require_found(town, with_postings=False)
    import_items(town, "table", [batch(posts(range(PEOPLE, PEOPLE + 2)))])
    require_found(town)


def test_a_copied_workspace_trusts_them_by_their_bytes(town: Workspace) -> None:
    copy = Workspace(town.root.parent / "copy")
    shutil.copytree(town.root, copy.root)
    require_found(copy)


def test_none_outlives_its_rows(town: Workspace) -> None:
    before = {path.name for path in here(town)}
    assert before
    assert run(["erase", "-w", str(town.root), "--account", "forum:u4", "--yes"]) == 0
    assert not before & {path.name for path in here(town)}
    require_found(town)
