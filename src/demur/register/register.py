"""The register: who objected, who consented, who belongs together, and what was done about it.

Invariants: every change appends an entry in the same transaction; a method that returned has made its change durable
(law 1); methods of one thread inside :meth:`Register.locked` share its transaction. Times are aware, `now` is this
moment unless given.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import RegisterError
from demur.identity import Keys, Pepper
from demur.register.access.api_keys import ApiKeys
from demur.register.access.sessions import Sessions, close_all
from demur.register.access.staff import StaffBook
from demur.register.claims import Claims
from demur.register.contact.campaigns import Campaigns
from demur.register.contact.mails import Mails
from demur.register.contact.notices import Notices
from demur.register.contact.workers import Workers
from demur.register.continuity import again, belonging, logs
from demur.register.continuity.replay import Noted, Replayed, replay
from demur.register.database import entries, journal, schema, signing, state
from demur.register.database import instance as instances
from demur.register.database.clock import micros
from demur.register.database.entries import Log
from demur.register.database.instance import Instance
from demur.register.database.kept import Kept
from demur.register.database.mark import Mark, Point
from demur.register.database.proving import Proving
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.vault import Vault
from demur.register.figures import Figures
from demur.register.members import standing
from demur.register.members.alike import SPELLING
from demur.register.members.members import Members
from demur.register.members.people import People
from demur.register.members.standing import Standing
from demur.register.members.upgrading import respell, tell_by_proof
from demur.register.objections import tally
from demur.register.objections.attachments import Attachments
from demur.register.objections.names import Names
from demur.register.objections.objections import Objections
from demur.register.objections.unread import read_names
from demur.register.persons import Persons
from demur.terms import EntryKind
from demur.transparency.rotation import Rotation

if TYPE_CHECKING:
    from demur.register.audit import Audited


class Register:
    """One register, on SQLite or PostgreSQL; safe to use from several threads and processes."""

    def __init__(self, store: Store, keys: Keys, kept: Path | None = None) -> None:
        self._store = store

        def file(name: str, form: str) -> Kept | None:
            return None if kept is None else Kept(kept / name, form, keys.sealing, SPELLING)

        self._vault = vault = Vault(keys.sealing)
        self._people = people = People(keys.pepper, vault)
        self._public_key = keys.signing.public_key()
        self.log = Log(store)
        self.proving = Proving(store)
        self.members = Members(store, people, vault)
        self.objections = Objections(store, people, vault, file(tally.FILE, tally.FORM))
        self.claims = Claims(store, people, vault)
        self.names = Names(store, people, vault)
        self.standing = Standing(store, file(standing.FILE, standing.FORM))
        self.attachments = Attachments(store, vault)
        self.campaigns = Campaigns(store)
        self.notices = Notices(store, people, vault)
        self.mails = Mails(store, people, vault)
        self.workers = Workers(store)
        self.figures = Figures(store)
        self.sessions = Sessions(store, vault)
        self.api_keys = ApiKeys(store)
        self.staff = StaffBook(store)
        self.persons = Persons(store, people, vault, keys.signing)

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
        cls,
        url: str,
        keys: Keys,
        mark: Path | None = None,
        *,
        requiring: Callable[[Self], object] = lambda _: None,
        kept: Path | None = None,
    ) -> Self:
        """Open a register; an older one is upgraded.

        Args:
            url: where it is.
            keys: the workspace's.
            mark: its mark, with which it has to agree; without one nothing is compared, and nothing noted.
            requiring: asked before anything is written, and before a register from before there were marks gets one:
                what it raises prevents that.
            kept: a folder for what was read of everybody, so that the next process need not; without one nothing is.

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

        return cls._at(url, keys, prepare, kept)

    @classmethod
    def _at(cls, url: str, keys: Keys, prepare: Callable[[Store], None], kept: Path | None = None) -> Self:
        store = Store(url)
        try:
            prepare(store)
            spelt = respell(store, keys)
            tell_by_proof(store)
            read_names(store, spelt)
            return cls(store, spelt, kept)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Give the connections back."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def follow_with(self, follower: Callable[[], object]) -> None:
        """Have something follow every commit that changes what may be used, before it is acknowledged.

        Args:
            follower: is called once the commit is on disk and noted; it raises nothing, as what was committed binds.
        """
        self._store.followed = follower

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """Hold the write lock: other writers wait, and what this thread does inside is one transaction."""
        with self._store.writing():
            yield self

    def state(self, name: str) -> str | None:
        """A progress mark; None if it was never set."""
        with self._store.reading() as connection:
            return state.read(connection, name)

    def set_state(self, name: str, value: str) -> None:
        """Set a progress mark."""
        with self._store.writing() as connection:
            state.write(connection, name, value)

    @property
    def file(self) -> Path | None:
        """Its SQLite file; None where it lies in another database."""
        return self._store.path if self._store.sqlite else None

    @property
    def pepper(self) -> Pepper:
        """What keys items: the workspace's pepper, with the rules by which names are and were spelt here."""
        return self._people.pepper

    # Whose register it is, and whether it goes on where it was acknowledged

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

    def open_log(self, keys: Keys) -> int | None:
        """Put on record under which keys the log begins, once for each name of it; None where it was, else the number.

        Raises:
            RegisterError: when the register does not go on from where it was signed last: it can still be read.
            UnavailableError: when it can't be written just now.
        """
        return logs.open_log(self._store, keys)

    def rotate_log(self, key: Ed25519PrivateKey) -> Rotation:
        """Have the log signed by another key from now on; the statement, which both keys signed.

        Raises:
            UsageError: when it is the key in use.
            RegisterError: when the register does not go on from where it was signed last.
        """
        return logs.rotate(self._store, key)

    def require_mark(self) -> None:
        """Make sure that the mark is still there, can be written, and that the register is not behind it.

        Raises:
            RegisterError: when it is not.
        """
        mark, instance = self._store.mark, self.instance
        assert mark is not None  # a workspace's register has one
        assert instance is not None
        head = mark.head()
        theirs = (head.instance, head.incarnation) == (instance.id, instance.incarnation)
        if not theirs or not os.access(mark.path, os.W_OK):
            raise RegisterError(f"The mark {mark.path} is not this register's or can't be written: put it back.")
        self.require_point(mark.end(), f"the mark {mark.path}")
        assert self._store.signer is not None  # as for the mark
        with self._store.reading() as connection:
            self._store.signer.noted(connection)

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
        with self._store.reading() as connection:
            checkpoint = signing.at(connection, begin.seq)
        self._store.mark.begin_again(begin, instance.incarnation, checkpoint)

    def begin_restore(self, instance: Instance) -> None:
        """Begin an incarnation, in a register that a backup brought back and that is in no use yet."""
        self._store.prepare()
        with self._store.writing() as connection:
            instances.set_restoring(connection, under_way=True)
            instances.write(connection, instance)
            close_all(connection)

    def replay(
        self, noted: Iterable[Noted], incarnation: int, erasing: str, *, held: int, unknown: bool = False
    ) -> Replayed:
        """Do the entries of a journal again, all or none; see replay.py."""
        with self._store.writing() as connection:
            return replay(connection, noted, incarnation, erasing, held=held, unknown=unknown)

    def sealed_again(self, seq: int) -> str:
        """What lodges the objection of an entry again, should it be lost, sealed for this workspace; see again.py.

        Raises:
            RegisterError: when there is no such entry.
        """
        return again.seal(self._store, self._vault, seq)

    def recorded(self, sealed: str, commitment: bytes) -> tuple[str, int] | None:
        """Reference and entry of the objection of :meth:`sealed_again`, if it is on record.

        Raises:
            IdentityError: when it was sealed for another workspace, or another entry.
        """
        return again.recorded(self._store, self._vault, sealed, commitment)

    def lodge_again(self, sealed: str, commitment: bytes, incarnation: int, erasing: str) -> again.Again:
        """Lodge an objection again that is not on record; see again.py.

        Raises:
            IdentityError: when it was sealed for another workspace, or another entry.
            RegisterError: when it can't be lodged from what it holds.
        """
        return again.lodge_again(self._store, self._vault, sealed, commitment, incarnation, erasing)

    def finish_restore(self, payload: Mapping[str, JSON], *, now: datetime | None = None) -> int:
        """Put a restore on record; the entry's number."""
        with self._store.writing() as connection:
            instances.set_restoring(connection, under_way=False)
            return entries.append(connection, EntryKind.REGISTER_RESTORED, payload, micros(now))

    def point(self, seq: int) -> Point:
        """An entry by number and commitment; 0 for the beginning."""
        with self._store.reading() as connection:
            return Point(seq, journal.commitment_at(connection, seq) or b"")

    def audit(self, report: Callable[[str], None], checkpoints: Iterable[int] = ()) -> "Audited":
        """Check every entry, and whether what stands is what the entries make of it; see audit/__init__.py.

        Args:
            report: is told what is wrong, in one sentence each, which names an entry, an objection or a subject key.
            checkpoints: numbers of entries up to which the caller holds a digest.
        """
        from demur.register.audit import audit  # noqa: PLC0415  # nearly all do without

        with self._store.reading() as connection:
            signer = self._store.signer
            log_key = None if signer is None else signer.key(connection).public
            return audit(connection, self._people, self._vault, self._public_key, report, checkpoints, log_key)
