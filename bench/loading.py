"""Words that a loader hands out in a second, the register's head followed, beside `datasets` on the same Parquet.

Run ``python bench/loading.py [ROWS ...]``, by default 50,000: the corpus of importing.py is published and exported;
then 100 of those who wrote object, so that rows are left out and rewritten. A loader is open already, or "opened anew":
then what has become stale is worked out within the time. Ways alternate, in this process and warm; a ratio is of
medians, and above 1 where the loader is faster: by the clock, and by processor time, which tells more on a machine with
other work. Words, split at blanks, stand for tokens; of Arrow batches bytes of text are counted instead.

In the end some more object, one after another: what a look costs then, and what opening anew does; before the corpus
honours them, and after.
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
from demur.corpus.honour import honour
from demur.loading import Loader
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
            exported = folder / "export"
            export(made, "v1", exported)
            show(f"{rows:,} rows, nobody has objected since", made, exported, folder)
            step = posts.people(rows) // OBJECT
            with made.register() as register:
                for account in posts.accounts(np.arange(7, posts.people(rows), step)[:OBJECT]):
                    register.objections.lodge([account], channel="letter")
            show(f"{rows:,} rows, {OBJECT} have objected since", made, exported, folder)
            follow(made, posts.accounts(np.arange(11, posts.people(rows), step)[: 3 * OBJECT]))


def show(what: str, made: Workspace, exported: Path, folder: Path) -> None:
    """The ways of reading whole rows, texts alone, and texts in Arrow batches."""
    files = sorted(map(str, (exported / "data").glob("*.parquet")))
    for name, columns in (("whole rows", None), ("texts", ["text"])):
        openings = {"version": partial(version_, made, columns), "export": partial(export_, made, exported, columns)}
        with openings["version"]() as version, openings["export"]() as loaded:
            compare(
                f"{what}, {name}",
                {
                    "datasets, streaming": partial(words, partial(streamed, files, columns)),
                    "datasets, its cache": partial(words, partial(cached, files, columns, folder)),
                    "loader, version": partial(words, version.__iter__),
                    "loader, export": partial(words, loaded.__iter__),
                    **{f"opened anew, {each}": partial(anew, way, words, "__iter__") for each, way in openings.items()},
                },
            )
    with openings["version"]() as version, openings["export"]() as loaded:
        compare(
            f"{what}, texts in Arrow batches",
            {
                "datasets, streaming": partial(streamed_batches, files),
                "loader, version": partial(size, version.batches),
                "loader, export": partial(size, loaded.batches),
                **{f"opened anew, {each}": partial(anew, way, size, "batches") for each, way in openings.items()},
            },
        )


def follow(made: Workspace, accounts: list[str]) -> None:
    """What a look costs when one more has objected, and what opening anew does then."""
    for what, then in (
        ("before it is honoured", lambda: None),
        ("the corpus honours all but it", lambda: honour(made)),
    ):
        then()
        with version_(made, ["text"]) as loader, made.register() as register:
            looks, openings = [], []
            for _ in range(measure.RUNS):
                register.objections.lodge([accounts.pop()], channel="letter")
                looks.append(taken(loader.look))
                openings.append(taken(lambda: version_(made, ["text"]).close()))
                then()
        show_both(f"one more objects, {what}: a look", looks)
        show_both(f"one more objects, {what}: opening anew", openings)


def show_both(what: str, times: list[tuple[float, float]]) -> None:
    """One line: medians by the clock and by processors."""
    clock, processor = (measure.median(list(each)) for each in zip(*times, strict=True))
    print(f"{what}: {clock:.3f} s, of processors {processor:.3f} s", flush=True)


def version_(made: Workspace, columns: list[str] | None) -> Loader:
    """The version, opened."""
    return demur.load(made.root, "v1", columns=columns)


def export_(made: Workspace, exported: Path, columns: list[str] | None) -> Loader:
    """The export, opened."""
    return demur.load(exported, head=made.root, columns=columns, stale="leave-out")


def anew(opening: Callable[[], Loader], count: Callable[[Callable[[], Any]], int], way: str) -> int:
    """Opens, reads and closes."""
    with opening() as loader:
        return count(getattr(loader, way))


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of processors that one call takes."""
    began, before = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - before


def compare(what: str, ways: dict[str, Way]) -> None:
    """One line for each way; the first is what the others are compared with."""
    amounts = {each: way() for each, way in ways.items()}  # makes the cache, and warms everything
    times: dict[str, list[tuple[float, float]]] = {each: [] for each in ways}
    for _ in range(measure.RUNS):
        for each, way in ways.items():
            times[each].append(taken(way))
    speeds = {
        each: [amounts[each] / measure.median(list(kind)) for kind in zip(*some, strict=True)]
        for each, some in times.items()
    }
    first = next(iter(speeds.values()))
    print(f"{what}:")
    for each, (clock, processor) in speeds.items():
        ratios = f"ratio {clock / first[0]:5.2f}, by processors {processor / first[1]:5.2f}"
        print(f"  {each:22} {clock:14,.0f} a second, {ratios}")
    worst = [min(speed[at] / first[at] for each, speed in speeds.items() if each.startswith("loader")) for at in (0, 1)]
    print(f"  {'meets' if worst[0] >= TARGET else 'MISSES'} {TARGET} by the clock, ", end="")
    print(f"{'meets' if worst[1] >= TARGET else 'MISSES'} it by processors", flush=True)


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
