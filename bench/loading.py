"""Words that a loader hands out in a second, the register's head followed, beside `datasets` on the same Parquet.

Run ``python bench/loading.py [ROWS ...]``, by default 50,000: the corpus of importing.py is published and exported;
then 100 of those who wrote object, so that rows are left out and rewritten. Opening, in which what has become stale is
worked out, is a figure of its own. Ways alternate, in this process and warm; a ratio is of medians, and above 1 where
the loader is faster. Words, split at blanks, stand for tokens; of Arrow batches bytes of text are counted instead.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import _measure as measure
import _posts as posts
import demur
import importing
from demur.versions.leave import export
from demur.versions.publish import publish
from demur.workspace import Workspace, find

os.environ["HF_HUB_OFFLINE"] = "1"
ROWS = (50_000,)
TARGET = 1.0
OBJECT = 100
BATCH = 8192

Way = Callable[[], int]
"""Reads all rows; gives how much text there was."""


def main() -> None:
    """Prints the figures."""
    datasets.disable_progress_bars()
    for rows in [int(given) for given in sys.argv[1:]] or ROWS:
        source = posts.table(rows)
        with measure.scratch() as folder:
            importing.imported(folder / "w", source, rows)
            made = find(folder / "w")
            publish(made, "v1")
            exported = export(made, "v1", folder / "export").path
            show(f"{rows:,} rows, nobody has objected since", made, exported, folder)
            step = posts.people(rows) // OBJECT
            with made.register() as register:
                for account in posts.accounts(np.arange(7, posts.people(rows), step)[:OBJECT]):
                    register.objections.lodge([account], channel="letter")
            show(f"{rows:,} rows, {OBJECT} have objected since", made, exported, folder)


def show(what: str, made: Workspace, exported: Path, folder: Path) -> None:
    """The ways of reading whole rows, texts alone, and texts in Arrow batches."""
    files = sorted(map(str, (exported / "data").glob("*.parquet")))
    for name, columns in (("whole rows", None), ("texts", ["text"])):
        began = time.perf_counter()
        version = demur.load(made.root, "v1", columns=columns)
        middle = time.perf_counter()
        export_ = demur.load(exported, head=made.root, columns=columns, stale="leave-out")
        print(f"{what}: version open in {middle - began:.2f} s, export in {time.perf_counter() - middle:.2f} s")
        compare(
            f"{what}, {name}",
            {
                "datasets, streaming": partial(words, partial(streamed, files, columns)),
                "datasets, its cache": partial(words, partial(cached, files, columns, folder)),
                "loader, version": partial(words, version.__iter__),
                "loader, export": partial(words, export_.__iter__),
            },
        )
    compare(
        f"{what}, texts in Arrow batches",
        {
            "datasets, streaming": partial(streamed_batches, files),
            "loader, version": partial(size, version.batches),
            "loader, export": partial(size, export_.batches),
        },
    )


def compare(what: str, ways: dict[str, Way]) -> None:
    """One line for each way; the first is what the others are compared with."""
    amounts = {each: way() for each, way in ways.items()}  # makes the cache, and warms everything
    taken: dict[str, list[float]] = {each: [] for each in ways}
    for _ in range(measure.RUNS):
        for each, way in ways.items():
            taken[each].append(measure.seconds(way))
    speeds = {each: amounts[each] / measure.median(times) for each, times in taken.items()}
    first = next(iter(speeds.values()))
    print(f"{what}:")
    for each, speed in speeds.items():
        print(f"  {each:20} {speed:14,.0f} a second, ratio {speed / first:5.2f}")
    worst = min(speed / first for each, speed in speeds.items() if each.startswith("loader"))
    print(f"  {'meets' if worst >= TARGET else 'MISSES'} {TARGET}", flush=True)


def words(rows: Callable[[], Iterable[dict[str, Any]]]) -> int:
    """How many words there are in the rows that something gives."""
    return sum(len(row["text"].split()) for row in rows())


def size(batches: Callable[[], Iterable[pa.RecordBatch]]) -> int:
    """How many bytes of text there are in the batches that something gives."""
    return sum(pc.sum(pc.binary_length(batch.column("text"))).as_py() for batch in batches())


def streamed(files: list[str], columns: list[str] | None) -> Iterator[dict[str, Any]]:
    """The rows as `datasets` streams them from Parquet."""
    yield from datasets.load_dataset("parquet", data_files=files, split="train", streaming=True, columns=columns)


def streamed_batches(files: list[str]) -> int:
    """The same in Arrow batches; bytes of text."""
    found = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True, columns=["text"])
    tables = found.with_format("arrow").iter(batch_size=BATCH)
    return sum(pc.sum(pc.binary_length(table.column("text"))).as_py() for table in tables)


def cached(files: list[str], columns: list[str] | None, folder: Path) -> Iterable[dict[str, Any]]:
    """The rows as `datasets` reads them from its own copy in Arrow's form."""
    found: Iterable[dict[str, Any]] = datasets.load_dataset(
        "parquet", data_files=files, split="train", columns=columns, cache_dir=str(folder / "cache")
    )
    return found


if __name__ == "__main__":
    main()
