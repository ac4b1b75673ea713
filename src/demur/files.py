"""Files that are there whole or not at all."""

import errno
import os
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
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync(path.parent)


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
