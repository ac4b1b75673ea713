"""One picture, decoded and written anew: upright, sRGB, small, and nothing beside its pixels.

Invariants: runs in a reader's process and nowhere else (working.py), since here strangers' bytes meet decoders in C;
what is written is made of an array of pixels, so that no metadata, comment, profile, thumbnail or trailer can come
along; the same file gives the same bytes under the same versions of the decoders.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pillow_heif
from PIL import ExifTags, GifImagePlugin, Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from demur.pictures.kinds import Kind
from demur.pictures.limits import MAX_PIXELS, THUMBNAIL
from demur.pictures.refusals import Refused, Why

pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False

QUALITY: Final = 85
"""Of the JPEG at rest, as libjpeg counts it; colours at half the resolution (4:2:0)."""

_OPENED: Final[Mapping[Kind, Callable[[io.BytesIO], ImageFile.ImageFile]]] = {
    Kind.JPEG: JpegImagePlugin.JpegImageFile,
    Kind.PNG: PngImagePlugin.PngImageFile,
    Kind.WEBP: WebPImagePlugin.WebPImageFile,
    Kind.GIF: GifImagePlugin.GifImageFile,
    Kind.HEIC: pillow_heif.HeifImageFile,
}
"""The decoders, by name: `Image.open` would try others, and take a JPEG with several pictures for another format."""

_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by EXIF's Orientation (CIPA DC-008, tag 0x0112); 1 is upright."""

_FILTER: Final = Image.Resampling.HAMMING
"""Made for shrinking: sharper than the bilinear one in the same time, which is two thirds of the bicubic one's."""

_SIXTEEN: Final = 1 / 257
"""65,535 is 255."""


@dataclass(frozen=True)
class Anew:
    """A picture as it rests, and its thumbnail."""

    data: bytes
    """A JPEG file."""
    width: int
    height: int
    thumbnail: bytes
    """Luma, one byte a pixel, row by row from the top: shape (thumbnail_height, thumbnail_width)."""
    thumbnail_width: int
    thumbnail_height: int


def opened(data: bytes, kind: Kind) -> ImageFile.ImageFile:
    """The picture, of which only the header is read.

    Raises:
        Refused: it has too many pixels.
        Exception: whatever a decoder says of a damaged file.
    """
    if kind == Kind.WEBP and math.prod(_webp_size(data)) > MAX_PIXELS:  # its decoder takes memory when it is opened
        raise Refused(Why.PIXELS)
    image = _OPENED[kind](io.BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
        raise Refused(Why.PIXELS)
    return image


def written_anew(image: ImageFile.ImageFile, longest_side: int) -> Anew:
    """The first picture of an opened file as it rests.

    Args:
        image: what :func:`opened` gave.
        longest_side: pixels of the longest side that it may have; it is never enlarged.
    """
    enough = max(longest_side, THUMBNAIL)
    image.draft(None, _within(image.size, enough))  # a JPEG can be decoded at an eighth of its size, or more
    image.load()
    turn = _TURNS.get(_orientation(image))
    pixels = _in_srgb(_flat(_shrunk(_eight_bits(image), enough)), image.info.get("icc_profile"))
    if turn is not None:
        pixels = pixels.transpose(turn)
    rest = _shrunk(pixels, longest_side)
    rest = Image.frombytes("RGB", rest.size, rest.tobytes())  # nothing but pixels
    file = io.BytesIO()
    rest.save(file, "JPEG", quality=QUALITY, subsampling="4:2:0")
    small = _shrunk(pixels.convert("L"), THUMBNAIL)
    return Anew(file.getvalue(), rest.width, rest.height, small.tobytes(), small.width, small.height)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the first chunk of a WebP says them (RFC 9649, 2.5 to 2.7); none where it does not."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    return width & 0x3FFF, height & 0x3FFF


def _within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size of a picture whose longest side has at most ``longest`` pixels; no side has none."""
    width, height = size
    if max(size) <= longest:
        return size
    share = longest / max(size)
    return max(round(width * share), 1), max(round(height * share), 1)


def _shrunk(image: Image.Image, longest: int) -> Image.Image:
    size = _within(image.size, longest)
    return image if size == image.size else image.resize(size, _FILTER, reducing_gap=2.0)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001  # whatever a parser of EXIF says of a damaged block: the picture is as it lies
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be shrunk: L, RGB, CMYK, or RGBA where something is transparent."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * _SIXTEEN + 0.5).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("L" if image.mode == "1" else "RGB")


def _flat(image: Image.Image) -> Image.Image:
    """On white, where something is transparent."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In sRGB, by the profile of the file; without one, or with one that can't be used, as if it were in it."""
    if profile:
        try:
            return ImageCms.applyTransform(image, _to_srgb(profile, image.mode)) or image
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass
    return image.convert("RGB")


@lru_cache(maxsize=8)  # the photos of one camera have one profile
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    of_file = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(of_file, ImageCms.createProfile("sRGB"), mode, "RGB")
