"""Which files something consists of, each with its size and SHA-256; and the signed list of an export's files.

An export's list stands in ``files.json``, as a manifest does in its file: canonical JSON (RFC 8785) of `signed`,
`signature` (Ed25519, RFC 8032) and `public_key`. `signed` names the version, the manifest's digest, every other file of
the export, the columns of its shards with their Arrow types, and the Parquet metadata that they may hold.

Invariants: paths are relative, with forward slashes; a type is spelt without the names that Parquet and Arrow give to
the elements of a list, so that the spelling does not depend on who wrote the file; fields that this demur does not
know survive a round trip.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import JSON
from demur.errors import CorpusError
from demur.identity import Keys
from demur.store import Place
from demur.suppression.signed import envelope, file_digest, opened
from demur.versions.export_form import EXPORTED

LIST: Final = "files.json"
FORMAT: Final = 1
"""The version of the list's form; one with a higher one is not read."""

ALLOWED: Final = ("ARROW:schema",)
"""Keys of Parquet metadata that a shard may hold: what Arrow says of the columns."""


@dataclass(frozen=True)
class FileFacts:
    """One file."""

    path: str
    """Relative, with forward slashes."""
    bytes: int
    sha256: str
    """Lowercase hexadecimal."""

    @classmethod
    def of(cls, folder: Place, path: str) -> Self:
        """The file ``path`` in ``folder`` as it is now.

        Raises:
            CorpusError: when it can't be read.
        """
        file = folder / path
        return cls(path, size_of(file), file_digest(file))


@dataclass(frozen=True)
class Column:
    """A column of a shard."""

    name: str
    type: str
    """As :func:`spelt`."""
    nullable: bool


@dataclass(frozen=True)
class FileList:
    """Everything that an export consists of, besides this list."""

    name: str
    """The version's name."""
    manifest: str
    """SHA-256 of the version's manifest, which `files` lists too."""
    files: tuple[FileFacts, ...]
    """By path, ascending."""
    columns: tuple[Column, ...]
    """Of every shard, in their order."""
    metadata: tuple[str, ...]
    """Keys of Parquet metadata that shards may hold."""
    unknown: Mapping[str, JSON] = field(default_factory=dict)
    """What a later demur added."""

    @classmethod
    def of(cls, name: str, manifest: str, files: Iterable[FileFacts]) -> Self:
        """The list of an export of these files."""
        return cls(name, manifest, tuple(sorted(files, key=lambda each: each.path)), columns_of(EXPORTED), ALLOWED)

    def sign(self, keys: Keys) -> bytes:
        """The list's file, signed by the workspace."""
        facts: dict[str, JSON] = {
            **self.unknown,
            "format": FORMAT,
            "name": self.name,
            "manifest": self.manifest,
            "files": [vars(each) for each in self.files],
            "columns": [vars(each) for each in self.columns],
            "metadata": list(self.metadata),
        }
        return envelope(facts, keys.signing)

    @classmethod
    def parse(cls, data: bytes, public_key: Ed25519PublicKey, *, where: str) -> Self:
        """The list in ``data``; ``where`` names it in errors.

        Raises:
            CorpusError: when it is no list, is from a newer demur, or its signature fails under ``public_key``.
        """
        facts = opened(data, public_key, FORMAT, what="list of files", where=where, again="export the version again")
        try:
            return cls(
                name=facts["name"],
                manifest=facts["manifest"],
                files=tuple(FileFacts(each["path"], each["bytes"], each["sha256"]) for each in facts["files"]),
                columns=tuple(Column(each["name"], each["type"], each["nullable"]) for each in facts["columns"]),
                metadata=tuple(facts["metadata"]),
                unknown={name: value for name, value in facts.items() if name not in _OWN},
            )
        except (KeyError, TypeError):
            raise CorpusError(f"{where} is signed but lacks fields of a list of files: export again.") from None


_OWN: Final = frozenset({"format", "name", "manifest", "files", "columns", "metadata"})


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of a schema."""
    return tuple(Column(each.name, spelt(each.type), each.nullable) for each in schema)


def spelt(kind: pa.DataType) -> str:
    """A type in words: ``list<struct<start: int32, end: int32>>``."""
    if pa.types.is_list(kind):
        return f"list<{spelt(kind.value_type)}>"
    if pa.types.is_struct(kind):
        members = (kind.field(at) for at in range(kind.num_fields))
        return f"struct<{', '.join(f'{each.name}: {spelt(each.type)}' for each in members)}>"
    return str(kind)


def size_of(path: Place) -> int:
    """The bytes of a file.

    Raises:
        CorpusError: when it can't be looked at.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}): restore it from your backup.") from None


def differences(folder: Place, files: Iterable[FileFacts]) -> Iterator[tuple[FileFacts, str]]:
    """The files that are not what was listed, each with what is the matter: words for behind its path."""
    for each in files:
        path = folder / each.path
        if not (path.is_symlink() or path.exists()):
            yield each, "is missing"
        elif path.is_symlink() or not path.is_file():
            yield each, "is no plain file"
        else:
            try:
                same = path.stat().st_size == each.bytes and file_digest(path) == each.sha256
            except (OSError, CorpusError):
                yield each, "can't be read"
                continue
            if not same:
                yield each, "was changed after it was signed"


def shown(path: str) -> str:
    """A path that may hold anything, for a sentence: what can't be printed is escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
