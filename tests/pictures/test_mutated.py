"""Laws: whatever a file holds, one answer comes of it, and a prohibition in it is never overlooked."""

from collections.abc import Callable, Iterator
from typing import Final

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturing import (
    gif_with,
    heic,
    heic_with,
    image,
    itxt,
    jpeg_with,
    jpeg_with_more,
    jpeg_with_store,
    packet,
    png_with,
    store_of,
    training,
    webp_with,
)

from _pictures import chunk, saved
from demur.pictures.cbor import value_of
from demur.pictures.kinds import Kind, kind_of
from demur.pictures.reading import Picture, Readers, Unread
from demur.pictures.refusals import Damaged, Refused, Why
from demur.pictures.rights import reserved
from demur.pictures.wire import is_plain
from demur.terms import PictureReason

pytestmark = pytest.mark.law

PROHIBITED: Final = packet("<plus:DataMining>DMI-PROHIBITED</plus:DataMining>")
ALLOWED: Final = packet("<plus:DataMining>DMI-ALLOWED</plus:DataMining><tdm:reservation>0</tdm:reservation>")
STORE: Final = store_of(training({"c2pa.ai_training": {"use": "allowed"}}))
SEEDS: Final = (
    saved(image(), "JPEG"),
    saved(image(400, 300), "JPEG", progressive=True),
    saved(image().convert("CMYK"), "JPEG"),
    saved(image(), "WEBP"),
    saved(image().convert("P"), "PNG", transparency=0),
    saved(image(), "GIF", save_all=True, append_images=[image().rotate(90)], loop=0),
    heic(),
    heic(xmp=PROHIBITED, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    jpeg_with(PROHIBITED),
    jpeg_with(ALLOWED),
    jpeg_with_more(ALLOWED),
    jpeg_with_store(STORE, 200),
    png_with(itxt(PROHIBITED), chunk(b"caBX", STORE)),
    png_with(itxt(ALLOWED, packed=True)),
    webp_with(b"XMP ", PROHIBITED),
    webp_with(b"C2PA", STORE),
    gif_with(STORE),
    heic_with(STORE),
)

Change = Callable[[bytes], bytes]

PLACES: Final = st.floats(0, 1)
SOME: Final = st.binary(max_size=12) | st.sampled_from(
    [b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"IDAT", b"jumb", b"<", b"]]>"]
)


def at(data: bytes, place: float) -> int:
    return int(place * len(data))


def written_over(place: float, some: bytes) -> Change:
    return lambda data: data[: at(data, place)] + some + data[at(data, place) + len(some) :]


def put_in(place: float, some: bytes) -> Change:
    return lambda data: data[: at(data, place)] + some + data[at(data, place) :]


def taken_out(place: float, length: int) -> Change:
    return lambda data: data[: at(data, place)] + data[at(data, place) + length :]


def twice(place: float, length: int) -> Change:
    return lambda data: data[: at(data, place) + length] + data[at(data, place) :]


def cut(place: float) -> Change:
    return lambda data: data[: at(data, place)]


def joined(place: float, other: bytes) -> Change:
    return lambda data: data[: at(data, place)] + other[at(other, place) :]


CHANGES: Final[st.SearchStrategy[Change]] = st.one_of(
    st.builds(written_over, PLACES, SOME),
    st.builds(put_in, PLACES, SOME),
    st.builds(taken_out, PLACES, st.integers(1, 200)),
    st.builds(twice, PLACES, st.integers(1, 200)),
    st.builds(cut, PLACES),
    st.builds(joined, PLACES, st.sampled_from(SEEDS)),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for change in draw(st.lists(CHANGES, max_size=5)):
        data = change(data)
    return data


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(2, 200) as started:
        yield started


@given(st.lists(files(), min_size=1, max_size=4))
def test_each_file_has_one_answer(readers: Readers, some: list[bytes]) -> None:
    found = list(readers.read(some))
    assert len(found) == len(some)
    for data, answer in zip(some, found, strict=True):
        if isinstance(answer, Picture):
            assert b"DMI-PROHIBITED" not in data
            assert is_plain(answer.data, answer.width, answer.height)
            assert max(answer.width, answer.height) <= 200
            assert len(answer.thumbnail) == answer.thumbnail_width * answer.thumbnail_height
        else:
            assert answer.reason in {PictureReason.RIGHTS, PictureReason.UNREADABLE}
            assert answer.why in set(Why) - {Why.DIED, Why.TIME}


@given(files())
def test_metadata_of_any_file_is_read_or_refused(data: bytes) -> None:
    try:
        why = reserved(data, kind_of(data))
    except Refused:
        return
    assert why is not None or b"DMI-PROHIBITED" not in data
    assert why is not None or b"tdm:reservation>1<" not in data


@given(st.sampled_from(Kind), st.binary(max_size=300))
def test_metadata_is_looked_for_in_any_bytes(kind: Kind, data: bytes) -> None:
    assert reserved(data, kind) is None or b"-" in data or b":" in data  # a word of a reservation, drawn by chance


@given(st.binary(max_size=60))
def test_any_bytes_are_cbor_or_damaged(data: bytes) -> None:
    try:
        value_of(data)
    except Damaged:
        return


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(0, 99), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_cbor_is_read_as_others_write_it(value: object) -> None:
    assert value_of(cbor2.dumps(value)) == value
    assert value_of(cbor2.dumps(cbor2.CBORTag(99, value))) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("7f657374726561646d696e67ff", "streaming"),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
    ],
)
def test_examples_of_the_standard(data: str, value: object) -> None:
    """RFC 8949, Appendix A."""
    assert value_of(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    ["", "18", "1c", "ff", "9f", "9f01", "5f6161ff", "7f5f41ffff", "a180", "a10101ff", "61ff", "f8ff", "e0", "fe"],
)
def test_what_is_no_cbor(data: str) -> None:
    with pytest.raises(Damaged):
        value_of(bytes.fromhex(data))


def test_what_is_said_of_a_mutated_file_is_of_its_own(readers: Readers) -> None:
    """The first four bytes alone: nothing to hold on to."""
    found = list(readers.read(seed[:4] for seed in SEEDS))
    assert all(isinstance(each, Unread) for each in found)
