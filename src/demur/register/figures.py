"""What stands in the register, in numbers, for whoever watches over it; nobody is named, and nothing is unsealed.

Invariants: the cost of a reading follows the objections, by an index alone, and what waits or came back; never the
notices that were sent. A time to effect is counted once: from the moment that an objection is lodged, which is before
its acknowledgement leaves, to the one from which no row of the corpus is against it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
import sqlalchemy as sa

from demur.register.database import state
from demur.register.database.clock import MICROS_PER_SECOND, micros, moment
from demur.register.database.store import Store
from demur.register.database.tables import entry, letter, notice, objection
from demur.terms import Channel, EntryKind, NoticeStatus

BOUNDS_S: Final = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)
"""The upper bounds of what times to effect are counted in, in seconds; whatever takes longer comes behind."""
MAILS: Final = "mails"
"""The kind of single mails; notices have that of their channel."""
_EFFECT: Final = "effect"
"""The mark with the times to effect."""
_WAITING: Final = (NoticeStatus.QUEUED.value, NoticeStatus.SENDING.value)
_WATCHED: Final = {
    **dict.fromkeys(_WAITING, "waiting"),
    NoticeStatus.BOUNCED.value: "returned",
    NoticeStatus.FAILED.value: "failed",
}


@dataclass(frozen=True)
class Effect:
    """How long objections took until the corpus followed them."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)
    """By :data:`BOUNDS_S`, those beyond the last one at the end."""
    seconds: float = 0.0
    """Of all together."""
    upto: int = 0
    """The entry up to which they were counted."""


@dataclass(frozen=True)
class Unhonoured:
    """Objections that the corpus has not followed yet."""

    objections: int
    oldest: datetime | None
    """When the first of them was lodged."""


@dataclass(frozen=True)
class Reading:
    """One reading."""

    objections: Mapping[tuple[str, str], int]
    """How many came by a channel and stand in a phase now."""
    posted: Mapping[tuple[str, str], int]
    """How many mails and notices of a kind are `waiting`, `returned` or `failed`."""
    events: int
    """Entries of which the platform was not told yet."""
    effect: Effect


class Figures:
    """The figures of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, events: Collection[EntryKind], heard: int) -> Reading:
        """What stands now.

        Args:
            events: kinds of entries of which the platform is told.
            heard: the last entry that it has heard of.
        """
        with self._store.reading() as connection:
            told = (entry.c.kind.in_([each.value for each in events]), entry.c.seq > heard)
            by = (objection.c.channel, objection.c.phase)
            standing = connection.execute(sa.select(*by, sa.func.count()).group_by(*by))
            return Reading(
                objections={(channel, phase): number for channel, phase, number in standing},
                posted=_posted(connection),
                events=connection.scalar(sa.select(sa.func.count()).select_from(entry).where(*told)) or 0,
                effect=_effect(connection),
            )

    def unhonoured(self, honoured: int) -> Unhonoured:
        """What the corpus has not followed, which honours everything up to a binding entry."""
        later = objection.c.seq > honoured
        with self._store.reading() as connection:
            number = connection.scalar(sa.select(sa.func.count()).select_from(objection).where(later)) or 0
            first = sa.select(objection.c.lodged).where(later).order_by(objection.c.seq).limit(1)
            oldest = connection.scalar(first)
        return Unhonoured(number, None if oldest is None else moment(oldest))

    def took_effect(self, after: int, upto: int, *, now: datetime | None = None) -> None:
        """Count the objections that the corpus follows since just now: those of the entries from ``after`` to ``upto``.

        What a corpus follows with its first import is not counted: it held nothing that was against them.
        """
        time = micros(now)
        with self._store.writing() as connection:
            before = _effect(connection)
            if after:
                took = sa.case((objection.c.lodged < time, time - objection.c.lodged), else_=0)
                theirs = (objection.c.seq > max(after, before.upto), objection.c.seq <= upto)
                bounds = [sa.func.count(sa.case((took <= bound * MICROS_PER_SECOND, 1))) for bound in BOUNDS_S]
                columns = (*bounds, sa.func.count(), sa.func.coalesce(sa.func.sum(took), 0))
                *within, number, micros_taken = connection.execute(sa.select(*columns).where(*theirs)).one()
                new = [more - less for less, more in zip([0, *within], [*within, number], strict=True)]
                counts = tuple(old + each for old, each in zip(before.counts, new, strict=True))
                before = Effect(counts, before.seconds + int(micros_taken) / MICROS_PER_SECOND)
            said = {"counts": before.counts, "seconds": before.seconds, "upto": upto}
            state.write(connection, _EFFECT, orjson.dumps(said).decode())


def _effect(connection: sa.Connection) -> Effect:
    said = state.read(connection, _EFFECT)
    if said is None:
        return Effect()
    read = orjson.loads(said)
    return Effect(tuple(read["counts"]), read["seconds"], read["upto"])


def _posted(connection: sa.Connection) -> dict[tuple[str, str], int]:
    kinds = [each.value for each in Channel]
    found = {(kind, what): 0 for kind in (MAILS, *kinds) for what in _WATCHED.values()}
    mails = sa.select(sa.literal(MAILS), letter.c.status, sa.func.count()).group_by(letter.c.status)
    notices = sa.select(notice.c.channel, notice.c.status, sa.func.count()).group_by(notice.c.channel, notice.c.status)
    for statement in (
        mails.where(letter.c.status.in_(_WATCHED)),
        notices.where(notice.c.channel.in_(kinds), notice.c.status.in_(_WATCHED)),
    ):
        for kind, status, number in connection.execute(statement):
            found[kind, _WATCHED[status]] += number
    return found
