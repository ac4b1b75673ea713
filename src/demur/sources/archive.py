r"""One read-only view over an export: a folder, a zip, the zips of a split export, or a folder of such zips.

Invariants: nothing is ever extracted, and members are opened as streams; what a zip's headers claim is not
believed: bytes are counted as they come out, so that a zip bomb ends in one sentence.

::

    with Archive(paths) as archive:
        for member in archive.find(r"outbox\.json"):
            with member.open() as stream: ...
"""

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Self

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import is_picture
from demur.sources.limits import FREE_BYTES, MAX_RATIO
from demur.sources.parts import Part, parts_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_TOTAL: Final = 256 * 2**30
"""Most bytes that are read from one export."""

_ENDINGS: Final = 5
"""Endings of files that are named one by one."""
_DIGITS: Final = re.compile(r"(\d+)", re.ASCII)


class _Budget:
    """How many bytes may still be read from the export."""

    left = MAX_TOTAL

    def spend(self, count: int, where: str) -> None:
        self.left -= count
        if self.left < 0:
            raise SourceError(f"{where}: the export holds over {MAX_TOTAL >> 30} GiB: import it in parts.")


class Member:
    """One file of an export."""

    def __init__(self, part: Part, name: str, budget: _Budget | None = None) -> None:
        self._part = part
        self._budget = budget or _Budget()
        self._counted = 0
        self.opened = False
        """Whether anybody asked for its content."""
        self.name = name
        """Path inside the export, with ``/``."""

    @property
    def size(self) -> int:
        """How many bytes it has, as far as anybody says without reading it."""
        return self._part.size(self.name)

    @property
    def where(self) -> str:
        """The member as error sentences name it: the part's path and the name in it."""
        return f"{self._part.path}: {self.name}"

    def open(self) -> io.BufferedReader:
        """The content as a stream that can't be rewound.

        Raises:
            SourceError: when it can't be opened; reading raises it too, for damaged data or a zip bomb.
        """
        self.opened = True
        return io.BufferedReader(_Guarded(self.where, self._part, self.name, self._budget, self._count), 1 << 16)

    def _count(self, read: int) -> None:
        """Count its bytes once, however often it is opened."""
        if read > self._counted:
            meter.count(read - self._counted)
            self._counted = read


class Archive:
    """All members of one export, whatever it is packed in. A context manager, which closes the zips."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Open ``paths``: folders, zips, or the zips of one split export.

        Raises:
            SourceError: for a path that is missing, no zip, truncated or unsafe.
        """
        self.label = ", ".join(str(path) for path in paths)
        """The paths as given, for error sentences."""
        with ExitStack() as stack:
            parts = [part for path in paths for part in parts_of(Path(path), stack)]
            self.members = _members(parts)
            """Every file in natural order of its name (``posts_2``, ``posts_10``), the same content once."""
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            self._tell_passed_over()
        self.close()

    def close(self) -> None:
        """Close the zips."""
        self._stack.close()

    def _tell_passed_over(self) -> None:
        """Say how many files nobody read, by their endings: an export may hold what no adapter knows.

        Pictures are not among them where they are read afterwards.
        """
        pictures = meter.pictures_follow()
        endings = Counter(
            PurePosixPath(one.name).suffix.lower() or "no ending"
            for one in self.members
            if not one.opened and not (pictures and is_picture(None, one.name))
        )
        if endings:
            most = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(_ENDINGS))
            meter.tell(f"{self.label}: {endings.total():,} of {len(self.members):,} files were not read ({most}).")

    def find(self, pattern: str) -> list[Member]:
        r"""The members whose path from some folder on matches the regular expression, whatever the case.

        An export may stand in a folder inside its zip, so ``actor\.json`` finds ``export/actor.json``.
        """
        wanted = re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE)
        return [member for member in self.members if wanted.fullmatch(member.name)]


class _Guarded(io.RawIOBase):
    """A member's bytes, counted as they come, with every failure told in one sentence."""

    def __init__(self, where: str, part: Part, name: str, budget: _Budget, told: Callable[[int], None]) -> None:
        self._where = where
        self._told = told
        self._budget = budget
        self._count = 0
        try:
            self._stream, self._packed = part.open(name)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise self._damaged(error) from None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._stream.read(len(view))
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(error) from None
        self._account(len(data))
        self._told(self._count)
        view[: len(data)] = data
        return len(data)

    def _account(self, count: int) -> None:
        self._count += count
        self._budget.spend(count, self._where)
        if self._packed is not None and self._count > max(FREE_BYTES, MAX_RATIO * self._packed):
            raise SourceError(
                f"{self._where} inflates to more than {MAX_RATIO} times its size like a zip bomb: "
                "if you trust it, unpack it and pass the folder."
            )

    def _damaged(self, error: Exception) -> SourceError:
        return SourceError(f"{self._where} is damaged ({error}): download the export again.")

    def close(self) -> None:
        if not self.closed and hasattr(self, "_stream"):
            self._stream.close()
        super().close()


def _members(parts: Sequence[Part]) -> list[Member]:
    """All members; of those that repeat in another part with the same content, the first."""
    budget = _Budget()
    named: dict[str, list[tuple[Member, tuple[int, int] | None]]] = {}
    for part in parts:
        for listed in part.files():
            named.setdefault(listed.name, []).append((Member(part, listed.name, budget), listed.fingerprint))
    unique = [member for same in named.values() for member in _different(same)]
    return sorted(unique, key=lambda member: _natural(member.name))


def _different(same: list[tuple[Member, tuple[int, int] | None]]) -> list[Member]:
    """Of the members of one name, the first of each content; a file is read for it only where a name repeats."""
    if len(same) == 1:
        return [same[0][0]]
    found: dict[tuple[int, int], Member] = {}
    for member, fingerprint in same:
        found.setdefault(fingerprint or _fingerprint(member), member)
    return list(found.values())


def _fingerprint(member: Member) -> tuple[int, int]:
    size, crc = 0, 0
    with member.open() as stream:
        while data := stream.read(1 << 20):
            size, crc = size + len(data), zlib.crc32(data, crc)
    return size, crc


def _natural(name: str) -> list[tuple[int, str]]:
    pieces = _DIGITS.split(name)
    return [(int(piece), "") if piece.isascii() and piece.isdigit() else (-1, piece) for piece in pieces]
