"""What becomes of an objection: confirmed, lapsed or withdrawn.

Invariants: an objection binds from the moment it is lodged and never expires. It ends by lapsing (denied, or not
confirmed in time) or by withdrawal; ending one leaves the others of the same accounts in force. Each change appends its
entry in the same transaction, and doing it again changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database import bulk, entries
from demur.register.database.records import JSON
from demur.register.database.tables import objection
from demur.register.objections.confirmation import waits
from demur.register.objections.states import ObjectionPhase, ObjectionState, covered_by, covered_by_each, read_state
from demur.terms import EntryKind

LapseCause = Literal["denied", "unconfirmed"]

ENDS: Final = {
    ObjectionPhase.CONFIRMED: EntryKind.OBJECTION_CONFIRMED,
    ObjectionPhase.LAPSED: EntryKind.OBJECTION_LAPSED,
    ObjectionPhase.WITHDRAWN: EntryKind.OBJECTION_WITHDRAWN,
}
FROM: Final = {
    ObjectionPhase.CONFIRMED: {ObjectionPhase.LODGED},
    ObjectionPhase.LAPSED: {ObjectionPhase.LODGED},
    ObjectionPhase.WITHDRAWN: {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED},
}


def move(
    connection: sa.Connection, typed: str, phase: ObjectionPhase, time: int, cause: LapseCause | None = None
) -> ObjectionState:
    """Confirm, lapse or withdraw an objection; doing it again changes nothing.

    Raises:
        RegisterError: for an unknown reference, or an objection that has ended otherwise.
    """
    state = read_state(connection, typed)
    if state.phase is phase:
        return state
    if state.phase not in FROM[phase]:
        raise RegisterError(
            f"The objection {state.reference} is {state.phase} and can't become {phase}: lodge a new one if needed."
        )
    end(connection, state.seq, phase, time, _caused(cause))
    return read_state(connection, state.reference)


def overdue(connection: sa.Connection, time: int) -> bool:
    """Whether any objection was to be confirmed before a time and was not."""
    return bool(connection.scalar(sa.select(sa.exists().where(*_due(time)))))


def _due(time: int) -> tuple[sa.ColumnElement[bool], ...]:
    return objection.c.phase == ObjectionPhase.LODGED.value, objection.c.confirm_by < time, ~waits()


def lapse_overdue(connection: sa.Connection, time: int, limit: int) -> list[str]:
    """Lapse objections that were to be confirmed before a time and were not; their references, oldest first.

    Not of those whose holder has not been asked yet (confirmation.py).
    """
    columns = sa.select(objection.c.seq, objection.c.reference).where(*_due(time))
    rows = connection.execute(columns.order_by(objection.c.seq).limit(limit)).all()
    for row in rows:
        end(connection, row.seq, ObjectionPhase.LAPSED, time, _caused("unconfirmed"))
    return [row.reference for row in rows]


def _caused(cause: LapseCause | None) -> dict[str, JSON]:
    return {} if cause is None else {"cause": cause}


def end(connection: sa.Connection, seq: int, phase: ObjectionPhase, time: int, said: Mapping[str, JSON]) -> None:
    """Move an objection to a phase, and append the entry, which says ``said`` besides."""
    payload: dict[str, JSON] = {**said, "objection": seq}
    subjects = covered_by(connection, seq)
    entries.append(connection, ENDS[phase], payload, time, subjects=subjects)
    values = {"phase": phase.value, "active": phase is ObjectionPhase.CONFIRMED, "changed": time}
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(**values))


def confirm_all(connection: sa.Connection, seqs: Iterable[int], time: int) -> list[int]:
    """Confirm those of some objections that still wait, an entry each; their numbers, oldest first.

    Those that were settled before are left as they are: what :func:`move` would do for each, in a few statements.
    """
    here = (bulk.among(connection, objection.c.seq, seqs), objection.c.phase == ObjectionPhase.LODGED.value)
    waiting = list(connection.scalars(sa.select(objection.c.seq).where(*here).order_by(objection.c.seq)))
    if not waiting:
        return []
    covered = covered_by_each(connection, waiting)
    kind, first = EntryKind.OBJECTION_CONFIRMED, entries.head(connection).seq + 1
    numbered = enumerate(waiting, first)
    made = [entries.made(own, kind, {"objection": seq}, time, subjects=covered[seq]) for own, seq in numbered]
    entries.insert(connection, made)
    values = {"phase": ObjectionPhase.CONFIRMED.value, "active": True, "changed": time}
    connection.execute(sa.update(objection).where(bulk.among(connection, objection.c.seq, waiting)).values(**values))
    return waiting
