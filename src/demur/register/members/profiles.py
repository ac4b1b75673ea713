"""What is known of one member: consents, the day they were told, and the unsealed profile.

Invariants: profiles are unsealed only on request. Where somebody is written to follows from what members said of
accounts that are proven to be theirs, so that no link that somebody made up leads a mail to them.

`member.noticed_on` is the day of the earliest notice that was sent to any account that is proven to be of the member's
holder and did not come back, NEVER if there is none. A link that only covers tells nobody: whoever typed somebody
else's address into a profile would be told in their place. The day follows from the notices and the proven links alone,
so whatever changes either of them sets it anew (:func:`retell`) in the same transaction, and names the keys in its
entry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.identity import SubjectKeys
from demur.kernel.rules import NEVER
from demur.register.database import bulk
from demur.register.database.clock import MICROS_PER_DAY, day
from demur.register.database.tables import account, member, notice
from demur.register.database.vault import Vault
from demur.register.members.people import People, mail_account, neighbours, own_each, together
from demur.register.members.standing import UNKNOWN_REGION, effective_consent, effective_told_on
from demur.spelling import DEFAULT, Names
from demur.terms import Channel, NoticeStatus


@dataclass(frozen=True)
class Member:
    """One member, unsealed; never log or store it."""

    account: str
    names: tuple[str, ...]
    locale: str | None
    """BCP 47."""
    mail: str | None
    region: str | None
    """ISO 3166-1 alpha-2."""
    birth_year: int | None
    told_on: date | None
    consented: bool


_UNKNOWN: Final = {"region": UNKNOWN_REGION, "birth_year": 0, "told_on": NEVER}


def consent(connection: sa.Connection, people: People, accounts: list[str], time: int, *, given: bool) -> SubjectKeys:
    """Record what people say about their consent; their keys, sorted.

    Raises:
        IdentityError: without an account, or for a malformed one.
    """
    if not accounts:
        raise IdentityError("A consent needs an account to hold for: give at least one, as namespace:value.")
    keys = np.unique(people.ensure(connection, accounts, time))
    record(connection, keys, given=given)
    return keys


def record(connection: sa.Connection, keys: SubjectKeys, *, given: bool) -> None:
    """Record a consent, or its end, by subject keys of accounts that have a row."""
    statement = bulk.insert(connection, member)
    rows = [{"key": key, "recorded_consent": given, **_UNKNOWN} for key in keys.tolist()]
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"recorded_consent": given}), rows)
    retell(connection, keys)  # of whom some may be members only now


def read(connection: sa.Connection, people: People, vault: Vault, account: str) -> Member | None:
    """What is known of the member with an account, unsealed; None if nothing is, or it was erased.

    Raises:
        IdentityError: for a malformed account.
    """
    key = int(people.keys([account])[0])
    derived = (effective_told_on().label("told_on"), effective_consent().label("consented"))
    columns = (member.c.key.label("subject"), member.c.region, member.c.birth_year, member.c.wrapped, member.c.sealed)
    row = connection.execute(sa.select(*columns, *derived).where(member.c.key == key)).one_or_none()
    return None if row is None or row.wrapped is None else unsealed(vault, people.identify(account), row)


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


Contact = tuple[str | None, str | None]
"""Locale (BCP 47) and mail address."""


def on_file(
    connection: sa.Connection, vault: Vault, subjects: Iterable[int], names: Names = DEFAULT
) -> dict[int, Contact]:
    """How to write to people, by a key of theirs; nothing of whom nothing is on file.

    Each part is that of the first account of theirs that has one: the one that was asked for, then in the order of
    keys. A mail address that some member has is one to write to for its own account, ``mail:ADDRESS``, whether it is
    verified or not: whoever reads it holds that account.
    """
    theirs = own_each(connection, subjects)
    said = _contacts(connection, vault, [key for keys in theirs.values() for key in keys])
    found: dict[int, Contact] = {}
    for asked, keys in theirs.items():
        for locale, mail in (said[key] for key in keys if key in said):
            known = found.get(asked, (None, None))
            found[asked] = (known[0] or locale, known[1] or mail)
    unknown = [asked for asked in theirs if asked not in found or not found[asked][1]]
    for asked, (locale, mail) in _by_address(connection, vault, unknown, names).items():
        found[asked] = (found.get(asked, (None, None))[0] or locale, mail)
    return found


def locales(connection: sa.Connection, vault: Vault, keys: Iterable[int]) -> dict[int, str]:
    """What accounts themselves have on file as their locale, BCP 47, by their keys; nothing of linked ones."""
    return {key: locale for key, (locale, _) in _contacts(connection, vault, keys).items() if locale}


def own_address(connection: sa.Connection, vault: Vault, subject: int) -> str | None:
    """The mail address on file of just this account, by its key; None if there is none."""
    return _contacts(connection, vault, [subject]).get(subject, (None, None))[1]


def _contacts(connection: sa.Connection, vault: Vault, keys: Iterable[int]) -> dict[int, Contact]:
    columns = sa.select(member.c.key, member.c.wrapped, member.c.sealed).where(member.c.sealed.is_not(None))
    rows = connection.execute(columns.where(bulk.among(connection, member.c.key, keys))).all()
    opened = ((row.key, orjson.loads(vault.open(row.wrapped, row.sealed, "member", row.key))) for row in rows)
    return {key: (locale or None, mail or None) for key, (_, locale, mail) in opened}


def _by_address(connection: sa.Connection, vault: Vault, keys: Sequence[int], names: Names) -> dict[int, Contact]:
    """Of accounts that are mail addresses, those which some member has."""
    if not keys:
        return {}
    columns = sa.select(account.c.key, account.c.wrapped, account.c.sealed).where(account.c.wrapped.is_not(None))
    rows = connection.execute(columns.where(bulk.among(connection, account.c.key, keys))).all()
    spelt = {row.key: vault.open(row.wrapped, row.sealed, "account", row.key).decode() for row in rows}
    mails = {key: names.canonical(name) for key, name in spelt.items() if name.startswith("mail:")}
    near = neighbours(connection, np.array(list(mails), np.int64)).tolist() if mails else []
    said = _contacts(connection, vault, [other for _, other in near])
    having = ((key, said[other]) for key, other in sorted(near, reverse=True) if other in said)
    return {key: contact for key, contact in having if contact[1] and mail_account(contact[1], names) == mails[key]}


_PIECE: Final = 100_000


def retell(connection: sa.Connection, keys: Sequence[int] | SubjectKeys) -> None:
    """Set the day anew for every member's account of the people who have some accounts, whatever of it changed."""
    reached = [NoticeStatus.SENT.value, NoticeStatus.BOUNCED.value]
    channels = [each.value for each in Channel]  # names the index's first column
    sent = sa.exists().where(notice.c.channel.in_(channels), notice.c.status.in_(reached))
    if not connection.scalar(sa.select(sent)):  # nobody was ever told, and nothing is to be taken back
        return
    for start in range(0, len(keys), _PIECE):
        everybody = together(connection, keys[start : start + _PIECE])
        theirs = bulk.among(connection, member.c.key, everybody)
        connection.execute(sa.update(member).where(theirs).values(noticed_on=_first_day()))


def _first_day() -> sa.ColumnElement[int]:
    """The day of the earliest notice that stands of a member's holder."""
    mine, their = account.alias("mine"), account.alias("their")
    joined = sa.join(mine, their, their.c.holder == mine.c.holder).join(notice, notice.c.subject == their.c.key)
    first = sa.select(sa.func.min(notice.c.sent // MICROS_PER_DAY)).select_from(joined)
    first = first.where(mine.c.key == member.c.key, notice.c.status == NoticeStatus.SENT.value).correlate(member)
    return sa.func.coalesce(first.scalar_subquery(), NEVER)
