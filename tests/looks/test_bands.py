"""The index by bands finds what comparing everything with everything finds."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.looks.bands import Bands
from demur.looks.pdq import WITHIN, distances

Pairs = set[tuple[int, int, int]]


def drawn(rng: np.random.Generator, count: int) -> npt.NDArray[np.uint8]:
    """Values by chance."""
    return rng.integers(0, 256, (count, 32), np.uint8)


def turned(rng: np.random.Generator, value: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
    """A value of which so many bits are turned."""
    unpacked = np.unpackbits(value)
    unpacked[rng.choice(256, bits, replace=False)] ^= 1
    return np.packbits(unpacked)


def found(index: Bands, asked: npt.NDArray[np.uint8], within: int, *, one_turned: bool) -> Pairs:
    which, value, apart = (each.tolist() for each in index.near(asked, within, turned=one_turned))
    assert list(zip(which, value, strict=True)) == sorted(zip(which, value, strict=True))
    return set(zip(which, value, apart, strict=True))


def by_force(held: npt.NDArray[np.uint8], asked: npt.NDArray[np.uint8], within: int) -> Pairs:
    apart = distances(asked[:, None], held[None])
    return {(int(one), int(other), int(apart[one, other])) for one, other in np.argwhere(apart <= within)}


@given(st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=30), st.integers(0, WITHIN))
def test_nothing_within_31_bits_is_missed(seed: int, apart: list[int], within: int) -> None:
    rng = np.random.default_rng(seed)
    held = drawn(rng, 40)
    asked = np.array([*(turned(rng, held[rng.integers(40)], bits) for bits in apart), *drawn(rng, 3)], np.uint8)
    assert found(Bands.build(held), asked, within, one_turned=True) == by_force(held, asked, within)


@given(st.integers(0, 2**32))
def test_two_bits_in_each_band_but_one_are_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = drawn(rng, 1)
    bands = np.unpackbits(held[0]).reshape(16, 16)
    for band in bands:
        band[rng.choice(16, 2, replace=False)] ^= 1
    bands[rng.integers(16)][rng.integers(16)] ^= 1
    asked = np.packbits(bands.reshape(-1))[None]
    near = by_force(held, asked, 256)
    assert {each for each in near if each[2] <= WITHIN} == found(Bands.build(held), asked, WITHIN, one_turned=True)


@given(st.integers(0, 2**32), st.integers(0, 20))
def test_what_is_found_of_a_value_depends_on_no_other(seed: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    held = drawn(rng, 6)
    asked = np.array([turned(rng, held[number], 50) for number in range(6)], np.uint8)
    few = found(Bands.build(held, 4), asked, 56, one_turned=False)
    many = found(Bands.build(np.concatenate([held, drawn(rng, more)]), 4), asked, 56, one_turned=False)
    assert few == {each for each in many if each[1] < 6}
    for number in range(6):
        alone = found(Bands.build(held, 4), asked[number : number + 1], 56, one_turned=False)
        assert {(number, value, apart) for _, value, apart in alone} == {each for each in few if each[0] == number}


@pytest.mark.parametrize(("held", "asked"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_near_nothing(held: int, asked: int) -> None:
    rng = np.random.default_rng(1)
    assert not found(Bands.build(drawn(rng, held)), drawn(rng, asked), 31, one_turned=True)
