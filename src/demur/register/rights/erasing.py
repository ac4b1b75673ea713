"""The destruction of what names a person.

Invariants: erasing destroys the keys of all accounts that are proven to be a person's, and of their profiles, and
drops what they sealed, with every letter, attachment and session of theirs, and leaves the subject keys, which say
nothing without the pepper and are needed to honour objections; what waits to be delivered to them is not delivered any
more. Entries that held words of theirs lose their salts, so that nobody can show by a commitment what they said any
more; number, kind, time, payload, subjects and effect of these stay, as they bind.

An entry without salts can't be checked against its commitment. So the entry of the erasure (`person.erased`, whose own
salts stay) names each of them with a digest of all that is left, its commitment included, and the keys that stay, and
is signed by the workspace: only who holds its key can take salts away without being seen.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from demur.identity import SubjectKeys
from demur.register.access.sessions import close_sessions
from demur.register.contact import mails, notices
from demur.register.database import bulk
from demur.register.database.effects import Effect
from demur.register.database.entries import Stored, content_digest
from demur.register.database.tables import account as account_table
from demur.register.database.tables import detail, doubt, entry, letter, member, objected
from demur.register.database.vault import Vault
from demur.register.objections import attachments, confirmation
from demur.terms import NoticeStatus

_STATEMENT: Final = b"demur/person.erased\0"
"""Stands before what is signed, so that a signature is good for nothing else."""
_FAREWELL: Final = "erased"
"""The letter that tells of an erasure: it alone outlives one."""


def erased(connection: sa.Connection, keys: SubjectKeys, signing: Ed25519PrivateKey) -> Effect:
    """Destroy the salts of the entries whose words :func:`erase_keys` destroyed; what the erasure's entry says of it.

    With them go those of entries whose words a demur destroyed that left the salts.
    """
    naming = sa.select(objected.c.objection).where(bulk.among(connection, objected.c.account, keys))
    doubting = sa.select(doubt.c.entry).where(doubt.c.objection.in_(naming))
    wordless = ~sa.exists().where(detail.c.seq == entry.c.seq)
    which = (
        entry.c.seq.in_(naming) | entry.c.seq.in_(doubting),
        entry.c.detail_digest.is_not(None),
        sa.func.length(entry.c.salt) > 0,
        wordless,
    )
    found = [Stored._make(row) for row in connection.execute(sa.select(entry).where(*which))]
    gone = {"salt": b"", "subject_salt": sa.case((entry.c.format.is_not(None), b""))}
    numbers = bulk.among(connection, entry.c.seq, [each.seq for each in found])
    connection.execute(sa.update(entry).where(numbers).values(**gone))
    effect = Effect(keys=keys, emptied={each.seq: content_digest(each) for each in found})
    return replace(effect, signature=signing.sign(_STATEMENT + effect.to_bytes()))


def is_signed(effect: Effect, public_key: Ed25519PublicKey) -> bool:
    """Whether the effect of an erasure is one that a workspace signed."""
    try:
        public_key.verify(effect.signature, _STATEMENT + replace(effect, signature=b"").to_bytes())
    except InvalidSignature:
        return False
    return True


def erase_keys(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys of accounts and of their profiles, and what they sealed."""
    gone = {"wrapped": None, "sealed": None}
    forget(connection, keys)
    theirs = bulk.among(connection, member.c.key, keys)
    connection.execute(sa.update(member).where(theirs).values(**gone, digest=None))
    connection.execute(sa.delete(detail).where(bulk.among(connection, detail.c.account, keys)))
    attachments.destroy(connection, keys)
    mails.destroy(connection, keys)
    notices.cancel(connection, keys)
    close_sessions(connection, keys)


def forget(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys and the identifiers of accounts."""
    theirs = bulk.among(connection, account_table.c.key, keys)
    connection.execute(sa.update(account_table).where(theirs).values(wrapped=None, sealed=None))


def drop_contact_mails(connection: sa.Connection, vault: Vault, references: Collection[str]) -> None:
    """Destroy what waits for the contact of somebody without an account: mails that only their objections tell of."""
    waiting = (letter.c.subject.is_(None), letter.c.status.in_(confirmation.OPEN), letter.c.sealed.is_not(None))
    rows = connection.execute(sa.select(letter.c.id, letter.c.wrapped, letter.c.sealed).where(*waiting)).all()
    theirs = []
    for number, wrapped, sealed in rows:
        _, template, _, params = orjson.loads(vault.open(wrapped, sealed, "letter", number))
        if template != _FAREWELL and params.get("reference") in references:
            theirs.append(number)
    gone = {"wrapped": None, "sealed": None, "status": NoticeStatus.CANCELLED.value}
    connection.execute(sa.update(letter).where(bulk.among(connection, letter.c.id, theirs)).values(**gone))
