"""What is known of one member: consents and the unsealed profile.

Invariants: profiles are unsealed only on request; where somebody is written to follows from what members said of
themselves, and from the links between their accounts.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.identity import SubjectKeys
from demur.register import bulk
from demur.register.clock import day
from demur.register.people import People, identify
from demur.register.records import NEVER, Member
from demur.register.standing import UNKNOWN_REGION, effective_consent, effective_told_on
from demur.register.tables import account, member
from demur.register.told import retell
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
    retell(connection, keys)  # of whom some may be members only now
    return keys


def read(connection: sa.Connection, people: People, vault: Vault, account: str) -> Member | None:
    """What is known of the member with an account, unsealed; None if nothing is, or it was erased.

    Raises:
        IdentityError: for a malformed account.
    """
    key = int(people.keys([account])[0])
    derived = (effective_told_on().label("told_on"), effective_consent().label("consented"))
    columns = (member.c.key.label("subject"), member.c.region, member.c.birth_year, member.c.wrapped, member.c.sealed)
    row = connection.execute(sa.select(*columns, *derived).where(member.c.key == key)).one_or_none()
    return None if row is None or row.wrapped is None else unsealed(vault, identify(account), row)


def unsealed(vault: Vault, identifier: str, row: Any) -> Member:  # noqa: ANN401  # a row with a member's columns
    """The member that a row describes; `subject` is its key, `told_on` and `consented` are the effective ones."""
    names, locale, mail = orjson.loads(vault.open(row.wrapped, row.sealed, "member", row.subject))
    return Member(
        account=identifier,
        names=tuple(names),
        locale=locale,
        mail=mail,
        region=None if row.region == UNKNOWN_REGION else row.region,
        birth_year=row.birth_year or None,
        told_on=None if row.told_on == NEVER else day(row.told_on),
        consented=bool(row.consented),
    )


def on_file(
    connection: sa.Connection, vault: Vault, subjects: Iterable[int]
) -> dict[int, tuple[str | None, str | None]]:
    """Locale (BCP 47) and mail address of people, by a key of theirs; nothing for whom nothing is on file.

    Each is that of the first account of theirs that has one: the one that was asked for, then in the order of keys.
    """
    mine, their = account.alias("mine"), account.alias("their")
    joined = sa.join(mine, their, their.c.person == mine.c.person).join(member, member.c.key == their.c.key)
    columns = sa.select(mine.c.key.label("asked"), member.c.key, member.c.wrapped, member.c.sealed)
    known = (bulk.among(connection, mine.c.key, subjects), member.c.sealed.is_not(None))
    rows = connection.execute(columns.select_from(joined).where(*known)).all()
    found: dict[int, tuple[str | None, str | None]] = {}
    for row in sorted(rows, key=lambda row: (row.key != row.asked, row.key)):
        locale, mail = found.get(row.asked, (None, None))
        _, said, address = orjson.loads(vault.open(row.wrapped, row.sealed, "member", row.key))
        found[row.asked] = (locale or said or None, mail or address or None)
    return found
