"""Grams: the same words give the same ones, sampled by their own words so that a copied run always shares one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demur.words.grams import grams, paired, sampled, whole
from demur.words.keys import Keys

KEYS = hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 5) | st.integers(0, 2**63 - 1))
SIZES = st.sampled_from([(8, 3), (6, 2), (6, 3), (5, 2)])


@given(KEYS, st.integers(1, 9))
def test_a_gram_is_that_of_its_own_words(keys: Keys, size: int) -> None:
    alone = [grams(keys[at : at + size], size).tolist() for at in range(len(keys) - size + 1)]
    assert [[gram] for gram in grams(keys, size).tolist()] == alone


@given(KEYS, SIZES)
def test_sampling_hangs_on_its_own_words(keys: Keys, how: tuple[int, int]) -> None:
    size, part = how
    alone = [sampled(keys[at : at + size], size, part).tolist() for at in range(len(keys) - size + 1)]
    assert [[chosen] for chosen in sampled(keys, size, part).tolist()] == alone


@given(KEYS, SIZES)
def test_any_run_holds_a_sampled_gram(keys: Keys, how: tuple[int, int]) -> None:
    size, part = how
    chosen, neighbours = sampled(keys, size, part), size - part
    assert all(chosen[at : at + neighbours].any() for at in range(len(chosen) - neighbours + 1))


@pytest.mark.parametrize(("size", "part", "share"), [(8, 3, 1 / 3), (6, 2, 2 / 5)])
def test_sampling_keeps_a_share(size: int, part: int, share: float) -> None:
    keys = np.random.default_rng(3).integers(0, 2**63 - 1, 20_000)
    assert abs(sampled(keys, size, part).mean() - share) < 0.02


@given(st.lists(hnp.arrays(np.int64, st.integers(1, 9), elements=st.integers(0, 3)), max_size=6))
def test_whole_groups(groups: list[Keys]) -> None:
    keys = np.concatenate([np.zeros(0, np.int64), *groups])
    begins = np.cumsum([0, *map(len, groups)])[:-1].astype(np.int64)
    found = whole(keys, begins).tolist()
    assert len(set(found)) == len({tuple(group.tolist()) for group in groups})
    assert found == [whole(group, np.zeros(1, np.int64))[0] for group in groups]


def test_grams_are_from_zero_and_in_order() -> None:
    one, other = grams(np.array([1, 2]), 2), grams(np.array([2, 1]), 2)
    assert one[0] != other[0]
    assert (grams(np.arange(1000), 3) >= 0).all()
    assert paired(one, np.array([1]))[0] != paired(one, np.array([2]))[0]
