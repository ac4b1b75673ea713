"""Cold starts: what `demur object`, `status` and `find` take as new processes, at many objections.

Run ``python bench/cold.py [OBJECTIONS [ROWS]]``, by default 100,000 and 200,000; or ``python bench/cold.py DIR`` for a
workspace that is there (``object`` adds to it). The yardsticks in the same minutes: Python itself, and the import of
Lance. Seconds of processors (user and system) and by the clock, medians of DEMUR_COLD_RUNS (5); the first run of each
command, which may write what is kept, is told apart.
"""

import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

import _measure as measure
import _posts as posts
import worded
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.sources import load_source

OBJECTIONS: Final = 100_000
ROWS: Final = 200_000
RUNS: Final = int(os.environ.get("DEMUR_COLD_RUNS", "5"))
TARGETS: Final = {"object": 0.6, "status": 0.6}
OF_LANCE: Final = 1.5
"""Times the import of Lance: the target of `find`."""
_SOMEBODY: Final = 10_001
"""Of the forum's people, who did not object."""


def main() -> None:
    """Prints the figures."""
    given = sys.argv[1:]
    if given and not given[0].isdecimal():
        show(Path(given[0]))
        return
    objections, rows = (int(given[0]) if given else OBJECTIONS, int(given[1]) if given[1:] else ROWS)
    with measure.scratch() as folder:
        make(folder / "w", objections, rows)
        print(f"{objections:,} objections, {rows:,} rows")
        show(folder / "w")


def make(root: Path, objections: int, rows: int) -> None:
    """A workspace in which one in a hundred of the forum's people objected, and as many strangers as are wanted."""
    own = np.arange(0, posts.people(rows), 100)[:objections]
    strangers = posts.people(rows) + np.arange(objections - len(own))
    made = workspaces.create(root, worded.policy())
    worded.lodge(made, posts.accounts(np.concatenate([own, strangers])))
    source = load_source("table").read([str(posts.table(rows))], {})
    import_items(made, "table", source, workers=os.cpu_count() or 1)


def show(root: Path) -> None:
    """A line for each command."""
    demur, place = [sys.executable, "-m", "demur"], ["-w", str(root)]
    someone = posts.accounts(np.array([_SOMEBODY]))[0]
    told("python", lambda: [sys.executable, "-c", "pass"])
    lance = told("import lance", lambda: [sys.executable, "-c", "import lance"])
    told("status", lambda: [*demur, "status", *place], TARGETS["status"])
    told("find", lambda: [*demur, "find", *place, "--account", someone], OF_LANCE * lance)
    told("object", lambda: [*demur, "object", *place, "--account", f"x:{secrets.token_hex(8)}"], TARGETS["object"])


def told(what: str, command: Callable[[], Sequence[str]], target: float | None = None) -> float:
    """Runs a command some times, and prints its medians; the seconds of processors."""
    first, *runs = [timed(command()) for _ in range(RUNS + 1)]
    worked, took = (measure.median([run[which] for run in runs]) for which in (0, 1))
    aim = "" if target is None else f" (target {target:.2f})"
    print(
        f"  {what}: {worked:.2f} s of processors{aim}, {took:.2f} s by the clock; first {first[0]:.2f}, {first[1]:.2f}"
    )
    return worked


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of processors, and by the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


if __name__ == "__main__":
    main()
