"""Whether the holder of an account could be asked to confirm an objection.

Invariants: an objection lapses unconfirmed only where its holder was asked, and had their time to answer: the deadline
that counts is as far from the question's leaving as the first one was from the objection, and follows from the last
entry about it (`objection.asked`, before that `objection.lodged`); a question names no later day. Where the question
failed for good or came back, the deadline is taken away in the same transaction, with an entry that
says so (`objection.unasked`), and the objection stands for the officer; while a letter to its holder waits, it does not
lapse either.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from demur.register.database import entries
from demur.register.database.clock import moment
from demur.register.database.records import JSON
from demur.register.database.tables import letter, objected, objection
from demur.register.objections.states import ObjectionPhase, covered_by
from demur.terms import EntryKind, NoticeStatus

QUESTION: Final = "confirm"
"""The letter that asks."""
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
    """What a letter says that leaves now: a question names the deadline that it begins, if its objection has one."""
    row = _asked(connection, template, params)
    if row is None:
        return params
    by = _until(row, time)
    return {**params, "confirm_by": None if by is None else moment(by).isoformat()}


def asked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """Record that a question has left: its reader's time to answer begins."""
    row = _asked(connection, template, params)
    by = None if row is None else _until(row, time)
    if by is None:
        return
    begins(connection, row.seq, by, time, {})


def unasked(connection: sa.Connection, template: str, params: Mapping[str, JSON], time: int) -> None:
    """Take the deadline from the objection that a letter which failed for good asked about."""
    row = _asked(connection, template, params)
    if row is not None:
        _stands(connection, [row], time)


def unreachable(connection: sa.Connection, subject: int, time: int) -> None:
    """Take the deadline from every objection for the account of somebody whose mail came back."""
    joined = sa.select(objection).join(objected, objected.c.objection == objection.c.seq)
    rows = connection.execute(joined.where(objected.c.account == subject).order_by(objection.c.seq)).all()
    _stands(connection, rows, time)


def _asked(connection: sa.Connection, template: str, params: Mapping[str, JSON]) -> Any:  # noqa: ANN401  # a row
    """The objection that a letter asks about, None for another letter."""
    if template != QUESTION:
        return None
    which = objection.c.reference == params.get("reference")
    return connection.execute(sa.select(objection).where(which)).one_or_none()


def _until(row: Any, time: int) -> int | None:  # noqa: ANN401  # a row of `objection`
    """The deadline of an objection that is asked about at a time; None where it does not lapse."""
    if row.confirm_by is None or row.phase != ObjectionPhase.LODGED.value:
        return None
    return int(max(row.confirm_by, time + row.confirm_by - row.lodged))


def _stands(connection: sa.Connection, rows: Any, time: int) -> None:  # noqa: ANN401  # rows of `objection`
    for row in rows:
        if row.confirm_by is None or row.phase != ObjectionPhase.LODGED.value:
            continue
        stands(connection, row.seq, time, {})


def stands(connection: sa.Connection, seq: int, time: int, said: Mapping[str, JSON]) -> None:
    """Take the deadline from an objection, and append the entry, which says ``said`` besides."""
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=None, changed=time))
    payload = {**said, "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_UNASKED, payload, time, subjects=covered_by(connection, seq))


def begins(connection: sa.Connection, seq: int, by: int, time: int, said: Mapping[str, JSON]) -> None:
    """Give an objection the deadline that a question named, and append the entry, which says ``said`` besides."""
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(confirm_by=by))
    payload = {**said, "confirm_by": moment(by).isoformat(), "objection": seq}
    entries.append(connection, EntryKind.OBJECTION_ASKED, payload, time, subjects=covered_by(connection, seq))
