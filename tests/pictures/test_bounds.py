"""A picture that asks for more than it may have costs itself, and takes no memory for it."""

import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from picturing import heic, image

from _pictures import BOMBS, HEAVY, gif_without_end, png_of_zeros, saved, webp_of_one_colour
from demur.pictures import limits
from demur.pictures.child import Child
from demur.pictures.kinds import Kind, kind_of
from demur.pictures.limits import MAX_BYTES, MAX_MEMORY, MIB
from demur.pictures.reading import Picture, Readers, Unread
from demur.pictures.refusals import Refused, Why

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "pictures.md"


def test_bombs_are_refused_before_they_go_off() -> None:
    child = Child()
    try:
        for name in ("PNG, 900 MP", "PNG, 144 MP", "WebP, 256 MP", "progressive JPEG, 81 MP"):
            assert child.read(BOMBS[name](), 1024) == Why.PIXELS, name
        assert peak(child) < 80 * MIB
    finally:
        child.end()


def peak(child: Child) -> int:
    """Bytes of memory that a process had at most."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child._process.pid}/status").read_text())
    return int(found) * 1024


def test_a_heic_that_says_it_is_huge_takes_no_memory() -> None:
    file, size = heic(image(64, 64)), b"ispe\0\0\0\0" + (64).to_bytes(4, "big") * 2
    assert size in file
    child = Child()
    try:
        for wide, high in ((60_000, 60_000), (60_000, 64), (7000, 7000)):
            said = file.replace(size, size[:8] + wide.to_bytes(4, "big") + high.to_bytes(4, "big"))
            assert child.read(said, 1024) in {Why.PIXELS, Why.BROKEN}
        assert peak(child) < 80 * MIB
    finally:
        child.end()


def test_of_an_animation_without_an_end_the_first_picture_is_read() -> None:
    child = Child()
    try:
        found = child.read(gif_without_end(100_000), 1024)
        assert isinstance(found, tuple)
        assert found[1:3] == (64, 64)
        assert peak(child) < 100 * MIB
    finally:
        child.end()


def test_a_header_that_lies_about_its_size_is_damaged() -> None:
    file = bytearray(saved(image(), "PNG"))
    file[16:20] = (6000).to_bytes(4, "big")
    with Readers(1) as readers:
        (found,) = readers.read([bytes(file)])
    assert isinstance(found, Unread)


@pytest.mark.soak
@pytest.mark.parametrize("make", HEAVY.values(), ids=HEAVY)
def test_the_largest_that_is_allowed_is_read(make: Callable[[], bytes]) -> None:
    child = Child()
    try:
        found = child.read(make(), 1024)
        assert isinstance(found, tuple)
        assert max(found[1:3]) == 1024
        assert peak(child) < MAX_MEMORY * 3 // 4
    finally:
        child.end()


@pytest.mark.soak
@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_no_bomb_ends_a_run(make: Callable[[], bytes]) -> None:
    with Readers(1) as readers:
        _, after = readers.read([make(), saved(image(), "JPEG")])
    assert isinstance(after, Picture)


def test_a_file_is_what_it_holds() -> None:
    for name, kind in (("JPEG", Kind.JPEG), ("PNG", Kind.PNG), ("WEBP", Kind.WEBP), ("GIF", Kind.GIF)):
        assert kind_of(saved(image(), name)) == kind
    assert kind_of(heic()) == Kind.HEIC
    assert kind_of(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == Kind.HEIC


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", Why.EMPTY),
        (b"<html><body>not found", Why.FORMAT),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', Why.FORMAT),
        (b"GIF", Why.FORMAT),
        (b"II*\0", Why.FORMAT),
        (b"%PDF-1.7", Why.FORMAT),
        (b"RIFF\0\0\0\0WAVE", Why.FORMAT),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", Why.FORMAT),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", Why.FILM),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Why.FILM),
        (b"\x1a\x45\xdf\xa3\x9f", Why.FILM),
        (b"RIFF\0\0\0\0AVI LIST", Why.FILM),
        (b"\0\0\0\x08ftyp", Why.FILM),
    ],
)
def test_what_is_no_picture_is_told_by_its_first_bytes(file: bytes, why: Why) -> None:
    with pytest.raises(Refused) as refused:
        kind_of(file)
    assert refused.value.why == why


def test_a_file_that_is_too_large_goes_to_no_decoder() -> None:
    with Readers(1) as readers:
        (found,) = readers.read([bytes(MAX_BYTES + 1)])
        assert isinstance(found, Unread)
        assert found.why == Why.BYTES
        assert readers._idle.get() is None


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "HEIC"])
def test_what_is_cut_off_is_damaged(name: str) -> None:
    file = heic() if name == "HEIC" else saved(image(400, 300), name)
    with Readers(1) as readers:
        found = list(readers.read([file[: len(file) * part // 10] for part in (2, 5, 9)]))
    assert {each.why for each in found if isinstance(each, Unread)} == {Why.BROKEN}
    assert len(found) == 3
    assert all(isinstance(each, Unread) for each in found[:2])


def test_the_page_names_every_bound_and_every_sentence() -> None:
    page = " ".join(PAGE.read_text().split())
    for why in Why:
        assert why.value in page, why
    for bound in (
        f"{limits.MAX_BYTES // MIB} MB",
        f"{limits.MAX_PIXELS // 1_000_000} million pixels",
        f"{limits.MAX_METADATA // MIB} MB",
        f"{limits.MAX_MEMORY / 2**30} GB",
        f"{limits.MAX_CPU} s",
        f"{limits.MAX_WALL:.0f} s",
        f"{limits.PICTURES_A_PROCESS:,} pictures",
    ):
        assert bound in page, bound


def test_this_process_holds_what_it_reads_and_no_more() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flat = png_of_zeros(5000, 4000, 8, 2)  # 60 MB decoded, out of 60 KB
    with Readers(1) as readers:
        found = list(readers.read(flat for _ in range(3)))
    assert all(isinstance(each, Picture) for each in found)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024  # KB


def test_a_bomb_in_webp_is_one() -> None:
    """Of 49 MP the same file is read: that of 256 MP would be, were it not refused."""
    assert kind_of(webp_of_one_colour(16_000, 16_000)) == Kind.WEBP
    with Readers(1) as readers:
        (found,) = readers.read([webp_of_one_colour(2000, 1000)])
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (1024, 512)
