"""The kernel over streams of batches, in this process or in a few spawned ones.

Invariants: answers come in the order of the batches; at most a few batches are in flight, so memory does not grow
with the input; workers are spawned, never forked, because Lance is not fork-safe, and end with their import, however
that ends. The arrays of the rules are written to one file, which all map into memory: they are there once, and all
workers start at once. What is secret in the rules (the pepper) goes from process to process, and to no file.
"""

import os
import pickle
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Final

import pyarrow as pa

from demur.corpus.carried import Carried, carry
from demur.kernel.govern import Answer, govern_to_store
from demur.kernel.rules import Rules
from demur.people.context import Context
from demur.processes import begun

_ALONE: Final = 6
"""Up to this many batches are governed here: starting a worker costs about as much as governing these."""
_IN_FLIGHT: Final = 2  # per worker

Asked = tuple[pa.RecordBatch, Context | None]
"""A batch, and what is known of its threads: None before anything is."""

_rules: list[Rules] = []


class Governing:
    """``govern_to_store`` under one value of rules; a long stream starts the workers, and later streams find them.

    With more than one worker the caller's main module must be importable (``if __name__ == "__main__":``).
    """

    def __init__(self, rules: Rules, workers: int, path: Path, until: ExitStack) -> None:
        """Hold the rules.

        Args:
            rules: everything that decides.
            workers: processes that a long stream gets.
            path: where the arrays of the rules are written for them; must not exist, and is the caller's to remove.
            until: ends them.
        """
        self.rules, self._workers, self._path, self._until = rules, workers, path, until
        self._pool: ProcessPoolExecutor | None = None

    def answers(self, asked: Iterable[Asked]) -> Iterator[Answer]:
        """What the kernel says of each batch, in order; kept rows as schema.STORED."""
        waiting = iter(asked)
        if self._pool is None and self._workers > 1:
            first = list(islice(waiting, _ALONE + 1))
            if len(first) > _ALONE:
                self._pool = self._started()
            waiting = chain(first, waiting)
        if self._pool is None:
            yield from (_answer(each, self.rules) for each in waiting)
        else:
            yield from _in_order(self._pool, waiting, self._workers * _IN_FLIGHT)

    def _started(self) -> ProcessPoolExecutor:
        told = pickle.dumps((_start, carry(self.rules, self._path), self._path))
        pool = ProcessPoolExecutor(self._workers, get_context("spawn"), begun, (told,))
        return self._until.enter_context(pool)


def _in_order(pool: ProcessPoolExecutor, asked: Iterator[Asked], most: int) -> Iterator[Answer]:
    running: deque[Future[Answer]] = deque()
    for each in asked:
        running.append(pool.submit(_work, each))
        if len(running) >= most:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def _start(carried: Carried, path: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(1)
    _rules[:] = [carried.opened(path)]


def _end_with_parent() -> None:
    """A worker whose import was killed would wait for work for ever: it holds both ends of its queue."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(asked: Asked) -> Answer:
    return _answer(asked, _rules[0])


def _answer(asked: Asked, rules: Rules) -> Answer:
    batch, context = asked
    return govern_to_store(batch, rules, context)
