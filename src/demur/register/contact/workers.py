"""Who delivers: which workers are at work, and that each notice and mail is in the hands of one of them.

Invariants: a worker that is at work says so again and again; one that was silent for :data:`SILENT_S` counts as ended,
and what it had in hand is given back; a number is never given twice, so that a worker which was only slow finds that it
has nothing in hand any more. Of all at work the first one leads: it alone does what must not be done side by side.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from demur.register.database import state
from demur.register.database.clock import MICROS_PER_SECOND, micros, moment
from demur.register.database.store import Store
from demur.register.database.tables import letter, notice, worker
from demur.terms import Channel, NoticeStatus

SILENT_S: Final = 60
"""After so many seconds without a beat a worker counts as ended: clocks of machines may differ by half of it."""
_LAST: Final = "worker"
"""The mark with the last number that was given."""


class AtWork(NamedTuple):
    """A worker that is at work, or was lately."""

    number: int
    beat: datetime
    """When it last said so."""


class Workers:
    """The workers of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, *, after: int | None = None, now: datetime | None = None) -> int:
        """Begin to work; the new worker's number.

        Args:
            after: the number of a worker that is known to have ended.
            now: this moment.
        """
        time = micros(now)
        with self._store.writing() as connection:
            number = int(state.read(connection, _LAST) or 0) + 1
            state.write(connection, _LAST, str(number))
            connection.execute(sa.insert(worker).values(number=number, beat=time))
            _end(connection, [] if after is None else [after], time)
            return number

    def beat(self, number: int, *, now: datetime | None = None) -> bool:
        """Say that a worker is at work; False where it counts as ended: it has nothing in hand any more."""
        time = micros(now)
        with self._store.writing() as connection:
            known = connection.execute(sa.update(worker).where(worker.c.number == number).values(beat=time)).rowcount
            if connection.scalar(sa.select(sa.func.count()).select_from(worker).where(_silent(time))):
                _end(connection, [], time)
            return bool(known)

    def end(self, number: int, *, now: datetime | None = None) -> None:
        """Stop working: what the worker still has in hand is given back."""
        with self._store.writing() as connection:
            _end(connection, [number], micros(now))

    def at_work(self) -> Sequence[AtWork]:
        """Who is at work, the one that leads first."""
        with self._store.reading() as connection:
            rows = connection.execute(sa.select(worker).order_by(worker.c.number))
            return [AtWork(row.number, moment(row.beat)) for row in rows]


def requeue_interrupted(connection: sa.Connection, table: sa.Table) -> int:
    """Give back what nobody who is at work has in hand, of notices or of mails; how many these were."""
    channels = [notice.c.channel.in_([each.value for each in Channel])] if table is notice else []  # for its index
    orphaned = sa.or_(table.c.worker.is_(None), table.c.worker.not_in(sa.select(worker.c.number)))
    held = sa.update(table).where(*channels, table.c.status == NoticeStatus.SENDING.value, orphaned)
    return connection.execute(held.values(status=NoticeStatus.QUEUED.value, worker=None)).rowcount


def release(connection: sa.Connection, number: int | None, table: sa.Table, *which: sa.ColumnElement[bool]) -> None:
    """Give back what a worker has in hand of notices or of mails, which asks for more and so knows of none."""
    if number is None:
        return
    held = (table.c.status == NoticeStatus.SENDING.value, table.c.worker == number, *which)
    connection.execute(sa.update(table).where(*held).values(status=NoticeStatus.QUEUED.value, worker=None))


def _end(connection: sa.Connection, numbers: Iterable[int], time: int) -> None:
    """End some workers, and all that are silent."""
    connection.execute(sa.delete(worker).where(sa.or_(worker.c.number.in_(list(numbers)), _silent(time))))
    for table in (letter, notice):
        requeue_interrupted(connection, table)


def _silent(time: int) -> sa.ColumnElement[bool]:
    return worker.c.beat < time - SILENT_S * MICROS_PER_SECOND
