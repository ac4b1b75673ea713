"""A corpus from its import to its verified export, at sizes that grow: what follows the rows, and what doesn't.

Run ``python bench/growing.py [ROWS ...]``, by default 2,000,000; ``python bench/growing.py 2000000 20000000 100000000``
took hours and 50 GB of disk. Each size runs once, from a Parquet table of made-up posts (`_posts.py`): a DuckDB copy of
the table, the import by one worker a core, honours of 1, 100 and 10,000 people (those with at most 500 rows by or
about them where fewer than 10,000 are asked for), then publish, export and verify from the command line. Each line says
seconds by the clock and seconds of processors, which a busy machine changes less; from the second size on, the ratio to
the first, by row where the work is by row, by affected row where it follows those.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import _measure as measure
import _posts as posts
import importing
from demur.corpus.honour import honour_in
from demur.corpus.importing import import_items
from demur.corpus.session import Session, writing
from demur.processes import collect_seldom, keep_memory
from demur.sources import load_source
from honouring import People

ROWS = (2_000_000,)
RUNS = {1: 21, 100: 5, 10_000: 1}
"""How often so many people object at once; the median is told."""
AIMS = {"import": "at least .8 of the first size's rows a second", "honour": "at most 2 times the first size's"}


@dataclass(frozen=True)
class Took:
    """What one step took."""

    clock: float
    """Seconds."""
    processors: float
    """Seconds, of this process and all that it started."""
    units: float
    """Rows that it read, or that were affected."""

    @property
    def each(self) -> float:
        """Microseconds of processors a unit."""
        return 1e6 * self.processors / max(self.units, 1)


def main() -> None:
    """Prints the figures."""
    keep_memory()  # as the command does
    collect_seldom()
    first: dict[str, Took] = {}
    for rows in [int(given) for given in sys.argv[1:]] or ROWS:
        print(f"{rows:,} rows, load {os.getloadavg()[0]:.1f}", flush=True)
        for name, took in _steps(rows):
            against = first.setdefault(name, took)
            ratio = "" if against is took else f", {took.each / against.each:.2f} times the first size's"
            print(
                f"  {name}: {took.clock:.2f} s, {took.processors:.2f} s of processors,"
                f" {took.units:,.0f} rows at {took.each:.2f} us{ratio}",
                flush=True,
            )
    for name, aim in AIMS.items():
        print(f"aim for {name}: {aim}")


def _steps(rows: int) -> Iterator[tuple[str, Took]]:
    source = posts.table(rows)
    yield "copy", _timed(lambda: measure.copy_seconds(source), rows)
    with measure.scratch() as folder:
        root = folder / "w"
        made = importing.workspace(root, rows)
        with measure.memory() as memory:
            batches = load_source("table").read([str(source)], {})
            yield "import", _timed(lambda: import_items(made, "table", batches, workers=os.cpu_count() or 1), rows)
        print(f"  peak memory of the import {memory.peak / 1e9:.2f} GB; corpus {_size(root) / 1e9:.2f} GB", flush=True)
        with writing(made, "bench") as session:
            people = People(session, rows)
            for count, runs in RUNS.items():
                yield f"honour {count:,}", _honours(session, people, count, runs)
        for name, arguments in (
            ("publish", ("publish", "v")),
            ("export", ("export", "v", "--to", str(folder / "export"))),
            ("verify", ("verify", "v")),
            ("verify --export", ("verify", "v", "--export", str(folder / "export"))),
        ):
            yield name, _timed(partial(_demur, root, *arguments), rows)
        print(f"  export {_size(folder / 'export') / 1e9:.2f} GB", flush=True)


def _honours(session: Session, people: People, count: int, runs: int) -> Took:
    clocks, processors, affected = list[float](), list[float](), list[float]()
    for _ in range(runs):
        who = people.take(count)
        with session.register.locked():
            for account in who:
                session.register.objections.lodge([account], channel="api")
        before, began = measure.processors(), time.perf_counter()
        report = honour_in(session)
        clocks.append(time.perf_counter() - began)
        processors.append(measure.processors() - before)
        affected.append(report.deleted + report.rewritten)
    return Took(*(measure.median(each) for each in (clocks, processors, affected)))


def _timed(work: Callable[[], object], units: float) -> Took:
    before, began = measure.processors(), time.perf_counter()
    work()
    return Took(time.perf_counter() - began, measure.processors() - before, units)


def _demur(root: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "demur", *arguments, "-w", str(root)], check=True, capture_output=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
