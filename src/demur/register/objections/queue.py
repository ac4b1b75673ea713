"""Objections as officers look through them: filtered, in an order, a page at a time, and counted.

Invariants: nothing here changes anything, and nothing that somebody said is opened. What is filtered by stands in the
clear (lodging.py, attachments, a member's region); the one exception, a member's language, is unsealed here and told as
a language alone. A page begins behind a place in the order, not at a count: what is settled meanwhile makes nothing
appear twice, and hides nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.database import bulk
from demur.register.database.clock import day, moment
from demur.register.database.tables import account, attachment, detail, member, objected, objection
from demur.register.database.vault import Vault
from demur.register.members import alike
from demur.register.members.people import People, together
from demur.register.members.standing import UNKNOWN_REGION
from demur.register.objections.doubts import deadline
from demur.register.objections.states import ObjectionPhase

UNKNOWN: Final = ""
"""The country, or the language, of somebody of whom none is on file."""

_NEVER: Final = 2**63 - 1
_MOST_KNOWN: Final = 100_000
"""Members whose languages are remembered: some 20 MB."""


class Waiting(StrEnum):
    """What an officer looks through."""

    OPEN = "open"
    """Lodged and not confirmed: it binds, and shows by nothing whose it is."""
    DOUBTED = "doubted"
    """Of those, the ones that lapse unless somebody confirms them."""
    LAPSED = "lapsed"


class Order(StrEnum):
    """In which order; what has lapsed comes last one first, but for the other two."""

    DUE = "due"
    """What lapses first, then the oldest."""
    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True)
class Wanted:
    """Which objections; None and False for all of them."""

    state: Waiting = Waiting.OPEN
    order: Order = Order.DUE
    channel: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2, UNKNOWN for none on file."""
    language: str | None = None
    """The first part of a locale, UNKNOWN for none on file."""
    child: bool = False
    """Those on behalf of a child."""
    written: bool = False
    """Those with a text or a reason."""
    files: bool = False
    """Those with a file."""
    warned: bool = False
    """Those that came with a warning."""


class Place(NamedTuple):
    """Where one stands in an order."""

    key: int
    seq: int


END: Final = Place(_NEVER, _NEVER)
"""Behind the last one."""


@dataclass(frozen=True)
class Listed:
    """One objection in a list."""

    seq: int
    phase: ObjectionPhase
    channel: str
    received: date | None
    lodged: datetime
    confirm_by: datetime | None
    changed: datetime
    child: bool
    written: bool
    warning: str | None
    """A word of whoever took it in, None where nothing was amiss."""
    files: int
    country: str
    language: str


@dataclass(frozen=True)
class Listing:
    """A page of a list."""

    rows: Sequence[Listed]
    total: int
    """How many there are in all."""
    before: int
    """How many of them come before this page."""
    first: Place
    last: Place
    states: Mapping[Waiting, int]
    """How many there are in each, whatever else is asked for."""
    warned: int
    """Open ones with a warning."""
    channels: Mapping[str, int]
    countries: Mapping[str, int]
    languages: Mapping[str, int]
    """How many there are of each in this state."""


class Home(NamedTuple):
    """Where somebody is at home; UNKNOWN for each that is not on file."""

    country: str
    language: str


@dataclass
class Homes:
    """Where the people are at home who object, as members said.

    Each language is unsealed once: it is remembered by the digest of what it was in.
    """

    vault: Vault
    _known: dict[tuple[int, bytes], str] = field(default_factory=dict)

    def of(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[int, Home]:
        """By the numbers of objections: what is on file of its first account that has anything, or of one linked."""
        mine, theirs = account.alias(), account.alias()
        joined = sa.join(objection, objected, objected.c.objection == objection.c.seq)
        joined = joined.join(mine, mine.c.key == objected.c.account).join(theirs, theirs.c.person == mine.c.person)
        joined = joined.join(member, member.c.key == theirs.c.key)
        columns = (member.c.key, member.c.region, member.c.digest, member.c.wrapped, member.c.sealed)
        found: dict[int, Home] = {}
        own = sa.case((mine.c.key == theirs.c.key, 0), else_=1)
        rows = sa.select(objection.c.seq, *columns).select_from(joined).where(which).order_by(own, member.c.key)
        for seq, *row in connection.execute(rows):
            country, language = found.get(seq, (UNKNOWN, UNKNOWN))
            region = UNKNOWN if row[1] == UNKNOWN_REGION else row[1]
            found[seq] = Home(country or region, language or self._language(*row))
        return found

    def _language(self, key: int, _: str, digest: bytes | None, wrapped: bytes | None, sealed: bytes | None) -> str:
        if wrapped is None or sealed is None:
            return UNKNOWN
        known = (key, bytes(digest or b""))
        language = self._known.get(known) if digest else None
        if language is None:
            locale = orjson.loads(self.vault.open(wrapped, sealed, "member", key))[1]
            language = str(locale or UNKNOWN).replace("_", "-").partition("-")[0].lower()
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[known] = language
        return language


def listing(
    connection: sa.Connection,
    homes: Homes,
    wanted: Wanted,
    proven: Collection[str],
    limit: int,
    *,
    after: Place | None = None,
    until: Place | None = None,
) -> Listing:
    """A page of what is wanted: the first, the one after a place, or the one that ends before a place.

    Args:
        connection: a transaction.
        homes: where people are at home.
        wanted: which, and in which order.
        proven: channels that show by themselves whose an objection is, so that it does not wait.
        limit: rows of a page.
        after: the place of the last row of the page before.
        until: the place of the first row of the page that comes next; END for the last page.
    """
    unproven = _unproven(connection, proven)
    within = _within(wanted.state, unproven)
    at_home = homes.of(connection, within)
    which = sa.and_(within, *_narrowed(connection, wanted, at_home))
    rows = _page(connection, which, _key(wanted), limit, after, until)
    seen = [_listed(row, at_home) for row in _with_files(connection, rows)]
    first, last = (Place(rows[0].key, rows[0].seq), Place(rows[-1].key, rows[-1].seq)) if rows else (END, END)
    total, before = _counted(connection, which, _key(wanted), first)
    states, warned = _states(connection, unproven)
    channels = _channels(connection, within)
    return Listing(
        rows=seen,
        total=total,
        before=before,
        first=first,
        last=last,
        states=states,
        warned=warned,
        channels=channels,
        countries=_spread([home.country for home in at_home.values()], channels.total()),
        languages=_spread([home.language for home in at_home.values()], channels.total()),
    )


def listed(connection: sa.Connection, homes: Homes, seqs: Iterable[int]) -> list[Listed]:
    """Objections by their numbers, whatever state they are in, last one first; unknown numbers are left out."""
    which = bulk.among(connection, objection.c.seq, seqs)
    rows = connection.execute(_rows(sa.literal(0)).where(which).order_by(objection.c.seq.desc())).all()
    at_home = homes.of(connection, which)
    return [_listed(row, at_home) for row in _with_files(connection, rows)]


def found(connection: sa.Connection, people: People, accounts: Sequence[str]) -> list[int]:
    """The numbers of the objections that cover some accounts, or that named one as the address to write to.

    Another spelling finds them, too: whoever reads a letter rarely knows which one the platform has.
    """
    keys = _spellings(connection, people, accounts)
    everybody = [*keys.tolist(), *together(connection, keys).tolist()]
    covering = sa.select(objected.c.objection).where(bulk.among(connection, objected.c.account, everybody))
    named = sa.select(detail.c.seq).where(bulk.among(connection, detail.c.contact, keys))
    return sorted({*connection.scalars(covering), *connection.scalars(named)})


def _spellings(connection: sa.Connection, people: People, accounts: Sequence[str]) -> SubjectKeys:
    """The keys of some accounts, and of their other spellings, as they are given and as they are on record."""
    asked = np.union1d(people.keys(accounts), people.alike(accounts).ravel())
    edges = alike.edges(connection)
    return np.union1d(asked, edges[np.isin(edges, asked).any(axis=1)].ravel())


def _unproven(connection: sa.Connection, proven: Collection[str]) -> list[str]:
    """The channels of what is lodged, without the proven ones, each found by the index.

    Most objections come by a signed link and stay lodged for good: whoever looks for the others must not read those.
    """
    channels, last = list[str](), ""
    next_one = sa.select(sa.func.min(objection.c.channel)).where(objection.c.phase == ObjectionPhase.LODGED.value)
    while (last := connection.scalar(next_one.where(objection.c.channel > last)) or "") != "":
        channels += [] if last in proven else [last]
    return channels


def _within(state: Waiting, unproven: Collection[str]) -> sa.ColumnElement[bool]:
    if state is Waiting.LAPSED:
        return objection.c.phase == ObjectionPhase.LAPSED.value
    lodged = sa.and_(objection.c.phase == ObjectionPhase.LODGED.value, objection.c.channel.in_(unproven))
    return sa.and_(lodged, deadline().is_not(None)) if state is Waiting.DOUBTED else lodged


def _narrowed(
    connection: sa.Connection, wanted: Wanted, at_home: Mapping[int, Home]
) -> Iterable[sa.ColumnElement[bool]]:
    """What is asked for besides the state."""
    if wanted.channel is not None:
        yield objection.c.channel == wanted.channel
    for asked, place in ((wanted.country, 0), (wanted.language, 1)):
        if asked is not None:
            known = [seq for seq, home in at_home.items() if (home[place] == asked if asked else home[place])]
            among = bulk.among(connection, objection.c.seq, known)
            yield among if asked else ~among
    if wanted.child:
        yield detail.c.child.is_(True)
    if wanted.written:
        yield detail.c.written.is_(True)
    if wanted.files:
        yield sa.exists().where(attachment.c.objection == objection.c.seq)
    if wanted.warned:
        yield detail.c.warning.is_not(None)


def _key(wanted: Wanted) -> sa.ColumnElement[int]:
    """What is ordered by, the smallest first; the number decides between equals."""
    if wanted.order is Order.OLDEST:
        return objection.c.seq.label("key")
    if wanted.order is Order.NEWEST:
        return (-objection.c.seq).label("key")
    if wanted.state is Waiting.LAPSED:
        return (-objection.c.changed).label("key")
    never: sa.ColumnElement[int] = sa.literal(_NEVER, sa.BigInteger)
    return sa.case((deadline().is_(None), never), else_=deadline()).label("key")


_JOINED: Final = sa.outerjoin(objection, detail, detail.c.seq == objection.c.seq)


def _rows(key: sa.ColumnElement[int]) -> sa.Select[Any]:
    said = (detail.c.child, detail.c.written, detail.c.warning)
    return sa.select(objection, *said, deadline().label("due"), key.label("key")).select_from(_JOINED)


def _page(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    key: sa.ColumnElement[int],
    limit: int,
    after: Place | None,
    until: Place | None,
) -> Sequence[Any]:
    rows = _rows(key).where(which).limit(limit)
    if until is not None:
        rows = rows.where(_before(key, until)).order_by(sa.desc("key"), objection.c.seq.desc())
        return connection.execute(rows).all()[::-1]
    if after is not None:
        at = sa.literal(after.key, sa.BigInteger)
        rows = rows.where(sa.or_(key > at, sa.and_(key == at, objection.c.seq > after.seq)))
    return connection.execute(rows.order_by("key", objection.c.seq)).all()


def _before(key: sa.ColumnElement[int], place: Place) -> sa.ColumnElement[bool]:
    at = sa.literal(place.key, sa.BigInteger)
    return sa.or_(key < at, sa.and_(key == at, objection.c.seq < place.seq))


def _counted(
    connection: sa.Connection, which: sa.ColumnElement[bool], key: sa.ColumnElement[int], first: Place
) -> tuple[int, int]:
    """How many there are, and how many of them before a place."""
    before = sa.func.coalesce(sa.func.sum(sa.case((_before(key, first), 1), else_=0)), 0)
    total, earlier = connection.execute(sa.select(sa.func.count(), before).select_from(_JOINED).where(which)).one()
    return int(total), int(earlier)


def _states(connection: sa.Connection, unproven: Collection[str]) -> tuple[dict[Waiting, int], int]:
    cases = [_within(state, unproven) for state in Waiting]
    cases.append(sa.and_(cases[0], detail.c.warning.is_not(None)))
    count = sa.select(sa.func.count()).select_from(_JOINED)
    *counts, warned = (connection.scalar(count.where(each)) or 0 for each in cases)
    return dict(zip(Waiting, counts, strict=True)), warned


def _channels(connection: sa.Connection, within: sa.ColumnElement[bool]) -> Counter[str]:
    counted = sa.select(objection.c.channel, sa.func.count()).where(within).group_by(objection.c.channel)
    return Counter(dict(iter(connection.execute(counted))))


def _spread(known: Iterable[str], total: int) -> dict[str, int]:
    """How many there are of each, the largest first; of whom nothing is on file, as UNKNOWN."""
    counts = Counter(each for each in known if each)
    counts[UNKNOWN] = total - counts.total()
    return {name: number for name, number in counts.most_common() if number}


def _with_files(connection: sa.Connection, rows: Sequence[Any]) -> Iterable[tuple[Any, int]]:
    """Rows with the number of files that came with each."""
    among = bulk.among(connection, attachment.c.objection, [row.seq for row in rows])
    counted = sa.select(attachment.c.objection, sa.func.count()).where(among).group_by(attachment.c.objection)
    files: dict[int, int] = dict(iter(connection.execute(counted)))
    return [(row, files.get(row.seq, 0)) for row in rows]


def _listed(counted: tuple[Any, int], at_home: Mapping[int, Home]) -> Listed:
    row, files = counted
    home = at_home.get(row.seq, Home(UNKNOWN, UNKNOWN))
    return Listed(
        seq=row.seq,
        phase=ObjectionPhase(row.phase),
        channel=row.channel,
        received=None if row.received is None else day(row.received),
        lodged=moment(row.lodged),
        confirm_by=None if row.due is None else moment(row.due),
        changed=moment(row.changed),
        child=bool(row.child),
        written=bool(row.written),
        warning=row.warning,
        files=files,
        country=home.country,
        language=home.language,
    )
