"""Where the metadata of a picture lies: XMP packets, stores of Content Credentials, and all the rest of the file.

Each format has its own places for both: JPEG its APP1 and APP11 segments (XMP Specification Part 3, 1.1.3; C2PA
Technical Specification 2.2, Appendix A), PNG the chunks iTXt and caBX, WebP the chunks `XMP ` and `C2PA`, HEIC a box
`uuid`, GIF an application extension. What lies elsewhere, or compressed in a place of its own, is found by what it
looks like, or is left in the rest.

Invariants: every byte of the file is in one of the three, so that nothing is overlooked because of where it lies; a
damaged structure ends the walk, and what comes behind it is rest; all that is unpacked counts against one bound.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from demur.pictures.kinds import Kind
from demur.pictures.limits import MAX_METADATA
from demur.pictures.refusals import Refused, Why

_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP: Final = b"http://ns.adobe.com/xmp/extension/\0"
_MORE_HEAD: Final = 40
"""Bytes before a part of an extended packet: its digest in hex, its length, and where in it the part belongs."""
_APP1, _APP11, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xEB, 0xDA, 0xD9
_STANDING_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length (ITU-T T.81, Table B.1)."""
_BOX_HEAD: Final = 8
_C2PA_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The user type of the box (C2PA Technical Specification 2.2, Appendix A)."""
_MANIFEST: Final = b"manifest\0"
_C2PA_GIF: Final = b"\x21\xff\x0bC2PA_GIF"
_PACKET: Final = re.compile(rb"<(?P<name>(?:[A-Za-z_][\w.-]{0,99}:)?(?:xmpmeta|xapmeta|RDF))[\s>]")
_MOST_PACKETS: Final = 100
"""Beginnings of packets that are followed to their end: a file has one or two."""


@dataclass
class Metadata:
    """What was found, in the order of the file."""

    packets: list[bytes] = field(default_factory=list)
    """XMP, as XML."""
    stores: list[bytes] = field(default_factory=list)
    """JUMBF."""
    rest: bytes = b""
    """All other bytes, and texts that were compressed, unpacked."""


def metadata_of(data: bytes, kind: Kind) -> Metadata:
    """The metadata of a file.

    Raises:
        Refused: there is more of it than is looked at.
    """
    walk = _Walk(data)
    {
        Kind.JPEG: walk.jpeg,
        Kind.PNG: walk.png,
        Kind.WEBP: walk.webp,
        Kind.GIF: walk.gif,
        Kind.HEIC: walk.heic,
    }[kind]()
    return walk.found()


def packets_in(data: bytes) -> tuple[list[bytes], bytes]:
    """The packets in bytes of any kind, found by their first and last tag, and the bytes without them."""
    packets, rest, kept_to, at = [], [], 0, 0
    for _ in range(_MOST_PACKETS):
        start = _PACKET.search(data, at)
        if start is None:
            break
        at = start.end()
        close = data.find(b"</" + start["name"], at)
        end = data.find(b">", close) if close >= 0 else -1
        if end >= 0:
            packets.append(data[start.start() : end + 1])
            rest.append(data[kept_to : start.start()])
            kept_to = at = end + 1
    return packets, b"\n".join([*rest, data[kept_to:]])


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._found = Metadata()
        self._rest: list[bytes] = []
        self._kept_to = 0
        self._room = MAX_METADATA

    def found(self) -> Metadata:
        """What the walk found."""
        self._rest.append(self._data[self._kept_to :])
        self._found.rest = b"\n".join(self._rest)
        return self._found

    def jpeg(self) -> None:
        """Segments up to the first scan."""
        more: dict[bytes, list[tuple[int, bytes]]] = {}
        boxes: dict[bytes, list[tuple[int, bytes]]] = {}
        for marker, start, end in self._segments():
            if marker == _APP1 and self._data.startswith(_XMP, start):
                self._found.packets.append(self._taken(start + len(_XMP), end))
            elif marker == _APP1 and self._data.startswith(_MORE_XMP, start):
                at = start + len(_MORE_XMP)
                head = self._data[at : min(at + _MORE_HEAD, end)]
                part = self._taken(at + len(head), end)
                more.setdefault(head[:32], []).append((int.from_bytes(head[36:], "big"), part))
            elif marker == _APP11 and self._data.startswith(b"JP", start):
                head = self._data[start + 2 : min(start + 8, end)]
                part = self._taken(start + 2 + len(head), end)
                boxes.setdefault(head[:2], []).append((int.from_bytes(head[2:], "big"), part))
        self._found.packets += (b"".join(part for _, part in sorted(parts, key=_place)) for parts in more.values())
        self._found.stores += (self._joined(sorted(parts, key=_place)) for parts in boxes.values())

    def _joined(self, parts: list[tuple[int, bytes]]) -> bytes:
        """The box whose parts stand in several segments, each behind a copy of its head (ISO/IEC 18477-3, Annex B)."""
        (_, first), *others = parts
        head = 16 if first[:4] == b"\0\0\0\1" else 8
        self._rest += (part for _, part in others if part[:head] != first[:head])
        return first + b"".join(part[head:] for _, part in others)

    def _segments(self) -> Iterator[tuple[int, int, int]]:
        """Marker, first byte behind the length, and end, of each (ITU-T T.81, B.1.1)."""
        at = 2
        while self._data[at : at + 1] == b"\xff":
            marker = self._data[at + 1 : at + 2]
            if marker == b"\xff":  # fill
                at += 1
                continue
            if not marker or marker[0] in {_START_OF_SCAN, _END_OF_IMAGE}:
                return
            if marker[0] in _STANDING_ALONE:
                at += 2
                continue
            end = at + 2 + int.from_bytes(self._data[at + 2 : at + 4], "big")
            if end < at + 4 or end > len(self._data):
                return
            yield marker[0], at + 4, end
            at = end

    def png(self) -> None:
        """Chunks (W3C PNG Specification, third edition, 5.3 and 11.3.3)."""
        at = 8
        while at + 12 <= len(self._data):
            length, kind = struct.unpack_from(">I4s", self._data, at)
            start, end = at + 8, at + 8 + length
            if end > len(self._data):
                return
            if kind == b"caBX":
                self._found.stores.append(self._taken(start, end))
            elif kind in {b"iTXt", b"tEXt", b"zTXt"}:
                self._text(kind, self._taken(start, end))
            at = end + 4

    def _text(self, kind: bytes, chunk: bytes) -> None:
        keyword, _, body = chunk.partition(b"\0")
        is_packed = kind == b"zTXt" or (kind == b"iTXt" and body[:1] == b"\1")
        # In front of it: how it is packed; in iTXt that twice, its language, and the keyword in that language.
        body = body[2:].partition(b"\0")[2].partition(b"\0")[2] if kind == b"iTXt" else body[is_packed:]
        text = self._unpacked(body) if is_packed else body
        if keyword == b"XML:com.adobe.xmp":
            self._found.packets.append(text)
            self._rest.append(chunk[: len(chunk) - len(body)])
            return
        self._rest += (chunk, text)
        if keyword.startswith(b"Raw profile type"):  # as ImageMagick and others write it: name, length, hex
            with suppress(ValueError):
                self._rest.append(bytes.fromhex(b"".join(text.split()[2:]).decode("latin-1")))

    def _unpacked(self, data: bytes) -> bytes:
        unpacking = zlib.decompressobj()
        try:
            text = unpacking.decompress(data, self._room + 1)
        except zlib.error:
            return data
        self._count(len(text))
        return text

    def webp(self) -> None:
        """Chunks of RIFF (RFC 9649, 2.3)."""
        self._riff({b"XMP ": self._found.packets, b"C2PA": self._found.stores})

    def _riff(self, wanted: dict[bytes, list[bytes]]) -> None:
        at = 12
        while at + 8 <= len(self._data):
            kind, length = struct.unpack_from("<4sI", self._data, at)
            end = min(at + 8 + length, len(self._data))
            if kind in wanted:
                wanted[kind].append(self._taken(at + 8, end))
            at = end + (length & 1)

    def gif(self) -> None:
        """The blocks of one application extension (GIF89a, 26); XMP lies in one piece in another."""
        at = self._data.find(_C2PA_GIF)
        if at < 0:
            return
        at += len(_C2PA_GIF) + 3
        blocks = []
        while (length := int.from_bytes(self._data[at : at + 1], "big")) > 0:
            blocks.append(self._taken(at + 1, min(at + 1 + length, len(self._data))))
            at += 1 + length
        self._found.stores.append(b"".join(blocks))

    def heic(self) -> None:
        """Boxes side by side (ISO/IEC 14496-12, 4.2); XMP lies in one piece, or comes from the decoder."""
        at = 0
        while at + _BOX_HEAD <= len(self._data):
            length, kind = struct.unpack_from(">I4s", self._data, at)
            start = at + _BOX_HEAD
            if length == 1:
                length, start = int.from_bytes(self._data[start : start + 8], "big"), start + 8
            end = at + length if length else len(self._data)
            if end < start or end > len(self._data):
                return
            head = start + len(_C2PA_BOX) + 4  # version and flags
            is_store = kind == b"uuid" and self._data.startswith(_C2PA_BOX, start)
            if is_store and self._data.startswith(_MANIFEST, head):
                head += len(_MANIFEST) + 8  # where a Merkle tree lies
                self._found.stores.append(self._taken(min(head, end), end))
            at = end

    def _taken(self, start: int, end: int) -> bytes:
        """Bytes that are no rest."""
        self._count(end - start)
        self._rest.append(self._data[self._kept_to : start])
        self._kept_to = end
        return self._data[start:end]

    def _count(self, length: int) -> None:
        self._room -= length
        if self._room < 0:
            raise Refused(Why.METADATA)


def _place(part: tuple[int, bytes]) -> int:
    """Where it belongs; what claims the same place stays, in the order of the file."""
    return part[0]
