"""Objections (Art. 21 GDPR): lodged, confirmed, lapsed, withdrawn; binding from the moment they are lodged.

Invariants: nothing here refuses an objection: a malformed account identifier is the only error; an objection never
expires, it ends by lapsing (denied, or not confirmed in time) or by withdrawal; it belongs to the accounts it was
lodged for, so that after unlinking it stays with their side; several for one account stand side by side, each with a
reference of its own, and withdrawing one leaves the others in force. Reason and evidence are optional and sealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import SubjectKeys
from demur.register import bulk, entries
from demur.register.asking import waits
from demur.register.clock import days, moment
from demur.register.objection_states import covered_by, read_state
from demur.register.people import People, add_link, together
from demur.register.plain import plain
from demur.register.records import JSON, ObjectionPhase, ObjectionState, Receipt
from demur.register.references import new_reference
from demur.register.tables import account, detail, objected, objection
from demur.register.told import retell
from demur.register.vault import Vault
from demur.terms import EntryKind

LapseCause = Literal["denied", "unconfirmed"]

_ENDS: Final = {
    ObjectionPhase.CONFIRMED: EntryKind.OBJECTION_CONFIRMED,
    ObjectionPhase.LAPSED: EntryKind.OBJECTION_LAPSED,
    ObjectionPhase.WITHDRAWN: EntryKind.OBJECTION_WITHDRAWN,
}
_FROM: Final = {
    ObjectionPhase.CONFIRMED: {ObjectionPhase.LODGED},
    ObjectionPhase.LAPSED: {ObjectionPhase.LODGED},
    ObjectionPhase.WITHDRAWN: {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED},
}


@dataclass(frozen=True)
class Lodging:
    """What somebody says when they object."""

    accounts: Sequence[str]
    channel: str
    received: date | None
    reason: str | None
    statement: Mapping[str, JSON] | None
    confirm_by: int | None
    """Microseconds since 1970-01-01, UTC."""


def lodge(connection: sa.Connection, people: People, vault: Vault, said: Lodging, time: int) -> Receipt:
    """Record an objection; it covers every account given, and links none with another: naming proves nothing.

    Raises:
        IdentityError: without an account, or for a malformed one.
    """
    if not said.accounts:
        raise IdentityError("An objection needs an account to hold for: give at least one, as namespace:value.")
    keys = np.array(list(dict.fromkeys(people.ensure(connection, said.accounts, time).tolist())), dtype=np.int64)
    return _record(connection, vault, said, keys, time)


def lodge_for_key(connection: sa.Connection, vault: Vault, said: Lodging, subject: int, time: int) -> Receipt:
    """Record an objection of somebody of whom nothing is left but a subject key: what they say is not kept."""
    bare = {"key": subject, "person": subject, "wrapped": None, "sealed": None}
    connection.execute(bulk.insert(connection, account).values(**bare).on_conflict_do_nothing())
    return _record(connection, vault, said, np.array([subject], dtype=np.int64), time)


def _record(connection: sa.Connection, vault: Vault, said: Lodging, keys: SubjectKeys, time: int) -> Receipt:
    subjects = together(connection, keys)
    seq = _append_lodging(connection, vault, said, keys, subjects, time)
    reference = new_reference()
    values = {
        "seq": seq,
        "reference": reference,
        "phase": ObjectionPhase.LODGED.value,
        "active": True,
        "channel": said.channel,
        "received": None if said.received is None else days(said.received),
        "lodged": time,
        "confirm_by": said.confirm_by,
        "changed": time,
    }
    connection.execute(sa.insert(objection).values(**values))
    connection.execute(sa.insert(objected), [{"objection": seq, "account": key} for key in keys.tolist()])
    return Receipt(reference, seq, subjects, moment(time))


def _append_lodging(  # the parts of one entry
    connection: sa.Connection, vault: Vault, said: Lodging, keys: SubjectKeys, subjects: SubjectKeys, time: int
) -> int:
    payload: dict[str, JSON] = {
        "accounts": len(keys),
        "channel": said.channel,
        "confirm_by": None if said.confirm_by is None else moment(said.confirm_by).isoformat(),
        "received": None if said.received is None else said.received.isoformat(),
    }
    owner, sealed = int(keys[0]), None
    if said.reason is not None or said.statement is not None:
        wrapped = connection.scalar(sa.select(account.c.wrapped).where(account.c.key == owner))
        words = plain({"reason": said.reason, "statement": said.statement})
        sealed = vault.seal(wrapped or b"", words, "detail", owner)
    return entries.append(
        connection, EntryKind.OBJECTION_LODGED, payload, time, subjects=subjects, sealed=sealed, owner=owner
    )


def record_link(connection: sa.Connection, first: int, second: int, time: int) -> int | None:
    """Link two accounts and append the entry; its number, or None if they were linked already."""
    subjects = add_link(connection, first, second)
    if subjects is None:
        return None
    payload = {"accounts": len(subjects)}
    retell(connection, [first])
    return entries.append(connection, EntryKind.ACCOUNT_LINKED, payload, time, subjects=subjects)


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
    if state.phase not in _FROM[phase]:
        raise RegisterError(
            f"The objection {state.reference} is {state.phase} and can't become {phase}: lodge a new one if needed."
        )
    _end(connection, state.seq, phase, time, cause)
    return read_state(connection, state.reference)


def lapse_overdue(connection: sa.Connection, time: int, limit: int) -> list[str]:
    """Lapse objections that were to be confirmed before a time and were not; their references, oldest first.

    Not of those whose holder has not been asked yet (asking.py).
    """
    due = (objection.c.phase == ObjectionPhase.LODGED.value, objection.c.confirm_by < time, ~waits())
    columns = sa.select(objection.c.seq, objection.c.reference).where(*due)
    rows = connection.execute(columns.order_by(objection.c.seq).limit(limit)).all()
    for row in rows:
        _end(connection, row.seq, ObjectionPhase.LAPSED, time, "unconfirmed")
    return [row.reference for row in rows]


def _end(connection: sa.Connection, seq: int, phase: ObjectionPhase, time: int, cause: LapseCause | None) -> None:
    """Move an objection to a phase, and append the entry."""
    payload: dict[str, JSON] = {"objection": seq} | ({} if cause is None else {"cause": cause})
    subjects = covered_by(connection, seq)
    entries.append(connection, _ENDS[phase], payload, time, subjects=subjects)
    values = {"phase": phase.value, "active": phase is ObjectionPhase.CONFIRMED, "changed": time}
    connection.execute(sa.update(objection).where(objection.c.seq == seq).values(**values))


def read_detail(connection: sa.Connection, vault: Vault, typed: str) -> tuple[str | None, Mapping[str, JSON] | None]:
    """The reason and the statement given with an objection; None where none was given or it was erased."""
    seq = read_state(connection, typed).seq
    statement = sa.select(account.c.key, account.c.wrapped, detail.c.sealed).join(
        detail, detail.c.account == account.c.key
    )
    row = connection.execute(statement.where(detail.c.seq == seq)).one_or_none()
    if row is None or row.wrapped is None:
        return None, None
    said = orjson.loads(vault.open(row.wrapped, row.sealed, "detail", row.key))
    return said["reason"], said["statement"]
