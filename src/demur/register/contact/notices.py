"""Notices: what is to be delivered, who is to get nothing any more, what was delivered, and whom it reached.

Invariants: nobody who objected, or of whom nothing is left to write to, is among those that leave; a notice is handed
out once, unless its delivery is known not to have happened; whoever was reached by a notice is told with every
member's account that is proven to be theirs, from the day of the earliest notice that was sent to any of these and did
not come back (profiles.py), whatever is linked or unlinked later; a notice that comes back untells, unless another one
reached them, and stays so, also where that is heard of before it is on record as sent; only an answer about a notice
counts as an attempt. A notice by mail goes to the address, and in the language, that is on file of its person. The
cause of a failure is kept as a code: a server's reply may name somebody.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.contact.campaigns import number_of
from demur.register.contact.records import Delivered, Due, NoticeRecord
from demur.register.contact.workers import release, requeue_interrupted
from demur.register.database import bulk, entries, state
from demur.register.database.clock import MICROS_PER_DAY, micros, moment
from demur.register.database.effects import Effect
from demur.register.database.store import Store
from demur.register.database.tables import account, campaign, member, notice
from demur.register.database.vault import Vault
from demur.register.members import standing
from demur.register.members.people import People, own_accounts, together
from demur.register.members.profiles import on_file, retell, unsealed
from demur.spelling import Names
from demur.terms import Channel, EntryKind, NoticeStatus

_PAGE: Final = 1000
_CODES: Final = (re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b"), re.compile(r"\b[45]\d\d\b"))  # RFC 3463, RFC 5321
_WORD: Final = re.compile(r"[a-z][a-z-]{0,39}")
_OPEN: Final = (NoticeStatus.QUEUED.value, NoticeStatus.SENDING.value)
_STANDING: Final = (NoticeStatus.SENT.value, NoticeStatus.BOUNCED.value)
_RETURNABLE: Final = (*_OPEN, NoticeStatus.SENT.value)
"""What can come back: who has its Message-ID has had the notice, whatever is on record yet."""


_HERE: Final = (notice.c.campaign == sa.bindparam("of"), notice.c.channel == sa.bindparam("by"))
_UNSENT: Final = sa.select(notice.c.subject, notice.c.status).where(
    *_HERE, bulk.listed(notice.c.subject, "keys"), notice.c.sent.is_(None)
)
_SENT: Final = (
    sa.update(notice)
    .where(*_HERE, notice.c.subject == sa.bindparam("to"))
    .values(
        status=sa.case((notice.c.status == NoticeStatus.BOUNCED.value, notice.c.status), else_=NoticeStatus.SENT.value),
        **{column: sa.bindparam(column) for column in ("language", "digest", "message_id", "tried")},
        sent=sa.bindparam("time"),
        changed=sa.bindparam("time"),
    )
)
_HOLDERS: Final = sa.select(account.c.holder).where(bulk.listed(account.c.key, "keys"))
_MEMBERS: Final = sa.select(member.c.key).where(
    member.c.key.in_(sa.select(account.c.key).where(account.c.holder.in_(_HOLDERS)))
)
_TELL: Final = (
    sa.update(member)
    .where(bulk.listed(member.c.key, "keys"), member.c.noticed_on > sa.bindparam("today"))
    .values(noticed_on=sa.bindparam("today"))
)
NEVER_LEFT: Final = "try-out"
"""The cause of a notice that counts as returned because it was only written to an outbox."""
_TRIED_OUT: Final = "tried-out"
"""The mark of a register in which there are such notices."""


class Notices:
    """The notices of one register."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._vault = vault

    def claim(
        self,
        channel: Channel,
        limit: int,
        *,
        named: Callable[[str, int], str] | None = None,
        worker: int | None = None,
        now: datetime | None = None,
    ) -> list[Due]:
        """Take notices that are due in the hands of a worker; none of them is handed out again until it is given back.

        Who has objected or was erased meanwhile gets none any more.

        Args:
            channel: which they go through.
            limit: how many.
            named: the Message-ID that a notice of a campaign, to a subject key, will leave with: known from now on,
                so that it can come back at any time.
            worker: whose hands. What it took in hand before and does not know of, as an answer of the database was
                lost, is among them.
            now: when.
        """
        time = micros(now)
        waiting = (notice.c.channel == channel.value, notice.c.status == NoticeStatus.QUEUED.value)
        with self._store.writing() as connection:
            release(connection, worker, notice, notice.c.channel == channel.value)
            while True:
                rows = _in_queue(connection, (*waiting, notice.c.due <= time), limit)
                if not rows:
                    return []
                out = _unwanted(connection, rows)
                gone = [row for row in rows if row.subject in out]
                taken = [row for row in rows if row.subject not in out]
                _mark(connection, channel, gone, {"status": NoticeStatus.CANCELLED.value, "changed": time})
                held = {"status": NoticeStatus.SENDING.value, "worker": worker, "changed": time}
                _mark(connection, channel, taken, held)
                _name(connection, channel, taken, named)
                if taken:
                    due = [_opened(self._vault, row) for row in taken]
                    return (
                        _reached(connection, self._vault, due, self._people.names) if channel is Channel.MAIL else due
                    )

    def sent(self, channel: Channel, delivered: Sequence[Delivered], *, now: datetime | None = None) -> None:
        """Record notices that were handed over: their people are told from this day on, unless they came back already.

        One entry for each campaign among them.

        Raises:
            RegisterError: for a campaign that does not exist.
        """
        time = micros(now)
        with self._store.writing() as connection:
            for name in dict.fromkeys(each.campaign for each in delivered):
                theirs = [each for each in delivered if each.campaign == name]
                _record_sent(connection, name, channel, theirs, time)

    def retry(
        self,
        channel: Channel,
        campaign: str,
        subject: int,
        at: datetime,
        *,
        tried: bool = True,
        now: datetime | None = None,
    ) -> None:
        """Give a notice back, to be tried again, not before a time; an attempt is what was answered (``tried``)."""
        values: dict[str, Any] = {"status": NoticeStatus.QUEUED.value, "due": micros(at), "changed": micros(now)}
        self._change(channel, campaign, subject, values | {"attempt": notice.c.attempt + int(tried)})

    def failed(self, channel: Channel, campaign: str, subject: int, *, cause: str, now: datetime | None = None) -> None:
        """Give a notice up that never reached anybody; the person stays untold."""
        values = {"status": NoticeStatus.FAILED.value, "cause": code(cause), "changed": micros(now)}
        self._change(channel, campaign, subject, values)

    def bounced(self, message_id: str, *, cause: str, now: datetime | None = None) -> bool:
        """Record that a notice came back, even before it is on record as sent; whether it is one of ours."""
        found = _bare(message_id)
        which = sa.and_(notice.c.message_id == found, notice.c.message_id != "")  # one within the platform
        with self._store.writing() as connection:
            row = connection.execute(sa.select(notice).where(which)).first()
            if row is None:
                return False
            if row.status in _RETURNABLE:
                _record_bounced(connection, [row], code(cause), micros(now))
            return True

    def end_try_out(self, *, now: datetime | None = None) -> int:
        """Take back what was only written to the outbox, once mails leave for people: nobody read it; how many it was.

        Their people are not told by these, and the campaign, started again, tells them.
        """
        with self._store.reading() as connection:
            if state.read(connection, _TRIED_OUT) is None:
                return 0
        with self._store.writing() as connection:
            which = (notice.c.tried, notice.c.status == NoticeStatus.SENT.value)
            rows = connection.execute(
                sa.select(notice).where(*which).order_by(notice.c.campaign, notice.c.channel)
            ).all()
            for _, some in groupby(rows, lambda row: (row.campaign, row.channel)):
                _record_bounced(connection, list(some), NEVER_LEFT, micros(now))
            state.remove(connection, _TRIED_OUT)
            return len(rows)

    def sent_to(self, address: str, *, since: datetime) -> list[str]:
        """The Message-IDs of the notices of the newest campaign since then that went to an address and stand as sent.

        Raises:
            IdentityError: for what can't be an address.
        """
        key, names = self._people.keys([f"mail:{address}"]), self._people.names
        which = (notice.c.channel == Channel.MAIL.value, notice.c.status == NoticeStatus.SENT.value)
        with self._store.reading() as connection:
            theirs = bulk.among(connection, notice.c.subject, together(connection, key))
            recent = sa.select(notice).where(*which, theirs, notice.c.sent >= micros(since))
            rows = connection.execute(recent.order_by(notice.c.sent.desc())).all()
            contacts = on_file(connection, self._vault, [row.subject for row in rows], names)
        there = {subject for subject, (_, mail) in contacts.items() if mail and names.mail(mail) == names.mail(address)}
        reached = [row for row in rows if row.subject in there]
        return [row.message_id for row in reached if row.campaign == reached[0].campaign]

    def requeue_interrupted(self) -> int:
        """Give back what no worker that is at work has in hand; how many notices that were."""
        with self._store.writing() as connection:
            return requeue_interrupted(connection, notice)

    def waiting(self) -> int:
        """How many notices wait to be delivered, in all campaigns."""
        channels = [each.value for each in Channel]  # names the index's first column
        open_ = (notice.c.channel.in_(channels), notice.c.status.in_(_OPEN))
        with self._store.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(notice).where(*open_)) or 0

    def of(self, account: str) -> list[NoticeRecord]:
        """Every notice to an account's person, as far as their accounts are proven theirs, oldest first.

        Raises:
            IdentityError: for a malformed account.
        """
        key = self._people.keys([account])
        with self._store.reading() as connection:
            theirs = bulk.among(connection, notice.c.subject, own_accounts(connection, key))
            rows = connection.execute(_records().where(theirs).order_by(notice.c.queued, notice.c.channel))
            return [_record(row) for row in rows]

    def pending(self, account: str) -> list[Due]:
        """The notices that wait to be shown to an account's person in the platform, by proven accounts, oldest first.

        Raises:
            IdentityError: for a malformed account.
        """
        key = self._people.keys([account])
        with self._store.reading() as connection:
            theirs = bulk.among(connection, notice.c.subject, own_accounts(connection, key))
            here = (notice.c.channel == Channel.IN_APP.value, notice.c.status.in_(_OPEN), theirs)
            rows = _in_queue(connection, here, _PAGE)
            out = _unwanted(connection, rows)
            return [_opened(self._vault, row) for row in rows if row.subject not in out]

    def records(self, name: str) -> Iterator[tuple[int, NoticeRecord]]:
        """What is on record of each notice of a campaign, with the subject key it was addressed to.

        Raises:
            RegisterError: if there is no such campaign.
        """
        last: tuple[str, int] = ("", -1)
        place = sa.tuple_(notice.c.channel, notice.c.subject)
        while True:
            with self._store.reading() as connection:
                after = _records().where(notice.c.campaign == number_of(connection, name), place > last)
                rows = connection.execute(after.order_by(notice.c.channel, notice.c.subject).limit(_PAGE)).all()
            yield from ((row.subject, _record(row)) for row in rows)
            if len(rows) < _PAGE:
                return
            last = (rows[-1].channel, rows[-1].subject)

    def _change(self, channel: Channel, name: str, subject: int, values: dict[str, Any]) -> None:
        """Change a notice that is in hand or waits."""
        with self._store.writing() as connection:
            number = number_of(connection, name)
            which = (notice.c.campaign == number, notice.c.channel == channel.value, notice.c.subject == subject)
            connection.execute(sa.update(notice).where(*which, notice.c.status.in_(_OPEN)).values(**values))


def cancel(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Take back what waits to be delivered to some accounts."""
    waiting = (bulk.among(connection, notice.c.subject, keys), notice.c.status == NoticeStatus.QUEUED.value)
    connection.execute(sa.update(notice).where(*waiting).values(status=NoticeStatus.CANCELLED.value))


def code(cause: str) -> str:
    """What may be kept of a reason for failure: a status code, or one word such as `timed-out`; never a reply."""
    for pattern in _CODES:
        if found := pattern.search(cause):
            return found.group()
    return cause if _WORD.fullmatch(cause) else "other"


def _record_sent(
    connection: sa.Connection, name: str, channel: Channel, delivered: Sequence[Delivered], time: int
) -> None:
    where = {"of": number_of(connection, name), "by": channel.value}
    unsent = connection.execute(_UNSENT, where | {"keys": [each.subject for each in delivered]})
    statuses = {row.subject: row.status for row in unsent}
    rows = [
        {
            **where,
            "to": each.subject,
            "time": time,
            "language": each.language,
            "digest": each.digest,
            "message_id": _bare(each.message_id),
            "tried": each.tried,
        }
        for each in delivered
        if each.subject in statuses
    ]
    if not rows:
        return
    connection.execute(_SENT, rows)
    if any(row["tried"] for row in rows):
        state.write(connection, _TRIED_OUT, "1")
    new = [subject for subject, status in statuses.items() if status != NoticeStatus.BOUNCED]
    if not new:
        return
    subjects = _members_of(connection, new)
    connection.execute(_TELL, {"keys": subjects, "today": time // MICROS_PER_DAY})
    payload = {"campaign": name, "channel": channel.value, "people": len(new)}
    effect = Effect(keys=np.array(sorted(new), dtype=np.int64))
    entries.append(connection, EntryKind.NOTICE_SENT, payload, time, subjects=subjects, effect=effect)


def _record_bounced(connection: sa.Connection, rows: Sequence[Any], cause: str, time: int) -> None:
    """Record that some notices of one campaign and channel came back."""
    keys = np.array(sorted(row.subject for row in rows), dtype=np.int64)
    which = (notice.c.campaign == rows[0].campaign, notice.c.channel == rows[0].channel)
    values = {"status": NoticeStatus.BOUNCED.value, "cause": cause, "changed": time}
    connection.execute(sa.update(notice).where(*which, bulk.among(connection, notice.c.subject, keys)).values(**values))
    retell(connection, keys)
    name = connection.scalar(sa.select(campaign.c.name).where(campaign.c.number == rows[0].campaign))
    payload = {"campaign": name, "cause": cause, "channel": rows[0].channel}
    subjects = _members_of(connection, keys.tolist())
    effect = Effect(keys=keys)
    entries.append(connection, EntryKind.NOTICE_BOUNCED, payload, time, subjects=subjects, effect=effect)


def _members_of(connection: sa.Connection, subjects: Iterable[int]) -> SubjectKeys:
    """The members' accounts that are proven to be of some accounts' holders."""
    return np.array(sorted(connection.scalars(_MEMBERS, {"keys": subjects})), dtype=np.int64)


def _records() -> sa.Select[Any]:
    return sa.select(*notice.c, campaign.c.name).join(campaign, campaign.c.number == notice.c.campaign)


def _record(row: Any) -> NoticeRecord:  # noqa: ANN401  # a row of _records
    return NoticeRecord(
        campaign=row.name,
        channel=Channel(row.channel),
        status=NoticeStatus(row.status),
        language=row.language,
        digest=row.digest,
        queued=moment(row.queued),
        sent=None if row.sent is None else moment(row.sent),
        changed=moment(row.changed),
    )


def _in_queue(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], limit: int) -> Sequence[Any]:
    """Notices with what is needed to open their member, oldest first."""
    known = (account.c.wrapped.label("key"), account.c.sealed.label("identifier"))
    columns = (notice.c.campaign, campaign.c.name, notice.c.subject, notice.c.attempt, *known)
    facts = (member.c.region, member.c.birth_year, member.c.wrapped, member.c.sealed)
    derived = (standing.effective_told_on().label("told_on"), standing.effective_consent().label("consented"))
    joined = sa.join(notice, campaign, campaign.c.number == notice.c.campaign)
    joined = joined.join(account, account.c.key == notice.c.subject, isouter=True)
    joined = joined.join(member, member.c.key == notice.c.subject, isouter=True)
    statement = sa.select(*columns, *facts, *derived).select_from(joined).where(*where)
    return connection.execute(statement.order_by(notice.c.due).limit(limit)).all()


def _unwanted(connection: sa.Connection, rows: Sequence[Any]) -> set[int]:
    """The subject keys of those who are to get nothing: they objected, or nothing of them is left to write to."""
    keys = np.array([row.subject for row in rows], dtype=np.int64)
    erased = {row.subject for row in rows if row.sealed is None or row.identifier is None}
    return erased | set(standing.suppressed(connection, np.unique(keys)).tolist())


def _mark(connection: sa.Connection, channel: Channel, rows: Sequence[Any], values: dict[str, Any]) -> None:
    """Change how some stand."""
    for number in {row.campaign for row in rows}:
        theirs = bulk.among(connection, notice.c.subject, [row.subject for row in rows if row.campaign == number])
        which = (notice.c.campaign == number, notice.c.channel == channel.value, theirs)
        connection.execute(sa.update(notice).where(*which).values(**values))


def _name(
    connection: sa.Connection, channel: Channel, rows: Sequence[Any], named: Callable[[str, int], str] | None
) -> None:
    """Put on record which Message-IDs some will leave with, where they have any."""
    if not rows or named is None:
        return
    place = (notice.c.campaign == sa.bindparam("of"), notice.c.subject == sa.bindparam("to"))
    here = sa.update(notice).where(notice.c.channel == channel.value, *place).values(message_id=sa.bindparam("name"))
    names = [{"of": row.campaign, "to": row.subject, "name": _bare(named(row.name, row.subject))} for row in rows]
    connection.execute(here, names)


def _bare(message_id: str) -> str:
    """A Message-ID without its brackets."""
    return message_id.strip().strip("<>")


def _opened(vault: Vault, row: Any) -> Due:  # noqa: ANN401  # a row of :func:`_in_queue`
    """One of them, unsealed."""
    identifier = vault.open(row.key, row.identifier, "account", row.subject).decode()
    return Due(row.name, row.subject, row.attempt + 1, unsealed(vault, identifier, row))


def _reached(connection: sa.Connection, vault: Vault, due: Sequence[Due], names: Names) -> list[Due]:
    """Give notices the address and the language that are on file of any account of their people."""
    lacking = [each.subject for each in due if not (each.member.mail and each.member.locale)]
    known = on_file(connection, vault, lacking, names) if lacking else {}
    return [_to(each, *known[each.subject]) if each.subject in known else each for each in due]


def _to(due: Due, locale: str | None, mail: str | None) -> Due:
    return replace(due, member=replace(due.member, locale=locale, mail=mail))
