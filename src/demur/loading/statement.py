"""What a portal says of a version to whoever holds an export of it: a signed head, and which of its rows are stale.

A statement is canonical JSON (RFC 8785) of `signed`, `signature` (Ed25519, RFC 8032) and `public_key`, as a manifest
is, with `items` beside these: the item keys of the version's rows that may not be used any more, or not as they were
published, which `signed` binds by their number and digest. Nobody's subject key is in it: item keys name rows that
the caller holds, and tell neither which of a row's people objected nor anything about people who have no row there.

Invariants: a statement answers one question, whose random nonce it repeats, so that it can't be shown again later.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CorpusError
from demur.identity import Keys
from demur.loading.watching import Seen
from demur.suppression.signed import envelope, opened

FORMAT: Final = 1
NONCE_DIGITS: Final = 32
ITEM_BYTES: Final = 16


@dataclass(frozen=True)
class Statement:
    """The signed facts; digests are SHA-256 in lowercase hexadecimal."""

    version: str
    manifest: str
    """Digest of the version's manifest."""
    nonce: str
    """The caller's, 32 hexadecimal digits."""
    time: str
    """When it was signed, RFC 3339."""
    instance: str
    incarnation: int
    seq: int
    """The register's last entry."""
    commitment: str
    """Of that entry."""
    binding: int
    """The last entry that changes what may be used; what is stale follows from it."""
    stale: int
    """How many of the version's rows are stale."""
    digest: str
    """Over their item keys in ascending order, end to end."""

    @property
    def seen(self) -> Seen:
        """The head."""
        return Seen(self.instance, self.incarnation, self.seq, self.commitment)

    def sign(self, keys: Keys, items: Iterable[bytes] | None) -> bytes:
        """The statement, with the item keys beside it; without them, for a caller who has them by their digest."""
        document = orjson.loads(envelope({**asdict(self), "format": FORMAT}, keys.signing))
        document["items"] = None if items is None else [item.hex() for item in items]
        return orjson.dumps(document)

    @classmethod
    def parse(cls, data: bytes, public_key: Ed25519PublicKey, *, where: str) -> tuple[Self, list[bytes] | None]:
        """The facts, and the item keys if there are any.

        Raises:
            CorpusError: when it is no statement, its signature fails, or the item keys are not those that it binds.
        """
        facts = opened(data, public_key, FORMAT, what="statement of a head", where=where, again="ask again")
        try:
            told = cls(**{name: value for name, value in facts.items() if name in cls.__dataclass_fields__})
            listed = _items(orjson.loads(data))
        except (KeyError, TypeError, ValueError):
            raise CorpusError(f"{where} is signed but lacks fields of a head: upgrade demur here or there.") from None
        if listed is not None and (len(listed), digest_of(listed)) != (told.stale, told.digest):
            raise CorpusError(f"{where} names other rows than were signed: ask again.")
        return told, listed


def digest_of(items: Iterable[bytes]) -> str:
    """The digest of item keys, in ascending order."""
    return hashlib.sha256(b"".join(sorted(items))).hexdigest()


def _items(document: Mapping[str, Any]) -> list[bytes] | None:
    if document.get("items") is None:
        return None
    items = [bytes.fromhex(each) for each in document["items"]]
    if any(len(each) != ITEM_BYTES for each in items):
        raise ValueError("an item key has 16 bytes")
    return items
