"""Reasonable doubt whose an objection is (Art. 12(6) GDPR), on record, and what has to happen before it ends anything.

Invariants: an objection is lodged without a deadline, and silence alone never ends one. Only where a doubt stands does
a deadline count: its holder was asked anew, was reminded on each of :data:`REMINDERS`, and had as many days after the
last mail as were planned, however late it left. A deadline from before there were doubts on record counts for nothing
(ADR 0026). The reason is sealed with the entry, under a key of the objection's account.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database import entries
from demur.register.database.clock import MICROS_PER_DAY, moment
from demur.register.database.records import JSON
from demur.register.database.tables import BIG, detail, doubt, entry, objection
from demur.register.database.vault import Vault, plain
from demur.register.objections.states import ObjectionPhase, covered_by, opened, sealer
from demur.terms import EntryKind

REMINDERS: Final = (7, 21)
"""Days after the question on which its reader is reminded."""
LEAST_DAYS: Final = 28
"""Days to answer that a doubt leaves at least: a week after the last reminder."""
_MAILED_ON: Final = (0, *REMINDERS)
"""Days on which a mail about a doubt leaves, if nothing delays it: the question, and each reminder."""


def of(connection: sa.Connection, seq: int) -> Any:  # noqa: ANN401  # a row of `doubt`
    """The doubt that stands about an objection; None where nobody doubts it."""
    which = (doubt.c.objection == seq, doubt.c.stands.is_(True))
    return connection.execute(sa.select(doubt).where(*which)).one_or_none()


def answer_time(days: int, mail: int) -> int:
    """Microseconds that the reader of a mail about a doubt has: of the question (0), of the first reminder (1), ..."""
    return (days - _MAILED_ON[mail]) * MICROS_PER_DAY


def record(connection: sa.Connection, vault: Vault, seq: int, reason: str, days: int, time: int) -> None:
    """Put on record that it is doubted whose an objection is, and give it a deadline.

    Raises:
        RegisterError: where the details of its person were erased, so that no reason can be kept.
    """
    owner = sealer(connection, seq)
    if owner is None:
        raise RegisterError("The details of this objection were erased: nobody can be asked about it any more.")
    key, wrapped = owner
    sealed = vault.seal(wrapped, plain({"reason": reason, "statement": None}), "detail", key)
    number = begin(connection, seq, time + answer_time(days, 0), days, time, {}, sealed)
    connection.execute(sa.insert(detail).values(seq=number, account=key, sealed=sealed))


def begin(  # an entry has this many parts
    connection: sa.Connection,
    seq: int,
    by: int,
    days: int,
    time: int,
    said: Mapping[str, JSON],
    sealed: bytes | None = None,
) -> int:
    """Append the entry of a doubt, which says ``said`` besides, and let its deadline count; the entry's number."""
    payload = {**said, "confirm_by": moment(by).isoformat(), "days": days, "objection": seq}
    number = entries.head(connection).seq + 1
    covered = covered_by(connection, seq)
    made = entries.made(number, EntryKind.OBJECTION_DOUBTED, payload, time, subjects=covered, sealed=sealed)
    entries.insert(connection, [made])
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=by))
    row = {"entry": number, "objection": seq, "stands": True, "days": days, "reminded": 0}
    connection.execute(sa.insert(doubt).values(**row))
    return number


def drop(connection: sa.Connection, seq: int) -> None:
    """Let no doubt about an objection stand, and no deadline count; the caller appends the entry that says why."""
    connection.execute(sa.update(doubt).where(doubt.c.objection == seq).values(stands=False))
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=None))


def remind(connection: sa.Connection, seq: int, number: int, time: int, said: Mapping[str, JSON]) -> None:
    """Append that a reminder was put into the outgoing mail, in the same transaction: so none is sent twice."""
    which = (doubt.c.objection == seq, doubt.c.stands.is_(True))
    connection.execute(sa.update(doubt).where(*which).values(reminded=number))
    payload = {**said, "number": number, "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_REMINDED, payload, time, subjects=covered_by(connection, seq))


def deadline() -> sa.ColumnElement[int | None]:
    """The deadline of an objection that counts, in a statement that selects from `objection`; null where none does."""
    stands = sa.exists().where(doubt.c.objection == objection.c.seq, doubt.c.stands.is_(True)).correlate(objection)
    return sa.case((stands, objection.c.confirm_by))


def all_reminded(time: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Of which objections the last day to answer was before a time, and every reminder went out."""
    lodged = objection.c.phase == ObjectionPhase.LODGED.value
    done = (doubt.c.objection == objection.c.seq, doubt.c.stands.is_(True), doubt.c.reminded == len(REMINDERS))
    return lodged, objection.c.confirm_by < time, sa.exists().where(*done).correlate(objection)


def to_remind(connection: sa.Connection, time: int, waits: sa.ColumnElement[bool]) -> list[tuple[str, int]]:
    """References of the objections whose holder is to be reminded by a time, and for which time, oldest doubt first.

    Args:
        connection: a transaction.
        time: microseconds since 1970-01-01, UTC.
        waits: whether a letter to the holder of an objection's account waits: none is sent after it.
    """
    left = sa.cast(doubt.c.days, BIG)
    due = [
        sa.and_(doubt.c.reminded == done, objection.c.confirm_by - (left - day) * MICROS_PER_DAY <= time)
        for done, day in enumerate(REMINDERS)
    ]
    joined = sa.select(objection.c.reference, doubt.c.reminded).join(doubt, doubt.c.objection == objection.c.seq)
    which = (objection.c.phase == ObjectionPhase.LODGED.value, doubt.c.stands.is_(True), sa.or_(*due), ~waits)
    rows = connection.execute(joined.where(*which).order_by(doubt.c.entry))
    return [(reference, reminded + 1) for reference, reminded in rows]


def reasons(connection: sa.Connection, vault: Vault, seq: int) -> list[tuple[datetime, str | None]]:
    """Every doubt about an objection, oldest first: when, and why; None where that was erased, or a restore lost it."""
    joined = sa.select(doubt.c.entry, entry.c.time).join(entry, entry.c.seq == doubt.c.entry)
    rows = connection.execute(joined.where(doubt.c.objection == seq).order_by(doubt.c.entry)).all()
    return [(moment(time), opened(connection, vault, number)[0]) for number, time in rows]
