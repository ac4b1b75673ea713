"""How many objections there are, by phase, channel and day: counted once, kept as a file, and gone on from.

Invariants: an objection's row changes its phase with an entry that names its number (phases.py), and its channel and
days never; so a count that was made at one entry becomes that of a later one by reading again the rows that entries
since lodged or moved. Nothing in it says whose an objection is. The file is a cache (kept.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from demur.people.indexed.stored import Arrays
from demur.register.database import bulk, entries
from demur.register.database.clock import MICROS_PER_DAY, day
from demur.register.database.kept import Kept
from demur.register.database.records import Head
from demur.register.database.tables import entry, objection
from demur.terms import EntryKind

FILE: Final = ".tally"
"""Its name in a workspace."""
FORM: Final = "demur-tally 1"
_GO_ON_AT_MOST: Final = 100_000
"""Entries up to which going on beats counting everything."""
_MOVED: Final = (
    EntryKind.OBJECTION_CONFIRMED,
    EntryKind.OBJECTION_LAPSED,
    EntryKind.OBJECTION_WITHDRAWN,
    EntryKind.OBJECTION_REVIVED,
)
_ROW: Final = np.dtype([("seq", "i8"), ("lodged", "i8"), ("came", "i8")])
_COLUMNS: Final = (
    objection.c.seq,
    objection.c.lodged // MICROS_PER_DAY,
    sa.func.coalesce(objection.c.received, objection.c.lodged // MICROS_PER_DAY),
)
_ROWS: Final = sa.select(*_COLUMNS)
_KINDS: Final = sa.select(objection.c.phase, objection.c.channel).distinct()
Kind = tuple[str, str]
"""Phase and channel."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Every objection by its number, ascending; arrays of shape (n,)."""

    head: Head
    kinds: Sequence[Kind]
    rows: npt.NDArray[np.void]
    """Of :data:`_ROW`: number, the day (since 1970-01-01, UTC) on which it was recorded, and on which it came."""
    kind: npt.NDArray[np.int16]
    """Index in ``kinds``."""

    def number(self, phases: Collection[str]) -> int:
        """How many are in one of some phases."""
        return int(self._of(lambda phase, _: phase in phases).sum())

    def lodged_by_day(self) -> list[tuple[date, int]]:
        """How many were recorded on which day, for the days on which any were."""
        return _by_day(self.rows["lodged"])

    def came_by_day(self, phase: str, proven: Collection[str]) -> list[tuple[date, int]]:
        """How many of one phase, but for those of some channels, came on which day."""
        return _by_day(self.rows["came"][self._of(lambda its, channel: its == phase and channel not in proven)])

    def _of(self, asked: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401  # a condition on phase and channel
        wanted = np.array([asked(*kind) for kind in self.kinds], np.bool_)
        return wanted[self.kind] if len(self.kinds) else np.zeros(0, np.bool_)


class Tallies:
    """Counts, and remembers the last count, also beyond the process where there is a file for it."""

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept
        self._last: Tally | None = None

    def now(self, connection: sa.Connection, *, keep: bool) -> Tally:
        """The count in a transaction; ``keep`` it, unless that may be rolled back."""
        last = self._last = self._last or self._found(connection)
        head = entries.head(connection)
        if last is not None and last.head.seq == head.seq:
            return last
        changed: int | None = None
        if last is None or not 0 <= head.seq - last.head.seq <= _GO_ON_AT_MOST:
            fresh = _counted(connection, head)
        else:
            fresh, changed = _gone_on(connection, last, head)
        if keep:
            self._last = fresh
            if self._kept is not None:
                self._kept.note(connection, head, changed, len(fresh.rows), lambda: _arrays(fresh))
        return fresh

    def _found(self, connection: sa.Connection) -> Tally | None:
        found = None if self._kept is None else self._kept.read(connection)
        if found is None:
            return None
        head, arrays = found
        kinds = [(phase, channel) for phase, channel in orjson.loads(arrays["kinds"].tobytes())]
        return Tally(head, kinds, arrays["rows"].view(_ROW), arrays["kind"])


def _arrays(tally: Tally) -> Arrays:
    kinds = np.frombuffer(orjson.dumps(tally.kinds), np.uint8)
    return {"rows": tally.rows.view(np.int64), "kind": tally.kind, "kinds": kinds}


def _counted(connection: sa.Connection, head: Head) -> Tally:
    """Everything, read anew: kind by kind, as texts are not read in bulk."""
    kinds = [(phase, channel) for phase, channel in connection.execute(_KINDS)]
    parts = [
        bulk.read(connection, _ROWS.where(objection.c.phase == one, objection.c.channel == other), _ROW)
        for one, other in kinds
    ]
    rows = np.concatenate([np.zeros(0, _ROW), *parts])
    order = np.argsort(rows["seq"], kind="stable")
    kind = np.repeat(np.arange(len(parts), dtype=np.int16), list(map(len, parts)))
    return Tally(head, kinds, rows[order], kind[order])


def _gone_on(connection: sa.Connection, last: Tally, head: Head) -> tuple[Tally, int]:
    """The last count with what entries since lodged or moved, and how many objections these are."""
    moving = sa.select(entry.c.payload).where(
        entry.c.seq > last.head.seq, entry.c.kind.in_([kind.value for kind in _MOVED])
    )
    moved = {orjson.loads(payload)["objection"] for payload in connection.scalars(moving)}
    columns = sa.select(*_COLUMNS, objection.c.phase, objection.c.channel).order_by(objection.c.seq)
    again = connection.execute(columns.where(bulk.among(connection, objection.c.seq, moved))).all() if moved else []
    new = connection.execute(columns.where(objection.c.seq > last.head.seq)).all()
    kinds = {kind: at for at, kind in enumerate(last.kinds)}
    own, theirs = (
        np.array([kinds.setdefault((phase, channel), len(kinds)) for *_, phase, channel in rows], np.int16)
        for rows in (new, again)
    )
    rows = np.concatenate([last.rows, np.array([tuple(row[:3]) for row in new], _ROW)])
    kind = np.concatenate([last.kind, own])
    kind[np.searchsorted(rows["seq"], np.array([row[0] for row in again], np.int64))] = theirs
    return Tally(head, list(kinds), rows, kind), len(new) + len(again)


def _by_day(days: npt.NDArray[np.int64]) -> list[tuple[date, int]]:
    """How many there are of each day, in order."""
    if not len(days):
        return []
    first = int(days.min())
    counted = np.bincount(days - first)
    return [(day(first + at), int(counted[at])) for at in np.flatnonzero(counted).tolist()]
