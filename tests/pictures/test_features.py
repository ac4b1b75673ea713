"""Features of a picture are the same each time, spread over it, and stay where they were when it is turned."""

import numpy as np
import pytest
from PIL import Image

from _pictures import photo
from demur.pictures.features import LONGEST, MOST, UNITS, features


def grey(seed: int, width: int = LONGEST, height: int = 384) -> Image.Image:
    """A made-up photo."""
    return photo(seed, width, height).convert("L")


def test_a_picture_gives_the_same_features_each_time() -> None:
    one, again = features(np.asarray(grey(1))), features(np.asarray(grey(1)))
    assert one.positions.tobytes() == again.positions.tobytes()
    assert one.descriptors.tobytes() == again.descriptors.tobytes()


def test_features_lie_in_the_picture_and_are_spread_over_it() -> None:
    found = features(np.asarray(grey(2)))
    x, y, turn, _ = found.positions.T
    assert 100 < len(x) <= MOST
    assert found.positions.dtype == np.int16
    assert found.descriptors.shape == (len(x), 32)
    assert x.min() >= 0
    assert x.max() <= UNITS
    assert y.min() >= 0
    assert y.max() <= UNITS * 384 // 512
    assert turn.min() >= 0
    assert turn.max() <= UNITS
    quarters = (x > UNITS // 2) * 2 + (y > UNITS * 3 // 8)
    assert np.bincount(quarters, minlength=4).min() > len(x) / 10


def test_a_corner_alone_gets_features_beside_a_busy_picture() -> None:
    page = Image.new("L", (512, 512), 255)
    page.paste(grey(3, 512, 380), (0, 0))
    page.paste(0, (230, 440, 280, 480))
    y = features(np.asarray(page)).positions[:, 1]
    assert (y > UNITS * 400 // 512).any()


def test_most_features_are_found_again_where_the_picture_was_turned() -> None:
    one, turned = features(np.asarray(grey(4))), features(np.asarray(grey(4).rotate(180)))
    back = UNITS * np.array([1, 384 / 512]) - turned.positions[:, :2]
    near = np.abs(one.positions[:, None, :2] - back[None]).max(axis=2).min(axis=1) <= 24
    assert near.mean() > 0.5


@pytest.mark.parametrize("shape", [(31, 400), (400, 31), (1, 1), (200, 200)])
def test_what_is_small_or_even_has_none(shape: tuple[int, int]) -> None:
    found = features(np.full(shape, 90, np.uint8))
    assert found.positions.shape == (0, 4)
    assert found.descriptors.shape == (0, 32)
