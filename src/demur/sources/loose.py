"""Files that are given by themselves, beside zips and folders: an export whose one file a person was handed.

Invariants: such a file reads like a member of an export, and its bytes are counted once, however often it is opened.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from demur.errors import SourceError
from demur.sources.archive import Archive, Member

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def members_at(paths: Sequence[str], pattern: str, stack: ExitStack) -> Iterator[Member]:
    """The files given, and those of each zip or folder whose path matches ``pattern``, as :meth:`Archive.find` does."""
    for path in paths:
        if Path(path).is_file() and not is_zipfile(path) and not path.lower().endswith(".zip"):
            yield LooseFile(Path(path))
        else:
            yield from stack.enter_context(Archive([path])).find(pattern)


class _Counted(io.FileIO):
    """A file's bytes, counted as they come."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path)
        self._told = told
        self._read = 0

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        count = super().readinto(buffer) or 0
        self._read += count
        self._told(self._read)
        return count


class LooseFile(Member):
    """A file that was given by itself, and is no member of an export."""

    def __init__(self, path: Path) -> None:  # it has no part: nothing of Member's own state applies
        self._path = path
        self._counted = 0
        self.name = path.name

    @property
    def size(self) -> int:
        """What the file system says."""
        return self._path.stat().st_size

    @property
    def where(self) -> str:
        """The path, as error sentences name it."""
        return str(self._path)

    def open(self) -> io.BufferedReader:
        """The content as a stream.

        Raises:
            SourceError: when it can't be opened.
        """
        try:
            return io.BufferedReader(_Counted(self._path, self._count), 1 << 16)
        except OSError as error:
            raise SourceError(f"{self._path} can't be read ({error.strerror}): check its permissions.") from None
