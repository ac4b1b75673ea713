"""Import on Ray and on Spark against the local pool, on this machine, after start; and what a second worker adds.

Run ``python bench/engines.py [ROWS]`` with the extras `ray` and `spark` installed, by default 1,000,000. Each engine
has a process of its own, whose cluster has started and done an import before anything is timed. What counts is what
ROWS more take: the time of an import of 200,000 and ROWS less that of one of 200,000, so that the start of workers,
which the pool has in each import, is in neither. Posts, policy and objections are those of ``bench/importing.py``;
medians of DEMUR_RUNS (3) rounds that take the engines in turn. Processor time is of the process and all below it.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import _measure as measure
import _posts as posts
import importing
from demur.corpus.engines.names import LOCAL, RAY, SPARK
from demur.corpus.importing import import_items
from demur.sources import load_source

ROWS: Final = 1_000_000
BEFORE: Final = 200_000
"""Rows of the import that is taken off; the pool starts its workers for as many."""
CASES: Final = ((LOCAL, 2), (RAY, 2), (SPARK, 2), (RAY, 1), (SPARK, 1))
"""Engines, and how many work at once."""
TARGETS: Final = {RAY: 1.3, SPARK: 2.0}
"""Times what the local pool takes."""
EFFICIENCY: Final = 0.85
"""Of two workers: what one takes over twice what two take."""

Told = dict[str, float]


def main() -> None:
    """Prints the figures, or does one case of them."""
    if missing := [name for name in ("ray", "pyspark") if not importlib.util.find_spec(name)]:
        print(f"engines.py needs {' and '.join(missing)}: pip install 'demur[ray,spark]'.")
    elif sys.argv[1:2] == ["one"]:
        _, _, engine, workers, rows = sys.argv
        print(json.dumps(one(engine, int(workers), int(rows))))
    else:
        show(int(sys.argv[1]) if sys.argv[1:] else ROWS)


def show(rows: int) -> None:
    """Runs every case in turn, and prints what they took."""
    small, large = posts.table(BEFORE), posts.table(BEFORE + rows)
    copies: list[float] = []
    told: dict[tuple[str, int], list[Told]] = {case: [] for case in CASES}
    for _ in range(measure.RUNS):
        copies.append(measure.copy_seconds(large) - measure.copy_seconds(small))
        for case, runs in told.items():
            runs.append(_apart(*case, rows))
    copy = measure.median(copies)
    took = {case: _median(runs, "more") for case, runs in told.items()}
    pool = took[LOCAL, 2]
    print(f"{rows:,} rows after {BEFORE:,}; the copy {copy:.1f} s ({', '.join(f'{s:.1f}' for s in copies)})")
    for (engine, workers), runs in told.items():
        seconds = took[engine, workers]
        each = ", ".join(f"{run['more']:.1f}" for run in runs)
        print(f"{engine}, {workers} at once: {seconds:.1f} s ({each}), {rows / seconds:,.0f} rows/s")
        print(f"  {seconds / copy:.1f} times the copy; {_median(runs, 'processors'):.1f} s of processors")
        print(f"  start {_median(runs, 'start'):.1f} s; peak memory {max(run['peak'] for run in runs):.2f} GB")
    for engine, target in TARGETS.items():
        efficiency = took[engine, 1] / took[engine, 2] / 2
        print(f"{engine}: {took[engine, 2] / pool:.2f} times the pool (target {target})")
        print(f"{engine}: efficiency of the second worker {efficiency:.2f} (target {EFFICIENCY})")


def one(engine: str, workers: int, rows: int) -> Told:
    """Starts an engine and imports; seconds of its start, and of what ``rows`` more take, of processors, too."""
    with measure.scratch() as folder:
        began = time.perf_counter()
        end = _started(engine, workers, folder)
        start = time.perf_counter() - began
        each = enumerate((BEFORE, BEFORE, BEFORE + rows))
        times = [_imported(engine, workers, folder / f"w{at}", count) for at, count in each]
        end()
    (_, _), (few, spent_few), (many, spent_many) = times
    return {"start": start, "more": many - few, "processors": spent_many - spent_few}


def _started(engine: str, workers: int, folder: Path) -> Callable[[], object]:
    if engine == RAY:
        from demur.corpus.engines.ray_data import connect  # noqa: PLC0415  # an extra

        return connect(workers)
    if engine == SPARK:
        from demur.corpus.engines.spark_arrow import session  # noqa: PLC0415  # an extra

        return session(workers, folder / "spark").stop  # type: ignore[no-any-return]  # pyspark comes without types
    return lambda: None


def _imported(engine: str, workers: int, root: Path, rows: int) -> tuple[float, float]:
    made = importing.workspace(root, rows)
    batches = load_source("table").read([str(posts.table(rows))], {})
    spent, began = measure.processors(), time.perf_counter()
    import_items(made, "table", batches, workers=workers, engine=engine)
    return time.perf_counter() - began, measure.processors() - spent


def _apart(engine: str, workers: int, rows: int) -> Told:
    """A case in a process of its own, and the peak of its memory and of all below it, in GB."""
    command = [sys.executable, "-W", "ignore", __file__, "one", engine, str(workers), str(rows)]
    with measure.memory() as memory:
        done = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, check=True)
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told | {"peak": memory.peak / 1e9}


def _median(runs: list[Told], name: str) -> float:
    return measure.median([run[name] for run in runs])


if __name__ == "__main__":
    main()
