"""The place of a register: created, opened, upgraded, refused; and what a bad place is told."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from demur.errors import RegisterError, UnavailableError
from demur.identity import Keys
from demur.register import Register
from demur.register.database import bulk, schema, store
from demur.register.database.tables import metadata

if TYPE_CHECKING:
    from cluster import Cluster
    from tests.register.conftest import Place

NEXT = '''"""The next revision, for tests."""
import os
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "LAST"
def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    if os.environ.get("DEMUR_TEST_BREAK") == "error":
        raise RuntimeError("power cut")
    if os.environ.get("DEMUR_TEST_BREAK") == "exit":
        os._exit(9)
    op.add_column("state", sa.Column("later", sa.Text))
'''

OPEN = """
import sys
from pathlib import Path
from demur.register.database import schema
from demur.register.database.store import Store
schema.MIGRATIONS = Path(sys.argv[2])
schema.check(Store(sys.argv[1]))
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as a later version would have it: one revision more."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    (folder / "versions" / "r9999_later.py").write_text(NEXT.replace("LAST", schema.revisions()[-1]))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    yield
    monkeypatch.undo()


def columns(register: Register) -> set[str]:
    with register._store.reading() as connection:
        return {column["name"] for column in sa.inspect(connection).get_columns("state")}


def test_the_migrations_make_the_tables_the_code_uses(register: Register) -> None:
    with register._store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_creating_again_opens(place: "Place") -> None:
    with place.create() as register:
        register.objections.lodge(["x:a"], channel="web")
    with place.create() as register:
        assert register.log.head().seq == 1


def test_there_is_nothing_to_open(place: "Place") -> None:
    with pytest.raises(RegisterError, match="demur init"):
        place.open()
    if place.sqlite:
        assert not place.file.exists()


@pytest.mark.usefixtures("next_version")
def test_an_older_register_is_upgraded(place: "Place", monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", Path(schema.__file__).parent / "migrations")
        with place.create() as register:
            register.objections.lodge(["x:a"], channel="web")
    with place.open() as register:
        assert "later" in columns(register)
        assert len(register.standing.suppressed()) == 1


@pytest.mark.usefixtures("next_version")
def test_an_interrupted_upgrade_leaves_nothing_and_the_next_open_finishes_it(
    place: "Place", monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", Path(schema.__file__).parent / "migrations")
        place.create().close()
    monkeypatch.setenv("DEMUR_TEST_BREAK", "error")
    with pytest.raises(RuntimeError, match="power cut"):
        place.open()
    monkeypatch.setenv("DEMUR_TEST_BREAK", "exit")
    arguments = [sys.executable, "-c", OPEN, place.url, str(schema.MIGRATIONS)]
    assert subprocess.run(arguments, check=False).returncode == 9
    monkeypatch.delenv("DEMUR_TEST_BREAK")
    with place.open() as register:
        assert "later" in columns(register)


def test_a_newer_register_is_left_alone(
    place: "Place", request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue("next_version")
    place.create().close()
    monkeypatch.setattr(schema, "MIGRATIONS", Path(schema.__file__).parent / "migrations")
    for use in (place.open, place.create):
        with pytest.raises(RegisterError, match=r"written by a newer demur .* install that version"):
            use()


def test_an_empty_file_is_no_fresh_register_but_to_its_creation(sqlite_place: "Place") -> None:
    """A copy that broke off leaves one: taken for a fresh register, it would be one without any objection."""
    sqlite_place.file.touch()
    with pytest.raises(RegisterError, match=r"holds no register: put the workspace's own back"):
        sqlite_place.open()
    with sqlite_place.create() as register:
        assert register.log.head().seq == 0


def test_the_files_are_the_owners_alone(sqlite_place: "Place") -> None:
    before = os.umask(0)
    try:
        with sqlite_place.create() as register:
            register.objections.lodge(["x:a"], channel="web")
            files = list(sqlite_place.file.parent.glob("register.db*"))
            assert len(files) == 3
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)


def test_sqlite_is_set_to_lose_nothing(sqlite_place: "Place") -> None:
    with sqlite_place.create() as register, register._store.reading() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "busy_timeout": 30_000}


def test_postgresql_is_set_to_lose_nothing(cluster: "Cluster", keys: Keys) -> None:
    cluster.run("CREATE DATABASE demur_commit")
    cluster.run("ALTER DATABASE demur_commit SET synchronous_commit = off")
    url = cluster.url("demur_commit") + "&options=-cstatement_timeout%3D60000"
    with Register.create(url, keys) as register, register._store.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "1min"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "", "postgresql:"])
def test_an_url_that_is_none(url: str, keys: Keys) -> None:
    with pytest.raises(RegisterError, match=r"write sqlite:///path or postgresql://host/name\.$"):
        Register.create(url, keys)


def test_a_place_that_does_not_exist(keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match=r"can't be created .* choose another place"):
        Register.create(f"sqlite:///{tmp_path}/nowhere/register.db", keys)


def test_a_server_that_does_not_answer_and_no_password_shown(keys: Keys, tmp_path: Path) -> None:
    url = f"postgresql://ann:sesame@/demur?host={tmp_path}"
    with pytest.raises(UnavailableError, match="can't be used") as raised:
        Register.open(url, keys)
    assert "sesame" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_database(sqlite_place: "Place") -> None:
    sqlite_place.file.write_bytes(b"nothing of the kind" * 100)
    for use in (sqlite_place.open, sqlite_place.create):
        with pytest.raises(UnavailableError, match="not a database"):
            use()
    assert sqlite_place.file.read_bytes() == b"nothing of the kind" * 100


def test_another_programs_database(sqlite_place: "Place") -> None:
    with closing(sqlite3.connect(sqlite_place.file)) as other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(RegisterError, match="holds no register"):
        sqlite_place.open()


def test_without_the_driver(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(sa, "create_engine", absent)
    with pytest.raises(RegisterError, match=r"install demur\[postgres\]"):
        Register.open("postgresql://host/name", keys)


def test_a_full_disk_changes_nothing(sqlite_place: "Place") -> None:
    with sqlite_place.create() as register:
        register.objections.lodge(["x:a"], channel="web")
        with register._store.session() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(UnavailableError, match="full"):
            register.objections.lodge([f"x:{number}" for number in range(500)], channel="web")
        assert register.log.head().seq == 1


def test_errors_never_show_what_was_written(register: Register) -> None:
    with pytest.raises(UnavailableError) as raised, register.locked():
        register._store._current.execute(  # type: ignore[union-attr]  # it is there while locked
            sa.text("INSERT INTO nowhere VALUES (:name)"), {"name": "annika"}
        )
    assert "annika" not in str(raised.value)


def test_errors_of_the_driver_itself_are_told_too(register: Register) -> None:
    nowhere = sa.Table("nowhere", sa.MetaData(), sa.Column("key", sa.BigInteger))
    for use in (
        lambda connection: bulk.write(connection, nowhere, [(1,)]),
        lambda connection: bulk.read_keys(connection, sa.select(nowhere.c.key)),
    ):
        with pytest.raises(UnavailableError, match="nowhere"), register._store.writing() as connection:
            use(connection)


def test_more_threads_than_connections_are_told_to_wait(sqlite_place: "Place", monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite_place.create() as register:
        pool = register._store._engine.pool
        assert isinstance(pool, sa.QueuePool)
        monkeypatch.setattr(pool, "_timeout", 0.05)
        with ExitStack() as stack:
            for _ in range(15):
                stack.enter_context(register._store.reading())
            with pytest.raises(UnavailableError, match="busy"):
                register.log.head()
        assert register.log.head().seq == 0


def test_a_busy_register_says_so(place: "Place", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE_S", 1)
    with place.create() as one, place.open() as other, one.locked():
        with pytest.raises(UnavailableError, match="busy for 1 s: wait for the other process"):
            other.objections.lodge(["x:a"], channel="web")
        assert other.log.head().seq == 0  # reading never waits
