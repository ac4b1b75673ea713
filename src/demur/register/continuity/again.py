"""What lodges an objection again that a register lost, sealed for whoever keeps the register: a receipt carries it.

Invariants: it names nobody to whoever has it: subject keys, keyed names and the reference are sealed (AES-256-GCM) by a
key that only the workspace has, padded, and bound to the very entry, so that it opens beside no other receipt. Whoever
it was sealed for believes it for that reason alone. An objection that is on record is lodged no second time.
"""

import base64
from dataclasses import dataclass
from typing import Final

import orjson
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.continuity.replay import Noted, replay
from demur.register.database import entries, instance, journal
from demur.register.database.store import Store
from demur.register.database.vault import Vault
from demur.register.objections.states import known_reference
from demur.terms import EntryKind

_WHAT: Final = "receipt/again"
_BLOCK: Final = 512
"""Bytes to a multiple of which it is padded, so that its length tells hardly anything."""


@dataclass(frozen=True)
class Again:
    """One objection, as it stands now."""

    reference: str
    seq: int
    """Its entry's number now."""
    lodged: bool
    """Whether it was lodged again just now; else it was on record."""
    erasing: bool = False
    """Whether it came with an erasure, which is asked for anew by whoever runs this."""


def seal(store: Store, vault: Vault, seq: int) -> str:
    """What lodges the objection of an entry again, as text.

    Raises:
        RegisterError: when there is no such entry.
    """
    with store.reading() as connection:
        noted = journal.noted(connection, seq)
        known, commitment = instance.read(connection), journal.commitment_at(connection, seq)
    if noted is None or commitment is None or known is None:
        raise RegisterError(f"The register has no entry {seq}: name one that it has.")
    plain = orjson.dumps(noted)
    plain += b" " * (-len(plain) % _BLOCK)
    return base64.b64encode(vault.seal_apart(plain, _WHAT, known.id, commitment)).decode()


def recorded(store: Store, vault: Vault, sealed: str, commitment: bytes) -> tuple[str, int] | None:
    """Reference and entry of the objection that something lodges again, if it is on record.

    Raises:
        IdentityError: when it was sealed for another workspace, or another entry.
    """
    with store.reading() as connection:
        reference = _open(connection, vault, sealed, commitment).effect.reference or ""
        seq = known_reference(connection, reference)
    return None if seq is None else (reference, seq)


def lodge_again(store: Store, vault: Vault, sealed: str, commitment: bytes, incarnation: int, erasing: str) -> Again:
    """Lodge an objection again, unless it is on record.

    Args:
        store: the register.
        vault: opens what was sealed.
        sealed: as :func:`seal` made it.
        commitment: of the entry, 32 bytes.
        incarnation: in which the entry had its number.
        erasing: the channel of objections that erasures lodge.

    Raises:
        IdentityError: when it was sealed for another workspace, or another entry.
        RegisterError: when it can't be lodged from what it holds.
    """
    with store.writing() as connection:
        noted = _open(connection, vault, sealed, commitment)
        reference = noted.effect.reference or ""
        if (seq := known_reference(connection, reference)) is not None:
            return Again(reference, seq, lodged=False)
        done = replay(connection, [noted], incarnation, erasing, held=0)
        if not done.counts[EntryKind.OBJECTION_LODGED.value]:
            raise RegisterError("The receipt's objection can't be lodged again: it names no account.")
        return Again(reference, entries.head(connection).seq, lodged=True, erasing=bool(done.erasures))


def _open(connection: sa.Connection, vault: Vault, sealed: str, commitment: bytes) -> Noted:
    known = instance.read(connection)
    assert known is not None  # a workspace's register has one
    try:
        data = base64.b64decode(sealed, validate=True)
    except ValueError:  # it is no base64, or of other letters than ASCII
        data = b""
    return Noted.read(orjson.loads(vault.open_apart(data, _WHAT, known.id, commitment)))
