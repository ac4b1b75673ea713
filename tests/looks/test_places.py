"""Windows lie within their picture and find what stands between even bands; a map follows from matches in any order."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from _pictures import photo
from demur.looks.fitting import fit, laid
from demur.looks.windows import MOST, originals, parts, windows


@given(st.integers(0, 2**32), st.integers(1, 256), st.integers(1, 256))
def test_windows_lie_within_their_picture(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 256, (height, width), np.uint8)
    grey[rng.random(height) < 0.4] = 200
    grey[:, rng.random(width) < 0.4] = 200
    for boxes in (windows(grey), originals(grey)):
        assert boxes[0].tolist() == [0, 0, height, width]
        top, left, bottom, right = boxes.T
        assert (top >= 0).all()
        assert (left >= 0).all()
        assert (bottom <= height).all()
        assert (right <= width).all()
    assert len(windows(grey)) <= 5 + MOST
    assert (originals(grey)[:, 2:] > originals(grey)[:, :2]).all()


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0, 90, 255]), st.integers(0, 5), st.booleans())
def test_a_photo_on_a_page_is_cut_out(top: int, left: int, ground: int, seed: int, beside: bool) -> None:  # noqa: FBT001  # drawn
    shown = np.asarray(photo(seed, 160, 120).convert("L"))
    page: npt.NDArray[np.uint8] = np.full((256, 256), ground, np.uint8)
    page[top : top + 120, left : left + 160] = shown
    if beside:
        page[top + 128 : top + 128 + 60, left : left + 90] = shown[:60, :90]
    where = np.abs(windows(page) - [top, left, top + 120, left + 160]).max(axis=1)
    assert where.min() <= 2  # the edge of a photo may be as even as its ground


def test_a_crop_that_keeps_three_quarters_holds_a_part() -> None:
    boxes = parts()
    for top in np.linspace(0, 0.25, 6):
        for left in np.linspace(0, 0.25, 6):
            inside = (boxes[:, :2] >= [top, left]).all(axis=1) & (boxes[:, 2:] <= [top + 0.75, left + 0.75]).all(axis=1)
            assert inside.any()


@given(st.integers(0, 2**32), st.floats(0, 6.28), st.floats(0.3, 3), st.integers(0, 40))
def test_a_map_is_found_among_wrong_matches_in_any_order(seed: int, turn: float, size: float, wrong: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.uniform(0, 4096, (30 + wrong, 2))
    true = size * np.exp(1j * turn)
    moved = (one @ [1, 1j]) * true + (500 + 300j)
    other = np.column_stack([moved.real, moved.imag])
    other[30:] = rng.uniform(0, 4096, (wrong, 2))
    cost = np.concatenate([rng.integers(0, 40, 30), rng.integers(20, 60, wrong)])
    found = fit(one, other, cost)
    assert found is not None
    assert found.agreeing >= 15
    assert np.abs(laid(found.map, one[:30]) - other[:30]).max() < 60 * max(size, 1)
    order = rng.permutation(len(one))
    again = fit(one[order], other[order], cost[order])
    assert again is not None
    assert again.agreeing == found.agreeing
    assert again.map.tobytes() == found.map.tobytes()


def test_too_few_matches_and_matches_in_one_place_give_no_map() -> None:
    few = np.zeros((5, 2))
    assert fit(few, few, np.zeros(5, np.int64)) is None
    many = np.full((40, 2), 7.0)
    assert fit(many, many, np.zeros(40, np.int64)) is None
