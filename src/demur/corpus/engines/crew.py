"""Workers of a cluster as an engine: a stream of batches goes out in waves of tasks, and comes back in order.

Invariants: a task has the number of its place in the stream, and what came of it is taken up at that place; a task that
was done twice counts once; at most two waves are under way, so that memory does not grow with the input, and workers
have the next wave while the last tasks of one are done.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.engines.face import Heard
from demur.corpus.engines.task import TASKS, Done, Refused, Task, closed, fragments_of, opened, software
from demur.corpus.pool import Asked
from demur.errors import UsageError, WorkspaceError
from demur.kernel.govern import Answer
from demur.kernel.rules import Rules

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

ROWS: Final = 131_072
"""Items of a task: so many that their fragment is one which compaction leaves alone where most are kept."""
BYTES: Final = 64 << 20
"""Of a task, where posts are long."""
_WAVES: Final = 2
"""Under way at once."""
_EACH: Final = 2
"""Tasks of a wave for each worker."""

_OF_WORKER: Final = re.compile(r"\bWorkerError: ([\w.]+ in [\w.]+, line \d+)")
"""What an engine repeats of a :class:`demur.corpus.engines.task.WorkerError`."""

Run = Callable[[pa.Table], pa.Table]
"""Has workers do tasks, rows of TASKS, and gives what came of each, in any order."""


class Crew:
    """The kernel under one value of rules, on workers that an engine runs."""

    def __init__(self, rules: Rules, key: bytes, workers: int, run: Run, until: ExitStack) -> None:
        """Hold what runs a wave.

        Args:
            rules: everything that decides.
            key: under which tasks and what comes of them are sealed.
            workers: how many work at once.
            run: runs a wave; called from two threads.
            until: ends the threads, before anything that it held already ends what runs the waves.
        """
        self.rules, self._key, self._run, self._tasks = rules, key, run, workers * _EACH
        self._threads = ThreadPoolExecutor(_WAVES)
        until.callback(self._threads.shutdown, cancel_futures=True)

    def answers(self, asked: Iterable[Asked]) -> Iterator[Answer]:
        """What the kernel says of each batch, in order; kept rows as schema.STORED."""
        for done in self._done(asked, None):
            yield from done.answers

    def store(self, asked: Iterable[Asked], corpus: Corpus, heard: Heard) -> "list[FragmentMetadata]":
        """The same, with the kept rows in new fragments of the corpus, one for each task that keeps any."""
        written: list[str] = []
        for done in self._done(asked, (corpus.uri, corpus.storage)):
            written += done.fragments
            for answer in done.answers:
                heard(answer)
        return fragments_of(written)

    def _done(self, asked: Iterable[Asked], into: tuple[str, dict[str, str] | None] | None) -> Iterator[Done]:
        tasks = (closed(self._key, Task(batches, into)) for batches in _tasks(asked))
        running: deque[Future[pa.Table]] = deque()
        first = 0
        while wave := list(islice(tasks, self._tasks)):
            numbers = pa.array(range(first, first + len(wave)))
            first += len(wave)
            table = pa.Table.from_arrays([numbers, pa.array(wave, pa.binary())], schema=TASKS)
            running.append(self._threads.submit(self._run, table))
            if len(running) == _WAVES:
                yield from self._results(running.popleft().result())
        while running:
            yield from self._results(running.popleft().result())

    def _results(self, table: pa.Table) -> Iterator[Done]:
        """What came of a wave, in the order of its tasks."""
        for sealed in table.sort_by("number").column("sealed"):
            result: Done | Refused = opened(self._key, sealed.as_py())
            if isinstance(result, Refused):
                raise UsageError(
                    f"The cluster's workers have {result.has}, and this machine has {software()}: install the same on "
                    "all of them, then run the same command again."
                )
            yield result


def unfinished(engine: str, error: Exception) -> UsageError | WorkspaceError:
    """What to say where an engine gave up; its own words may quote what it worked on, and are not passed on."""
    if "No module named 'demur" in str(error):
        return UsageError(f"{engine}'s workers have no demur: install demur {software()} on all of them.")
    of_worker = _OF_WORKER.search(str(error))
    what = of_worker[1] if of_worker else type(error).__name__
    return WorkspaceError(
        f"{engine} could not finish the import ({what}): look into its logs, then run the same command again; nothing "
        "was changed."
    )


def _tasks(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Batches in their order, as many together as one task has."""
    batches: list[Asked] = []
    rows = size = 0
    for each in asked:
        batches.append(each)
        rows, size = rows + len(each[0]), size + each[0].nbytes
        if rows >= ROWS or size >= BYTES:
            yield batches
            batches, rows, size = [], 0, 0
    if batches:
        yield batches
