"""PDQ's hashes are those of its reference implementation, in all eight forms, whatever shares the batch.

golden-pdq.json holds what the reference (facebook/ThreatExchange, in C++, by the package pdqhash 0.2.8) gives for
pictures that are made of whole numbers here.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.looks.pdq import FORMS, LEVEL, SIDE, Bits, Grey, all_forms, distances, grid, hashes, quality

GOLDEN: Final[list[dict[str, Any]]] = json.loads((Path(__file__).parent / "golden-pdq.json").read_text())
OF_64: Final = [each for each in GOLDEN if each["height"] == each["width"] == SIDE]
LARGER: Final = [each for each in GOLDEN if each not in OF_64]


def grey(seed: int, height: int, width: int, shift: int) -> Grey:
    """A picture of shapes and edges, the same on every machine."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    value = x * (7 * seed + 3) + y * (5 * seed + 11) + (x * y * (seed + 1)) // (9 + seed)
    value = (value + ((x - width // 2) ** 2 + (y - height // 3) ** 2) // (3 + seed)) % (509 - 3 * seed)
    return np.asarray((value * 255 // (508 - 3 * seed)) >> shift, np.uint8)


def made(golden: dict[str, Any]) -> Grey:
    """The picture of a golden row."""
    return grey(golden["seed"], golden["height"], golden["width"], golden["shift"])


def reference(golden: dict[str, Any]) -> Bits:
    """The reference's hashes in the order of bits that is ours, shape (8, 32)."""
    bits = np.array([list(bytes.fromhex(each)) for each in golden["forms"]], np.uint8)
    return np.packbits(np.unpackbits(bits, axis=-1)[:, ::-1], axis=-1)


@pytest.mark.parametrize("golden", OF_64)
def test_hashes_of_64_by_64_are_the_references_to_the_bit(golden: dict[str, Any]) -> None:
    found = all_forms(grid(made(golden))[None])
    assert found.bits[0].tobytes() == reference(golden).tobytes()
    assert found.quality.tolist() == [golden["quality"]]


def test_the_golden_pictures_lie_on_both_sides_of_what_decides() -> None:
    qualities = {each["quality"] for each in OF_64}
    assert min(qualities) < 50 <= max(qualities)


@pytest.mark.parametrize("golden", LARGER)
def test_hashes_of_larger_pictures_are_near_the_references(golden: dict[str, Any]) -> None:
    found = all_forms(grid(made(golden))[None])
    assert distances(found.bits[0], reference(golden)).max() <= 48
    apart = distances(found.bits[0][:, None], reference(golden)[None])
    assert apart.argmin(axis=1).tolist() == list(range(FORMS))


@given(st.integers(0, 20), st.integers(5, 300), st.integers(5, 300))
def test_a_form_is_the_hash_of_the_picture_that_was_turned(seed: int, height: int, width: int) -> None:
    one = grey(seed, height, width, 0)
    forms = all_forms(grid(one)[None]).bits[0]
    quarter = [np.rot90(one, turns) for turns in range(4)]
    turned = [*quarter, one[::-1], one[:, ::-1], one.T, one[::-1, ::-1].T]
    made_of_them = hashes(np.stack([grid(np.ascontiguousarray(each)) for each in turned])).bits
    apart = distances(made_of_them[:, None], forms[None]).min(axis=1)
    assert apart.max() <= 16  # ties of frequencies, and pixels that a place takes from one side


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_a_hash_does_not_depend_on_its_batch(seeds: list[int]) -> None:
    grids = np.stack([grid(grey(seed, 90, 130, 0)) for seed in seeds])
    together = all_forms(grids)
    for number in range(len(seeds)):
        alone = all_forms(grids[number : number + 1])
        assert together.bits[number].tobytes() == alone.bits[0].tobytes()
        assert together.quality[number] == alone.quality[0]
        assert hashes(grids).bits[number].tobytes() == alone.bits[0, 0].tobytes()


@given(st.integers(5, 700))
def test_a_grid_is_of_whole_numbers_and_keeps_an_even_level(side: int) -> None:
    even: npt.NDArray[np.uint8] = np.full((side, 40), 200, np.uint8)
    assert (grid(even) == 200 * LEVEL).all()
    shaped = grid(grey(3, side, 77, 0))
    assert (shaped == np.rint(shaped)).all()


@pytest.mark.parametrize("shape", [(4, 300), (300, 4), (1, 1), (0, 9)])
def test_what_is_too_small_has_no_quality(shape: tuple[int, int]) -> None:
    assert quality(grid(np.full(shape, 9, np.uint8))[None]).tolist() == [0]


def test_nothing_gives_nothing() -> None:
    none = np.zeros((0, SIDE, SIDE))
    assert all_forms(none).bits.shape == (0, FORMS, 32)
    assert hashes(none).bits.shape == (0, 32)
