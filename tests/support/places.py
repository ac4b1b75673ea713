"""Where the registers of tests' workspaces lie: in a file of the folder, or in a database of a PostgreSQL server.

Tests of objecting, web and worker make their workspaces here and nowhere else, so that each of them runs on either
database: on SQLite, and those marked `either` on PostgreSQL, too; with ``pytest --register postgresql`` all of them on
PostgreSQL alone.
"""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
from cluster import Cluster

from demur.policy import Policy, write_policy
from demur.policy.model import RegisterPlace
from demur.workspace import Workspace, find
from demur.workspace import create as create_anywhere

_PREFIX: Final = "demur_of_a_test_"
_FILES: Final = ("register.db", "register.db-wal", "register.db-shm")


class Servers:
    """The server in which registers are made now; none: each is a file."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self.made: list[str] = []
        """The databases that are there."""

    @property
    def sqlite(self) -> bool:
        """Whether registers are files."""
        return self.cluster is None

    def url(self, template: str = "template1") -> str:
        """The `url` of [register] for a new register; the copy of a database where one is named."""
        if self.cluster is None:
            return ""
        name = f"{_PREFIX}{uuid.uuid4().hex}"
        self.cluster.create(name, template)
        self.made.append(name)
        return self.cluster.url(name)

    def forget(self, kept: int) -> None:
        """Remove all databases but the oldest ones."""
        for name in self.made[kept:]:
            assert self.cluster is not None
            self.cluster.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        del self.made[kept:]


SERVERS: Final = Servers()


def placed(policy: Policy) -> Policy:
    """A policy whose register lies where those of tests do now, unless it says where."""
    if policy.register_.url:
        return policy
    return policy.model_copy(update={"register_": RegisterPlace(url=SERVERS.url(), mark=policy.register_.mark)})


def create(root: Path, policy: Policy) -> Workspace:
    """A new workspace."""
    return create_anywhere(root, placed(policy))


def decide(workspace: Workspace, policy: Policy) -> None:
    """Another policy in the same workspace, whose register stays where it is."""
    place = workspace.policy().register_
    workspace.policy_path.unlink()
    write_policy(policy.model_copy(update={"register_": place}), workspace.policy_path)


def copied(founded: Path, root: Path) -> Workspace:
    """A copy of a workspace that nobody has open, with a register of its own."""
    copy = find(Path(shutil.copytree(founded, root)))
    url = copy.policy().register_.url
    if url:
        said = copy.policy_path.read_text(encoding="utf-8")
        copy.policy_path.write_text(said.replace(url, SERVERS.url(database(copy))), encoding="utf-8")
    return copy


def database(workspace: Workspace) -> str:
    """The name of the database that holds a workspace's register; "" for a file."""
    return database_of(workspace.policy().register_.url)


def database_of(url: str) -> str:
    """The name of the database of a URL; "" for none."""
    return url.removeprefix("postgresql://demur@/").partition("?")[0]


def content(workspace: Workspace) -> bytes:
    """Everything that lies in a workspace's register, as it lies there: what is in the clear can be found in it."""
    if not database(workspace):
        return b"".join(each.read_bytes() for each in workspace.root.glob("register.db*"))
    found = b""
    with psycopg.connect(workspace.register_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT BINARY)".encode()) as copy:
                found += b"".join(copy)
    return found


def ruin(workspace: Workspace) -> None:
    """Leave something in the place of a register, of which nobody has a connection, that is none."""
    if name := database(workspace):
        assert SERVERS.cluster is not None
        SERVERS.cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
    else:
        workspace.root.joinpath(_FILES[0]).write_bytes(b"no database" * 1000)


def keep(workspace: Workspace, folder: Path) -> Callable[[], None]:
    """Keep a register, of which nobody has a connection, with its mark; what brings both back as they were."""
    folder.mkdir()
    name, names = database(workspace), (*_FILES, "register.mark")
    for each in names:
        if (workspace.root / each).exists():
            shutil.copyfile(workspace.root / each, folder / each)
    older = database_of(SERVERS.url(name)) if name else ""

    def bring_back() -> None:
        for each in names:
            (workspace.root / each).unlink(missing_ok=True)
            if (folder / each).exists():
                shutil.copyfile(folder / each, workspace.root / each)
        if older:
            assert SERVERS.cluster is not None
            SERVERS.cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
            SERVERS.cluster.run(f"ALTER DATABASE {older} RENAME TO {name}")

    return bring_back
