"""One suite, two databases: every test that asks for `register` or `place` runs on SQLite and on PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pyarrow as pa
import pytest

from demur.identity import Keys
from demur.register import MEMBER, Register

_PLACES = ("/usr/local/bin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
_SETTINGS = (
    "-c listen_addresses='' -c shared_buffers=64MB -c max_wal_size=2GB"
    " -c fsync=off -c full_page_writes=off"  # it is thrown away: no test here cuts the power
)
STRATEGIES = 15
"""The release from which on a database is copied by the log or file by file, as one says."""
_RAM = Path("/dev/shm")


@dataclass(frozen=True)
class Cluster:
    """A throw-away PostgreSQL server on a socket."""

    socket: Path
    strategy: str = ""
    """How a database is copied: file by file takes half of the time, where the release leaves the choice."""

    def url(self, name: str) -> str:
        """The URL of one database."""
        return f"postgresql://demur@/{name}?host={self.socket}"

    def run(self, statement: str) -> None:
        """Run a statement as the administrator."""
        with psycopg.connect(f"host={self.socket} user=demur dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, template: str = "template1") -> None:
        """Make a database that holds what another one does."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {self.strategy}")


@dataclass(frozen=True)
class Place:
    """Where a register can be made, and which keys it has."""

    url: str
    keys: Keys

    @property
    def sqlite(self) -> bool:
        """Whether it is a file."""
        return self.url.startswith("sqlite:")

    @property
    def file(self) -> Path:
        """The file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def create(self) -> Register:
        """A new register."""
        return Register.create(self.url, self.keys)

    def open(self) -> Register:
        """The same register, through connections of its own."""
        return Register.open(self.url, self.keys)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("DEMUR_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


def _command(name: str) -> str:
    for folder in _PLACES:
        found = shutil.which(name, path=folder)
        if found:  # a link in /usr/local/bin can't find its share folder: go to where it points
            return str(Path(found).resolve())
    _missing(f"PostgreSQL's {name} is not installed: apt-get install postgresql.")


def _as_postgres() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    initdb, control = _command("initdb"), _command("pg_ctl")
    where = _RAM if os.access(_RAM, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="demur-pg-", dir=where))  # short: a socket's path has at most 107 bytes
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    run: dict[str, Any] = {"capture_output": True, "cwd": folder, **_as_postgres()}
    data = folder / "data"
    subprocess.run([initdb, "-D", data, "-U", "demur", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, **run)
    settings = f"{_SETTINGS} -c unix_socket_directories='{folder}'"
    log = folder / "log"
    subprocess.run([control, "-D", data, "-l", log, "-o", settings, "-w", "start"], check=True, **run)
    try:
        release = int(
            subprocess.run([control, "--version"], check=True, text=True, **run).stdout.split()[2].split(".")[0]
        )
        yield Cluster(folder, "STRATEGY file_copy" if release >= STRATEGIES else "")
    finally:
        subprocess.run([control, "-D", data, "-m", "immediate", "-w", "stop"], check=True, **run)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.create(tmp_path_factory.mktemp("workspace") / "keys")


@pytest.fixture
def sqlite_place(tmp_path: Path, keys: Keys) -> Place:
    return Place(f"sqlite:///{tmp_path}/register.db", keys)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, keys: Keys, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path}/register.db", keys)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = f"demur_{uuid.uuid4().hex}"
    if "prepared" in request.fixturenames:
        cluster.create(name, request.getfixturevalue("postgresql_template"))
    else:
        cluster.create(name)
    yield Place(cluster.url(name), keys)
    cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """An empty register in a file, to be copied: making its tables takes longer than most tests."""
    made = Place(f"sqlite:///{tmp_path_factory.mktemp('template')}/register.db", keys)
    made.create().close()
    return made.file


@pytest.fixture(scope="session")
def postgresql_template(cluster: Cluster, keys: Keys) -> str:
    """The name of a database with an empty register, to be copied."""
    name = "demur_template"
    cluster.create(name)
    Place(cluster.url(name), keys).create().close()
    return name


@pytest.fixture
def prepared(request: pytest.FixtureRequest, place: Place) -> Place:
    """A place with an empty register; on PostgreSQL `place` made it as a copy."""
    if place.sqlite:
        shutil.copyfile(request.getfixturevalue("sqlite_template"), place.file)
    return place


@pytest.fixture
def register(prepared: Place) -> Iterator[Register]:
    """A new register; whatever a test did with it, what stands must follow from the entries (audit/)."""
    told: list[str] = []
    with prepared.open() as register:
        yield register
        register.audit(told.append)
    assert told == []


Row = Mapping[str, Any]
MakeBatch = Callable[..., pa.RecordBatch]


@pytest.fixture(scope="session")
def members() -> MakeBatch:
    """Builds a batch of members; what a row does not say is null."""

    def make(*rows: Row) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | dict(row) for row in rows], schema=MEMBER)

    return make


@pytest.fixture(scope="session")
def ann() -> Row:
    """A member with everything known; invented."""
    return {
        "account": "instagram:Ann.Sample",
        "names": ["Annika Beispiel", "Anni B."],
        "locale": "de-DE-1996",
        "region": "DE",
        "birth_year": 1990,
        "told_on": date(2026, 9, 1),
        "linked": ["mastodon:@ann@social.example"],
        "consented": False,
        "mail": "annika@mail.example",
        "mail_verified": True,
    }
