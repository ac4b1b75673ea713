"""Whether the holder of an account could be asked to confirm an objection that is doubted.

Invariants: an objection lapses unconfirmed only where a doubt is on record (doubts.py), its holder was asked and
reminded, and had their time to answer: whoever gets a mail late has as many days left as if it had come in time, and
the deadline that counts follows from the last entry about it (`objection.asked`, before that `objection.doubted`); a
mail names no later day. Where one of these mails failed for good or came back, the doubt ends in the same transaction,
with an entry that says so (`objection.unasked`), and the objection stands for the officer; while a letter to its holder
waits, it does not lapse either. A reminder of what was answered meanwhile is not sent.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from demur.register.database import entries
from demur.register.database.clock import moment
from demur.register.database.records import JSON
from demur.register.database.tables import doubt, letter, objected, objection
from demur.register.objections import doubts
from demur.register.objections.states import ObjectionPhase, covered_by
from demur.terms import EntryKind, NoticeStatus

QUESTION: Final = "confirm"
"""The letter that asks."""
REMINDER: Final = "reminder"
"""The letter that reminds of the question; its parameter `number` counts from 1."""
OPEN: Final = (NoticeStatus.QUEUED.value, NoticeStatus.SENDING.value)
"""Of a letter that waits."""


def waits() -> sa.ColumnElement[bool]:
    """Whether a letter to the holder of an objection's account waits to be delivered."""
    joined = sa.join(objected, letter, letter.c.subject == objected.c.account)
    theirs = sa.select(sa.literal(1)).select_from(joined)
    return (
        theirs.where(objected.c.objection == objection.c.seq, letter.c.status.in_(OPEN)).correlate(objection).exists()
    )


def leaving(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> Mapping[str, JSON]:
    """What a letter says that leaves now: one about a doubt names the deadline that it begins."""
    if template not in {QUESTION, REMINDER}:
        return params
    row = _doubted(connection, template, params)
    by = None if row is None else _until(row, template, params, time)
    return {**params, "confirm_by": None if by is None else moment(by).isoformat()}


def settled(connection: sa.Connection, template: str, params: Mapping[str, JSON]) -> bool:
    """Whether a letter is a reminder that nobody needs any more."""
    return template == REMINDER and _doubted(connection, template, params) is None


def asked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """Record that a letter about a doubt has left: its reader's time to answer begins."""
    row = _doubted(connection, template, params)
    if row is not None:
        begins(connection, row.seq, _until(row, template, params, time), time, {})


def unasked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """End the doubt that a letter which failed for good asked about."""
    row = _doubted(connection, template, params)
    if row is not None:
        stands(connection, row.seq, time, {})


def unreachable(connection: sa.Connection, subject: int, time: int) -> None:
    """End the doubt about every objection for the account of somebody whose mail came back."""
    joined = _DOUBTED.join(objected, objected.c.objection == objection.c.seq)
    for row in connection.execute(joined.where(objected.c.account == subject).order_by(objection.c.seq)).all():
        stands(connection, row.seq, time, {})


_DOUBTED: Final = (
    sa.select(objection.c.seq, objection.c.confirm_by, doubt.c.days)
    .join(doubt, doubt.c.objection == objection.c.seq)
    .where(doubt.c.stands.is_(True), objection.c.phase == ObjectionPhase.LODGED.value)
)
"""What is doubted and nobody has answered yet."""


def _doubted(connection: sa.Connection, template: str, params: Mapping[str, JSON]) -> Any:  # noqa: ANN401  # a row
    """The doubted objection that a letter is about, None for another letter, or where it is settled."""
    if template not in {QUESTION, REMINDER}:
        return None
    which = objection.c.reference == params.get("reference")
    return connection.execute(_DOUBTED.where(which)).one_or_none()


def _until(row: Any, template: str, params: Mapping[str, JSON], time: int) -> int:  # noqa: ANN401  # a row
    """The deadline of a doubted objection once a letter about it has left at a time."""
    number = int(str(params["number"])) if template == REMINDER else 0
    return int(max(row.confirm_by, time + doubts.answer_time(row.days, number)))


def stands(connection: sa.Connection, seq: int, time: int, said: Mapping[str, JSON]) -> None:
    """End the doubt about an objection, and append the entry, which says ``said`` besides."""
    doubts.drop(connection, seq)
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(changed=time))
    payload = {**said, "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_UNASKED, payload, time, subjects=covered_by(connection, seq))


def begins(connection: sa.Connection, seq: int, by: int, time: int, said: Mapping[str, JSON]) -> None:
    """Give an objection the deadline that a letter named, and append the entry, which says ``said`` besides."""
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=by))
    payload = {**said, "confirm_by": moment(by).isoformat(), "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_ASKED, payload, time, subjects=covered_by(connection, seq))
