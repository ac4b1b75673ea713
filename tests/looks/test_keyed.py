"""Bits under the pepper differ where those without it do, as many and no more; keys are the same for ever."""

import pickle

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from demur.errors import DemurError
from demur.looks.keyed import BitKey
from demur.looks.pdq import distances

SECRET = bytes(range(32))
VALUES = arrays(np.uint8, (5, 32))


@given(VALUES, VALUES, st.binary(min_size=32, max_size=32))
def test_distances_stay(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], secret: bytes) -> None:
    key = BitKey(secret, "hashes")
    assert distances(key.keyed(one), key.keyed(other)).tolist() == distances(one, other).tolist()
    assert key.keyed(one[None])[0].tobytes() == key.keyed(one).tobytes()


def test_a_key_is_the_same_for_ever() -> None:
    values = np.array([[0] * 32, [255] * 32, list(range(32))], np.uint8)
    assert [bytes(each).hex() for each in BitKey(SECRET, "hashes").keyed(values)] == [
        "3816af8c5e4f8ace6f8d7b830ac41e70af1c0b67bceef4aa52ad32985de904f0",
        "c7e95073a1b075319072847cf53be18f50e3f49843110b55ad52cd67a216fb0f",
        "3c72699c0c67cc0e5d62eb012a94d822cf109b67e942c7eb40ef108215c9c2b0",
    ]


def test_every_bit_goes_to_a_place_of_its_own() -> None:
    ones = np.packbits(np.eye(256, dtype=np.uint8), axis=1)
    key = BitKey(SECRET, "hashes")
    places = np.unpackbits(key.keyed(ones) ^ key.keyed(np.zeros((1, 32), np.uint8)), axis=1)
    assert places.sum(axis=0).tolist() == places.sum(axis=1).tolist() == [1] * 256
    assert (places.argmax(axis=1) == np.arange(256)).sum() < 10


@pytest.mark.parametrize("other", [BitKey(SECRET, "features"), BitKey(bytes(32), "hashes")])
def test_another_purpose_and_another_pepper_give_other_bits(other: BitKey) -> None:
    values = np.arange(320, dtype=np.uint8).reshape(10, 32)
    assert 90 < distances(BitKey(SECRET, "hashes").keyed(values), other.keyed(values)).mean() < 166


def test_a_key_crosses_to_another_process_and_shows_no_secret() -> None:
    key = BitKey(SECRET, "hashes")
    assert pickle.loads(pickle.dumps(key)) == key
    assert "secret" not in repr(key)


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises((DemurError, ValueError)):
        BitKey(b"short", "hashes")
