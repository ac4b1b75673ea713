"""A text file as it comes: unpacked, and in UTF-8 whatever it was written in, with its delimiter told.

Invariants: memory holds a block, however large the file; what a packed file comes to is bounded by what it takes; an
encoding is told by the file's first bytes (a byte order mark, or the zeros of UTF-16) or by whoever reads it, and
never guessed: what is neither is UTF-8, or an error; a delimiter that the first lines leave in doubt is an error, too.

Packed are gzip (RFC 1952), bzip2 and Zstandard (RFC 8878), told by their first bytes and not by a file's name, because
browsers unpack what they download and leave the name as it was.
"""

import codecs
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.limits import FREE_BYTES, MAX_RATIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DELIMITERS: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What may separate the fields of a table, and what error sentences call it."""

PACKED: Final[Mapping[str, str]] = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""The endings of packed files, and what Arrow calls them."""

_MAGIC: Final = (
    (re.compile(rb"\x1f\x8b", re.DOTALL), "gzip"),
    (re.compile(rb"BZh[1-9]", re.DOTALL), "bz2"),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL), "zstd"),  # a frame, or one to skip
)
_MARKS: Final = (  # the longest first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: Final = ((re.compile(rb"(?:[^\0]\0){2}"), "utf-16-le"), (re.compile(rb"(?:\0[^\0]){2}"), "utf-16-be"))
"""UTF-16 without a mark, whose first two characters are ASCII, as those of a table or of JSON are."""

_WINDOW: Final = 2**27
"""Bytes that a Zstandard decoder keeps, by default; ``--long=31`` wants sixteen times as many."""
_BLOCK: Final = 2**20
_HEAD: Final = 2**16
_LINES: Final = 8
_SEP: Final = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
"""The line by which Excel tells itself what separates the fields."""


@dataclass(frozen=True)
class Text:
    """A text file, and how it is written."""

    path: Path
    packing: str | None
    """What it is packed with, as Arrow calls it; None for nothing."""
    encoding: str
    """Python's name of the encoding."""
    mark: int
    """Bytes of the byte order mark."""

    @property
    def plain(self) -> bool:
        """Whether its bytes are UTF-8 as they lie there, but for a mark."""
        return self.packing is None and self.encoding == "utf-8"

    def open(self) -> io.BufferedReader:
        """Its text as UTF-8 without a mark; :func:`reached` says how far the file was read.

        Raises:
            SourceError: when it can't be opened; reading raises it too, for what is damaged, no text of its encoding,
                or made to fill a disk.
        """
        return io.BufferedReader(_Reading(self), _BLOCK)

    def separator(self, wanted: str | None, how: str) -> tuple[str, int]:
        """What separates the fields of a table, and how many of the first lines say so and nothing else.

        Args:
            wanted: what the reader was told, which counts.
            how: what to do where that is in doubt, as the end of the error sentence.

        Raises:
            SourceError: where the first lines fit several.
        """
        with self.open() as stream:
            head = stream.read(_HEAD).decode("utf-8", "replace")
        told = _SEP.match(head)
        if told:
            return wanted or told[1], 1
        return wanted or separator(head, str(self.path), how), 0


def look(path: Path, encoding: str | None = None) -> Text:
    """See how a text file is written.

    Args:
        path: of the file.
        encoding: what it is in, where it does not say so itself and is not UTF-8.

    Raises:
        SourceError: when it can't be read, or there is no such encoding.
    """
    wanted = None if encoding is None else known_encoding(encoding)
    try:
        with path.open("rb") as file:
            packing = packed_by(file.read(4))
        with _raw(path, packing) as stream:
            head = bytes(stream.read(_HEAD))
    except OSError as error:
        raise _unreadable(path, error) from None
    name, mark = _encoding(head, wanted)
    if name != "utf-8":
        doubt = ", but looks like UTF-8: see to its encoding" if _is_wide_utf8(head) else ""
        meter.tell(f"{path} is read as {name.upper()}{doubt}.")
    return Text(path, packing, name, mark)


def _encoding(head: bytes, wanted: str | None) -> tuple[str, int]:
    """What a file that begins so is in, and how long its mark is."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    return wanted or next((name for zeros, name in _ZEROS if zeros.match(head)), "utf-8"), 0


def _is_wide_utf8(head: bytes) -> bool:
    """Whether the beginning of a file is UTF-8 with letters beyond ASCII: hardly so by chance in another encoding."""
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(head).isascii()
    except UnicodeDecodeError:
        return False


def packed_by(start: bytes) -> str | None:
    """What a file is packed with that begins with these four bytes, as Arrow calls it; None for nothing."""
    return next((name for magic, name in _MAGIC if magic.match(start)), None)


def ending(path: Path) -> str:
    """The ending that says what a file holds, in lower case, without that of what it is packed in."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in PACKED else suffix


def known_encoding(encoding: str) -> str:
    """Python's name of an encoding of text.

    Raises:
        SourceError: when there is none that is called so.
    """
    try:
        found = codecs.lookup(encoding)
        " ".encode(found.name)  # refuses base64, rot13 and the like
    except (LookupError, ValueError):
        raise SourceError(
            f"demur.toml: {encoding!r} is no encoding of text: write one like windows-1252 or utf-8."
        ) from None
    return found.name


def _raw(path: Path, packing: str | None) -> pa.NativeFile:
    file = pa.OSFile(str(path))
    return file if packing is None else pa.CompressedInputStream(file, packing)


def _unreadable(path: Path, error: OSError) -> SourceError:
    if error.strerror:
        return SourceError(f"{path} can't be read ({error.strerror}): check the path and its permissions.")
    if "memory" in str(error):
        return SourceError(f"{path} takes more memory to unpack than {_WINDOW >> 20} MB: unpack it.")
    return SourceError(f"{path} is damaged where it is packed ({str(error)[:60]}): download or pack it again.")


class _Reading(io.RawIOBase):
    """The bytes of a text file as UTF-8, unpacked and counted as they come."""

    def __init__(self, text: Text) -> None:
        self._text = text
        try:
            self._file = pa.OSFile(str(text.path))
            self._size = self._file.size()
            self._stream = self._file if text.packing is None else pa.CompressedInputStream(self._file, text.packing)
            self._read = len(self._stream.read(text.mark))
        except OSError as error:
            raise _unreadable(text.path, error) from None
        self._decoder = None if text.encoding == "utf-8" else codecs.getincrementaldecoder(text.encoding)("strict")
        self._waiting = b""

    @property
    def at(self) -> int:
        """How many bytes of the file, as it lies there, were read."""
        return self._size if self._file.closed else int(self._file.tell())

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if not self._waiting:
            self._waiting = self._more(len(view))
        part, self._waiting = self._waiting[: len(view)], self._waiting[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _more(self, size: int) -> bytes:
        """The next bytes in UTF-8; none at the end."""
        while block := self._block(size):
            if self._decoder is None:
                return block
            if decoded := self._decoded(block):
                return decoded
        return b"" if self._decoder is None else self._decoded(b"", final=True)

    def _block(self, size: int) -> bytes:
        try:
            block = bytes(self._stream.read(min(size, _BLOCK)))
        except OSError as error:
            raise _unreadable(self._text.path, error) from None
        self._read += len(block)
        if self._text.packing is not None and self._read > max(FREE_BYTES, MAX_RATIO * self._size):
            raise SourceError(
                f"{self._text.path} unpacks to more than {MAX_RATIO} times its size, as what is made to fill a disk "
                "does: if you trust it, unpack it."
            )
        return block

    def _decoded(self, block: bytes, *, final: bool = False) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decode(block, final).encode("utf-8", "replace")
        except UnicodeError:
            path, encoding = self._text.path, self._text.encoding
            raise SourceError(f"{path} is not in {encoding.upper()} all through: save it as UTF-8.") from None

    def close(self) -> None:
        if not self.closed and hasattr(self, "_stream"):
            self._stream.close()
        super().close()


def reached(stream: io.BufferedReader) -> int:
    """How many bytes of its file, as it lies there, a stream that :meth:`Text.open` gave has read."""
    raw = stream.raw
    return raw.at if isinstance(raw, _Reading) else 0


def is_utf8(line: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def not_utf8(path: object, how: str) -> SourceError:
    """The error for a file that is in none of the encodings that say so themselves."""
    return SourceError(
        f"{path} is not in UTF-8: save it as UTF-8, or write {how} what it is in, like "
        'encoding = "windows-1252" (Western Europe), "windows-1250" (Central Europe) or "windows-1251" (Cyrillic).'
    )


def separator(head: str, where: str, how: str) -> str:
    """What separates the fields of a table, by its first lines.

    The line of names decides where only one delimiter stands in it outside quotes; else that by which all of the first
    lines have as many fields.

    Raises:
        SourceError: where several, or none of several, do.
    """
    names = next(iter(head.splitlines()), "")
    found = [each for each in DELIMITERS if len(_fields(names, each)) > 1]
    if len(found) < 2:  # noqa: PLR2004  # two would be a choice
        return found[0] if found else ","
    fitting = [each for each in found if _fits(head, each)]
    if len(fitting) == 1:
        return fitting[0]
    called = " and ".join(DELIMITERS[each] for each in found)
    raise SourceError(f"{where}: {called} stand in the first line: {how}.")


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _fits(head: str, delimiter: str) -> bool:
    """Whether the first lines have as many fields as there are names; the last one may be cut off."""
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        names = next(rows)
        counts = [len(row) for _, row in zip(range(_LINES), rows, strict=False) if row]
    except (csv.Error, StopIteration):
        return False
    return all(count == len(names) for count in (counts[:-1] if len(head) >= _HEAD else counts))
