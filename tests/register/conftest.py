"""One suite, two databases: every test that asks for `register` or `place` runs on SQLite and on PostgreSQL."""

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cluster import Cluster

from demur.identity import Keys
from demur.register import MEMBER, Register


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
