"""Objections, replayed: what was lodged, for which accounts, where each stands, and what was doubted about it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.register.database.clock import days, micros
from demur.register.database.effects import Effect
from demur.register.database.entries import OWN_FORMAT, Stored
from demur.register.database.tables import account, doubt, objected, objection
from demur.register.objections.phases import ENTRIES, FROM
from demur.register.objections.states import BINDING, ObjectionPhase
from demur.terms import EntryKind

_PHASE: Final = {kind.value: phase for phase, kind in ENTRIES.items()}
_COLUMNS: Final = (
    *(column for column in objection.c if column is not objection.c.active),
    sa.type_coerce(objection.c.active, sa.Integer).label("active"),  # whatever stands there
)
_KINDS: Final = frozenset(
    {
        *_PHASE,
        EntryKind.OBJECTION_LODGED.value,
        EntryKind.OBJECTION_DOUBTED.value,
        EntryKind.OBJECTION_ASKED.value,
        EntryKind.OBJECTION_REMINDED.value,
        EntryKind.OBJECTION_UNASKED.value,
        EntryKind.OBJECTION_NAMED.value,
    }
)
"""The entries that change objections."""


@dataclass(slots=True)
class _Standing:
    """An objection: what the entries make of it, and what the table says."""

    phase: ObjectionPhase
    confirm_by: int | None
    changed: int
    row: Any


@dataclass(slots=True)
class _Doubt:
    """A doubt, as the entries make it; the fields are the table's columns, without its key."""

    objection: int
    stands: bool
    days: int
    reminded: int


class Objections:
    """The objections of the entries that were read so far, against the rows of the tables."""

    kinds: Final = _KINDS

    def __init__(self, connection: sa.Connection, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._report = report
        self._known: dict[int, _Standing] = {}
        self._doubts: dict[int, _Doubt] = {}
        """By the entry that recorded it."""
        self._stand: dict[int, _Doubt] = {}
        """Those that stand, by objection."""
        self._rows: dict[int, Any] = {}
        self._named: dict[int, list[int]] = {}
        self._owners: dict[int, int] = {}

    def between(self, after: int, last: int, owners: dict[int, int]) -> None:
        """Read what the tables say of the objections with numbers after one, up to another.

        Args:
            after: the last number before.
            last: the last number.
            owners: whose account seals what was said with them.
        """
        self.unlodged()
        self._owners = owners
        here = (objection.c.seq > after, objection.c.seq <= last)
        self._rows = {row.seq: row for row in self._connection.execute(sa.select(*_COLUMNS).where(*here))}
        self._named = {}
        pairs = sa.select(objected).where(objected.c.objection > after, objected.c.objection <= last)
        for number, key in self._connection.execute(pairs.order_by(objected.c.objection, objected.c.account)):
            self._named.setdefault(number, []).append(key)

    def unlodged(self) -> None:
        """Report rows of the tables that no entry lodged."""
        for number in self._rows:
            self._report(f"Objection {number} stands in the register, and no entry lodged it.")
        for number in self._named:
            self._report(f"Accounts are named by objection {number}, which no entry lodged.")
        self._rows, self._named = {}, {}

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            KeyError, TypeError, ValueError: when it does not say what it must.
        """
        payload = orjson.loads(stored.payload)
        if stored.kind == EntryKind.OBJECTION_LODGED:
            self._lodged(stored, payload)
            return
        number = int(payload["objection"])
        known = self._known.get(number)
        revived = stored.kind == EntryKind.OBJECTION_REVIVED
        if known is None or (known.phase not in BINDING and not revived):
            self._report(
                f"Entry {stored.seq}, {stored.kind}, is about objection {number}, which is not in force by then."
            )
        elif stored.kind == EntryKind.OBJECTION_NAMED:
            pass  # audit/names.py
        elif stored.kind in _PHASE:
            self._moved(stored, number, known, _PHASE[stored.kind])
        else:
            self._doubted(stored, number, known, payload)

    def _doubted(self, stored: Stored, number: int, known: _Standing, payload: Mapping[str, Any]) -> None:
        """Take an entry about a doubt, or about the question that it asks."""
        if stored.kind == EntryKind.OBJECTION_DOUBTED:
            known.confirm_by = _micros(payload["confirm_by"])
            self._doubts[stored.seq] = found = _Doubt(number, stands=True, days=int(payload["days"]), reminded=0)
            self._stand[number] = found
        elif stored.kind == EntryKind.OBJECTION_ASKED:
            known.confirm_by = _micros(payload["confirm_by"])
        elif stored.kind == EntryKind.OBJECTION_REMINDED:
            self._stand[number].reminded = int(payload["number"])
        else:
            self._undoubted(number, known)
            known.changed = stored.time

    def _undoubted(self, number: int, known: _Standing) -> None:
        """No doubt about an objection stands any more."""
        known.confirm_by = None
        if (found := self._stand.pop(number, None)) is not None:
            found.stands = False

    def _lodged(self, stored: Stored, payload: Mapping[str, Any]) -> None:
        row, named = self._rows.pop(stored.seq, None), self._named.pop(stored.seq, [])
        effect = Effect.read(stored.effect)
        self._accounts(stored, effect, int(payload["accounts"]), named)
        confirm_by, received = payload["confirm_by"], payload["received"]
        if row is None:
            self._report(f"Objection {stored.seq} is missing: its entry is there, and nothing stands for it.")
        else:
            expected = {
                "channel": payload["channel"],
                "received": None if received is None else days(date.fromisoformat(received)),
                "lodged": stored.time,
            }
            if stored.format is not None:
                expected["reference"] = effect.reference
            self._compare(stored.seq, row, expected)
        self._known[stored.seq] = _Standing(ObjectionPhase.LODGED, _micros(confirm_by), stored.time, row)

    def _accounts(self, stored: Stored, effect: Effect, count: int, named: list[int]) -> None:
        """Whether the accounts that an objection names are those of its entry."""
        subjects = np.frombuffer(stored.subjects or b"", "<i8")
        if stored.format is None:
            wrong = len(named) != count or not np.isin(named, subjects).all()
        else:
            wrong = named != sorted(effect.keys.tolist()) or not np.isin(effect.keys, subjects).all()
            if stored.format == OWN_FORMAT:
                wrong |= not np.isin(effect.keys[:1], subjects[: effect.own]).all() or effect.own > len(subjects)
        if wrong:
            self._report(f"Objection {stored.seq} names other accounts than its entry says.")
        owner = self._owners.get(stored.seq)
        if owner is not None and owner not in named:
            self._report(f"What was said with objection {stored.seq} is sealed by an account that it does not name.")

    def _moved(self, stored: Stored, number: int, known: _Standing, phase: ObjectionPhase) -> None:
        if known.phase not in FROM[phase]:
            self._report(f"Entry {stored.seq}, {stored.kind}, can't follow on an objection {known.phase} ({number}).")
        known.phase, known.changed = phase, stored.time
        if phase is ObjectionPhase.LODGED:
            self._undoubted(number, known)

    def _settle(self, number: int, known: _Standing) -> None:
        if known.row is not None:
            active = known.phase in BINDING
            standing = {"phase": known.phase.value, "active": active, "confirm_by": known.confirm_by}
            self._compare(number, known.row, {**standing, "changed": known.changed})

    def _compare(self, number: int, row: Any, expected: Mapping[str, object]) -> None:  # noqa: ANN401  # a row
        for name, value in expected.items():
            if getattr(row, name) != value:
                said = "another one" if name == "reference" else repr(value)
                self._report(f"Objection {number}: its {name} is not what the entries say, {said}.")

    def finish(self) -> None:
        """Compare where each stands, and look for accounts that have no row."""
        self.unlodged()
        for number, known in self._known.items():
            self._settle(number, known)
        self._known = {}
        self._compare_doubts()
        joined = sa.select(objected).join(account, account.c.key == objected.c.account, isouter=True)
        for number, key in self._connection.execute(joined.where(account.c.key.is_(None))):
            self._report(f"Objection {number} names account {key}, of which the register has no row.")

    def _compare_doubts(self) -> None:
        rows = {row.entry: _Doubt(row.objection, bool(row.stands), row.days, row.reminded) for row in self._read()}
        for entry in sorted(rows.keys() | self._doubts.keys()):
            if rows.get(entry) != self._doubts.get(entry):
                self._report(f"What stands of the doubt that entry {entry} recorded is not what the entries say.")

    def _read(self) -> Iterable[Any]:
        """The table of doubts, whatever stands in it."""
        stands = sa.type_coerce(doubt.c.stands, sa.Integer).label("stands")
        return self._connection.execute(
            sa.select(doubt.c.entry, doubt.c.objection, stands, doubt.c.days, doubt.c.reminded)
        )


def _micros(text: str | None) -> int | None:
    return None if text is None else micros(datetime.fromisoformat(text))
