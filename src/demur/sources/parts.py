"""What an export is packed in: a folder, or one zip of it.

Invariants: names lead nowhere but into the export (absolute paths, ``..``, drive letters and symbolic links are
refused before anything is read); backslashes, which Windows programs write against APPNOTE.TXT, 4.4.17, count as
slashes before any of that is judged; a zip whose members share bytes or repeat a name is
refused, because its readers would not agree on what it holds.
"""

import itertools
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, NamedTuple, NoReturn, Protocol

from demur.errors import SourceError
from demur.sources.limits import MAX_DIRECTORY

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_TAIL: Final = 65_535 + 22 + 20 + 56 + 100  # a comment, and the three records that end a zip
_ZIP64: Final = 0xFFFF_FFFF
_IGNORED: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


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
        self._entries: dict[str, zipfile.ZipInfo] = {}
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
            name = _slashed(entry)
            if name in seen:
                raise SourceError(f"{self.path} holds {name!r} twice: download it again.")
            seen.add(name)
            self._entries[name] = entry
            if not name.endswith("/") and name.rpartition("/")[2] not in _IGNORED:
                yield Listed(name, (entry.file_size, entry.CRC))

    def open(self, name: str) -> tuple[IO[bytes], int | None]:
        """The member ``name``."""
        return self._zip.open(self._entries[name]), self._entries[name].compress_size

    def size(self, name: str) -> int:
        """What the zip's directory claims."""
        return self._entries[name].file_size

    def _refuse_unsafe(self, entry: zipfile.ZipInfo) -> None:
        name = _slashed(entry)
        if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
            raise SourceError(f"{self.path}: the name {name!r} leads out of the export: don't use this file.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SourceError(f"{self.path}: {name} is a symbolic link: don't use this file.")
        if entry.flag_bits & 1:
            raise SourceError(f"{self.path}: {name} is encrypted: unpack it and pass the folder.")

    def _refuse_nested(self, entries: Sequence[zipfile.ZipInfo]) -> None:
        """A zip beside the data is refused; one in a folder is somebody's attachment, and never opened."""
        files = [name for name in map(_slashed, entries) if not name.endswith("/")]
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


def _slashed(entry: zipfile.ZipInfo) -> str:
    """The name of a member, with slashes."""
    return entry.filename.replace("\\", "/")


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
