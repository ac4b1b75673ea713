"""Columns of words: each row's distinct shortened keys, and the rows that hold what is looked for."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.words.columns import BITS, Wanted, shortened, word_lists

ROWS = 200
PARTS = st.lists(
    st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, 9) | st.integers(0, 2**63 - 1)), max_size=60).map(
        lambda part: sorted(part, key=lambda word: word[0])
    ),
    min_size=1,
    max_size=3,
)


def columns(part: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and keys of words."""
    return np.array([row for row, _ in part], np.int64), np.array([key for _, key in part], np.int64)


@given(PARTS, st.sampled_from([0, 1, 63, 64, 1000]))
def test_a_row_has_its_distinct_keys_in_order(parts: list[list[tuple[int, int]]], more: int) -> None:
    found = word_lists(ROWS + more, *map(columns, parts))
    assert found.type == pa.list_(pa.int32())
    words = [word for part in parts for word in part]
    assert found.to_pylist() == [
        sorted({key % 2**BITS for at, key in words if at == row}) for row in range(ROWS + more)
    ]


def test_no_rows_have_no_words() -> None:
    assert word_lists(0, columns([])).to_pylist() == []


@pytest.mark.parametrize("many", [0, 1, 1000, 100_000])
def test_rows_are_found_by_exactly_what_they_hold(many: int) -> None:
    rng = np.random.default_rng(many)
    lists = word_lists(ROWS, (np.sort(rng.integers(0, ROWS, 4000)), rng.integers(0, 2**63 - 1, 4000)))
    held = lists.flatten().to_numpy()
    keys = np.concatenate([shortened(rng.integers(0, 2**63 - 1, many)), held[: min(many, 3)]])
    wanted = set(keys.tolist())
    expected = [row for row, words in enumerate(lists.to_pylist()) if wanted & set(words)]
    assert Wanted(keys).rows(lists).tolist() == expected
