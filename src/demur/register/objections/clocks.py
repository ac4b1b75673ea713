"""Is the time to be believed, before anything ends because of it?

Invariants: a time far from the last entry's ends nobody's objection, nor does one that the last entries jumped to less
than a day before: whoever objects under a wrong clock puts its time on record, and does not make it right. It is put on
record as doubted; only when the clock has gone on from there for a day it is believed: so a register in which little
happens goes on by itself, and commands run under a wrong clock change nobody's standing.
"""

from datetime import timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from demur.register.database import entries
from demur.register.database.clock import moment
from demur.register.database.tables import entry
from demur.terms import EntryKind

AHEAD: Final = timedelta(days=7)
"""How long after the last entry a time is believed at once: longer than a quiet week."""
BEHIND: Final = timedelta(days=1)
"""How long before it: what two servers, or an entry with a date of its own, may differ by."""
_GOES_ON: Final = timedelta(days=1)
"""How long a doubted clock has to go on."""
_MICROSECOND: Final = timedelta(microseconds=1)
_SAYING: Final = entry.c.kind != EntryKind.CLOCK_DOUBTED.value
"""Which entries say what time it is."""


class _Dated(NamedTuple):
    """An entry's number, and its time in microseconds since 1970-01-01, UTC."""

    seq: int
    time: int


def away(connection: sa.Connection, time: int) -> timedelta | None:
    """How far a time is from the last entry's that is to be believed, where that is too far; None where it is not.

    Args:
        connection: a transaction.
        time: microseconds since 1970-01-01, UTC.
    """
    last = _last(connection, _SAYING)
    if last is None:
        return None
    distance = moment(time) - moment(last.time)
    if not -BEHIND <= distance <= AHEAD:
        return distance
    return _jumped(connection, time)


def _jumped(connection: sa.Connection, time: int) -> timedelta | None:
    """How far a time is from the entries of more than a day before, where those since jumped; None where they did not.

    A clock that was agreed to is none that jumped.
    """
    earlier = entry.c.time <= time - _GOES_ON // _MICROSECOND
    agreed = sa.and_(entry.c.kind == EntryKind.CLOCK_AGREED.value, entry.c.time <= time + BEHIND // _MICROSECOND)
    before = _last(connection, sa.and_(_SAYING, sa.or_(earlier, agreed)))
    if before is None:
        return None
    since = sa.select(entry.c.time).where(_SAYING, entry.c.seq > before.seq).order_by(entry.c.seq).limit(1)
    first = connection.scalar(since)
    if first is None or moment(first) - moment(before.time) <= AHEAD:
        return None
    return moment(time) - moment(before.time)


def doubt(connection: sa.Connection, time: int) -> timedelta | None:
    """How far a time is from the last entry's, put on record where that is too far; None where it is believed.

    To be asked before something ends because its time has come.
    """
    distance = away(connection, time)
    pending = _pending(connection)
    if distance is None:
        if pending is not None:
            entries.append(connection, EntryKind.CLOCK_AGREED, {}, time)
        return None
    if pending is None:
        entries.append(connection, EntryKind.CLOCK_DOUBTED, {"days": distance.days}, time)
        return distance
    gone_on = moment(time) - moment(pending.time)
    if distance > AHEAD and gone_on >= _GOES_ON:
        entries.append(connection, EntryKind.CLOCK_AGREED, {}, time)
        return None
    return distance


def answered(connection: sa.Connection, time: int) -> bool:
    """Whether a doubt is on record that a time near the last entry's answers."""
    return _pending(connection) is not None and away(connection, time) is None


def _pending(connection: sa.Connection) -> _Dated | None:
    """The first doubt since anything else was put on record."""
    other = _last(connection, _SAYING)
    doubts = sa.select(entry.c.seq, entry.c.time).where(
        entry.c.kind == EntryKind.CLOCK_DOUBTED.value, entry.c.seq > (other.seq if other else 0)
    )
    found = connection.execute(doubts.order_by(entry.c.seq).limit(1)).one_or_none()
    return None if found is None else _Dated(*found)


def _last(connection: sa.Connection, which: sa.ColumnElement[bool]) -> _Dated | None:
    last = sa.select(entry.c.seq, entry.c.time).where(which).order_by(entry.c.seq.desc()).limit(1)
    found = connection.execute(last).one_or_none()
    return None if found is None else _Dated(*found)
