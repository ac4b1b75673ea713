"""Throw-away PostgreSQL servers on a socket, for tests and benchmarks."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg

_SETTINGS: Final = "-c listen_addresses='' -c shared_buffers=64MB -c max_wal_size=2GB"
_STRATEGIES: Final = 15
"""The release from which on a database is copied by the log or file by file, as one says."""
_FORGETTING: Final = "-c fsync=off -c full_page_writes=off"


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs: next to where `initdb` points, else Debian's newest."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    releases = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((initdb.parent for initdb in releases), key=lambda folder: int(folder.parent.name), default=None)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server on a socket, and its databases."""

    socket: Path
    """The folder of its socket, and of its data."""
    strategy: str = ""
    """How a database is copied: file by file takes half of the time, where the release leaves the choice."""
    control: Callable[..., object] = print
    """Runs pg_ctl on it."""

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://demur@/{name}?host={self.socket}"

    def run(self, statement: str) -> None:
        """Run a statement as the administrator."""
        with psycopg.connect(f"host={self.socket} user=demur dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def crash(self) -> None:
        """End it as a power cut would, and start it again: it goes through its log."""
        self.control("-m", "immediate", "-w", "restart")

    def create(self, name: str, template: str = "template1") -> None:
        """Make a database that holds what another one does."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {self.strategy}")


@contextmanager
def running(folder_of_programs: Path, where: Path | None = None, *, durable: bool = True) -> Iterator[Cluster]:
    """A server of its own, which ends with the block.

    Args:
        folder_of_programs: where initdb and pg_ctl lie.
        where: on which disk; the one of temporary files if not given.
        durable: whether what is committed outlives a kill, as on a server that is no throw-away.
    """
    folder = Path(tempfile.mkdtemp(prefix="demur-pg-", dir=where))  # short: a socket's path has at most 107 bytes
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody", "nogroup")
    user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    data, control = folder / "data", folder_of_programs / "pg_ctl"

    def run(*command: object) -> str:
        words = [str(part) for part in command]
        return str(subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder, **user).stdout)

    settings = _SETTINGS if durable else f"{_SETTINGS} {_FORGETTING}"
    run(folder_of_programs / "initdb", "-D", data, "-U", "demur", "-A", "trust", "-E", "UTF8", "--no-sync")
    run(control, "-D", data, "-l", folder / "log", "-o", f"{settings} -k '{folder}'", "-w", "start")
    try:
        release = int(run(control, "--version").split()[2].split(".")[0])
        strategy = "STRATEGY file_copy" if release >= _STRATEGIES else ""
        yield Cluster(folder, strategy, partial(run, control, "-D", data, "-l", folder / "log"))
    finally:
        run(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@contextmanager
def postgresql_database(folder_of_programs: Path, where: Path | None = None) -> Iterator[str]:
    """The URL of an empty database on a server of its own, as of :func:`running`."""
    with running(folder_of_programs, where) as server:
        name = f"demur_{uuid.uuid4().hex}"
        server.create(name)
        yield server.url(name)
