"""What is known of one member: consents, the unsealed profile, and the destruction of what names a person.

Invariants: a profile is unsealed for one account at a time and only on request; erasing destroys the keys of all of a
person's accounts and profiles and drops what they sealed, and leaves the subject keys, which say nothing without the
pepper and are needed to honour objections.
"""

from typing import Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.identity import SubjectKeys
from demur.register import bulk
from demur.register.clock import day
from demur.register.people import People, identify, together
from demur.register.records import NEVER, Member
from demur.register.standing import UNKNOWN_REGION, effective_consent
from demur.register.tables import account as account_table
from demur.register.tables import detail, member
from demur.register.vault import Vault

_UNKNOWN: Final = {"region": UNKNOWN_REGION, "birth_year": 0, "told_on": NEVER}


def consent(connection: sa.Connection, people: People, accounts: list[str], *, given: bool) -> SubjectKeys:
    """Record what people say about their consent; their keys, sorted.

    Raises:
        IdentityError: without an account, or for a malformed one.
    """
    if not accounts:
        raise IdentityError("A consent needs an account to hold for: give at least one, as namespace:value.")
    keys = np.unique(people.ensure(connection, accounts))
    statement = bulk.insert(connection, member)
    rows = [{"key": key, "recorded_consent": given, **_UNKNOWN} for key in keys.tolist()]
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"recorded_consent": given}), rows)
    return keys


def read(connection: sa.Connection, people: People, vault: Vault, account: str) -> Member | None:
    """What is known of the member with an account, unsealed; None if nothing is, or it was erased.

    Raises:
        IdentityError: for a malformed account.
    """
    key = int(people.keys([account])[0])
    columns = (*member.c, effective_consent().label("consented"))
    row = connection.execute(sa.select(*columns).where(member.c.key == key)).one_or_none()
    if row is None or row.wrapped is None:
        return None
    names, locale, mail = orjson.loads(vault.open(row.wrapped, row.sealed, "member", key))
    return Member(
        account=identify(account),
        names=tuple(names),
        locale=locale,
        mail=mail,
        region=None if row.region == UNKNOWN_REGION else row.region,
        birth_year=row.birth_year or None,
        told_on=None if row.told_on == NEVER else day(row.told_on),
        consented=bool(row.consented),
    )


def erase(connection: sa.Connection, people: People, account: str) -> int:
    """Destroy the keys of a person's accounts and profiles, and what they sealed; how many accounts that were."""
    keys = together(connection, people.keys([account]))
    gone = {"wrapped": None, "sealed": None}
    connection.execute(sa.update(account_table).where(bulk.among(connection, account_table.c.key, keys)).values(**gone))
    theirs = bulk.among(connection, member.c.key, keys)
    connection.execute(sa.update(member).where(theirs).values(**gone, digest=None))
    connection.execute(sa.delete(detail).where(bulk.among(connection, detail.c.account, keys)))
    return len(keys)
