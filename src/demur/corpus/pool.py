"""The kernel over a stream of batches, in this process or in a few spawned ones.

Invariants: answers come in the order of the batches; at most a few batches are in flight, so memory does not grow
with the input; workers are spawned, never forked, because Lance is not fork-safe, and end with their import, however
that ends.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from typing import Final

import pyarrow as pa

from demur.kernel.govern import Answer, govern_to_store
from demur.kernel.rules import Rules

_ALONE: Final = 12
"""Up to this many batches are governed here: starting a worker costs about as much as governing these."""
_IN_FLIGHT: Final = 2  # per worker

_rules: list[Rules] = []


def governed(batches: Iterable[pa.RecordBatch], rules: Rules, workers: int = 1) -> Iterator[Answer]:
    """``govern`` of each batch before its threads are known, in order; a long input gets ``workers`` processes.

    With more than one worker the caller's main module must be importable (``if __name__ == "__main__":``).
    """
    waiting = iter(batches)
    first = list(islice(waiting, _ALONE))
    following = next(waiting, None)
    if workers <= 1 or following is None:
        rest = waiting if following is None else chain([following], waiting)
        yield from (_answer(batch, rules) for batch in chain(first, rest))
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (rules,)) as pool:
        yield from _in_order(pool, chain(first, [following], waiting), workers * _IN_FLIGHT)


def _in_order(pool: ProcessPoolExecutor, batches: Iterator[pa.RecordBatch], most: int) -> Iterator[Answer]:
    running: deque[Future[Answer]] = deque()
    for batch in batches:
        running.append(pool.submit(_work, batch))
        if len(running) >= most:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def _start(rules: Rules) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(1)
    _rules[:] = [rules]


def _end_with_parent() -> None:
    """A worker whose import was killed would wait for work for ever: it holds both ends of its queue."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(batch: pa.RecordBatch) -> Answer:
    return _answer(batch, _rules[0])


def _answer(batch: pa.RecordBatch, rules: Rules) -> Answer:
    """What the kernel says before the threads are known; kept rows as schema.STORED."""
    return govern_to_store(batch, rules, None)
