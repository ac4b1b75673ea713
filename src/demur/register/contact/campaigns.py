"""Campaigns: whom a round of notices is for, and how far it has come.

Invariants: a campaign has one notice for each holder and channel, addressed to the smallest key of theirs of which a
profile is known, whatever was interrupted and however often it is started. A holder is who accounts are proven to be
of: who only says that an address is theirs takes nobody's notice away. Whoever is known to be too young, or has an
objection in force, by any account that covers theirs, gets none. Notices are queued in pieces, each a transaction of
its own with a pause after it,
so that nobody who objects waits long, and memory does not grow with the number of members.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.identity import SubjectKeys
from demur.register.contact.records import Campaign, Count, Preview, Selection
from demur.register.database import bulk, entries
from demur.register.database.clock import MICROS_PER_DAY, day, micros, moment
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import account, campaign, member, notice, objected, objection
from demur.register.members.linking import Group
from demur.register.members.standing import UNKNOWN_REGION
from demur.terms import Channel, EntryKind, NoticeStatus

_PIECE_ROWS: Final = 5_000
_LAST_KEY: Final = 2**63 - 1
_NUMBER: Final = sa.select(campaign.c.number).where(campaign.c.name == sa.bindparam("called"))
_NEW: Final = ("campaign", "channel", "subject", "status", "attempt", "due", "queued", "changed")

_their: Final = account.alias("their")
_theirs: Final = member.alias("theirs")
_FAILED: Final = (
    notice.c.channel == Channel.MAIL.value,
    notice.c.status == NoticeStatus.FAILED.value,
    notice.c.cause.not_like("5%"),
)
"""What holds for a mail that failed without being refused for good (5xx)."""
_UNREAD: Final = (
    notice.c.channel == Channel.MAIL.value,
    notice.c.status == NoticeStatus.BOUNCED.value,
    notice.c.tried,
)
"""What holds for a mail that a try-out wrote to its outbox, and that counts no more."""
_RETRIED: Final = sa.or_(sa.and_(*_FAILED), sa.and_(*_UNREAD))
_anybody: Final = sa.join(_their, _theirs, _theirs.c.key == _their.c.key)


class Campaigns:
    """The campaigns of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def preview(self, selection: Selection) -> Preview:
        """How many people a selection means now; nothing is changed."""
        people = sa.select(sa.func.count()).select_from(_members()).where(_addressed(), *_selected(selection))
        lost = sa.select(sa.func.count(account.c.holder.distinct())).select_from(_members())
        lost = lost.where(~_has(_theirs.c.sealed.is_not(None)), ~_objects(), *_selected(selection))
        with self._store.reading() as connection:
            reached = connection.scalar(people.where(~_objects())) or 0
            out = connection.scalar(people.where(_objects())) or 0
            return Preview(reached, out, connection.scalar(lost) or 0)

    def addressed(self, selection: Selection) -> Iterator[SubjectKeys]:
        """The accounts to which the notices of a selection would be addressed now, in pieces, by subject key."""
        wanted = sa.select(member.c.key).select_from(_members()).where(_addressed(), ~_objects(), *_selected(selection))
        after = -1
        while True:
            with self._store.reading() as connection:
                piece = wanted.where(member.c.key > after).order_by(member.c.key).limit(_PIECE_ROWS)
                keys = bulk.read_keys(connection, piece)
            if not len(keys):
                return
            yield keys
            after = int(keys[-1])

    def start(
        self,
        name: str,
        selection: Selection,
        channels: Sequence[Channel],
        *,
        now: datetime | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Campaign:
        """Queue a notice for everybody selected who has none in this campaign yet.

        A mail that failed is queued again, unless it was refused for good: it was put off for days, or went nowhere.
        So is one that a try-out only wrote to its outbox, once that has ended.

        Args:
            name: of the campaign; starting it again resumes it, or adds who is new.
            selection: whom it is for.
            channels: one notice goes through each of them.
            now: the time of the entry and of the notices.
            progress: is told after each piece how many members were looked at.
        """
        time, each_once = micros(now), tuple(dict.fromkeys(channels))
        number = self._begin(name, selection, each_once, time)
        failed = self._has_failed(number)
        seen, after = 0, -1
        while after < _LAST_KEY:
            with self._store.writing_briefly() as connection:
                looked, until = _piece(connection, after)
                within = (member.c.key > after, member.c.key <= until)
                for channel in each_once:
                    rows = _new_notices(number, channel, time).where(*within, *_selected(selection))
                    connection.execute(sa.insert(notice).from_select(_NEW, rows))
                if failed and Channel.MAIL in each_once:
                    theirs = sa.select(member.c.key).select_from(_members()).where(*within, *_selected(selection))
                    here = (notice.c.subject > after, notice.c.subject <= until)
                    connection.execute(_again(number, theirs.where(~_has_another(number)), time).where(*here))
            seen, after = seen + looked, until
            progress(seen)
        return self._count_people(number)

    def list(self) -> Sequence[Campaign]:
        """Every campaign, oldest first."""
        with self._store.reading() as connection:
            return [_campaign(row) for row in connection.execute(sa.select(campaign).order_by(campaign.c.number))]

    def progress(self, name: str) -> Sequence[Count]:
        """How many notices of a campaign stand where.

        Raises:
            RegisterError: if there is no such campaign.
        """
        columns = (notice.c.channel, notice.c.status)
        with self._store.reading() as connection:
            counted = sa.select(*columns, sa.func.count()).where(notice.c.campaign == number_of(connection, name))
            rows = connection.execute(counted.group_by(*columns).order_by(*columns))
            return [Count(Channel(channel), NoticeStatus(status), number) for channel, status, number in rows]

    def coverage(self, name: str) -> Sequence[tuple[str, date, NoticeStatus, int]]:
        """How many people of which region ('' if unknown) stand where since which day.

        Raises:
            RegisterError: if there is no such campaign.
        """
        since = (notice.c.changed // MICROS_PER_DAY).label("since")
        columns = (member.c.region, since, notice.c.status)
        counted = sa.select(*columns, sa.func.count(account.c.holder.distinct()))
        counted = counted.join_from(notice, member, member.c.key == notice.c.subject)
        counted = counted.join(account, account.c.key == notice.c.subject)
        grouped = (member.c.region, sa.text("since"), notice.c.status)
        with self._store.reading() as connection:
            here = counted.where(notice.c.campaign == number_of(connection, name)).group_by(*grouped)
            return [
                ("" if region == UNKNOWN_REGION else region, day(on), NoticeStatus(status), number)
                for region, on, status, number in connection.execute(here.order_by(*grouped))
            ]

    def _begin(self, name: str, selection: Selection, channels: tuple[Channel, ...], time: int) -> int:
        """Make the campaign, or add channels to it, and append the entry; its number."""
        if not name.strip() or not channels:
            raise RegisterError("A campaign needs a name and a channel: give it both.")
        with self._store.writing() as connection:
            row = connection.execute(sa.select(campaign).where(campaign.c.name == name)).one_or_none()
            if row is None:
                last = connection.scalar(sa.select(sa.func.max(campaign.c.number))) or 0
                values = {"number": last + 1, "name": name, "started": time, "people": 0}
                connection.execute(sa.insert(campaign).values(**values, channels=_listed(channels)))
            else:
                every = dict.fromkeys((*orjson.loads(row.channels), *channels))
                here = sa.update(campaign).where(campaign.c.number == row.number)
                connection.execute(here.values(channels=_listed(every)))
            payload = {"campaign": name, "channels": list(channels), **_described(selection)}
            entries.append(connection, EntryKind.CAMPAIGN_STARTED, payload, time)
            return last + 1 if row is None else int(row.number)

    def _has_failed(self, number: int) -> bool:
        with self._store.reading() as connection:
            return connection.scalar(sa.select(sa.exists().where(notice.c.campaign + 0 == number, _RETRIED))) or False

    def _count_people(self, number: int) -> Campaign:
        everybody = sa.select(sa.func.count(account.c.holder.distinct())).where(notice.c.campaign == number)
        everybody = everybody.join_from(notice, account, account.c.key == notice.c.subject)
        here = campaign.c.number == number
        with self._store.writing() as connection:
            connection.execute(sa.update(campaign).where(here).values(people=everybody.scalar_subquery()))
            return _campaign(connection.execute(sa.select(campaign).where(here)).one())


def number_of(connection: sa.Connection, name: str) -> int:
    """The number of a campaign.

    Raises:
        RegisterError: if there is none of that name.
    """
    number = connection.scalar(_NUMBER, {"called": name})
    if number is None:
        raise RegisterError(f"There is no campaign {name!r}: `demur notice send NAME` starts one.")
    return int(number)


def _members() -> sa.Join:
    return sa.join(member, account, account.c.key == member.c.key)


def _has(*conditions: sa.ColumnElement[bool]) -> sa.Exists:
    """Whether any member's account of the same holder fulfils something."""
    return _any_of("holder", *conditions)


def _any_of(column: Group, *conditions: sa.ColumnElement[bool]) -> sa.Exists:
    same = _their.c[column] == account.c[column]
    theirs = sa.select(sa.literal(1)).select_from(_anybody).where(same, *conditions)
    return theirs.correlate(account, member).exists()


def _addressed() -> sa.ColumnElement[bool]:
    """Whether this account is the one that its holder's notice is addressed to."""
    return sa.and_(member.c.sealed.is_not(None), ~_has(_theirs.c.key < member.c.key, _theirs.c.sealed.is_not(None)))


def _objects() -> sa.Exists:
    """Whether an objection of the account's person is in force."""
    joined = sa.join(_their, objected, objected.c.account == _their.c.key)
    joined = joined.join(objection, objection.c.seq == objected.c.objection)
    theirs = sa.select(sa.literal(1)).select_from(joined)
    theirs = theirs.where(_their.c.person == account.c.person, objection.c.active.is_(True))
    return theirs.correlate(account).exists()


def _noticed(number: int, channel: Channel) -> sa.Exists:
    """Whether the account's holder has a notice already."""
    joined = sa.join(_their, notice, notice.c.subject == _their.c.key)
    # Found by their subject: the index that these two would open holds the whole campaign.
    here = (notice.c.campaign + 0 == number, notice.c.channel + "" == channel.value)
    theirs = sa.select(sa.literal(1)).select_from(joined).where(_their.c.holder == account.c.holder, *here)
    return theirs.correlate(account).exists()


def _has_another(number: int) -> sa.Exists:
    """Whether the account's holder has another mail that was sent, waits, or is to be queued again."""
    joined = sa.join(_their, notice, notice.c.subject == _their.c.key)
    alive = notice.c.status.in_([each.value for each in (NoticeStatus.QUEUED, NoticeStatus.SENDING, NoticeStatus.SENT)])
    here = (notice.c.campaign + 0 == number, notice.c.channel + "" == Channel.MAIL.value, _their.c.key != member.c.key)
    other = sa.or_(alive, sa.and_(_their.c.key < member.c.key, _RETRIED))
    theirs = sa.select(sa.literal(1)).select_from(joined).where(_their.c.holder == account.c.holder, *here, other)
    return theirs.correlate(account, member).exists()


def _selected(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """What must hold for a member's account whose holder is selected; who is covered with somebody too young is not."""
    wanted = sa.or_(_fits(member, selection), _has(_fits(_theirs, selection)))
    if selection.born_by is None:
        return [wanted]
    return [wanted, ~_any_of("person", _theirs.c.birth_year > selection.born_by)]


def _fits(table: sa.FromClause, selection: Selection) -> sa.ColumnElement[bool]:
    region, born = table.c.region, table.c.birth_year
    unknown = region == UNKNOWN_REGION
    known = region != UNKNOWN_REGION
    if selection.regions is not None:
        known = region.in_(sorted(selection.regions))
    old = born != 0
    if selection.born_by is not None:
        old = born.between(1, selection.born_by)
    where = sa.or_(unknown, known) if selection.unknown_region else known
    return sa.and_(where, sa.or_(born == 0, old) if selection.unknown_age else old)


def _piece(connection: sa.Connection, after: int) -> tuple[int, int]:
    """How many members' keys the next piece has, and the last of them."""
    keys = sa.select(member.c.key).where(member.c.key > after).order_by(member.c.key).limit(_PIECE_ROWS).subquery()
    number, last = connection.execute(sa.select(sa.func.count(), sa.func.max(keys.c.key))).one()
    return number, last if number == _PIECE_ROWS else _LAST_KEY


def _new_notices(number: int, channel: Channel, time: int) -> sa.Select[Any]:
    """A queued notice for each account that is to get one."""
    status, times = sa.literal(NoticeStatus.QUEUED.value), [sa.literal(time, sa.BigInteger)] * 3
    columns: list[Any] = [sa.literal(number), sa.literal(channel.value), member.c.key, status, sa.literal(0), *times]
    rows = sa.select(*columns).select_from(_members())
    return rows.where(_addressed(), ~_noticed(number, channel), ~_objects()).order_by(member.c.key)


def _again(number: int, subjects: sa.Select[tuple[int]], time: int) -> sa.Update:
    """Queue mails of a campaign that failed once more."""
    values = {
        "status": NoticeStatus.QUEUED.value,
        "attempt": 0,
        "due": time,
        "changed": time,
        "cause": None,
        "sent": None,
        "tried": False,
    }
    which = (notice.c.campaign == number, _RETRIED, notice.c.subject.in_(subjects))
    return sa.update(notice).where(*which).values(**values)


def _campaign(row: Any) -> Campaign:  # noqa: ANN401  # a row of `campaign`
    channels = tuple(Channel(each) for each in orjson.loads(row.channels))
    return Campaign(row.name, moment(row.started), channels, row.people)


def _listed(channels: Sequence[str] | dict[str, None]) -> str:
    return orjson.dumps(list(channels)).decode()


def _described(selection: Selection) -> dict[str, JSON]:
    return {
        "regions": None if selection.regions is None else sorted(selection.regions),
        "unknown_region": selection.unknown_region,
        "born_by": selection.born_by,
        "unknown_age": selection.unknown_age,
    }
