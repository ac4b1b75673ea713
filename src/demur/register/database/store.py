"""The database behind the register: connections, transactions and the one write lock.

Invariants: a write transaction holds the write lock from its first statement to its commit (SQLite: BEGIN IMMEDIATE;
PostgreSQL: a transaction-level advisory lock), so that writers of all processes follow each other and entries are
numbered without a gap; a commit that returned is on disk (synchronous=FULL, synchronous_commit=on); a read
transaction sees one state (SQLite: WAL; PostgreSQL: REPEATABLE READ); a transaction of the same thread inside
another joins it as a savepoint; no error shows a statement's parameters, as they may name people.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import LRUCache

from demur.errors import RegisterError, UnavailableError
from demur.files import sync
from demur.register.database import journal, tree
from demur.register.database.mark import Group, Mark
from demur.register.database.signing import Signed, Signer

PATIENCE_S: Final = 30
"""Seconds that a writer waits for another one."""
_SHARE_FOR_OTHERS: Final = 0.3
"""Seconds of pause for each second of a transaction that is one of many."""
_LOCK: Final = int.from_bytes(b"demur\0rg", "big")
"""The advisory lock's number, the same for every process."""
_VACUUM: Final = "VACUUM account, member, entry, detail, letter, attachment, attachment_content, session"
_PRAGMAS: Final = ("synchronous=FULL", "fullfsync=ON", "foreign_keys=ON", "secure_delete=ON", "cache_size=-65536")
_ALIKE: Final = "demur"
"""The name by which SQLAlchemy finds :class:`_Alike`."""
_COMPILED: Final[LRUCache[Any, Any]] = LRUCache(1000)
"""Statements that some SQLite register of this process ran already."""


class _Alike(SQLiteDialect_pysqlite):
    """SQLite's dialect, equal for all registers.

    A command opens its register several times. SQLAlchemy keeps what it compiled apart by dialect, and would compile
    each statement again for each opening, which takes longer than running it.
    """

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike)

    def __hash__(self) -> int:
        return hash(_Alike)


registry.register(f"sqlite.{_ALIKE}", __name__, _Alike.__name__)


@dataclass(frozen=True)
class _Noted:
    """What a transaction leaves to be noted in the mark, and the log that was signed with it."""

    groups: Sequence[Group]
    """Others' that nobody noted, then its own."""
    signed: Signed | None


_NOTHING: Final = _Noted((), None)


class Store:
    """One database, by URL."""

    def __init__(self, url: str) -> None:
        self.url = _read_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = self._sqlite_engine() if self.sqlite else self._postgresql_engine()
        self._local = threading.local()
        self.mark: Mark | None = None
        """Where every commit is noted before it is acknowledged; None for a register outside a workspace."""
        self.signer: Signer | None = None
        """Signs the log with every commit; None for a register outside a workspace."""
        self.followed: Callable[[], object] | None = None
        """What follows every commit that changes what may be used, before it is acknowledged; it raises nothing."""

    @property
    def path(self) -> Path:
        """The file of an SQLite register."""
        return Path(self.url.database or "")

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()
        if self.mark is not None:
            self.mark.close()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one consistent state; inside a write transaction, that one."""
        if (current := self._current) is not None:
            yield current
            return
        with self._told(), self._engine.connect() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction under the write lock; all of it is kept, or nothing.

        Raises:
            UnavailableError: when another process holds the lock for longer than ``PATIENCE_S``.
        """
        if (current := self._current) is not None:
            with current.begin_nested():
                yield current
            return
        with self._told(), self._engine.connect() as connection, self.write_on(connection):
            yield connection

    @contextmanager
    def writing_briefly(self) -> Iterator[sa.Connection]:
        """One of many write transactions in a row: a pause comes after it, in which others get their turn.

        Raises:
            UnavailableError: as :meth:`writing`.
        """
        began = time.monotonic()
        with self.writing() as connection:
            yield connection
        if not self.inside:
            time.sleep(_SHARE_FOR_OTHERS * (time.monotonic() - began))

    @contextmanager
    def session(self) -> Iterator[sa.Connection]:
        """A connection whose transactions the caller begins, for work that must not hold the lock all the time."""
        if (current := self._current) is not None:
            yield current
            return
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write_on(self, connection: sa.Connection) -> Iterator[None]:
        """A write transaction on a connection of :meth:`session`.

        Raises:
            UnavailableError: when it can't be noted in the mark, or nobody knows whether it was committed: nobody may
                be told of it.
        """
        if self._current is connection:
            with connection.begin_nested():
                yield
            return
        connection.execution_options(demur_begin="BEGIN IMMEDIATE")
        with connection.begin() as transaction:
            if not self.sqlite:
                connection.execute(sa.text(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'"))
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            journal.begin(connection)
            self._local.connection = connection
            try:
                yield
                noted = self._finish(connection)
                self._commit(transaction)
            finally:
                self._local.connection = None
                connection.execution_options(demur_begin="BEGIN")
        if self.signer is not None and noted.signed is not None:
            self.signer.keep(noted.signed)
        if self.mark is not None and noted.groups:
            if noted.signed is None or len(noted.groups) > 1:
                self._sync()
            self.mark.append(*noted.groups, durable=any(map(journal.urgent, noted.groups)))
            if self.followed is not None and any(map(journal.binds, noted.groups)):
                self.followed()

    def _finish(self, connection: sa.Connection) -> _Noted:
        """Complete the tree, and sign it, before the commit; what is to be noted after it.

        That is what was appended, and before it what others committed and nobody noted. A transaction that appended
        nothing notes it, too: its caller may be told of what stands already, and that has to be in the mark.
        """
        if (span := journal.span(connection)) is not None:
            tree.complete(connection, *span)
        if self.mark is None or self.signer is None:
            return _NOTHING
        own = None if span is None else journal.appended(connection, span[0])  # a savepoint may have taken it back
        begin = journal.end(connection).seq + 1 if own is None or span is None else span[0]
        self.signer.look()
        groups = journal.unnoted(connection, self.mark.noted, begin)
        if groups:
            self.signer.require(connection, groups)
        signed = None if own is None else self.signer.sign(connection, own[1])
        if own is not None and signed is not None:
            groups.append(replace(own[0], checkpoint=signed.note))
        return _Noted(groups, signed)

    def _commit(self, transaction: sa.RootTransaction) -> None:
        try:
            transaction.commit()
        except exc.DBAPIError as error:
            where, reason = self._where, _reason(error)
            raise UnavailableError(
                f"The register {where} broke off while it committed ({reason}), and nobody knows whether that was "
                "recorded: see to it, look, and try again."
            ) from None

    def _sync(self) -> None:
        """Bring what a process that died had committed to an SQLite file to the disk: it may have died before that."""
        if self.sqlite:
            for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
                with suppress(FileNotFoundError):
                    sync(path)

    @property
    def inside(self) -> bool:
        """Whether this thread is in a write transaction."""
        return self._current is not None

    def prepare(self) -> None:
        """Make an SQLite file of mode 0600, with a write-ahead log: readers and a writer side by side."""
        if self.sqlite:
            _create_file(self.path)
            self._outside("PRAGMA journal_mode=WAL")

    def scrub(self) -> bool:
        """Overwrite what was deleted, as far as the database can: SQLite's log, PostgreSQL's dead rows.

        Returns:
            False while a reader, or an open transaction of this thread, keeps it from that.
        """
        if self.inside:
            return False
        if self.sqlite:
            return self._empty_log()
        self._outside(_VACUUM)
        return True

    def _empty_log(self) -> bool:
        """Moves SQLite's log into the file and cuts it to nothing; whether nobody was reading it."""
        with self._told(), self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA busy_timeout=100")  # whoever asks tries again
            try:
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout={PATIENCE_S * 1000}")
            return not busy

    def _outside(self, statement: str) -> None:
        """Run a statement that can't run in a transaction."""
        with self._told(), self._engine.connect() as connection:
            if self.sqlite:
                connection.connection.cursor().execute(statement)
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    @property
    def _current(self) -> sa.Connection | None:
        return getattr(self._local, "connection", None)

    def _sqlite_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url.set(drivername=f"sqlite+{_ALIKE}"),
            hide_parameters=True,
            connect_args={"timeout": PATIENCE_S},
            execution_options={"compiled_cache": _COMPILED},
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self) -> sa.Engine:
        url = self.url.set(drivername="postgresql+psycopg")
        options = " ".join(filter(None, (str(url.query.get("options", "")), "-c synchronous_commit=on")))
        try:
            return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"options": options})
        except ModuleNotFoundError:
            raise RegisterError(
                "A register on PostgreSQL needs the package psycopg: install demur[postgres]."
            ) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the database's errors into sentences: SQLAlchemy's, and the driver's own where bulk.py uses it."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise UnavailableError(self._sentence(error)) from None

    def _sentence(self, error: Exception) -> str:
        where, reason = self._where, _reason(error)
        if isinstance(error, exc.TimeoutError) or "locked" in reason or "lock timeout" in reason:
            return f"The register {where} has been busy for {PATIENCE_S} s: wait for the other process, then try again."
        return f"The register {where} can't be used ({reason}): nothing was changed; see to it and try again."

    @property
    def _where(self) -> str:
        return self.url.render_as_string(hide_password=True)


def _reason(error: Exception) -> str:
    """What a database says, in its first line: what follows may show a statement."""
    return str(getattr(error, "orig", error)).partition("\n")[0].strip()


def _create_file(path: Path) -> None:
    """An empty file of mode 0600, before SQLite could make a wider one; its -wal and -shm files take its mode.

    Raises:
        RegisterError: when the folder does not exist or can't be written to.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise RegisterError(f"{path} can't be created ({error.strerror}): choose another place.") from None


def _read_url(url: str) -> sa.URL:
    try:
        read = sa.make_url(url)
    except exc.ArgumentError:
        raise RegisterError(
            "The register's URL can't be read: write sqlite:///path or postgresql://host/name."
        ) from None
    backend = read.get_backend_name()
    if backend not in {"sqlite", "postgresql"} or not read.database or read.database == ":memory:":
        raise RegisterError(
            f"A register lives in an SQLite file or in PostgreSQL, not in {backend}: "
            "write sqlite:///path or postgresql://host/name."
        )
    return read


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions begin where we say so: see _begin_sqlite
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("demur_begin", "BEGIN"))
