"""Objections (Art. 21 GDPR): lodged, confirmed, lapsed, withdrawn; binding from the moment they are lodged.

Invariants: nothing here refuses an objection: a malformed account identifier is the only error; an objection never
expires, it ends by lapsing (denied, or not confirmed in time) or by withdrawal; it belongs to the accounts it was
lodged for, so that after unlinking it stays with their side; several for one account stand side by side, each with a
reference of its own, and withdrawing one leaves the others in force. Reason and evidence are optional and sealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import SubjectKeys
from demur.register import entries
from demur.register.asking import waits
from demur.register.clock import days, micros, moment
from demur.register.effects import Effect
from demur.register.objection_states import covered_by, read_state
from demur.register.people import People, add_bare, add_link, pair, together
from demur.register.plain import plain
from demur.register.records import JSON, ObjectionPhase, ObjectionState, Receipt
from demur.register.references import new_reference
from demur.register.tables import account, detail, objected, objection
from demur.register.told import retell
from demur.register.vault import Vault
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
    add_bare(connection, [subject])
    return _record(connection, vault, said, np.array([subject], dtype=np.int64), time)


def _record(connection: sa.Connection, vault: Vault, said: Lodging, keys: SubjectKeys, time: int) -> Receipt:
    receipt = Receipt(new_reference(), entries.head(connection).seq + 1, together(connection, keys), moment(time))
    sealed = _sealed(connection, vault, said, int(keys[0]))
    insert(connection, [Lodged(said, receipt, keys, sealed)])
    return receipt


@dataclass(frozen=True, eq=False)
class Lodged:
    """An objection that is recorded now, of which every row can be told."""

    said: Lodging
    receipt: Receipt
    keys: SubjectKeys
    """The accounts that it names, in their order."""
    sealed: bytes | None = None
    """What was said with it, sealed by the first of them."""
    also: Mapping[str, JSON] = field(default_factory=dict)
    """What its entry says besides: which one it repeats (replay.py)."""

    def entry(self) -> dict[str, Any]:
        """Its row in the log."""
        by, received = self.said.confirm_by, self.said.received
        payload: dict[str, JSON] = {
            "accounts": len(self.keys),
            "channel": self.said.channel,
            "confirm_by": None if by is None else moment(by).isoformat(),
            "received": None if received is None else received.isoformat(),
        }
        payload |= self.also
        return entries.made(
            self.receipt.seq,
            EntryKind.OBJECTION_LODGED,
            payload,
            micros(self.receipt.lodged),
            subjects=self.receipt.subjects,
            effect=Effect(keys=self.keys, reference=self.receipt.reference),
            sealed=self.sealed,
        )

    def state(self) -> dict[str, Any]:
        """Its row among the objections."""
        time = micros(self.receipt.lodged)
        return {
            "seq": self.receipt.seq,
            "reference": self.receipt.reference,
            "phase": ObjectionPhase.LODGED.value,
            "active": True,
            "channel": self.said.channel,
            "received": None if self.said.received is None else days(self.said.received),
            "lodged": time,
            "confirm_by": self.said.confirm_by,
            "changed": time,
        }

    def detail(self) -> dict[str, Any]:
        """The row of what was said with it."""
        return {"seq": self.receipt.seq, "account": int(self.keys[0]), "sealed": self.sealed}


def insert(connection: sa.Connection, lodged: Sequence[Lodged]) -> None:
    """Append objections to the log, and put them on record as they stand; their numbers are those that come next."""
    entries.insert(connection, [each.entry() for each in lodged])
    connection.execute(_OBJECTION, [each.state() for each in lodged])
    named = [{"objection": each.receipt.seq, "account": key} for each in lodged for key in each.keys.tolist()]
    connection.execute(_OBJECTED, named)
    details = [each.detail() for each in lodged if each.sealed is not None]
    if details:
        connection.execute(sa.insert(detail), details)


_OBJECTION: Final = sa.insert(objection)
_OBJECTED: Final = sa.insert(objected)


def _sealed(connection: sa.Connection, vault: Vault, said: Lodging, owner: int) -> bytes | None:
    """What was said with an objection, sealed by the account of a key."""
    if said.reason is None and said.statement is None:
        return None
    wrapped = connection.scalar(sa.select(account.c.wrapped).where(account.c.key == owner))
    return vault.seal(wrapped or b"", plain({"reason": said.reason, "statement": said.statement}), "detail", owner)


def record_link(connection: sa.Connection, first: int, second: int, time: int) -> int | None:
    """Link two accounts and append the entry; its number, or None if they were linked already."""
    subjects = add_link(connection, first, second)
    if subjects is None:
        return None
    payload = {"accounts": len(subjects)}
    retell(connection, [first])
    effect = Effect(proven=pair(first, second))
    return entries.append(connection, EntryKind.ACCOUNT_LINKED, payload, time, subjects=subjects, effect=effect)


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

    Not of those whose holder has not been asked yet (asking.py).
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
