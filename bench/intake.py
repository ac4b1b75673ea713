"""Intake: acknowledged, durable objections a second over HTTP, one server process, on SQLite and on PostgreSQL.

Run ``python bench/intake.py [SECONDS]``, by default 10 a run, in three rounds (``DEMUR_RUNS``). The load generator
(_load.py: raw sockets, kept connections) is another process on the same machine. First as many as 64 connections can
bring (closed loop), then at half the target's rate at appointed times (open loop). The yardstick, in the same minutes:
one connection that inserts and commits one row at a time in the same database. Every acknowledged objection is counted
in the register afterwards.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))

from cluster import postgresql_database, programs
from making import open_policy

import _measure as measure
from demur import workspace as workspaces
from demur.policy.model import RegisterPlace

SECONDS = 10.0
CONNECTIONS = 64
TARGETS = {"PostgreSQL": 800, "SQLite": 800}
P99 = 0.1
"""Seconds, at half the target's rate."""
SERVER = """
import sys
import uvicorn
from pathlib import Path
from demur.web.server import serving
from demur.web.app import create_app
from demur.workspace import find

app = create_app(find(Path(sys.argv[1])))
uvicorn.Server(serving.config(app, "127.0.0.1", int(sys.argv[2]))).run()
"""
"""`demur serve` without what it prints."""


def main() -> None:
    """Prints the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with measure.scratch() as folder:
        show("SQLite", folder / "sqlite", "", seconds)
        found = programs()
        if found is None:
            print("PostgreSQL: not installed")
            return
        with postgresql_database(found) as url:
            show("PostgreSQL", folder / "postgresql", url, seconds)


@dataclass
class Round:
    """One round of runs against one server."""

    most: dict[str, Any]
    """As many as come, one after another on each connection."""
    keyed: dict[str, Any]
    """The same with an Idempotency-Key each."""
    steady: dict[str, Any]
    """Half the target's rate, at appointed times."""
    busy: float
    """Seconds of the server's processor time in `most`."""
    bare: float
    """The yardstick, just before and just after."""

    @property
    def runs(self) -> tuple[dict[str, Any], ...]:
        """All of them."""
        return self.most, self.keyed, self.steady


def show(name: str, root: Path, url: str, seconds: float) -> None:
    """Prints one database's figures: medians of the rounds."""
    target = TARGETS[name]
    made = workspaces.create(root, open_policy(register_=RegisterPlace(url=url)))
    with made.register() as register:
        key = register.api_keys.create("bench")
    with serving(root) as (port, pid), measure.memory() as memory:
        load(port, key, 1, 0, 0)
        server = Server(made.register_url, port, key, pid, seconds)
        rounds = [one_round(server, target / 2, (number + 1) * 100_000_000) for number in range(measure.RUNS)]
    print_rounds(name, rounds, target)
    with made.register() as register:
        recorded = register.objections.in_force()
    print(f"  {recorded:,} in the register; peak memory of all processes but the database's {memory.peak / 1e6:.0f} MB")
    assert recorded >= sum(run["acknowledged"] for each in rounds for run in each.runs)


@dataclass(frozen=True)
class Server:
    """What the load goes to."""

    url: str
    port: int
    key: str
    pid: int
    seconds: float


def one_round(server: Server, rate: float, first: int) -> Round:
    """One run of each kind; ``first`` is the number of the first account."""
    before = yardstick(server.url, min(server.seconds, 3))
    busy = processor(server.pid)
    most = load(server.port, server.key, server.seconds, 0, first)
    busy = processor(server.pid) - busy
    keyed = load(server.port, server.key, server.seconds, 0, first + 30_000_000, once=True)
    steady = load(server.port, server.key, server.seconds, rate, first + 60_000_000)
    after = yardstick(server.url, min(server.seconds, 3))
    return Round(most, keyed, steady, busy, (before + after) / 2)


def print_rounds(name: str, rounds: list[Round], target: float) -> None:
    """Prints the medians, and each round's figure behind those that have a target."""

    def middle(figure: Callable[[Round], float]) -> float:
        return measure.median([figure(each) for each in rounds])

    def listed(figure: Callable[[Round], float]) -> str:
        return ", ".join(f"{figure(each):,.0f}" for each in rounds)

    rate, p99 = (lambda each: speed(each.most)), (lambda each: quantile(each.steady, 0.99))
    refused = sum(run["refused"] for each in rounds for run in each.runs)
    print(f"{name}: {middle(rate):,.0f} objections/s (target {target}; {listed(rate)})")
    print(f"  with an Idempotency-Key each: {middle(lambda each: speed(each.keyed)):,.0f}/s; refused in all: {refused}")
    cost = middle(lambda each: 1000 * each.busy / each.most["acknowledged"])
    print(f"  the server's processor time for one: {cost:.2f} ms")
    bare, ratio = middle(lambda each: each.bare), middle(lambda each: speed(each.most) / each.bare)
    print(f"  yardstick: {bare:,.0f} bare inserts with commit/s; ratio {ratio:.2f}")
    p50, worst = middle(lambda each: quantile(each.steady, 0.5)), max(quantile(each.steady, 1) for each in rounds)
    print(f"  at {target / 2:.0f}/s: p50 {p50:.0f} ms, p99 {middle(p99):.0f} ms", end="")
    print(f" (target {1000 * P99:.0f}; {listed(p99)}), worst {worst:.0f} ms")


def speed(run: dict[str, Any]) -> float:
    """Acknowledged objections a second."""
    acknowledged, seconds = run["acknowledged"], run["seconds"]
    return float(acknowledged / seconds)


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used, its own and the system's for it."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def quantile(run: dict[str, Any], share: float) -> float:
    """A quantile of latencies, in milliseconds."""
    return 1000 * float(np.quantile(run["latencies"], share))


def yardstick(url: str, seconds: float) -> float:
    """Bare inserts of one row, each with its commit, a second: one connection, as durable as the register."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as shared:
        raw: Any = shared.connection.driver_connection
        cursor = raw.cursor()
        if "sqlite" in url:
            raw.isolation_level = None
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, value TEXT)")
        cursor.execute("DELETE FROM bare")
        raw.commit()
        number, until = 0, time.perf_counter() + seconds
        mark = "?" if "sqlite" in url else "%s"
        while time.perf_counter() < until:
            cursor.execute(f"INSERT INTO bare VALUES ({mark}, {mark})", (number, "x" * 200))
            raw.commit()
            number += 1
        cursor.execute("DROP TABLE bare")
        raw.commit()
    engine.dispose()
    return number / seconds


@contextmanager
def serving(root: Path) -> Iterator[tuple[int, int]]:
    """The port of a server, and its process."""
    port = 18_000 + os.getpid() % 10_000
    with subprocess.Popen([sys.executable, "-c", SERVER, str(root), str(port)]) as server:
        try:
            wait_for(port)
            yield port, server.pid
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Waits until somebody listens."""
    import socket  # noqa: PLC0415

    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def load(port: int, key: str, seconds: float, rate: float, first: int, *, once: bool = False) -> dict[str, Any]:
    """One run of the load generator."""
    connections = CONNECTIONS if rate == 0 else 4 * CONNECTIONS
    given = (port, key, seconds, connections, rate, first, "once" if once else "plain")
    command = [sys.executable, str(Path(__file__).with_name("_load.py")), *map(str, given)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
