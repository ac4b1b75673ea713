"""Publish a version, export it, and ask for the status, each from the command line in a process of its own.

Run ``python bench/publishing.py [ROWS ...]``, by default 2,000,000: the corpus of importing.py, in which 1 % of the
people have objected. Each run of publish and export is preceded by a DuckDB copy of the same rows; the ratio is median
to median. The yardstick of ``status`` is the processor time of a Python process that imports SQLAlchemy and PyArrow.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import _measure as measure
import _posts as posts
import importing

ROWS = (2_000_000,)
STATUS_TARGET = 2.5
"""Times the processor time of the imports."""
STATUS_RUNS = 7


def main() -> None:
    """Prints the figures."""
    for rows in [int(given) for given in sys.argv[1:]] or ROWS:
        source = posts.table(rows)
        with measure.scratch() as folder:
            empty = importing.workspace(folder / "empty", 100).root
            show_status("an empty corpus", empty)
            root = folder / "w"
            importing.imported(root, source, rows)
            show_status(f"{rows:,} rows", root)
            copies, published, exported = [], [], []
            for number in range(measure.RUNS):
                version = f"v{number}"
                copies.append(measure.copy_seconds(source))
                published.append(demur("publish", version, "-w", str(root)))
                exported.append(demur("export", version, "--to", str(folder / version), "-w", str(root)))
            copy = measure.median(copies)
            for what, runs in (("publish", published), ("export", exported)):
                took = measure.median(runs)
                print(
                    f"{what} {rows:,} rows: {took:.1f} s ({', '.join(f'{s:.1f}' for s in runs)}), "
                    f"copy {copy:.1f} s, ratio {took / copy:.1f}"
                )
            most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
            print(f"  peak memory of one process, mapped files included: {most / 1e9:.2f} GB")


def demur(*arguments: str) -> float:
    """Seconds that one command takes."""
    command = [sys.executable, "-m", "demur", *arguments]
    return measure.seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def show_status(what: str, root: Path) -> None:
    """One line: the processor time of ``demur status``, beside that of what it cannot do without."""
    run = [sys.executable, "-m", "demur", "status", "-w", str(root)]
    floor = [sys.executable, "-c", "import sqlalchemy, pyarrow"]
    pairs = [(cpu_seconds(run), cpu_seconds(floor)) for _ in range(STATUS_RUNS)]
    took, least = (measure.median([pair[which] for pair in pairs]) for which in (0, 1))
    print(
        f"status of {what}: {took:.2f} s of processor time, imports {least:.2f} s, ratio {took / least:.2f}"
        f" (target {STATUS_TARGET})"
    )


def cpu_seconds(command: list[str]) -> float:
    """Processor time of one process and what it waited for."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


if __name__ == "__main__":
    main()
