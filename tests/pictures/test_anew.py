"""What rests is the picture, upright and in sRGB, and nothing else of its file."""

import io
import struct
from collections.abc import Iterator

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from picturing import gif_with, heic, image, itxt, packet, png_with, segment, store_of, webp_with, with_segments
from PIL import ExifTags, Image, ImageCms, ImageOps

from _pictures import chunk, photo, png_of_zeros, saved
from demur.pictures.anew import Anew, opened, written_anew
from demur.pictures.kinds import kind_of
from demur.pictures.refusals import Refused, Why
from demur.pictures.wire import is_plain

MARK = b"Marker4711"
"""Stands in all metadata of a test."""


def anew(file: bytes, longest_side: int = 1024) -> Anew:
    return written_anew(opened(file, kind_of(file)), longest_side)


def pixels(found: Anew) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(found.data)), np.int16)


def near(found: Anew, wanted: Image.Image, by: int = 12) -> bool:
    """Whether the picture is what is wanted, but for what JPEG loses."""
    shown = pixels(found)
    wished = np.asarray(wanted.convert("RGB"), np.int16)
    return shown.shape == wished.shape and float(np.abs(shown - wished).mean()) < by


def corners() -> Image.Image:
    """A picture of four colours, which no turn leaves as it is."""
    picture = Image.new("RGB", (96, 64), "red")
    for colour, place in (("lime", (48, 0)), ("blue", (0, 32)), ("white", (48, 32))):
        picture.paste(colour, (*place, place[0] + 48, place[1] + 32))
    return picture


def turned(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    return exif


@pytest.mark.parametrize("turn", range(1, 9))
def test_all_turns_end_upright(turn: int) -> None:
    lying = corners()
    exif = turned(turn)
    tagged = lying.copy()
    tagged.getexif()[ExifTags.Base.Orientation] = turn
    upright = ImageOps.exif_transpose(tagged)
    for name in ("JPEG", "PNG", "WEBP"):
        file = saved(lying, name, exif=exif)
        assert near(anew(file), upright), name
    found = anew(saved(lying, "JPEG", exif=exif), 48)
    assert (found.width, found.height) == ((48, 32) if turn < 5 else (32, 48))
    assert (found.thumbnail_width, found.thumbnail_height) == upright.size
    luma = np.frombuffer(found.thumbnail, np.uint8).reshape(found.thumbnail_height, found.thumbnail_width)
    assert np.abs(luma.astype(np.int16) - np.asarray(upright.convert("L"), np.int16)).mean() < 12


def test_a_heic_that_is_turned_ends_upright_once() -> None:
    exif = turned(6)
    found = anew(heic(corners(), exif=exif.tobytes()))
    tagged = corners()
    tagged.getexif()[ExifTags.Base.Orientation] = 6
    assert near(found, ImageOps.exif_transpose(tagged))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_turn_that_is_none_is_passed_over(value: int) -> None:
    assert near(anew(saved(corners(), "JPEG", exif=turned(value))), corners())


@pytest.mark.filterwarnings("ignore")  # as in a reader's process
def test_a_broken_exif_block_is_passed_over() -> None:
    file = with_segments(
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40), file=saved(corners(), "JPEG")
    )
    assert near(anew(file), corners())


def of_modes() -> Iterator[tuple[str, bytes, Image.Image]]:
    """Name, file, and what it shows."""
    picture = corners()
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        yield name, saved(picture, name), picture
    yield "HEIC", heic(picture), picture
    yield "progressive", saved(picture, "JPEG", progressive=True), picture
    yield "CMYK", saved(picture.convert("CMYK"), "JPEG"), picture
    yield "grey", saved(picture.convert("L"), "JPEG"), picture.convert("L")
    yield "black and white", saved(picture.convert("1"), "PNG"), picture.convert("1")
    yield "palette", saved(picture.convert("P"), "PNG"), picture
    sixteen = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
    yield "16 bit", saved(sixteen, "PNG"), picture.convert("L")
    half = picture.convert("RGBA")
    half.putalpha(Image.new("L", picture.size, 128))
    on_white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), half)
    for name in ("PNG", "WEBP"):
        yield f"transparent {name}", saved(half, name, **({"lossless": True} if name == "WEBP" else {})), on_white
    yield "transparent HEIC", heic(half), on_white
    yield "grey, transparent", saved(half.convert("LA"), "PNG"), on_white.convert("L")
    palette = Image.new("P", (32, 32), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.paste(1, (0, 0, 16, 32))
    shown = Image.new("RGB", (32, 32), "white")
    shown.paste("red", (0, 0, 16, 32))
    yield "transparent palette", saved(palette, "PNG", transparency=0), shown
    yield "transparent palette, by entry", saved(palette, "PNG", transparency=bytes((0, 255))), shown
    yield "transparent GIF", saved(palette, "GIF", transparency=0), shown
    keyed = Image.new("RGB", (32, 32), "black")
    keyed.paste("red", (0, 0, 16, 32))
    yield "transparent colour", saved(keyed, "PNG", transparency=(0, 0, 0)), shown
    frames = [picture, Image.new("RGB", picture.size, "black")]
    yield "animated GIF", saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0), picture
    yield "animated WebP", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], loop=0), picture
    yield "animated PNG", saved(frames[0], "PNG", save_all=True, append_images=frames[1:]), picture
    yield "several in a JPEG", saved(frames[0], "MPO", save_all=True, append_images=frames[1:]), picture


MODES = list(of_modes())


@pytest.mark.parametrize(("file", "shown"), [mode[1:] for mode in MODES], ids=[mode[0] for mode in MODES])
def test_what_is_seen_rests(file: bytes, shown: Image.Image) -> None:
    assert near(anew(file), shown)


def test_sixteen_bits_of_colour() -> None:
    assert pixels(anew(png_of_zeros(40, 30, 16, 2))).max() < 4


def test_ten_bits_of_colour() -> None:
    high = (np.asarray(corners(), np.uint16) * 257).tobytes()
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (96, 64), high).save(file, quality=90)
    assert near(anew(file.getvalue()), corners())


def test_profiles_are_converted_to_srgb() -> None:
    """In the file's profile red and green are swapped."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for at in range(132, 132 + 12 * int.from_bytes(srgb[128:132], "big"), 12):
        places[bytes(srgb[at : at + 4])] = at
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    srgb[red + 4 : red + 12], srgb[green + 4 : green + 12] = srgb[green + 4 : green + 12], srgb[red + 4 : red + 12]
    for name in ("JPEG", "PNG", "WEBP"):
        found = anew(saved(Image.new("RGB", (32, 32), (255, 0, 0)), name, icc_profile=bytes(srgb)))
        red_, green_, blue = pixels(found)[16, 16]
        assert green_ > 200, name
        assert max(red_, blue) < 60, name


@pytest.mark.parametrize("profile", [b"no profile", b"", bytes(4000)])
def test_a_profile_that_is_none_is_passed_over(profile: bytes) -> None:
    assert near(anew(saved(corners(), "JPEG", icc_profile=profile)), corners())
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert near(anew(saved(corners(), "JPEG", icc_profile=lab)), corners())


def marked() -> Iterator[tuple[str, bytes]]:
    """Files with the marker in everything that is no pixel."""
    text = MARK.decode()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB built-in".encode("utf-16-be"), f"{text}abc".encode("utf-16-be"))
    assert text.encode("utf-16-be") in profile
    exif = turned(1)
    exif[ExifTags.Base.ImageDescription] = exif[ExifTags.Base.Artist] = text
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = MARK
    whole = Image.new("RGB", (160, 120), "lime")  # what was cropped away
    preview = saved(whole, "JPEG", comment=MARK)
    block = exif.tobytes() + preview
    xmp = packet(f"<dc:creator>{text}</dc:creator>")
    store = store_of()[:-8] + MARK
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\x0f\x1c\x02\x50\0\x0a" + MARK + b"\0"
    plain = saved(image(), "JPEG", exif=block, icc_profile=profile, comment=MARK, xmp=xmp)
    segments = (segment(0xED, iptc), segment(0xEB, b"JP\0\1\0\0\0\1" + store), segment(0xE5, MARK), segment(0xEC, MARK))
    yield "JPEG", with_segments(*segments, file=plain) + MARK + preview + b"ftypmp42" + MARK
    chunks = (itxt(xmp), chunk(b"tEXt", b"Author\0" + MARK), chunk(b"caBX", store), chunk(b"prVt", MARK))
    png = png_with(*chunks, chunk(b"eXIf", block[6:]))
    yield "PNG", png + MARK + preview
    yield "WebP", webp_with(b"XMP ", xmp) + MARK
    yield "WebP, EXIF", saved(image(), "WEBP", exif=block, icc_profile=profile, xmp=xmp) + MARK
    yield "GIF", gif_with(store)[:-1] + b"\x21\xfe\x0a" + MARK + b"\0;" + MARK
    yield "HEIC", heic(xmp=xmp, exif=block) + struct.pack(">I4s", 8 + len(MARK), b"free") + MARK


MARKED = list(marked())


@pytest.mark.parametrize("file", [each[1] for each in MARKED], ids=[each[0] for each in MARKED])
def test_nothing_beside_pixels_comes_along(file: bytes) -> None:
    assert file.count(MARK) >= 2 or b"ftyp" in file[:12]
    found = anew(file)
    for written in (found.data, found.thumbnail):
        assert MARK not in written
        assert MARK.decode().encode("utf-16-be") not in written
        assert MARK.decode().encode("utf-16-le") not in written
    for name in (b"Exif", b"http", b"ICC_PROFILE", b"Photoshop", b"c2pa", b"\xff\xfe", b"\xff\xe1"):
        assert name not in found.data[:600]
    assert is_plain(found.data, found.width, found.height)
    again = Image.open(io.BytesIO(found.data))
    assert set(again.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not again.getexif()


def test_the_same_file_gives_the_same_bytes() -> None:
    file = saved(photo(3, 900, 700), "JPEG", quality=85)
    assert anew(file) == anew(file)
    assert anew(file, 512).data != anew(file).data


@pytest.mark.parametrize(
    ("size", "longest_side", "rests", "thumbnail"),
    [
        ((3000, 2000), 1024, (1024, 683), (256, 171)),
        ((2000, 3000), 1024, (683, 1024), (171, 256)),
        ((100, 80), 1024, (100, 80), (100, 80)),
        ((300, 200), 64, (64, 43), (256, 171)),
        ((5000, 1), 1024, (1024, 1), (256, 1)),
        ((1, 1), 16, (1, 1), (1, 1)),
    ],
)
def test_sizes(size: tuple[int, int], longest_side: int, rests: tuple[int, int], thumbnail: tuple[int, int]) -> None:
    for name in ("JPEG", "PNG"):
        found = anew(saved(Image.new("RGB", size), name), longest_side)
        assert (found.width, found.height) == rests
        assert (found.thumbnail_width, found.thumbnail_height) == thumbnail
        assert len(found.thumbnail) == thumbnail[0] * thumbnail[1]
        assert is_plain(found.data, *rests)


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    with pytest.raises(Refused) as refused:
        anew(png_of_zeros(10_000, 5_001))
    assert refused.value.why == Why.PIXELS
