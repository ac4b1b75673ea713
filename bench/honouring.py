"""Honouring objections: find, delete and rewrite what concerns the people who object, at a cost that follows them.

Run ``python bench/honouring.py [ROWS ...]``, by default 2,000,000. People are taken at random from those with at most
500 rows by or about them. Warm means in a session that is open, as in a server or a worker; cold is
``demur maintain`` from the command line after one more objection. The yardstick of each figure is a plain DuckDB copy
of the same rows. The last figures come after 1,000 honours of one person each, with maintenance as it runs by itself.
"""

import os
import statistics
import subprocess
import sys
import time

import numpy as np

import _measure as measure
import _posts as posts
import importing
from demur import workspace as workspaces
from demur.corpus.honour import HonourReport, honour_in
from demur.corpus.importing import import_items
from demur.corpus.session import Session, writing
from demur.sources import load_source

ROWS = (2_000_000,)
MOST_ROWS = 500
TARGETS = {1: 0.15, 100: 1.0, 10_000: 10.0}
RUNS = {1: 21, 100: 5, 10_000: 3}
EARLIER = 1_000


class People:
    """Hands out people who have not objected yet, each with at most MOST_ROWS rows by or about them."""

    def __init__(self, session: Session, rows: int) -> None:
        self._session = session
        crowd = posts.people(rows)
        order = np.random.default_rng(3).permutation(crowd)
        self._waiting = iter(order[order % 100 != 0].tolist())

    def take(self, count: int) -> list[str]:
        """The accounts of ``count`` people; people with many rows are found out only where few are asked for."""
        found: list[str] = []
        while len(found) < count:
            account = posts.accounts(np.array([next(self._waiting)]))[0]
            if count > 100 or 0 < self._rows(account) <= MOST_ROWS:
                found.append(account)
        return found

    def _rows(self, account: str) -> int:
        keys = self._session.keys.pepper.subject_keys([account])
        return sum(len(batch) for batch in self._session.corpus.concerning(keys))


def main() -> None:
    """Prints the figures."""
    for rows in [int(given) for given in sys.argv[1:]] or ROWS:
        source = posts.table(rows)
        copy = measure.median([measure.copy_seconds(source) for _ in range(measure.RUNS)])
        print(f"{rows:,} rows; a plain copy takes {copy:.1f} s")
        with measure.scratch() as folder:
            made = importing.workspace(folder / "w", rows)
            import_items(made, "table", load_source("table").read([str(source)], {}), workers=os.cpu_count() or 1)
            with writing(made, "bench") as session:
                people = People(session, rows)
                for count, runs in RUNS.items():
                    show(
                        f"honour {count:,}",
                        [honoured(session, people.take(count)) for _ in range(runs)],
                        TARGETS[count],
                    )
                earlier = [honoured(session, people.take(1)) for _ in range(EARLIER)]
                show(f"each of {EARLIER:,} more", earlier, TARGETS[1])
                show("honour 1 after these", [honoured(session, people.take(1)) for _ in range(RUNS[1])], TARGETS[1])
                account = people.take(1)[0]
            show_cold(made, account)


def honoured(session: Session, accounts: list[str]) -> tuple[float, HonourReport]:
    """Seconds from the lodged objections to the honoured corpus, maintenance that fell due included."""
    with session.register.locked():
        for account in accounts:
            session.register.objections.lodge([account], channel="api")
    began = time.perf_counter()
    report = honour_in(session)
    return time.perf_counter() - began, report


def show(what: str, runs: list[tuple[float, HonourReport]], target: float) -> None:
    """One line: median, worst, and how many rows were concerned."""
    times = [took for took, _ in runs]
    rows = statistics.median(report.deleted + report.rewritten for _, report in runs)
    print(
        f"  {what}: median {measure.median(times):.3f} s, p95 {np.quantile(times, 0.95):.3f} s, "
        f"worst {max(times):.3f} s (target {target}), {rows:.0f} rows"
    )


def show_cold(made: workspaces.Workspace, account: str) -> None:
    """The same from the command line, in a process of its own."""
    command = [sys.executable, "-m", "demur", "object", "-w", str(made.root), "--account", account]
    took = measure.seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    print(f"  cold, `demur object` from the command line: {took:.2f} s")


if __name__ == "__main__":
    main()
