"""What is on its way between an object store and this machine: a folder in the workspace, for as long as it takes.

Invariants: what lies there is locked by the process that brings it, and removed when that ends; what a kill left is
removed by whoever makes such a folder next, or writes to the workspace; nothing is begun for which there is no room.
"""

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from demur.errors import SourceError, UsageError
from demur.files import exclusive, is_held, make_folder
from demur.store import Stored, is_url

FOLDER: Final = "transit"
_LOCK: Final = ".lock"
_SPARE: Final = 256 << 20
"""Bytes that stay free on the disk."""


@contextmanager
def transit(root: Path) -> Iterator[Path]:
    """A folder of its own in the workspace at ``root``, while the block runs."""
    make_folder(root / FOLDER)
    clear(root)
    folder = root / FOLDER / secrets.token_hex(8)
    lock = folder.with_suffix(_LOCK)
    with exclusive(lock):
        try:
            make_folder(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def clear(root: Path) -> None:
    """Remove what a kill left."""
    for folder in (root / FOLDER).glob("*"):
        if folder.suffix == _LOCK or is_held(folder.with_suffix(_LOCK)):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(_LOCK).unlink(missing_ok=True)


@contextmanager
def fetched(root: Path, paths: Sequence[str], place: Callable[[str], Stored]) -> Iterator[list[str]]:
    """Paths of files on this machine: what lies in a store is brought here, the rest is left as it is.

    Args:
        root: the workspace.
        paths: as given on the command line; of an address that ends with a slash, everything below it.
        place: makes a place in a store of an address.

    Raises:
        SourceError: when there is no such object, or no room for it here.
        UnavailableError: when the store refuses, or does not answer.
    """
    with ExitStack() as stack:
        found = []
        for path in paths:
            if is_url(path):
                folder = stack.enter_context(transit(root))
                found.append(str(bring(place(path), folder)))
            else:
                found.append(path)
        yield found


def bring(source: Stored, folder: Path) -> Path:
    """Copies an object, or all those below it, into a folder; the file or folder that it is there.

    Raises:
        SourceError: when there is none, or no room for it here.
        UnavailableError: when the store refuses, or does not answer.
    """
    try:
        sizes = {"": source.stat().st_size}
    except FileNotFoundError:
        sizes = {name: stat.st_size for name, stat in source.objects()}
    if not sizes:
        raise SourceError(f"There is no {source}: see to its spelling; capitals count.")
    free, needed = shutil.disk_usage(folder).free, sum(sizes.values()) + _SPARE
    if free < needed:
        raise SourceError(
            f"{source} is read from this machine's disk: it takes {needed >> 20:,} MiB in {folder.parent}, where "
            f"{free >> 20:,} MiB are left; make room, or take it in parts."
        )
    here = folder / source.name
    for name in sizes:
        if ".." in PurePosixPath(name).parts:
            raise SourceError(f"{source} holds an object whose name leads out of it ({name!r}): rename it.")
        target = here / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (source / name if name else source).fetch(target)
    return here


def send(folder: Path, target: Stored, last: str) -> None:
    """Copies a folder's files into a store, where nothing of that name stands; one of them after all others.

    Raises:
        UsageError: when something is there.
        UnavailableError: when the store refuses, or does not answer.
    """
    require_free(target)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name == last):
        (target / name).send(folder / name)


def require_free(target: Stored) -> None:
    """Make sure that nothing lies at a place.

    Raises:
        UsageError: when something does.
    """
    if target.exists():
        raise UsageError(f"{target} is not empty: name a new place for the export, or delete what is there.")
