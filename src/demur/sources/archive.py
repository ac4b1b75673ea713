r"""One read-only view over an export: a folder, a zip, the zips of a split export, or a folder of such zips.

Invariants: nothing is ever extracted, and members are opened as streams; names lead nowhere but into the export
(absolute paths, ``..``, backslashes, drive letters and symbolic links are refused before anything is read); a zip whose
members share bytes or repeat a name is refused, because its readers would not agree on what it holds; what a zip's
headers claim is not believed: bytes are counted as they come out, so that a zip bomb ends in one sentence.

::

    with Archive(paths) as archive:
        for member in archive.find(r"outbox\.json"):
            with member.open() as stream: ...
"""

import io
import itertools
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple, NoReturn, Protocol, Self

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.limits import FREE_BYTES, MAX_DIRECTORY, MAX_RATIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_TAIL: Final = 65_535 + 22 + 20 + 56 + 100  # a comment, and the three records that end a zip
_ZIP64: Final = 0xFFFF_FFFF
_IGNORED: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})

MAX_TOTAL: Final = 256 * 2**30
"""Most bytes that are read from one export."""
_DIGITS: Final = re.compile(r"(\d+)", re.ASCII)


class Listed(NamedTuple):
    """One file of a part."""

    name: str
    """Path inside the export, with ``/``."""
    fingerprint: tuple[int, int] | None = None
    """Size and CRC-32 where the part has them written down."""


class Part(Protocol):
    """A folder or one zip."""

    path: Path

    def files(self) -> Iterator[Listed]:
        """Every file, by safe names only.

        Raises:
            SourceError: for a name that leads outside, or a member that readers would not agree on.
        """
        ...

    def open(self, name: str) -> tuple[IO[bytes], int | None]:
        """The raw stream, and how many bytes it takes in its zip (None in a folder)."""
        ...

    def size(self, name: str) -> int:
        """How many bytes a file has, as far as its part says."""
        ...


class Folder:
    """A folder to which an export was unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = path.resolve()

    def files(self) -> Iterator[Listed]:
        """Every regular file; a link that stays inside is passed over, because its target is read anyway."""
        for folder, folders, files in os.walk(self._root, onerror=unreadable):
            folders.sort()
            for entry in (Path(folder, name) for name in [*folders, *files]):
                if entry.is_symlink():
                    self._refuse_outside(entry)
                elif entry.name in files and entry.name not in _IGNORED:
                    yield Listed(self._name(entry))

    def _name(self, entry: Path) -> str:
        name = entry.relative_to(self._root).as_posix()
        if not stat.S_ISREG(entry.lstat().st_mode):
            raise SourceError(f"{self.path}: {name} is no regular file: remove it from the export.")
        return name

    def _refuse_outside(self, link: Path) -> None:
        if not link.resolve().is_relative_to(self._root):
            name = link.relative_to(self._root).as_posix()
            raise SourceError(f"{self.path}: {name} is a symbolic link that leads outside: remove it.")

    def open(self, name: str) -> tuple[IO[bytes], int | None]:
        """The file ``name``."""
        return (self._root / name).open("rb"), None

    def size(self, name: str) -> int:
        """What the file system says."""
        return (self._root / name).stat().st_size


class Zip:
    """One zip, closed by the stack it was opened on."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        _refuse_long_directory(path)
        try:
            self._zip = stack.enter_context(zipfile.ZipFile(path))
        except zipfile.BadZipFile:
            raise SourceError(f"{path} {_why_no_zip(path)}") from None
        except (OSError, ValueError, NotImplementedError) as error:
            raise SourceError(f"{path} can't be read ({error}): download it again.") from None

    def files(self) -> Iterator[Listed]:
        """Every member but folders."""
        entries = self._zip.infolist()
        self._refuse_overlap(entries)
        self._refuse_nested(entries)
        seen: set[str] = set()
        for entry in entries:
            self._refuse_unsafe(entry)
            if entry.filename in seen:
                raise SourceError(f"{self.path} holds {entry.filename!r} twice: download it again.")
            seen.add(entry.filename)
            if not entry.is_dir() and entry.filename.rpartition("/")[2] not in _IGNORED:
                yield Listed(entry.filename, (entry.file_size, entry.CRC))

    def open(self, name: str) -> tuple[IO[bytes], int | None]:
        """The member ``name``."""
        return self._zip.open(name), self._zip.getinfo(name).compress_size

    def size(self, name: str) -> int:
        """What the zip's directory claims."""
        return self._zip.getinfo(name).file_size

    def _refuse_unsafe(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        if name.startswith("/") or "\\" in name or _DRIVE.match(name) or ".." in name.split("/"):
            raise SourceError(f"{self.path}: the name {name!r} leads out of the export: don't use this file.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SourceError(f"{self.path}: {name} is a symbolic link: don't use this file.")
        if entry.flag_bits & 1:
            raise SourceError(f"{self.path}: {name} is encrypted: unpack it and pass the folder.")

    def _refuse_nested(self, entries: Sequence[zipfile.ZipInfo]) -> None:
        """A zip beside the data is refused; one in a folder is somebody's attachment, and never opened."""
        files = [entry.filename for entry in entries if not entry.is_dir()]
        zips = [name for name in files if name.lower().endswith(".zip")]
        outer = zips if len(zips) == len(files) else [name for name in zips if "/" not in name]
        if outer:
            raise SourceError(
                f"{self.path}: {outer[0]} is a zip inside a zip: unpack the outer one, pass the inner ones."
            )

    def _refuse_overlap(self, entries: Sequence[zipfile.ZipInfo]) -> None:
        """Members that share bytes are how a small zip claims petabytes (D. Fifield, WOOT 2019)."""
        ordered = sorted(entries, key=lambda entry: entry.header_offset)
        for first, second in itertools.pairwise(ordered):
            if first.header_offset + first.compress_size > second.header_offset:
                raise SourceError(
                    f"{self.path}: {first.filename!r} and {second.filename!r} overlap: this is a zip bomb."
                )


def _refuse_long_directory(path: Path) -> None:
    """Refuse a zip of so many files that reading their names takes the memory (APPNOTE.TXT, 4.3.14 to 4.3.16)."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            end = file.read()
    except OSError as error:
        unreadable(error)
    at = end.rfind(b"PK\5\6")
    length = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if length == _ZIP64 and (at := end.rfind(b"PK\6\6")) >= 0:
        length = int.from_bytes(end[at + 40 : at + 48], "little")
    if length > MAX_DIRECTORY:
        raise SourceError(f"{path} holds too many files for one zip: split it, or unpack it and pass the folder.")


def parts_of(path: Path, stack: ExitStack) -> list[Part]:
    """What stands at ``path``: a folder, a zip, or a folder of the zips of a split export.

    Raises:
        SourceError: when nothing stands there, or it is no zip, or a truncated one.
    """
    if path.is_dir():
        zips = _zips_in(path)
        return [Zip(one, stack) for one in zips] if zips else [Folder(path)]
    if not path.exists():
        raise SourceError(f"{path} does not exist: check the path of the export.")
    if not path.is_file():
        raise SourceError(f"{path} is no file and no folder: pass the export's zip or folder.")
    return [Zip(path, stack)]


def _zips_in(folder: Path) -> list[Path]:
    """The parts of a split export, where a folder holds zips and nothing else."""
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        unreadable(error)
    files = [entry for entry in entries if entry.name not in _IGNORED]
    alone = all(one.suffix.lower() == ".zip" and one.is_file() and not one.is_symlink() for one in files)
    return sorted(files) if alone else []


def unreadable(error: OSError) -> NoReturn:
    """Turn a failure of the file system into a sentence.

    Raises:
        SourceError: always.
    """
    raise SourceError(f"{error.filename} can't be read ({error.strerror}): check its permissions.") from None


def _why_no_zip(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return "is a truncated zip: download it again."
    return "is no zip: pass the export's zip, or the folder it was unpacked to."


class _Budget:
    """How many bytes may still be read from the export."""

    left = MAX_TOTAL

    def spend(self, count: int, where: str) -> None:
        self.left -= count
        if self.left < 0:
            raise SourceError(f"{where}: the export holds over {MAX_TOTAL >> 30} GiB: import it in parts.")


class Member:
    """One file of an export."""

    def __init__(self, part: Part, name: str, budget: _Budget) -> None:
        self._part = part
        self._budget = budget
        self._counted = 0
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

    def __exit__(self, *_: object) -> None:
        self._stack.close()

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
