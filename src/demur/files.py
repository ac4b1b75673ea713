"""Files that are there whole or not at all, and that nobody but their owner reads.

Invariants: what is written holds, or tells of, what people wrote, so that it is for the account that runs demur and
nobody else: folders have mode 0700 and files 0600, whatever the umask; nothing is ever made wider.
"""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_FULL_IN_WORDS: Final = ("No space left on device", "disk is full", "disk full", "os error 28", "os error 122")
"""How libraries below us say ENOSPC and EDQUOT when they do not pass the number on."""


def disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room, or that a quota is used up."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return any(words in str(error) for words in _FULL_IN_WORDS)


def write_durably(path: Path, data: bytes) -> None:
    """Replaces ``path`` by ``data`` so that a reader, or a crash, meets the old or the new content and no other."""
    unfinished = partial(path)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync(path.parent)


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
