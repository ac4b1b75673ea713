"""Roots over the people of a model show who is in it and who is not, and nothing to whoever compares two of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CheckFailed
from demur.versions.lineage import Roots, proof_of, roots_of
from demur.versions.subjects import holds

PEOPLE = st.sets(st.integers(0, 2**63 - 1), max_size=40)


@pytest.mark.law
@given(PEOPLE, st.integers(0, 2**63 - 1))
def test_everybody_is_shown_in_or_out(people: set[int], stranger: int) -> None:
    keys = np.array(sorted(people), np.int64)
    roots = roots_of(keys)
    root = bytes.fromhex(roots.root)
    assert roots.people == len(people)
    for key in (*people, stranger):
        proof, digest = proof_of(keys, roots, key)
        assert holds(proof, digest, bits=roots.bits, root=root) == (key in people)


def test_a_proof_of_another_model_is_none_of_this_one() -> None:
    one, other = roots_of(np.array([1, 2, 3], np.int64)), roots_of(np.array([1, 2, 3], np.int64))
    assert one.root != other.root
    proof, digest = proof_of(np.array([1, 2, 3], np.int64), one, 2)
    with pytest.raises(CheckFailed):
        holds(proof, digest, bits=other.bits, root=bytes.fromhex(other.root))


def test_the_same_salt_gives_the_same_root_and_facts_read_back() -> None:
    keys = np.array([4, 5], np.int64)
    roots = roots_of(keys)
    assert roots_of(keys, bytes.fromhex(roots.salt)) == roots == Roots.read(roots.facts())
