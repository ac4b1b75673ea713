"""What becomes of an objection: confirmed, lapsed or withdrawn, and brought back.

Invariants: an objection binds from the moment it is lodged and never expires. It ends by lapsing (denied, or doubted
and not answered, see doubts.py) or by withdrawal; ending one leaves the others of the same accounts in force. One that
has ended can be brought back as it was: with its reference, its words and its files, and without a doubt. Each change
appends its entry in the same transaction, and doing it again changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database import bulk, entries
from demur.register.database.records import JSON
from demur.register.database.tables import objection
from demur.register.members.spellings import end
from demur.register.objections import doubts
from demur.register.objections.doubts import waits
from demur.register.objections.references import read_reference
from demur.register.objections.states import (
    BINDING,
    ObjectionPhase,
    ObjectionState,
    covered_by,
    covered_by_each,
    read_state,
)
from demur.terms import EntryKind

LapseCause = Literal["denied", "unconfirmed"]

ENTRIES: Final = {
    ObjectionPhase.LODGED: EntryKind.OBJECTION_REVIVED,
    ObjectionPhase.CONFIRMED: EntryKind.OBJECTION_CONFIRMED,
    ObjectionPhase.LAPSED: EntryKind.OBJECTION_LAPSED,
    ObjectionPhase.WITHDRAWN: EntryKind.OBJECTION_WITHDRAWN,
}
"""What records that an objection which stands on record comes to a phase."""
FROM: Final = {
    ObjectionPhase.LODGED: {ObjectionPhase.LAPSED, ObjectionPhase.WITHDRAWN},
    ObjectionPhase.CONFIRMED: {ObjectionPhase.LODGED},
    ObjectionPhase.LAPSED: {ObjectionPhase.LODGED},
    ObjectionPhase.WITHDRAWN: {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED},
}


def move(
    connection: sa.Connection, typed: str, phase: ObjectionPhase, time: int, cause: LapseCause | None = None
) -> ObjectionState:
    """Confirm, lapse, withdraw or bring back an objection; doing it again changes nothing.

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
    enter(connection, state.seq, phase, time, _caused(cause))
    return read_state(connection, state.reference)


def overdue(connection: sa.Connection, time: int, typed: str | None = None) -> bool:
    """Whether any doubted objection, or the one of a reference, was to be confirmed before a time and was not."""
    named = () if typed is None else (objection.c.reference == read_reference(typed),)
    return bool(connection.scalar(sa.select(sa.exists().where(*_due(time), *named))))


def _due(time: int) -> tuple[sa.ColumnElement[bool], ...]:
    return *doubts.all_reminded(time), ~waits()


def lapse_overdue(connection: sa.Connection, time: int, limit: int) -> list[str]:
    """Lapse doubted objections that were to be confirmed before a time and were not; their references, oldest first.

    Not those whose holder has not been asked and reminded yet (doubts.py).
    """
    columns = sa.select(objection.c.seq, objection.c.reference).where(*_due(time))
    rows = connection.execute(columns.order_by(objection.c.seq).limit(limit)).all()
    for row in rows:
        enter(connection, row.seq, ObjectionPhase.LAPSED, time, _caused("unconfirmed"))
    return [row.reference for row in rows]


def _caused(cause: LapseCause | None) -> dict[str, JSON]:
    return {} if cause is None else {"cause": cause}


def enter(connection: sa.Connection, seq: int, phase: ObjectionPhase, time: int, said: Mapping[str, JSON]) -> None:
    """Move an objection to a phase, and append the entry, which says ``said`` besides."""
    payload: dict[str, JSON] = {**said, "objection": seq}
    subjects = covered_by(connection, seq)
    values = {"phase": phase.value, "active": phase in BINDING, "changed": time}
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(**values))
    effect = None if phase in BINDING else end(connection, subjects, seq)
    entries.append(connection, ENTRIES[phase], payload, time, subjects=subjects, effect=effect)
    if phase is ObjectionPhase.LODGED:
        doubts.drop(connection, seq)


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
