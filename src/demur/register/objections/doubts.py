"""Reasonable doubt whose an objection is (Art. 12(6) GDPR), on record, and what has to happen before it ends anything.

Invariants: an objection is lodged without a deadline, and silence alone never ends one. Only where a doubt stands does
a deadline count: its holder was asked anew, was reminded on each of :data:`REMINDERS`, and had as many days after the
last mail as were planned, however late it left. It follows from the last entry about it (`objection.asked`, before
that `objection.doubted`), and a mail names no later day. A deadline from before there were doubts on record counts for
nothing (ADR 0026). The reason is sealed with the entry, under a key of the objection's account.

Where one of the mails failed for good or came back, the doubt ends in the same transaction, with an entry that says so
(`objection.unasked`), and the objection stands for the officer. While a mail to its holder waits, it does not lapse
either. A reminder of what was answered meanwhile is not sent.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database import entries
from demur.register.database.clock import MICROS_PER_DAY, moment
from demur.register.database.records import JSON
from demur.register.database.tables import BIG, detail, doubt, entry, letter, objected, objection
from demur.register.database.vault import Vault, plain
from demur.register.objections.states import ObjectionPhase, covered_by, opened, sealer
from demur.terms import EntryKind, NoticeStatus

REMINDERS: Final = (7, 21)
"""Days after the question on which its reader is reminded."""
LEAST_DAYS: Final = 28
"""Days to answer that a doubt leaves at least: a week after the last reminder."""
_MAILED_ON: Final = (0, *REMINDERS)
"""Days on which a mail about a doubt leaves, if nothing delays it: the question, and each reminder."""

QUESTION: Final = "confirm"
"""The mail that asks."""
REMINDER: Final = "reminder"
"""The mail that reminds of the question; its parameter `number` counts from 1."""
OPEN: Final = (NoticeStatus.QUEUED.value, NoticeStatus.SENDING.value)
"""Of a mail that waits."""
_UNANSWERED: Final = (
    sa.select(objection.c.seq, objection.c.confirm_by, doubt.c.days)
    .join(doubt, doubt.c.objection == objection.c.seq)
    .where(doubt.c.stands.is_(True), objection.c.phase == ObjectionPhase.LODGED.value)
)
"""What is doubted and nobody has answered yet."""


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


def to_remind(connection: sa.Connection, time: int) -> list[tuple[str, int]]:
    """References of the objections whose holder is to be reminded by a time, and for which time, oldest doubt first.

    Nobody is reminded while another mail to them waits. ``time`` is in microseconds since 1970-01-01, UTC.
    """
    left = sa.cast(doubt.c.days, BIG)
    due = [
        sa.and_(doubt.c.reminded == done, objection.c.confirm_by - (left - day) * MICROS_PER_DAY <= time)
        for done, day in enumerate(REMINDERS)
    ]
    joined = sa.select(objection.c.reference, doubt.c.reminded).join(doubt, doubt.c.objection == objection.c.seq)
    which = (objection.c.phase == ObjectionPhase.LODGED.value, doubt.c.stands.is_(True), sa.or_(*due), ~waits())
    rows = connection.execute(joined.where(*which).order_by(doubt.c.entry))
    return [(reference, reminded + 1) for reference, reminded in rows]


def reasons(connection: sa.Connection, vault: Vault, seq: int) -> list[tuple[datetime, str | None]]:
    """Every doubt about an objection, oldest first: when, and why; None where that was erased, or a restore lost it."""
    joined = sa.select(doubt.c.entry, entry.c.time).join(entry, entry.c.seq == doubt.c.entry)
    rows = connection.execute(joined.where(doubt.c.objection == seq).order_by(doubt.c.entry)).all()
    return [(moment(time), opened(connection, vault, number)[0]) for number, time in rows]


def waits() -> sa.ColumnElement[bool]:
    """Whether a mail to the holder of an objection's account waits to be delivered."""
    joined = sa.join(objected, letter, letter.c.subject == objected.c.account)
    theirs = sa.select(sa.literal(1)).select_from(joined)
    return (
        theirs.where(objected.c.objection == objection.c.seq, letter.c.status.in_(OPEN)).correlate(objection).exists()
    )


def leaving(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> Mapping[str, JSON]:
    """What a mail says that leaves now: one about a doubt names the deadline that it begins."""
    if template not in {QUESTION, REMINDER}:
        return params
    row = _doubted(connection, template, params)
    by = None if row is None else _until(row, template, params, time)
    return {**params, "confirm_by": None if by is None else moment(by).isoformat()}


def settled(connection: sa.Connection, template: str, params: Mapping[str, JSON]) -> bool:
    """Whether a mail is a reminder that nobody needs any more."""
    return template == REMINDER and _doubted(connection, template, params) is None


def asked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """Record that a mail about a doubt has left: its reader's time to answer begins."""
    row = _doubted(connection, template, params)
    if row is not None:
        answer_by(connection, row.seq, _until(row, template, params, time), time, {})


def unasked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """End the doubt that a mail which failed for good asked about."""
    row = _doubted(connection, template, params)
    if row is not None:
        stands(connection, row.seq, time, {})


def unreachable(connection: sa.Connection, subject: int, time: int) -> None:
    """End the doubt about every objection for the account of somebody whose mail came back."""
    joined = _UNANSWERED.join(objected, objected.c.objection == objection.c.seq)
    for row in connection.execute(joined.where(objected.c.account == subject).order_by(objection.c.seq)).all():
        stands(connection, row.seq, time, {})


def _doubted(connection: sa.Connection, template: str, params: Mapping[str, JSON]) -> Any:  # noqa: ANN401  # a row
    """The doubted objection that a mail is about, None for another mail, or where it is settled."""
    if template not in {QUESTION, REMINDER}:
        return None
    which = objection.c.reference == params.get("reference")
    return connection.execute(_UNANSWERED.where(which)).one_or_none()


def _until(row: Any, template: str, params: Mapping[str, JSON], time: int) -> int:  # noqa: ANN401  # a row
    """The deadline of a doubted objection once a mail about it has left at a time."""
    number = int(str(params["number"])) if template == REMINDER else 0
    return int(max(row.confirm_by, time + answer_time(row.days, number)))


def stands(connection: sa.Connection, seq: int, time: int, said: Mapping[str, JSON]) -> None:
    """End the doubt about an objection, and append the entry, which says ``said`` besides."""
    drop(connection, seq)
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(changed=time))
    payload = {**said, "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_UNASKED, payload, time, subjects=covered_by(connection, seq))


def answer_by(connection: sa.Connection, seq: int, by: int, time: int, said: Mapping[str, JSON]) -> None:
    """Give an objection the deadline that a mail named, and append the entry, which says ``said`` besides."""
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=by))
    payload = {**said, "confirm_by": moment(by).isoformat(), "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_ASKED, payload, time, subjects=covered_by(connection, seq))
