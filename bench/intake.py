"""Intake: acknowledged, durable objections a second over HTTP, one server process, on SQLite and on PostgreSQL.

Run ``python bench/intake.py [SECONDS]``, by default 10 a run. The load generator (_load.py: raw sockets, kept
connections) is another process on the same machine. First as many as 64 connections can bring (closed loop), then at
half the target's rate at appointed times (open loop). The yardstick, in the same minutes: one connection that inserts
and commits one row at a time in the same database. Every acknowledged objection is counted in the register afterwards.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))

from cluster import postgresql_database, programs
from making import open_policy

import _measure as measure
from demur import workspace as workspaces
from demur.policy.sections import RegisterPlace

SECONDS = 10.0
CONNECTIONS = 64
TARGETS = {"PostgreSQL": 400, "SQLite": 250}
P99 = 0.25
"""Seconds, at half the target's rate."""
SERVER = """
import sys
import uvicorn
from pathlib import Path
from demur.web.app import create_app
from demur.workspace import find

app = create_app(find(Path(sys.argv[1])))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
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


def show(name: str, root: Path, url: str, seconds: float) -> None:
    """Prints one database's figures."""
    target = TARGETS[name]
    made = workspaces.create(root, open_policy(register_=RegisterPlace(url=url)))
    with made.register() as register:
        key = register.api_keys.create("bench")
    before = yardstick(made.register_url, min(seconds, 5))
    with serving(root) as (port, pid):
        load(port, key, 1, 0, 0)
        busy = processor(pid)
        most = load(port, key, seconds, 0, 10_000_000)
        busy = processor(pid) - busy
        keyed = load(port, key, seconds, 0, 30_000_000, once=True)
        steady = load(port, key, seconds, target / 2, 20_000_000)
    after = yardstick(made.register_url, min(seconds, 5))
    rate, again = (run["acknowledged"] / run["seconds"] for run in (most, keyed))
    bare, half, refused = (before + after) / 2, target / 2, sum(run["refused"] for run in (most, keyed, steady))
    print(f"{name}: {rate:,.0f} objections/s (target {target}), p99 {quantile(most, 0.99):.0f} ms")
    print(f"  with an Idempotency-Key each: {again:,.0f}/s; refused in all runs: {refused}")
    print(f"  the server's processor time for one: {1000 * busy / most['acknowledged']:.2f} ms")
    print(f"  yardstick: {bare:,.0f} bare inserts with commit/s ({before:,.0f} before, {after:,.0f} after)", end="")
    print(f"; ratio {rate / bare:.2f}")
    print(f"  at {half:.0f}/s: p50 {quantile(steady, 0.5):.0f} ms, p99 {quantile(steady, 0.99):.0f} ms", end="")
    print(f" (target {1000 * P99:.0f}), worst {quantile(steady, 1):.0f} ms")
    with made.register() as register:
        recorded = register.in_force()
    print(f"  {recorded:,} in the register")
    assert recorded >= sum(run["acknowledged"] for run in (most, keyed, steady))


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
