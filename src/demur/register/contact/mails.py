"""Single mails to one person, such as a receipt or a link to sign in; their table has the name `letter`.

Invariants: what a mail says, and to whom, is sealed under a key of its own that lies beside it. The key is destroyed
when the mail was sent, failed or came back, and when its person's details are erased. An address that nobody gave
comes from the members' profiles alone, so that nobody is written to because somebody typed their address. A mail that
came back stays so, also where that is heard of before it is on record as sent. Only an answer about a mail counts as
an attempt. Where a question to an account's holder does not reach them, their objection stands (doubts.py).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.contact.notices import code
from demur.register.contact.records import SingleMail
from demur.register.contact.workers import release, requeue_interrupted
from demur.register.database import bulk
from demur.register.database.clock import micros
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import letter
from demur.register.database.vault import Vault, plain
from demur.register.members import profiles
from demur.register.members.people import People, mail_account
from demur.register.objections import doubts
from demur.terms import NoticeStatus

_GONE: Final = {"wrapped": None, "sealed": None}
_HELD: Final = (letter.c.status == NoticeStatus.SENDING.value,)
_RETURNABLE: Final = (*doubts.OPEN, NoticeStatus.SENT.value)
"""What can come back: who has its Message-ID has had the mail, whatever is on record yet."""


class Mails:
    """The mails of one register."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._vault = vault

    def post(  # what a mail has
        self,
        template: str,
        language: str,
        params: Mapping[str, JSON],
        *,
        account: str | None = None,
        subject: int | None = None,
        address: str | None = None,
        now: datetime | None = None,
    ) -> int | None:
        """Queue a mail; its number, or None if no address is known, and nothing was queued.

        Args:
            template: its name.
            language: its language, BCP 47.
            params: what the template asks for.
            account: whom it concerns,
            subject: or their subject key.
            address: the mail address; without one, that on file of any of the person's accounts.
            now: when it is due.

        Raises:
            IdentityError: for a malformed account.
        """
        if account is not None:
            subject = int(self._people.keys([account])[0])
        time = micros(now)
        with self._store.writing() as connection:
            if address is None:
                address = None if subject is None else self._on_file(connection, subject)[1]
            if address is None:
                return None
            number = (connection.scalar(sa.select(sa.func.max(letter.c.id))) or 0) + 1
            content = plain([address, template, language, params])
            cipher, wrapped = self._vault.fresh(number)
            values: dict[str, Any] = {"id": number, "subject": subject, "status": NoticeStatus.QUEUED.value}
            values |= {"attempt": 0, "due": time, "queued": time, "changed": time}
            values |= {"wrapped": wrapped, "sealed": self._vault.put(cipher, content, "letter", number)}
            connection.execute(sa.insert(letter).values(**values))
            return number

    def address_of(self, subject: int) -> str | None:
        """The mail address on file of any of a person's accounts, their own first."""
        with self._store.reading() as connection:
            return self._on_file(connection, subject)[1]

    def own_account(self, subject: int, address: str | None = None) -> str | None:
        """The account that a mail about it may name; None where its reader need not be that account's holder.

        Args:
            subject: the account's key.
            address: where the mail goes; without one, to the address on file of any of the person's accounts.
        """
        names = self._people.names
        with self._store.reading() as connection:
            account = self._people.identifiers(connection, np.array([subject], np.int64))[0]
            to = mail_account(address or self._on_file(connection, subject)[1] or "", names)
            own = profiles.own_address(connection, self._vault, subject)
        if account is None or to is None:
            return None
        return account if to in {account, mail_account(own or "", names)} else None

    def reached(self, subjects: SubjectKeys) -> int:
        """How many people, each given by an account of theirs, have a mail address on file."""
        with self._store.reading() as connection:
            known = profiles.on_file(connection, self._vault, subjects.tolist(), self._people.names)
        return sum(1 for _, mail in known.values() if mail)

    def language_of(self, subject: int) -> str | None:
        """The locale on file of any of a person's accounts, their own first; BCP 47."""
        with self._store.reading() as connection:
            return self._on_file(connection, subject)[0]

    def languages_of(self, groups: Sequence[Sequence[str]]) -> list[str | None]:
        """For each group of accounts the locale on file of the first that has one, None where none has; BCP 47.

        Raises:
            IdentityError: for a malformed account.
        """
        keys = self._people.keys([account for group in groups for account in group]).tolist()
        with self._store.reading() as connection:
            said = profiles.locales(connection, self._vault, keys)
        ahead = iter(keys)
        return [next(filter(None, [said.get(next(ahead)) for _ in group]), None) for group in groups]

    def claim(self, limit: int, *, worker: int | None = None, now: datetime | None = None) -> list[SingleMail]:
        """Take mails that are due in the hands of a worker, oldest first.

        What that worker took in hand before and does not know of, as an answer of the database was lost, is among them.
        One about a doubt names the deadline that it begins; a reminder that nobody needs any more is cancelled instead.
        """
        time = micros(now)
        waiting = (letter.c.status == NoticeStatus.QUEUED.value, letter.c.due <= time)
        with self._store.writing() as connection:
            release(connection, worker, letter)
            rows = connection.execute(sa.select(letter).where(*waiting).order_by(letter.c.due).limit(limit)).all()
            found = [self._opened(row) for row in rows]
            spent = {each.id for each in found if doubts.settled(connection, each.template, each.params)}
            taken = [each for each in found if each.id not in spent]
            _set(
                connection,
                [each.id for each in taken],
                {"status": NoticeStatus.SENDING.value, "worker": worker, "changed": time},
            )
            _set(connection, spent, {"status": NoticeStatus.CANCELLED.value, "changed": time, **_GONE})
            return [self._leaving(connection, each, time) for each in taken]

    def sent(self, ids: Sequence[int], *, now: datetime | None = None) -> None:
        """Record mails that were handed over; what they said is destroyed.

        From now on the holder of whom one asked has their time to answer.
        """
        time = micros(now)
        values = {"status": NoticeStatus.SENT.value, "changed": time, **_GONE}
        with self._store.writing() as connection:
            handed = (bulk.among(connection, letter.c.id, ids), letter.c.status != NoticeStatus.BOUNCED.value)
            known = sa.select(letter).where(*handed, letter.c.sealed.is_not(None)).order_by(letter.c.id)
            for row in connection.execute(known).all():
                said = self._opened(row)
                doubts.asked(connection, said.template, said.params, time)
            connection.execute(sa.update(letter).where(*handed).values(**values))

    def retry(self, number: int, at: datetime, *, tried: bool = True) -> None:
        """Give a mail back, to be tried again, not before a time; an attempt is what was answered (``tried``)."""
        values = {"status": NoticeStatus.QUEUED.value, "due": micros(at), "attempt": letter.c.attempt + int(tried)}
        self._change(number, values)

    def failed(self, number: int, cause: str, *, now: datetime | None = None) -> None:
        """Give a mail up; what it said is destroyed."""
        time = micros(now)
        values = {"status": NoticeStatus.FAILED.value, "cause": code(cause), "changed": time}
        with self._store.writing() as connection:
            row = connection.execute(sa.select(letter).where(letter.c.id == number, *_HELD)).one_or_none()
            if row is not None:
                given_up = self._opened(row)
                doubts.unasked(connection, given_up.template, given_up.params, time)
            self._change(number, values | _GONE)

    def bounced(self, number: int, *, cause: str, now: datetime | None = None) -> bool:
        """Record that a mail came back, even before it is on record as sent; whether it is one of ours."""
        time = micros(now)
        which = letter.c.id == number
        with self._store.writing() as connection:
            row = connection.execute(sa.select(letter).where(which)).one_or_none()
            if row is None:
                return False
            if row.status in _RETURNABLE:
                values = {"status": NoticeStatus.BOUNCED.value, "cause": code(cause), "changed": time, **_GONE}
                connection.execute(sa.update(letter).where(which).values(**values))
                if row.subject is not None:
                    doubts.unreachable(connection, row.subject, time)
            return True

    def requeue_interrupted(self) -> int:
        """Give back what no worker that is at work has in hand; how many mails that were."""
        with self._store.writing() as connection:
            return requeue_interrupted(connection, letter)

    def waiting(self) -> int:
        """How many mails wait to be delivered."""
        open_ = letter.c.status.in_(doubts.OPEN)
        with self._store.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(letter).where(open_)) or 0

    def _change(self, number: int, values: dict[str, Any]) -> None:
        with self._store.writing() as connection:
            connection.execute(sa.update(letter).where(letter.c.id == number, *_HELD).values(**values))

    def _on_file(self, connection: sa.Connection, subject: int) -> tuple[str | None, str | None]:
        """Locale and mail address, each of the first account of the person that has one."""
        return profiles.on_file(connection, self._vault, [subject], self._people.names).get(subject, (None, None))

    @staticmethod
    def _leaving(connection: sa.Connection, said: SingleMail, time: int) -> SingleMail:
        return replace(said, params=doubts.leaving(connection, said.template, said.params, time))

    def _opened(self, row: Any) -> SingleMail:  # noqa: ANN401  # a row of `letter`
        opened = orjson.loads(self._vault.open(row.wrapped, row.sealed, "letter", row.id))
        address, template, language, params = opened
        return SingleMail(row.id, address, template, language, params, row.attempt + 1)


def _set(connection: sa.Connection, ids: Collection[int], values: dict[str, Any]) -> None:
    connection.execute(sa.update(letter).where(bulk.among(connection, letter.c.id, ids)).values(**values))


def destroy(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy every mail that concerns some accounts; what waits, or is given back, is not delivered any more."""
    theirs = bulk.among(connection, letter.c.subject, keys)
    waiting = (theirs, letter.c.status.in_(doubts.OPEN))
    connection.execute(sa.update(letter).where(*waiting).values(status=NoticeStatus.CANCELLED.value))
    connection.execute(sa.update(letter).where(theirs).values(**_GONE))
