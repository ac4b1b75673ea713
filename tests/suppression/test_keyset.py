"""KeySet answers exactly, for any keys, and crosses processes as its keys alone."""

import hashlib
import pickle
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demur.suppression.keyset import KeySet

INT64 = st.integers(-(2**63), 2**63 - 1)
EDGES = [-(2**63), -(2**62), -1, 0, 1, 2**31, 2**62, 2**63 - 1]
Keys = npt.NDArray[np.int64]


def of(*keys: int) -> KeySet:
    return KeySet(np.array(keys, dtype=np.int64))


@given(
    hnp.arrays(np.int64, st.integers(0, 60), elements=INT64 | st.sampled_from(EDGES) | st.integers(0, 40)),
    hnp.arrays(np.int64, st.integers(0, 60), elements=INT64 | st.sampled_from(EDGES) | st.integers(0, 40)),
)
def test_contains_is_exact_for_any_keys(members: Keys, asked: Keys) -> None:
    asked = np.concatenate([asked, members])
    found = KeySet(members).contains(asked)
    assert found.tolist() == [key in set(members.tolist()) for key in asked.tolist()]


@pytest.mark.parametrize("first", [0, 2**62, -(2**63), 2**63 - 200_000])
def test_contains_is_exact_where_all_keys_share_a_bucket(first: int) -> None:
    dense = first + np.arange(0, 200_000, dtype=np.int64)
    found = KeySet(dense[::3]).contains(dense)
    assert np.array_equal(np.flatnonzero(found), np.arange(0, 200_000, 3))


def test_contains_is_exact_for_many_uniform_keys_across_chunks() -> None:
    random = np.random.default_rng(5)
    members = random.integers(0, 2**63, 50_000, dtype=np.int64)
    near = np.concatenate([members, members ^ 1, random.integers(-(2**63), 2**63, 200_000, dtype=np.int64)])
    assert np.array_equal(KeySet(members).contains(near), np.isin(near, members))


def test_the_edges_of_int64_are_kept_apart() -> None:
    assert KeySet(np.array(EDGES * 2, dtype=np.int64)).keys.tolist() == EDGES
    assert of(-(2**63)).contains(np.array([2**63 - 1, 0, -(2**63)])).tolist() == [False, False, True]


def test_an_empty_set_holds_nothing_and_an_empty_question_has_an_empty_answer() -> None:
    assert of().contains(np.array([1, 2])).tolist() == [False, False]
    assert of(1).contains(np.array([], dtype=np.int64)).tolist() == []
    assert len(of()) == 0


def test_it_answers_for_keys_that_are_not_contiguous() -> None:
    assert of(2, 4).contains(np.arange(10, dtype=np.int64)[::2]).tolist() == [False, True, True, False, False]


@given(st.sets(INT64), st.sets(INT64))
def test_union_and_difference_are_those_of_sets(one: set[int], other: set[int]) -> None:
    assert of(*one).union(of(*other)).keys.tolist() == sorted(one | other)
    assert of(*one).difference(of(*other)).keys.tolist() == sorted(one - other)


def test_it_is_immutable_and_takes_a_copy() -> None:
    source = np.array([3, 1], dtype=np.int64)
    keys = KeySet(source)
    source[0] = 9
    assert keys.keys.tolist() == [1, 3]
    with pytest.raises(ValueError, match="read-only"):
        keys.keys[0] = 0


def test_the_digest_is_that_of_the_packed_sorted_keys() -> None:
    packed = (1).to_bytes(8, "little") + (513).to_bytes(8, "little")
    assert of(513, 1, 513).pack() == packed
    assert of(1, 513).digest == hashlib.sha256(packed).hexdigest()


def test_sets_of_the_same_keys_are_equal_and_hash_alike() -> None:
    assert of(1, 2) == of(2, 1, 1)
    assert hash(of(1, 2)) == hash(of(2, 1))
    assert of(1) != of(2)
    assert of(1) != 1
    assert repr(of(1, 2)) == "KeySet(2 keys)"


def test_it_is_pickled_as_its_keys_alone_and_answers_in_a_spawned_process() -> None:
    keys = KeySet(np.random.default_rng(3).integers(0, 2**63, 10_000, dtype=np.int64))
    keys.contains(keys.keys)  # the index is built, and must not travel
    assert len(pickle.dumps(keys)) < 8 * len(keys) + 500
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(keys.contains, (keys.keys[:50],)).all()
