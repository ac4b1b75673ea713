"""Objections (Art. 21 GDPR): lodged, confirmed, lapsed, withdrawn; binding from the moment they are lodged.

Invariants: nothing here refuses an objection: a malformed account identifier is the only error; an objection never
expires, it ends by lapsing (denied, or not confirmed in time) or by withdrawal; it belongs to the accounts it was
lodged for, so that after unlinking it stays with their side; several for one account stand side by side, each with a
reference of its own, and withdrawing one leaves the others in force. Reason and evidence are optional and sealed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import SubjectKeys
from demur.register import bulk, entries
from demur.register.asking import waits
from demur.register.clock import MICROS_PER_DAY, day, days, moment
from demur.register.people import People, add_link, together
from demur.register.plain import plain
from demur.register.records import JSON, ObjectionPhase, ObjectionState, Receipt
from demur.register.references import new_reference, read_reference
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
    keys = np.array(list(dict.fromkeys(people.ensure(connection, said.accounts).tolist())), dtype=np.int64)
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
    payload = {"objection": state.seq} | ({} if cause is None else {"cause": cause})
    subjects = together(connection, _accounts(connection, state.seq))
    entries.append(connection, _ENDS[phase], payload, time, subjects=subjects)
    values = {"phase": phase.value, "active": phase is ObjectionPhase.CONFIRMED, "changed": time}
    connection.execute(sa.update(objection).where(objection.c.seq == state.seq).values(**values))
    return read_state(connection, state.reference)


def overdue(connection: sa.Connection, time: int) -> list[str]:
    """The references of objections that were to be confirmed before a time and were not, oldest first.

    Not of those whose holder has not been asked yet (asking.py).
    """
    due = (objection.c.phase == ObjectionPhase.LODGED.value, objection.c.confirm_by < time, ~waits())
    return list(connection.scalars(sa.select(objection.c.reference).where(*due).order_by(objection.c.seq)))


def in_force(connection: sa.Connection) -> int:
    """How many objections are lodged or confirmed."""
    counted = sa.select(sa.func.count()).select_from(objection).where(objection.c.active.is_(True))
    return connection.scalar(counted) or 0


def read_state(connection: sa.Connection, typed: str) -> ObjectionState:
    """An objection as it stands.

    Raises:
        RegisterError: for an unknown reference.
    """
    reference = read_reference(typed)
    row = connection.execute(sa.select(objection).where(objection.c.reference == reference)).one_or_none()
    if row is None:
        raise RegisterError(f"No objection has the reference {reference}: compare it with the receipt.")
    accounts = _accounts(connection, row.seq)
    covered = together(connection, accounts)
    others = sa.select(sa.func.count(objected.c.objection.distinct())).join(
        objection, objection.c.seq == objected.c.objection
    )
    others = others.where(objection.c.active.is_(True), objected.c.objection != row.seq)
    return ObjectionState(
        reference=row.reference,
        seq=row.seq,
        phase=ObjectionPhase(row.phase),
        channel=row.channel,
        received=None if row.received is None else day(row.received),
        accounts=len(accounts),
        covered=len(covered),
        others=connection.scalar(others.where(bulk.among(connection, objected.c.account, covered))) or 0,
        lodged=moment(row.lodged),
        confirm_by=None if row.confirm_by is None else moment(row.confirm_by),
        changed=moment(row.changed),
    )


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


def reference_of(connection: sa.Connection, seq: int) -> str | None:
    """The reference of the objection that an entry lodged."""
    return connection.scalar(sa.select(objection.c.reference).where(objection.c.seq == seq))


def of_people(connection: sa.Connection, keys: SubjectKeys) -> list[ObjectionState]:
    """Every objection for any account of some people, oldest first."""
    theirs = bulk.among(connection, objected.c.account, np.union1d(keys, together(connection, keys)))
    which = objection.c.seq.in_(sa.select(objected.c.objection).where(theirs))
    return _states(connection, sa.select(objection.c.reference).where(which).order_by(objection.c.seq))


def waiting(connection: sa.Connection, limit: int, proven: Collection[str]) -> list[ObjectionState]:
    """The objections that nobody has confirmed yet, oldest first, but for those of channels that prove whose it is."""
    which = (objection.c.phase == ObjectionPhase.LODGED.value, objection.c.channel.not_in(proven))
    return _states(connection, sa.select(objection.c.reference).where(*which).order_by(objection.c.seq).limit(limit))


def covered(connection: sa.Connection, typed: str) -> SubjectKeys:
    """Every account that an objection covers now, sorted."""
    return together(connection, _accounts(connection, read_state(connection, typed).seq))


def by_day(connection: sa.Connection) -> list[tuple[date, int]]:
    """How many objections were lodged on which day (UTC), for the days on which any were."""
    lodged = (objection.c.lodged // MICROS_PER_DAY).label("lodged_on")
    counted = sa.select(lodged, sa.func.count()).group_by(sa.text("lodged_on")).order_by(sa.text("lodged_on"))
    return [(day(on), number) for on, number in connection.execute(counted)]


def _states(connection: sa.Connection, references: sa.Select[Any]) -> list[ObjectionState]:
    return [read_state(connection, reference) for reference in connection.scalars(references).all()]


def _accounts(connection: sa.Connection, seq: int) -> SubjectKeys:
    return bulk.read_keys(connection, sa.select(objected.c.account).where(objected.c.objection == seq))
