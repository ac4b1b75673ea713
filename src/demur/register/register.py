"""The register: who objected, who consented, who belongs together, and what was done about it.

Invariants: every change appends an entry in the same transaction; a method that returned has made its change durable
(law 1); methods of one thread inside :meth:`Register.locked` share its transaction. Times are aware, `now` is this
moment unless given.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from demur.identity import Keys, Pairs, Pepper, SubjectKeys
from demur.kernel.facts import Facts
from demur.register.access.api_keys import ApiKeys
from demur.register.access.sessions import Sessions, close_all
from demur.register.access.staff import StaffBook
from demur.register.audit import Audited, audit
from demur.register.contact.letters import LetterBox
from demur.register.contact.notices import NoticeBook
from demur.register.continuity import belonging
from demur.register.continuity.replay import Noted, Replayed, replay
from demur.register.database import bulk, entries, journal, schema
from demur.register.database import instance as instances
from demur.register.database.clock import micros
from demur.register.database.effects import Effect
from demur.register.database.instance import Instance
from demur.register.database.mark import Mark, Point
from demur.register.database.records import JSON, Changes
from demur.register.database.store import Store
from demur.register.database.tables import account as account_table
from demur.register.members import alike, profiles, standing
from demur.register.members.people import add_link, pair, remove_link, together
from demur.register.members.profiles import Member, retell
from demur.register.members.respelling import respell
from demur.register.members.staging import MemberImport, MemberImporter
from demur.register.members.standing import Snapshot
from demur.register.objections.attachments import Attachments
from demur.register.objections.objection_log import ObjectionLog
from demur.register.rights.persons import Persons
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
        self.sessions = Sessions(store, self._vault)
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
    def begin(cls, url: str, keys: Keys, mark: Path) -> Self:
        """Create the register of a new workspace, with its mark at ``mark``.

        Raises:
            RegisterError: when there is a register, or a mark, already.
            UnavailableError: when the place can't be used.
        """

        def prepare(store: Store) -> None:
            schema.create(store)
            belonging.begin(store, keys, mark)

        return cls._at(url, keys, prepare)

    @classmethod
    def open(
        cls, url: str, keys: Keys, mark: Path | None = None, *, requiring: Callable[[Self], object] = lambda _: None
    ) -> Self:
        """Open a register; an older one is upgraded.

        Args:
            url: where it is.
            keys: the workspace's.
            mark: its mark, with which it has to agree; without one nothing is compared, and nothing noted.
            requiring: asked before anything is written, and before a register from before there were marks gets one:
                what it raises prevents that.

        Raises:
            RegisterError: when there is none, it is the register of a newer demur, or it does not belong to the mark.
            IdentityError: when a key is not the one it was made with.
            UnavailableError: when its database can't be used.
        """

        def prepare(store: Store) -> None:
            schema.check(store)
            if mark is not None:
                register = cls(store, keys)
                if register.instance is None:
                    requiring(register)
                belonging.check(store, keys, mark)
                requiring(register)

        return cls._at(url, keys, prepare)

    @classmethod
    def _at(cls, url: str, keys: Keys, prepare: Callable[[Store], None]) -> Self:
        store = Store(url)
        try:
            prepare(store)
            return cls(store, respell(store, keys))
        except BaseException:
            store.close()
            raise

    @property
    def instance(self) -> Instance | None:
        """Whose register it is; None for one outside a workspace."""
        with self._store.reading() as connection:
            return instances.read(connection)

    @property
    def incarnation(self) -> int:
        """How often entries were numbered anew, by a restore, counted from 1."""
        instance = self.instance
        return 1 if instance is None else instance.incarnation

    def require_point(self, point: Point, of: str) -> None:
        """Make sure that the register holds an entry that ``of``, something outside it, names.

        Raises:
            RegisterError: when the register is older than that, or another one.
        """
        with self._store.reading() as connection:
            where = self._store.url.render_as_string(hide_password=True)
            belonging.require_point(connection, point, of, where)

    @classmethod
    def renew_mark(cls, url: str, keys: Keys, mark: Path) -> belonging.Renewed:
        """Begin a new mark for a register whose mark is lost, or from before a restore; see belonging.py.

        Raises:
            RegisterError: when the mark is there and fits, or notes what the register does not hold.
            IdentityError: when a key is another one.
        """
        store = Store(url)
        try:
            schema.check(store)
            return belonging.renew(store, keys, mark)
        finally:
            store.close()

    @property
    def mark(self) -> Mark | None:
        """Where every commit is noted; None outside a workspace."""
        return self._store.mark

    def begin_journal(self, begin: Point) -> None:
        """Begin the mark's journal anew, at an entry that a whole backup holds."""
        instance = self.instance
        assert self._store.mark is not None  # a workspace's register has one
        assert instance is not None
        self._store.mark.begin_again(begin, instance.incarnation)

    def begin_restore(self, instance: Instance) -> None:
        """Begin an incarnation, in a register that a backup brought back and that is in no use yet."""
        self._store.prepare()
        with self._store.writing() as connection:
            instances.set_restoring(connection, under_way=True)
            instances.write(connection, instance)
            close_all(connection)

    def replay(self, noted: Iterable[Noted], incarnation: int, erasing: str) -> Replayed:
        """Do the entries of a journal again, all or none; see replay.py."""
        with self._store.writing() as connection:
            return replay(connection, noted, incarnation, erasing)

    def finish_restore(self, payload: Mapping[str, JSON], *, now: datetime | None = None) -> int:
        """Put a restore on record; the entry's number."""
        with self._store.writing() as connection:
            instances.set_restoring(connection, under_way=False)
            return entries.append(connection, EntryKind.REGISTER_RESTORED, payload, micros(now))

    def point(self, seq: int) -> Point:
        """An entry by number and commitment; 0 for the beginning."""
        with self._store.reading() as connection:
            return Point(seq, journal.commitment_at(connection, seq) or b"")

    # People and members

    def link(self, first: str, second: str, *, now: datetime | None = None) -> int | None:
        """Record that two accounts are proven one person's; the entry's number, or None if that was recorded already.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.writing() as connection:
            one, other = self._people.ensure(connection, [first, second], micros(now)).tolist()
            subjects = add_link(connection, one, other)
            if subjects is None:
                return None
            retell(connection, [one])
            payload, effect, time = {"accounts": len(subjects)}, Effect(proven=pair(one, other)), micros(now)
            kind = EntryKind.ACCOUNT_LINKED
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

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
            subjects = profiles.consent(connection, self._people, list(accounts), micros(now), given=given)
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

    # What the corpus reads besides the log, and tells it

    @property
    def pepper(self) -> Pepper:
        """What keys items: the workspace's pepper, with the rules by which names are and were spelt here."""
        return self._people.pepper

    def note_alike(self, pairs: Pairs, *, now: datetime | None = None) -> int | None:
        """Put on record which keys are spellings of one account; the entry's number, or None if all were known."""
        if not len(pairs):
            return None
        with self._store.writing() as connection:
            return alike.note(connection, pairs, micros(now))

    def changes(self, after: int) -> Changes:
        """What the binding entries with a number greater than ``after`` may have changed."""
        with self._store.reading() as connection:
            return standing.changes(connection, after)

    def suppressed(self) -> SubjectKeys:
        """The keys of every account of every person with a binding objection, sorted, shape (n,)."""
        with self._store.reading() as connection:
            return standing.suppressed(connection)

    def count_suppressed(self) -> int:
        """How many accounts objections in force cover, without reading what members say of themselves."""
        with self._store.reading() as connection:
            return len(standing.suppressed(connection))

    def facts(self) -> Facts:
        """What members say of themselves, sorted by key."""
        return self.snapshot().facts

    def snapshot(self) -> Snapshot:
        """Head, suppressed keys and facts, of one moment."""
        with self._store.reading() as connection:
            return self._reader.snapshot(connection, keep=not self._store.inside)
