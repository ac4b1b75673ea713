"""Import and govern: posts from a Parquet table into the corpus with its scalar indexes, against a plain copy.

Run ``python bench/importing.py [ROWS ...]``, by default 2,000,000. 1 % of the people have objected; quotes and
mentions are masked, direct identifiers of everybody replaced. Each run is preceded by a DuckDB copy of the same file;
the ratio is median to median.
"""

import os
import sys
from pathlib import Path

import numpy as np

import _measure as measure
import _posts as posts
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.processes import collect_seldom, keep_memory
from demur.sources import load_source

ROWS = (2_000_000,)
TARGET = 3.0
MEMORY_TARGET = 1.5  # GB


def main() -> None:
    """Prints the figures."""
    keep_memory()  # as the command does
    collect_seldom()
    for rows in [int(given) for given in sys.argv[1:]] or ROWS:
        source = posts.table(rows)
        copies, imports, peaks, processors, copied = [], [], [], [], []
        for _ in range(measure.RUNS):
            before = sum(os.times()[:4])
            copies.append(measure.copy_seconds(source))
            copied.append(sum(os.times()[:4]) - before)
            with measure.scratch() as folder, measure.memory() as memory:
                before = sum(os.times()[:4])
                imports.append(imported(folder / "w", source, rows))
                processors.append(sum(os.times()[:4]) - before)
            peaks.append(memory.peak / 1e9)
        copy, took = measure.median(copies), measure.median(imports)
        print(f"import {rows:,} rows: {took:.1f} s, copy {copy:.1f} s, ratio {took / copy:.1f} (target {TARGET})")
        print(f"  runs {', '.join(f'{s:.1f}' for s in imports)} s; copies {', '.join(f'{s:.1f}' for s in copies)} s")
        worked, plain = measure.median(processors), measure.median(copied)
        print(
            f"  {worked:.1f} s of processors, with lodging the objections and looking at the memory;"
            f" the copy {plain:.1f}, ratio {worked / plain:.1f}"
        )
        print(f"  {rows / took:,.0f} rows/s; peak memory {max(peaks):.2f} GB (target {MEMORY_TARGET})")


def workspace(root: Path, rows: int) -> workspaces.Workspace:
    """A workspace in which 1 % of the people have objected."""
    policy = Policy(
        effective_date=posts.EFFECTIVE,
        basis=LegalBasis(legitimate_interests=Assessment(document="lia.pdf", date=posts.EFFECTIVE, signed_by="DPO")),
        notice=Notice(required=False),
        door=Door(unknown_age="use"),
    )
    made = workspaces.create(root, policy)
    with made.register() as register, register.locked():
        for account in posts.accounts(np.arange(0, posts.people(rows), 100)):
            register.objections.lodge([account], channel="api")
    return made


def imported(root: Path, source: Path, rows: int) -> float:
    """Seconds that the import takes."""
    made = workspace(root, rows)
    batches = load_source("table").read([str(source)], {})
    return import_items(made, "table", batches, workers=os.cpu_count() or 1).seconds


if __name__ == "__main__":
    main()
