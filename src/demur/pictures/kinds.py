"""What a file is, by its first bytes, whatever its name says."""

from enum import StrEnum
from typing import Final

from demur.pictures.refusals import Refused, Why


class Kind(StrEnum):
    """The formats that are read, and no others."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    HEIC = "heic"


_BOXED: Final = b"ftyp"
_STILL: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Brands of HEIF files whose pictures are coded by HEVC, or by whatever stands in them (ISO/IEC 23008-12, Annex B)."""
_OTHER_STILL: Final = frozenset({b"avif", b"avis", b"crx ", b"jp2 ", b"jpx ", b"jxl "})
"""Brands of pictures that are not read."""
_FILM: Final = (b"\x1a\x45\xdf\xa3", b"FLV\x01", b"OggS", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")
"""Matroska and WebM, Flash, Ogg, MPEG."""


def kind_of(data: bytes) -> Kind:
    """The format of a file, by what it holds.

    Raises:
        Refused: it is empty, film, or in no format that is read.
    """
    if not data:
        raise Refused(Why.EMPTY)
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    if data[4:8] == _BOXED:
        return _boxed(data)
    if data.startswith(_FILM) or (data[:4] == b"RIFF" and data[8:12] == b"AVI "):
        raise Refused(Why.FILM)
    raise Refused(Why.FORMAT)


def _boxed(data: bytes) -> Kind:
    """What a file of boxes is, by the brands in its first one (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _OTHER_STILL:
        raise Refused(Why.FORMAT)
    if brands & _STILL:
        return Kind.HEIC
    raise Refused(Why.FILM)
