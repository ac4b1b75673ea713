"""The destruction of what names a person.

Invariants: erasing destroys the keys of all accounts that are proven to be a person's, and of their profiles, and
drops what they sealed, with every letter, attachment and session of theirs, and leaves the subject keys, which say
nothing without the pepper and are needed to honour objections; what waits to be delivered to them is not delivered any
more.
"""

from collections.abc import Collection
from typing import Final

import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register import asking, attachments, bulk, letters, notices
from demur.register.contact_tables import letter
from demur.register.people import People
from demur.register.proof import own_accounts
from demur.register.tables import account as account_table
from demur.register.tables import detail, member
from demur.register.vault import Vault
from demur.register.visits import close_sessions
from demur.terms import NoticeStatus

_FAREWELL: Final = "erased"
"""The letter that tells of an erasure: it alone outlives one."""


def erase(connection: sa.Connection, people: People, account: str) -> int:
    """Destroy the keys of a person's accounts and profiles, and what they sealed; how many accounts that were."""
    keys = own_accounts(connection, people.keys([account]))
    erase_keys(connection, keys)
    known = sa.select(sa.func.count()).select_from(account_table)
    return connection.scalar(known.where(bulk.among(connection, account_table.c.key, keys))) or 0


def erase_keys(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys of accounts and of their profiles, and what they sealed."""
    gone = {"wrapped": None, "sealed": None}
    forget(connection, keys)
    theirs = bulk.among(connection, member.c.key, keys)
    connection.execute(sa.update(member).where(theirs).values(**gone, digest=None))
    connection.execute(sa.delete(detail).where(bulk.among(connection, detail.c.account, keys)))
    attachments.destroy(connection, keys)
    letters.destroy(connection, keys)
    notices.cancel(connection, keys)
    close_sessions(connection, keys)


def forget(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys and the identifiers of accounts."""
    theirs = bulk.among(connection, account_table.c.key, keys)
    connection.execute(sa.update(account_table).where(theirs).values(wrapped=None, sealed=None))


def drop_contact_letters(connection: sa.Connection, vault: Vault, references: Collection[str]) -> None:
    """Destroy what waits for the contact of somebody without an account: letters that only their objections tell of."""
    waiting = (letter.c.subject.is_(None), letter.c.status.in_(asking.OPEN), letter.c.sealed.is_not(None))
    rows = connection.execute(sa.select(letter.c.id, letter.c.wrapped, letter.c.sealed).where(*waiting)).all()
    theirs = []
    for number, wrapped, sealed in rows:
        _, template, _, params = orjson.loads(vault.open(wrapped, sealed, "letter", number))
        if template != _FAREWELL and params.get("reference") in references:
            theirs.append(number)
    gone = {"wrapped": None, "sealed": None, "status": NoticeStatus.CANCELLED.value}
    connection.execute(sa.update(letter).where(bulk.among(connection, letter.c.id, theirs)).values(**gone))
