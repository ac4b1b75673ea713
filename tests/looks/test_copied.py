"""Copies of pictures are found however these were changed, the same in any batch and order, and others are not."""

import pickle
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from _picture_edits import EDITS, jpeg, post
from _pictures import photo
from demur.errors import RegisterError
from demur.looks.copied import ALONE, ELSEWHERE, POINTING, THERE, Copied, Matches, _judged
from demur.looks.looking import Look, PictureKeys, Print, Seen, look, print_of
from demur.looks.pdq import WITHIN
from demur.looks.pointing import UNKNOWN, Pointed
from demur.pictures.features import features

KEYS: Final = PictureKeys(bytes(range(32)))
PHOTOS: Final = 4
FOUND: Final = sorted(EDITS)


def seen(picture: Image.Image) -> Seen:
    """A picture as the reader hands it out."""
    grey = picture.convert("L")
    found = features(np.asarray(ImageOps.contain(grey, (512, 512))))
    return Seen(np.asarray(ImageOps.contain(grey, (256, 256))), found.positions, found.descriptors)


@cache
def original(number: int) -> Image.Image:
    """A made-up photo."""
    return photo(number, 480, 360)


@cache
def printed(number: int) -> Print:
    """What is kept of it."""
    return print_of(seen(original(number)), seen(ImageOps.mirror(original(number))), KEYS)


@cache
def edited(number: int, edit: str) -> Look:
    """A photo as it comes in after an edit."""
    others = [original(each) for each in range(20, 24)]
    return look(seen(jpeg(EDITS[edit](original(number), random.Random(f"{number} {edit}"), others))), KEYS)


@cache
def index() -> Copied:
    """Of the first photos; photo n is of person 100 + n."""
    return Copied.build([printed(number) for number in range(PHOTOS)], np.arange(PHOTOS) + 100)


def told(matches: Matches) -> list[tuple[int, int, int, bool, float]]:
    """Matches as rows."""
    return list(zip(*(each.tolist() for each in matches), strict=True))


@pytest.mark.parametrize("edit", FOUND)
def test_a_copy_is_found_after_each_edit(edit: str) -> None:
    rows = told(index().found([edited(number, edit) for number in range(PHOTOS)], KEYS))
    assert {(picture, number) for picture, number, *_ in rows} == {(number, number) for number in range(PHOTOS)}
    assert all(subject == 100 + number and 0 <= score <= 1 for _, number, subject, _, score in rows)


@pytest.mark.parametrize("edit", FOUND)
def test_other_pictures_are_not_taken_for_copies(edit: str) -> None:
    assert not told(index().found([edited(number, edit) for number in range(PHOTOS, 2 * PHOTOS)], KEYS))


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, PHOTOS + 1), st.sampled_from(FOUND)), max_size=40), st.permutations(range(PHOTOS))
)
def test_what_is_found_depends_on_no_other_picture_and_no_order(came: list[tuple[int, str]], order: list[int]) -> None:
    looks = [edited(*each) for each in came]
    whole = told(index().found(looks, KEYS))
    assert whole == sorted(whole)
    alone = [(at, *row[1:]) for at, each in enumerate(looks) for row in told(index().found([each], KEYS))]
    assert whole == alone
    shuffled = Copied.build([printed(number) for number in order], np.array(order) + 100)
    assert {(row[0], *row[2:]) for row in whole} == {(row[0], *row[2:]) for row in told(shuffled.found(looks, KEYS))}
    by_print = [Copied.build([printed(number)], np.array([100 + number])) for number in range(PHOTOS)]
    single = {(row[0], *row[2:]) for each in by_print for row in told(each.found(looks, KEYS))}
    assert single == {(row[0], *row[2:]) for row in whole}


def test_another_pepper_finds_nothing() -> None:
    other = PictureKeys(bytes(32))
    came = look(seen(original(0)), other)
    assert not told(index().found([came], other))


def test_nothing_is_found_by_nothing(tmp_path: Path) -> None:
    empty = Copied.build([], np.zeros(0, np.int64))
    assert not told(empty.found([edited(0, "mirror")], KEYS))
    assert not told(index().found([], KEYS))
    empty.save(tmp_path / "none")
    assert not told(Copied.load(tmp_path / "none").found([edited(0, "mirror")], KEYS))


def test_an_index_crosses_a_file_and_a_process(tmp_path: Path) -> None:
    looks = [edited(number, "crop 10 %") for number in range(PHOTOS)]
    index().save(tmp_path / "pictures")
    loaded = Copied.load(tmp_path / "pictures")
    for each in (loaded, pickle.loads(pickle.dumps(loaded)), pickle.loads(pickle.dumps(index()))):
        assert told(each.found(looks, KEYS)) == told(index().found(looks, KEYS))
    assert len(pickle.dumps(loaded)) < 1000


def test_a_damaged_index_is_refused_in_a_sentence(tmp_path: Path) -> None:
    index().save(tmp_path / "pictures")
    (tmp_path / "pictures").write_bytes((tmp_path / "pictures").read_bytes()[:-100])
    with pytest.raises(RegisterError, match="made anew"):
        Copied.load(tmp_path / "pictures")


def posts(count: int, seed: str, picture: Image.Image | None = None) -> Sequence[Image.Image]:
    """Screenshots of posts."""
    chance = random.Random(seed)
    return [jpeg(post(chance, picture, tall=number % 2 == 0)) for number in range(count)]


def test_a_screenshot_of_text_alone_gives_an_empty_print_and_no_look_alike() -> None:
    prints = [print_of(seen(each), seen(ImageOps.mirror(each)), KEYS) for each in posts(8, "withheld")]
    assert all(each.empty for each in prints)
    others = Copied.build([*prints, printed(0)], np.arange(9))
    assert not told(others.found([look(seen(each), KEYS) for each in posts(10, "others")], KEYS))


def test_posts_that_show_other_pictures_are_no_copies_of_each_other() -> None:
    held = [print_of(seen(each), seen(ImageOps.mirror(each)), KEYS) for each in posts(4, "held", original(0))]
    where = Copied.build(held, np.arange(4))
    assert not told(where.found([look(seen(each), KEYS) for each in posts(4, "came", original(1))], KEYS))


def test_an_even_picture_decides_nothing() -> None:
    even = Image.new("RGB", (400, 300), "#808080")
    held = print_of(seen(even), seen(even), KEYS)
    assert held.empty
    where = Copied.build([held, printed(0)], np.array([7, 8]))
    assert not told(where.found([look(seen(even), KEYS)], KEYS))


@pytest.mark.parametrize(
    ("apart", "said", "certain"),
    [
        (None, None, None),
        (0, None, True),
        (WITHIN, None, True),
        (WITHIN, Pointed(ALONE, ELSEWHERE), True),
        (None, Pointed(POINTING - 1, 0), None),
        (None, Pointed(POINTING, THERE), True),
        (None, Pointed(POINTING, THERE + 1), None),
        (None, Pointed(ALONE - 1, UNKNOWN), None),
        (None, Pointed(ALONE, UNKNOWN), False),
        (None, Pointed(ALONE, THERE + 1), False),
        (None, Pointed(ALONE, ELSEWHERE - 1), False),
        (None, Pointed(500, ELSEWHERE), None),
    ],
)
def test_what_two_kinds_of_evidence_say_together(
    apart: int | None,
    said: Pointed | None,
    certain: bool | None,  # noqa: FBT001  # a column of the table
) -> None:
    judged = _judged(apart, said)
    assert (None if judged is None else judged[0]) == certain
    assert judged is None or 0 <= judged[1] <= 1


@pytest.mark.parametrize("number", [*range(3), None])
def test_a_print_survives_as_bytes(number: int | None) -> None:
    even = seen(Image.new("L", (64, 64), 128))
    known = print_of(even, even, KEYS) if number is None else printed(number)
    again = Print.unpack(known.pack())
    assert again.pack() == known.pack()
    assert again.size == known.size
    for name in ("hashes", "decides", "positions", "mirrored", "descriptors"):
        assert np.array_equal(getattr(again, name), getattr(known, name))


@given(st.integers(0, 30_000), st.binary(max_size=4))
def test_bytes_that_are_no_print_are_refused(length: int, more: bytes) -> None:
    packed = printed(0).pack()
    damaged = packed[:length] + more
    if damaged != packed:
        with pytest.raises(ValueError, match="no fingerprint"):
            Print.unpack(damaged)
