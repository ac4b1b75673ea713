"""A consistent copy of a register while servers write to it, and how it is put back.

Invariants: a copy is one moment of the register, and what is said of its end is read of that very moment; SQLite is
copied by its backup API (https://www.sqlite.org/backup.html), which reads one state whatever writers do; PostgreSQL by
`pg_dump` in the custom format, of a snapshot that our own transaction holds (*Snapshot Synchronization Functions* in
its manual). A password goes to these programs through the environment, and never onto their command line.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa

from demur.errors import RegisterError, UnavailableError
from demur.register.database import entries, instance, journal
from demur.register.database.mark import Point
from demur.register.database.store import Store

SQLITE: Final = "register.db"
DUMP: Final = "register.dump"
_HEAD: Final = "SELECT seq, commitment FROM entry ORDER BY seq DESC LIMIT 1"


def copy(url: str, folder: Path) -> tuple[str, Point]:
    """Copy the register at ``url`` into ``folder``; the file's name, and the entry that the copy ends at.

    Raises:
        RegisterError: when the copy is damaged, or the program that makes it is not there.
        UnavailableError: when the database can't be read.
    """
    store = Store(url)
    try:
        if store.sqlite:
            return SQLITE, _copy_sqlite(store.path, folder / SQLITE)
        return DUMP, _dump(store, folder / DUMP)
    finally:
        store.close()


def size(url: str) -> int:
    """Bytes that a copy takes, about."""
    store = Store(url)
    try:
        if store.sqlite:
            return sum(path.stat().st_size for path in _files(store.path) if path.is_file())
        with store.reading() as connection:
            return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)
    finally:
        store.close()


def place(url: str) -> Path | None:
    """The file of a register on SQLite; None for one on PostgreSQL."""
    store = Store(url)
    try:
        return store.path if store.sqlite else None
    finally:
        store.close()


def url_of(path: Path) -> str:
    """The URL of a register in an SQLite file; a folder's name may hold ? or %."""
    return f"sqlite:///{quote(str(path.resolve()))}"


def put_back(dump: Path, url: str, known: str, end: Point) -> None:
    """Put a dump into the PostgreSQL database at ``url``: all of it, or nothing.

    The database must be empty, or hold the very backup already, of the instance ``known`` and up to ``end``: then an
    earlier restore was cut off.

    Raises:
        RegisterError: when it holds another register, or `pg_restore` is not there or fails.
    """
    store = Store(url)
    try:
        again = _holds(store, known, end)
    finally:
        store.close()
    clean = ("--clean", "--if-exists") if again else ()
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", *clean)
    _run("pg_restore", url, *options, str(dump))


def _copy_sqlite(source: Path, to: Path) -> Point:
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(to)) as there:
            here.backup(there)
        with closing(sqlite3.connect(f"{to.resolve().as_uri()}?immutable=1", uri=True)) as copied:
            sound = copied.execute("PRAGMA quick_check").fetchone()
            found = copied.execute(_HEAD).fetchone()
    except sqlite3.Error as error:
        raise UnavailableError(f"The register {source} can't be copied ({error}): see to it and try again.") from None
    if sound != ("ok",):
        raise RegisterError(f"The register {source} is damaged ({sound[0]}): restore a backup with `demur restore`.")
    return Point(0, b"") if found is None else Point(found[0], bytes(found[1]))


def _dump(store: Store, to: Path) -> Point:
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with store.reading() as connection:  # REPEATABLE READ: the snapshot lives as long as this transaction
        snapshot = str(connection.scalar(sa.text("SELECT pg_export_snapshot()")))
        end = journal.end(connection)
        url = store.url.render_as_string(hide_password=False)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={to}")
        _run("pg_dump", url, *options)
    return end


def _holds(store: Store, known: str, end: Point) -> bool:
    """Whether the database holds what a restore of this backup left when it was cut off; False for an empty one."""
    with store.reading() as connection:
        tables = sa.inspect(connection).get_table_names()
        if not tables:
            return False
        found = instance.read(connection) if {"state", "entry"} <= set(tables) else None
        here = journal.end(connection) if found is not None else None
        if found is not None and found.id == known and (here == end or instance.restoring(connection)):
            return True
        held = f"{entries.head(connection).seq} entries" if found is not None else "tables of others"
    where = store.url.render_as_string(hide_password=True)
    raise RegisterError(
        f"The database {where} is not empty ({held}): a restore overwrites nothing; name an empty one with --register."
    )


def _run(program: str, url: str, *options: str) -> None:
    """Run a program of PostgreSQL's on the database at ``url``."""
    if shutil.which(program) is None:
        raise RegisterError(
            f"{program} is not on the path, and a register on PostgreSQL is copied with it: install PostgreSQL's "
            "client programs of your server's release, and run the same command again."
        )
    read = sa.make_url(url)
    environment = dict(os.environ)
    if read.password is not None:
        environment["PGPASSWORD"] = str(read.password)
    bare = read.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run(  # noqa: S603  # the program's name is ours
        [program, *options, f"--dbname={bare}"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RegisterError(
            f"{program} failed ({told[:300].rstrip('.')}): nothing was changed; see to it and try again."
        )


def _files(path: Path) -> tuple[Path, ...]:
    return path, path.with_name(f"{path.name}-wal")
