"""What stands at a path: the members of an export, a tar of them, or one file by itself, packed or not.

Invariants: nothing is written to disk; what a packed file comes to is counted as it comes out, as a zip's members are,
so that a bomb ends in one sentence; memory holds a block of it.
"""

import contextlib
import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, cast
from zipfile import is_zipfile

import pyarrow as pa

from demur.errors import SourceError
from demur.sources.archive import Archive, Member
from demur.sources.limits import FREE_BYTES, MAX_RATIO
from demur.sources.opened import PACKED, packed_by
from demur.sources.parts import Listed

_USTAR: Final = slice(257, 262)  # where a tar says so (POSIX.1-2001)


def members_at(paths: Sequence[str], pattern: str, stack: ExitStack) -> list[Member]:
    """The files given, and those of each export that match ``pattern`` (see :meth:`Archive.find`).

    Raises:
        SourceError: when nothing stands at a path, or the export is broken or unsafe.
    """
    return [member for path in paths for member in _at(Path(path), pattern, stack)]


def _at(given: Path, pattern: str, stack: ExitStack) -> list[Member]:
    if opens_as_archive(given):
        found = stack.enter_context(Archive([str(given)])).find(pattern)
        return [LooseFile(given / one.name, one.name) if given.is_dir() and _is_packed(one) else one for one in found]
    if not is_tar(given):
        return [LooseFile(given)]
    tar, wanted = _Tar(given, stack), re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE)
    return [Member(tar, one.name) for one in tar.files() if wanted.fullmatch(one.name)]


class LooseFile(Member):
    """A file that was given by itself, and is no member of an export."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        """Read ``path``, called ``name`` where it is of a folder: else by its own."""
        super().__init__(_Alone(path), name or path.name)

    @property
    def where(self) -> str:
        """The path, as error sentences name it."""
        return str(self._part.path)


class _Alone:
    """A part that is one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> Iterator[Listed]:
        """That file."""
        yield Listed(self.path.name)

    def open(self, _: str) -> tuple[IO[bytes], int | None]:
        """Its content, unpacked, and how many bytes it takes where it is packed."""
        with self.path.open("rb") as file:
            packed = packed_by(file.read(4))
        if packed is None:
            return self.path.open("rb"), None
        return cast("IO[bytes]", pa.input_stream(str(self.path), compression=packed)), self.path.stat().st_size

    def size(self, _: str) -> int:
        """What the file system says."""
        return self.path.stat().st_size


class _Tar:
    """A tar packed by gzip, closed by the stack it was opened on; its members are read from its start each time."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        try:
            unpacked = stack.enter_context(_Unpacked(path))
            self._tar = stack.enter_context(tarfile.TarFile(fileobj=unpacked))
            self._entries = {entry.name.removeprefix("./"): entry for entry in self._tar if self._is_file(entry)}
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{path} is a damaged tar ({error}): download it again.") from None

    def files(self) -> Iterator[Listed]:
        """Every regular file."""
        return map(Listed, self._entries)

    def open(self, name: str) -> tuple[IO[bytes], int | None]:
        """The file ``name``."""
        stream = self._tar.extractfile(self._entries[name])
        assert stream is not None  # it is a regular file
        return stream, None

    def size(self, name: str) -> int:
        """What the tar says."""
        return self._entries[name].size

    def _is_file(self, entry: tarfile.TarInfo) -> bool:
        if entry.name.startswith("/") or ".." in entry.name.split("/"):
            raise SourceError(f"{self.path}: the name {entry.name!r} leads out of the export: don't use this file.")
        if not (entry.isfile() or entry.isdir()):
            raise SourceError(f"{self.path}: {entry.name} is no regular file: don't use this file.")
        return entry.isfile()


class _Unpacked(gzip.GzipFile):
    """The bytes of a packed tar; to go further than any export goes is refused before it is done."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path = path
        self._most = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset > self._most:
            raise SourceError(
                f"{self._path} inflates to more than {MAX_RATIO} times its size like a bomb: "
                "if you trust it, unpack it and pass the folder."
            )
        return super().seek(offset, whence)


def _is_packed(member: Member) -> bool:
    return member.name.lower().endswith(tuple(PACKED)) and Path(member._part.path).is_dir()  # noqa: SLF001


def opens_as_archive(path: Path) -> bool:
    """Whether what stands there is a folder, or a file that is a zip, or begins as one and was cut off."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4" or is_zipfile(path)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar packed by gzip."""
    with contextlib.suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
        return file.read(_USTAR.stop)[_USTAR] == b"ustar"
    return False
