"""The destruction of what names a person.

Invariants: erasing destroys the keys of all accounts that are proven to be a person's, and of their profiles, and
drops what they sealed, with every letter, attachment and session of theirs, and leaves the subject keys, which say
nothing without the pepper and are needed to honour objections; what waits to be delivered to them is not delivered any
more.
"""

import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register import attachments, bulk, letters, notices
from demur.register.people import People
from demur.register.proof import own_accounts
from demur.register.tables import account as account_table
from demur.register.tables import detail, member
from demur.register.visits import close_sessions


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
