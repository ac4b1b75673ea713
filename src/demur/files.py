"""Files that are there whole or not at all, that nobody but their owner reads, and that one process holds.

Invariants: what is written holds, or tells of, what people wrote, so that it is for the account that runs demur and
nobody else: folders have mode 0700 and files 0600, whatever the umask; nothing is ever made wider.
"""

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FULL_IN_WORDS: Final = ("No space left on device", "disk is full", "disk full", "os error 28", "os error 122")
"""How libraries below us say ENOSPC and EDQUOT when they do not pass the number on."""

_MOST_SAID: Final = 4096
"""Bytes of what the holder of a lock says."""


def disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room, or that a quota is used up."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return any(words in str(error) for words in _FULL_IN_WORDS)


def disk_failed(error: BaseException) -> bool:
    """Whether an error says that a disk could not be read or written (EIO)."""
    return (isinstance(error, OSError) and error.errno == errno.EIO) or "os error 5)" in str(error)


@contextmanager
def replacing(path: Path, beside: Path | None = None, *, durably: bool = True) -> Iterator[Path]:
    """Gives an empty file to write, which takes the place of ``path`` once the block ends, and vanishes if it fails.

    A reader, or a crash, meets the old or the new content and no other.

    Args:
        path: what is replaced, or made.
        beside: where to write meanwhile: what a crash left there is overwritten. Without it, a place of its own, so
            that several processes may write at once.
        durably: whether it is on the disk when this returns; else it may be lost in a crash of the machine.
    """
    unfinished = beside or path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield unfinished
        if durably:
            sync(unfinished)
        unfinished.replace(path)
        if durably:
            sync(path.parent)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def write_durably(path: Path, data: bytes) -> None:
    """Replaces ``path`` by ``data``, on the disk; one process at a time does so."""
    with replacing(path, partial(path)) as file:
        file.write_bytes(data)


@contextmanager
def exclusive(path: Path, said: bytes | None = b"") -> Iterator[bytes | None]:
    """Holds a lock of the operating system while the block runs, if no other process does; flock(2).

    It ends with the process, however that ends. Its file stays: two processes can't each hold "the" lock on different
    files.

    Args:
        path: of the lock's file.
        said: who holds it, for the process that finds it held; None leaves what the file says.

    Yields:
        None; or where another process holds it, what that one said, which may be nothing yet: the block has to refuse.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    other = None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(descriptor, _MOST_SAID, 0)
        else:
            if said is not None:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, said, 0)
        yield other
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of :func:`exclusive` right now."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def write_for_owner_only() -> None:
    """Have this process, and those it starts, make files and folders that only their owner may read.

    What starts demur calls it once; libraries below us (Lance, Arrow, SQLite) create files by the process's umask. Who
    calls demur from Python keeps an umask of their own: there the folders' modes keep others out.
    """
    os.umask(0o077)


def make_folder(path: Path) -> None:
    """Make a folder of mode 0700, where there is none yet."""
    path.mkdir(mode=0o700, exist_ok=True)


def tighten(paths: Iterable[Path]) -> None:
    """Take away from others what they may do with these files and folders; a link, and what is not ours, is left.

    A folder's own mode keeps others from everything in it, so that nothing in it is looked at.
    """
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):
            mode = path.lstat().st_mode
            if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and mode & 0o077:
                path.chmod(stat.S_IMODE(mode) & 0o700)


def partial(path: Path) -> Path:
    """Where :func:`write_durably` writes what is to become ``path``; a crash may leave it there."""
    return path.with_name(f".{path.name}.partial")


def sync(path: Path) -> None:
    """Brings a file's content, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
