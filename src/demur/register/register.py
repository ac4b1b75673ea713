"""The register: who objected, who consented, who belongs together, and what was done about it.

Invariants: every change appends an entry in the same transaction; a method that returned has made its change durable
(law 1); methods of one thread inside :meth:`Register.locked` share its transaction. Times are aware, `now` is this
moment unless given.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from demur.identity import Keys, SubjectKeys
from demur.register import bulk, entries, objections, profiles, schema, standing
from demur.register.api_keys import ApiKeys
from demur.register.attachments import Attachments
from demur.register.audit import Audited, audit
from demur.register.clock import micros
from demur.register.effects import Effect
from demur.register.letters import LetterBox
from demur.register.notices import NoticeBook
from demur.register.objection_log import ObjectionLog
from demur.register.people import pair, remove_link, together
from demur.register.persons import Persons
from demur.register.records import (
    Facts,
    Member,
    MemberImport,
    Snapshot,
)
from demur.register.staff import StaffBook
from demur.register.staging import MemberImporter
from demur.register.store import Store
from demur.register.tables import account as account_table
from demur.register.told import retell
from demur.register.visits import Visits
from demur.terms import EntryKind


class Register(ObjectionLog):
    """One register, on SQLite or PostgreSQL; safe to use from several threads and processes."""

    def __init__(self, store: Store, keys: Keys) -> None:
        super().__init__(store, keys)
        self._reader = standing.Reader()
        self.persons = Persons(store, self._people, self._vault, keys.signing)
        self._public_key = keys.signing.public_key()
        self.notices = NoticeBook(store, self._people, self._vault)
        self.letters = LetterBox(store, self._people, self._vault)
        self.attachments = Attachments(store, self._vault)
        self.visits = Visits(store, self._vault)
        self.api_keys = ApiKeys(store)
        self.staff = StaffBook(store)

    @classmethod
    def create(cls, url: str, keys: Keys) -> Self:
        """Create a register at ``sqlite:///absolute/path`` or ``postgresql://host/name``; an existing one is opened.

        Raises:
            RegisterError: when it holds the register of a newer demur.
            UnavailableError: when the place can't be used.
        """
        return cls._at(url, keys, schema.create)

    @classmethod
    def open(cls, url: str, keys: Keys) -> Self:
        """Open a register; an older one is upgraded.

        Raises:
            RegisterError: when there is none, or the register of a newer demur.
            UnavailableError: when its database can't be used.
        """
        return cls._at(url, keys, schema.check)

    @classmethod
    def _at(cls, url: str, keys: Keys, prepare: Callable[[Store], None]) -> Self:
        store = Store(url)
        try:
            prepare(store)
        except BaseException:
            store.close()
            raise
        return cls(store, keys)

    # People and members

    def link(self, first: str, second: str, *, now: datetime | None = None) -> int | None:
        """Record that two accounts are proven one person's; the entry's number, or None if that was recorded already.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.writing() as connection:
            one, other = self._people.ensure(connection, [first, second]).tolist()
            return objections.record_link(connection, one, other, micros(now))

    def unlink(self, first: str, second: str, *, now: datetime | None = None) -> int:
        """Take the link between two accounts back; the entry's number.

        Raises:
            IdentityError: for a malformed account.
            RegisterError: if these two are not linked with each other.
        """
        one, other = self._people.keys([first, second]).tolist()
        with self._store.writing() as connection:
            subjects = remove_link(connection, one, other)
            retell(connection, subjects)
            payload, effect, time = {"accounts": len(subjects)}, Effect(unlinked=pair(one, other)), micros(now)
            kind = EntryKind.ACCOUNT_UNLINKED
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

    def import_members(self, batches: Iterable[pa.RecordBatch], *, now: datetime | None = None) -> MemberImport:
        """Import members, batches of members.MEMBER: all rows, or none.

        Raises:
            SourceError: naming the first bad row and its column.
        """
        return MemberImporter(self._store, self._people, self._vault).run(batches, micros(now))

    def consent(self, accounts: Iterable[str], *, given: bool, now: datetime | None = None) -> int:
        """Record that people consent, or don't any more (Art. 7 GDPR); the entry's number.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.writing() as connection:
            subjects = profiles.consent(connection, self._people, list(accounts), given=given)
            kind = EntryKind.CONSENT_GIVEN if given else EntryKind.CONSENT_WITHDRAWN
            payload, effect, time = {"accounts": len(subjects)}, Effect(keys=subjects, consent=given), micros(now)
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

    def person(self, account: str) -> SubjectKeys:
        """The keys of every account that an objection for this one covers, sorted, shape (n,); itself where unknown.

        What is proven to be one person's, and may be shown or erased, is what `persons` has.

        Raises:
            IdentityError: for a malformed account.
        """
        keys = self._people.keys([account])
        with self._store.reading() as connection:
            return np.union1d(keys, together(connection, keys))

    def member(self, account: str) -> Member | None:
        """What is known of a member, unsealed; None if nothing is, or it was erased."""
        with self._store.reading() as connection:
            return profiles.read(connection, self._people, self._vault, account)

    def identifiers(self, subjects: SubjectKeys) -> list[str | None]:
        """The account identifiers behind subject keys, in their order; None where unknown or erased."""
        with self._store.reading() as connection:
            return self._people.identifiers(connection, subjects)

    def erase_details(self, account: str, *, now: datetime | None = None) -> int:
        """Destroy every sealed detail of the accounts that are proven an account's person's; how many are known.

        Keyed identifiers stay, for the one purpose of honouring the person's objections.
        """
        keys = self.persons.own(account)
        with self._store.writing() as connection:
            known = sa.select(sa.func.count()).select_from(account_table)
            erased = connection.scalar(known.where(bulk.among(connection, account_table.c.key, keys))) or 0
            self.persons.destroy(keys, now=now)
        self._store.scrub()
        return erased

    def audit(self, report: Callable[[str], None], checkpoints: Iterable[int] = ()) -> Audited:
        """Check every entry, and whether what stands is what the entries make of it; see audit/__init__.py.

        Args:
            report: is told what is wrong, in one sentence each, which names an entry, an objection or a subject key.
            checkpoints: numbers of entries up to which the caller holds a digest.
        """
        with self._store.reading() as connection:
            return audit(connection, self._people, self._vault, self._public_key, report, checkpoints)

    # What the corpus reads besides the log

    def suppressed(self) -> SubjectKeys:
        """The keys of every account of every person with a binding objection, sorted, shape (n,)."""
        return self.snapshot().suppressed

    def facts(self) -> Facts:
        """What members say of themselves, sorted by key."""
        return self.snapshot().facts

    def snapshot(self) -> Snapshot:
        """Head, suppressed keys and facts, of one moment."""
        with self._store.reading() as connection:
            return self._reader.snapshot(connection, keep=not self._store.inside)
