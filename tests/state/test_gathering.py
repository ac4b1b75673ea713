"""Batches put together: the same rows, as few as the bounds allow."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.corpus import gathering
from demur.corpus.gathering import gathered


def batches(sizes: list[int], said: list[bytes | None] | None = None) -> list[pa.RecordBatch]:
    """Batches of numbers that count through, with what each says beside them."""
    made, first = [], 0
    for size, words in zip(sizes, said or [None] * len(sizes), strict=True):
        schema = pa.schema([("number", pa.int64())], metadata={b"alike": words} if words else None)
        made.append(pa.record_batch([pa.array(range(first, first + size))], schema=schema))
        first += size
    return made


def numbers(found: list[pa.RecordBatch]) -> list[int]:
    """All rows."""
    return [number for batch in found for number in batch.column("number").to_pylist()]


@given(st.lists(st.integers(0, 40), max_size=30))
def test_every_row_comes_once_in_its_order_and_no_two_neighbours_would_fit(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gathering, "ROWS", 50)
        found = list(gathered(batches(sizes)))
    assert numbers(found) == list(range(sum(sizes)))
    lengths = [len(batch) for batch in found]
    assert all(one + other > 50 for one, other in pairwise(lengths))
    assert max(lengths, default=0) <= 50


def test_long_rows_stay_apart() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gathering, "BYTES", 100)
        assert [len(batch) for batch in gathered(batches([8, 8, 2]))] == [8, 10]


def test_what_a_batch_says_of_its_accounts_goes_with_its_own_rows() -> None:
    found = list(gathered(batches([2, 2, 2, 2], [None, b"x", b"x", b"y"])))
    assert [len(batch) for batch in found] == [2, 4, 2]
    assert [(batch.schema.metadata or {}).get(b"alike") for batch in found] == [None, b"x", b"y"]
