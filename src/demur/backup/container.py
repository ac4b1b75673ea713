"""A backup: one folder with copies of files, and a signed list of them.

Invariants: the list is written last and signed (Ed25519, RFC 8032) by the workspace's key; a file that it does not name
is never read, and one that is cut short, changed or gone is noticed before anything is put in place; files have mode
0600 and folders 0700. Folders and files that a backup is made of come in no order and lie nowhere else.

::

    backup.json     the list: what, when, of which instance, up to which entry of the register
    keys.sealed     the keys, encrypted by a passphrase (keysafe.py); not there where they were left out
    register.db     the register; register.dump on PostgreSQL
    register.mark   the mark as it was, whose journal reaches back to the backup before
    workspace/      demur.toml, corpus, versions and their lists, finished models
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import canonical_json
from demur.errors import WorkspaceError
from demur.files import sync, write_durably
from demur.identity import Keys
from demur.register.database.mark import Point
from demur.store import Place, Stored
from demur.suppression.signed import rfc3339, signature_holds

LIST: Final = "backup.json"
MARK: Final = "register.mark"
INNER: Final = "workspace"
FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_STATEMENT: Final = b"demur/backup\0"
"""Stands before what is signed, so that a signature is good for nothing else."""


@dataclass(frozen=True)
class File:
    """One file of a backup."""

    bytes: int
    sha256: str
    """Lowercase hexadecimal."""


@dataclass(frozen=True)
class Listed:
    """What the list of a backup says."""

    instance: str
    incarnation: int
    register: str
    """The name of the register's copy."""
    end: Point
    """The entry that the copy ends at."""
    time: str
    """RFC 3339."""
    software: str
    files: Mapping[str, File] = field(default_factory=dict)
    """By path within the backup, with slashes."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(each.bytes for each in self.files.values())

    def write(self, folder: Path, keys: Keys) -> None:
        """Sign the list, and put it into the folder of the backup."""
        facts = asdict(self) | {"end": [self.end.seq, self.end.commitment.hex()], "format": FORMAT}
        message = canonical_json(facts)
        signature = keys.signing.sign(_STATEMENT + message).hex()
        write_durably(
            folder / LIST, orjson.dumps({"signature": signature, "signed": facts}, option=orjson.OPT_INDENT_2)
        )
        (folder / LIST).chmod(0o600)

    @classmethod
    def read(cls, folder: Path, key: Ed25519PublicKey) -> Self:
        """The list of the backup in ``folder``.

        Raises:
            WorkspaceError: when there is none, or its signature is not one of ``key``.
        """
        document = document_of(folder)
        try:
            facts: dict[str, Any] = document["signed"]
            message, signature = _STATEMENT + canonical_json(facts), bytes.fromhex(document["signature"])
            holds = signature_holds(key, signature, message)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WorkspaceError(f"{folder / LIST} is damaged: take another backup.") from None
        if not holds:
            raise WorkspaceError(
                f"{folder / LIST} was changed, or signed with another key than the one given: nothing was restored; "
                "take the keys that belong to this backup, or another backup."
            )
        if facts.pop("format") > FORMAT:
            raise WorkspaceError(f"{folder} was written by a newer demur: upgrade demur, then restore it.")
        seq, commitment = facts.pop("end")
        files = {name: File(**each) for name, each in facts.pop("files").items()}
        return cls(**facts, files=files, end=Point(seq, bytes.fromhex(commitment)))


def document_of(folder: Path) -> dict[str, Any]:
    """The list as it lies there, unchecked.

    Raises:
        WorkspaceError: when there is none.
    """
    path = folder / LIST
    try:
        return dict(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        raise WorkspaceError(f"{folder} is no backup, or one that was cut short: {LIST} is not there.") from None
    except (OSError, ValueError, TypeError):
        raise WorkspaceError(f"{path} can't be read: take another backup.") from None


class Writer:
    """Puts files into a backup that is being made, and remembers what they were."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, File] = {}

    def copy(self, source: Place, name: str) -> None:
        """Copy a file, or an object of a store."""
        to = self.folder / name
        _folder(to.parent, self.folder)
        self.files[name] = copy(source, to)

    def copy_tree(self, source: Place, name: str, leave: Callable[[Path], bool] = lambda _: False) -> None:
        """Copy every file below a folder but for those to ``leave``, or every object below a place, if there are any.

        Raises:
            WorkspaceError: when an object's name leads out of the backup.
            UnavailableError: when the store refuses, or does not answer.
        """
        if isinstance(source, Stored):
            for each in sorted(inner for inner, _ in source.objects()):
                if ".." in PurePosixPath(each).parts:
                    raise WorkspaceError(f"{source} holds an object whose name leads out of it ({each!r}): delete it.")
                self.copy(source / each, f"{name}/{each}")
            return
        for path in sorted(source.rglob("*")) if source.is_dir() else ():
            if not leave(path) and path.is_file() and not path.is_symlink():
                self.copy(path, f"{name}/{path.relative_to(source).as_posix()}")

    def put(self, data: bytes, name: str) -> None:
        """Write a file."""
        write_durably(self.folder / name, data)
        (self.folder / name).chmod(0o600)
        self.take(name)

    def take(self, name: str) -> None:
        """Remember a file that somebody else put there."""
        path = self.folder / name
        sync(path)
        with path.open("rb") as file:
            self.files[name] = File(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def put_back(backup: Path, listed: Listed, name: str, to: Path, within: Path) -> None:
    """Copy a file out of a backup, and make sure that it is the listed one.

    Args:
        backup: the folder of the backup.
        listed: its list.
        name: the file.
        to: where it goes.
        within: a folder above ``to`` that is there.

    Raises:
        WorkspaceError: when it is not the file that the list names.
    """
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise WorkspaceError(f"{backup / LIST} names a file outside of the backup: take another backup.")
    source = backup.joinpath(*parts)
    _folder(to.parent, within)
    try:
        found = copy(source, to)
    except FileNotFoundError:
        found = None
    if found != listed.files[name]:
        what = "is not there" if found is None else "is cut short or was changed"
        raise WorkspaceError(f"{source} {what}: nothing was restored; take another backup.")


def copy(source: Place, to: Path) -> File:
    """Copy a file, or an object of a store, durably, mode 0600; what it was."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, os.fdopen(_create(to), "wb") as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return File(size, digest.hexdigest())


def sync_folders(root: Path) -> None:
    """Bring the names in every folder below ``root`` to the disk."""
    for path in (root, *(each for each in root.rglob("*") if each.is_dir())):
        sync(path)


def stamp(now: datetime) -> str:
    """A time as lists write it."""
    return rfc3339(now)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _folder(path: Path, within: Path) -> None:
    """Make a folder, and those between it and ``within``, mode 0700."""
    for each in reversed([path, *path.parents]):
        if each.is_relative_to(within) and not each.is_dir():
            each.mkdir(mode=0o700)
