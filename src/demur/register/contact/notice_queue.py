"""The queue of notices: what is due in it, who is to get nothing any more, and where the rest goes.

Invariants: nobody who objected, or of whom nothing is left to write to, is among those that leave; the caller holds the
write lock for what changes anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from demur.register.contact.records import Due
from demur.register.database import bulk
from demur.register.database.tables import account, campaign, member, notice
from demur.register.database.vault import Vault
from demur.register.members import standing
from demur.register.members.profiles import on_file, unsealed
from demur.spelling import Names
from demur.terms import Channel, NoticeStatus


def waiting(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], limit: int) -> Sequence[Any]:
    """Notices with what is needed to open their member, oldest first."""
    known = (account.c.wrapped.label("key"), account.c.sealed.label("identifier"))
    columns = (notice.c.campaign, campaign.c.name, notice.c.subject, notice.c.attempt, *known)
    facts = (member.c.region, member.c.birth_year, member.c.wrapped, member.c.sealed)
    derived = (standing.effective_told_on().label("told_on"), standing.effective_consent().label("consented"))
    joined = sa.join(notice, campaign, campaign.c.number == notice.c.campaign)
    joined = joined.join(account, account.c.key == notice.c.subject, isouter=True)
    joined = joined.join(member, member.c.key == notice.c.subject, isouter=True)
    statement = sa.select(*columns, *facts, *derived).select_from(joined).where(*where)
    return connection.execute(statement.order_by(notice.c.due).limit(limit)).all()


def unwanted(connection: sa.Connection, rows: Sequence[Any]) -> set[int]:
    """The subject keys of those who are to get nothing: they objected, or nothing of them is left to write to."""
    keys = np.array([row.subject for row in rows], dtype=np.int64)
    erased = {row.subject for row in rows if row.sealed is None or row.identifier is None}
    return erased | set(standing.suppressed(connection, np.unique(keys)).tolist())


def mark(connection: sa.Connection, channel: Channel, rows: Sequence[Any], status: NoticeStatus, time: int) -> None:
    """Change the status of some."""
    for number in {row.campaign for row in rows}:
        theirs = bulk.among(connection, notice.c.subject, [row.subject for row in rows if row.campaign == number])
        which = (notice.c.campaign == number, notice.c.channel == channel.value, theirs)
        connection.execute(sa.update(notice).where(*which).values(status=status.value, changed=time))


def name(
    connection: sa.Connection, channel: Channel, rows: Sequence[Any], named: Callable[[str, int], str] | None
) -> None:
    """Put on record which Message-IDs some will leave with, where they have any."""
    if not rows or named is None:
        return
    place = (notice.c.campaign == sa.bindparam("of"), notice.c.subject == sa.bindparam("to"))
    here = sa.update(notice).where(notice.c.channel == channel.value, *place).values(message_id=sa.bindparam("name"))
    names = [{"of": row.campaign, "to": row.subject, "name": bare(named(row.name, row.subject))} for row in rows]
    connection.execute(here, names)


def bare(message_id: str) -> str:
    """A Message-ID without its brackets."""
    return message_id.strip().strip("<>")


def opened(vault: Vault, row: Any) -> Due:  # noqa: ANN401  # a row of `waiting`
    """One of them, unsealed."""
    identifier = vault.open(row.key, row.identifier, "account", row.subject).decode()
    return Due(row.name, row.subject, row.attempt + 1, unsealed(vault, identifier, row))


def reached(connection: sa.Connection, vault: Vault, due: Sequence[Due], names: Names) -> list[Due]:
    """Give notices the address and the language that are on file of any account of their people."""
    lacking = [each.subject for each in due if not (each.member.mail and each.member.locale)]
    known = on_file(connection, vault, lacking, names) if lacking else {}
    return [_to(each, *known[each.subject]) if each.subject in known else each for each in due]


def _to(due: Due, locale: str | None, mail: str | None) -> Due:
    return replace(due, member=replace(due.member, locale=locale, mail=mail))
