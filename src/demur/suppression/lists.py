"""A suppression list: whose content may not be used, as of one checkpoint of the register.

Invariants: a list is compiled from the register and never edited by hand: it is signed, and one whose signature
fails is not read; a list that a version was published under is never overwritten; fields and sections that this
demur does not know are kept when a list is written again.

Its file holds a line that says what it is, a line of canonical JSON (RFC 8785) with the checkpoint and the length
and SHA-256 of each section, the sections, and an Ed25519 signature (RFC 8032) of all that stands before it, in the
last 64 bytes. The sections `objected` and `minors` are sorted subject keys, 8 bytes each, little-endian. The sections
`names` and `copies` lie in files of their own beside it (:mod:`demur.suppression.parts`), which the header names by
length and SHA-256: they are mapped into memory, and lists that say the same share them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import JSON, canonical_json
from demur.errors import CorpusError
from demur.identity import Keys
from demur.suppression.keyset import KeySet
from demur.suppression.parts import Part
from demur.suppression.signed import (
    file_digest,
    public_bytes,
    read_bytes,
    rfc3339,
    signature_holds,
    write_atomically,
)

FORMAT: Final = 1
"""The version of the file's form; a list with a higher one is not read."""

_MAGIC: Final = b"demur suppression list\n"
_SIGNATURE_BYTES: Final = 64
_OWN_FIELDS: Final = frozenset(
    {"beside", "binding", "format", "incarnation", "instance", "public_key", "sections", "seq", "time"}
)
_OWN_SECTIONS: Final = frozenset({"minors", "objected"})


@dataclass(frozen=True)
class SuppressionList:
    """Who is withheld as of a checkpoint: their subject keys, and where their names and what they wrote are kept."""

    seq: int
    """The register's last entry when the list was compiled."""
    binding: int
    """The last entry that changes what may be used: the list's version."""
    time: datetime
    """When it was compiled; aware."""
    objected: KeySet
    """Who objected (Art. 21 GDPR), with every linked account."""
    minors: KeySet
    """Known minors: withheld from what others wrote, too."""
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Header fields of a later demur."""
    sections: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Sections of a later demur."""
    instance: str | None = None
    """The workspace's id, where it has one."""
    incarnation: int | None = None
    """1 before the workspace was ever restored from a backup; each restore counts one up."""
    beside: Mapping[str, Part] = field(default_factory=dict)
    """The sections that lie in files of their own, by name: :data:`demur.suppression.parts.NAMES` and COPIES."""

    @cached_property
    def withheld(self) -> KeySet:
        """Everybody whose content and traces may not be used."""
        return self.objected.union(self.minors)

    @property
    def name(self) -> str:
        """Its file name: the binding entry, and what tells two lists of one entry apart.

        Minors come of age, and fingerprints come with an import, without a binding entry in the register, so that an
        entry can have more than one list.
        """
        parts = "".join(self.beside[name].sha256 for name in sorted(self.beside))
        contents = hashlib.sha256(bytes.fromhex(self.objected.digest + self.minors.digest + parts)).hexdigest()
        return f"{self.binding:012d}-{contents[:12]}.list"

    def to_bytes(self, keys: Keys) -> bytes:
        """The list as a signed file."""
        packed = {"minors": self.minors.pack(), "objected": self.objected.pack(), **self.sections}
        whose: dict[str, JSON] = {"instance": self.instance, "incarnation": self.incarnation}
        whose["beside"] = {name: vars(part) for name, part in self.beside.items()} or None
        header: dict[str, JSON] = {
            **self.extra,
            **{name: value for name, value in whose.items() if value is not None},
            "format": FORMAT,
            "seq": self.seq,
            "binding": self.binding,
            "time": rfc3339(self.time),
            "public_key": public_bytes(keys.signing.public_key()).hex(),
            "sections": [
                {"name": name, "bytes": len(packed[name]), "sha256": hashlib.sha256(packed[name]).hexdigest()}
                for name in sorted(packed)
            ],
        }
        message = b"".join([_MAGIC, canonical_json(header), b"\n", *(packed[name] for name in sorted(packed))])
        return message + keys.signing.sign(message)

    @classmethod
    def from_bytes(cls, data: bytes, public_key: Ed25519PublicKey, *, where: str) -> Self:
        """The list in ``data``; ``where`` names it in errors.

        Raises:
            CorpusError: when it is no list, is from a newer demur, or its signature fails.
        """
        header, begin = _header(data, where)
        if not signature_holds(public_key, data[-_SIGNATURE_BYTES:], data[:-_SIGNATURE_BYTES]):
            raise CorpusError(f"{where} was changed, or signed by another workspace: restore it from your backup.")
        sections = _sections(header, data[begin:-_SIGNATURE_BYTES])
        return cls(
            seq=header["seq"],
            binding=header["binding"],
            time=datetime.fromisoformat(header["time"]).astimezone(UTC),
            objected=KeySet.unpack(sections["objected"]),
            minors=KeySet.unpack(sections["minors"]),
            extra={key: value for key, value in header.items() if key not in _OWN_FIELDS},
            sections={name: packed for name, packed in sections.items() if name not in _OWN_SECTIONS},
            instance=header.get("instance"),
            incarnation=header.get("incarnation"),
            beside={name: Part(part["bytes"], part["sha256"]) for name, part in header.get("beside", {}).items()},
        )

    def write(self, folder: Path, keys: Keys) -> Path:
        """Write the list to ``folder`` under its name, read it back, and return its path.

        A list of the same entry that says the same and stands there already is kept: versions name its digest.

        Raises:
            CorpusError: when it can't be written, or the one that stands there does not hold.
        """
        path = folder / self.name
        if not path.exists():
            write_atomically(path, self.to_bytes(keys))
        stored = self.read(path, keys.signing.public_key())
        if stored._told() != self._told():  # noqa: SLF001  # another one of its own kind
            raise CorpusError(f"{path} does not hold what was written to it: check the disk, and publish again.")
        return path

    def _told(self) -> tuple[int, KeySet, KeySet, dict[str, Part]]:
        return self.binding, self.objected, self.minors, dict(self.beside)

    @classmethod
    def read(cls, path: Path, public_key: Ed25519PublicKey) -> Self:
        """The list in the file ``path``.

        Raises:
            CorpusError: as :meth:`from_bytes`, or when the file can't be read.
        """
        return cls.from_bytes(read_bytes(path), public_key, where=str(path))


def find_list(folder: Path, binding: int, digest: str) -> Path:
    """The list of the entry ``binding`` whose file has the SHA-256 ``digest``.

    Raises:
        CorpusError: when there is none.
    """
    for path in sorted(folder.glob(f"{binding:012d}-*.list")):
        if file_digest(path) == digest:
            return path
    raise CorpusError(
        f"{folder} holds no suppression list of entry {binding} with the digest {digest[:16]}...:"
        " it was changed or removed, restore it from your backup."
    )


def parts_named(folder: Path) -> set[str]:
    """The names of the files that lists in a folder have sections in.

    Raises:
        CorpusError: when one of the lists can't be read.
    """
    found = set()
    for path in folder.glob("*.list"):
        header, _ = _header(read_bytes(path), str(path))
        found |= {Part(part["bytes"], part["sha256"]).file(name) for name, part in header.get("beside", {}).items()}
    return found


def _header(data: bytes, where: str) -> tuple[dict[str, Any], int]:
    """The header, and where the sections begin."""
    end = data.find(b"\n", len(_MAGIC))
    try:
        if not data.startswith(_MAGIC):
            raise ValueError  # noqa: TRY301  # one sentence for every way of not being a list
        header: dict[str, Any] = orjson.loads(data[len(_MAGIC) : end])
        version = int(header["format"])
    except (ValueError, KeyError, TypeError):
        raise CorpusError(f"{where} is no suppression list: restore it from your backup.") from None
    if version > FORMAT:
        raise CorpusError(
            f"{where} has format {version}, this demur reads up to {FORMAT}: install a newer demur to read it."
        )
    return header, end + 1


def _sections(header: Mapping[str, Any], body: bytes) -> dict[str, bytes]:
    """The sections by name; the signature has been checked, so that their lengths are those that were written."""
    sections, at = {}, 0
    for section in header["sections"]:
        sections[str(section["name"])] = body[at : at + int(section["bytes"])]
        at += int(section["bytes"])
    return sections
