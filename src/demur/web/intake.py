"""The one writer of the server: what waits is committed together, and acknowledged after the commit (law 1).

Invariants: nobody gets an answer before the transaction that holds their act is durable; an act that fails takes only
itself back (its own savepoint) and is answered by its own error; an act that was taken in is done once, whether or
not somebody still waits for the answer; no more than `capacity` acts wait, whoever comes then is told to come back.

While one transaction is being written to disk the next one gathers, so that a disk which can commit a hundred times a
second takes in many hundred objections a second (group commit).
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from demur.errors import DemurError, UnavailableError
from demur.register import Register

CAPACITY: Final = 2000
"""Acts that may wait: a few seconds of work."""
BATCH: Final = 64
"""Acts in one transaction: what bounds the time that other writers wait for the register's lock."""

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class IntakeFullError(UnavailableError):
    """More waits than can be recorded within a few seconds: nothing was recorded, and trying again will help."""

    retry_after: Final = 2
    """Seconds."""


@dataclass(eq=False)
class _Waiting:
    """An act, and who waits for its outcome."""

    do: Callable[[Register, Sequence[Any]], Iterable[object]]
    """Does many such at once."""
    item: object
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"
    outcome: object = None
    error: BaseException | None = None

    def keep(self, outcome: object) -> None:
        """Keep an outcome, or the error that came instead."""
        if isinstance(outcome, BaseException):
            self.outcome, self.error = None, outcome
        else:
            self.outcome, self.error = outcome, None

    def tell(self) -> None:
        """Answer, unless nobody waits any more."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.outcome)
        else:
            self.answer.set_exception(self.error)


class Intake:
    """Takes acts from any event loop and does them in one thread; :meth:`close` does what still waits first."""

    def __init__(self, register: Register, *, capacity: int = CAPACITY, batch: int = BATCH) -> None:
        self._register = register
        self._capacity = capacity
        self._batch = batch
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many acts wait now."""
        return len(self._queue)

    def start(self) -> None:
        """Begin to take acts in; the first act does so too."""
        with self._changed:
            self._begin()

    def close(self) -> None:
        """Finish what waits, and stop; blocks until that is durable."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    async def run(self, act: Callable[Concatenate[Register, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do something else with the register, in the same thread and in a transaction with others.

        Args:
            act: a method of the register, or a function that does all its changes inside `register.locked()`, so
                that it is taken back as one.
            args: its arguments after the register.
            kwargs: its keyword arguments.

        Raises:
            IntakeFullError: when too many wait; nothing was recorded.
        """
        answer: R = await self.run_together(_each, lambda register: act(register, *args, **kwargs))
        return answer

    async def run_together(self, do: Callable[[Register, Sequence[T]], Iterable[object]], item: T) -> Any:  # noqa: ANN401  # what `do` gives for the item
        """Do something for an item, in one call for all the items that wait for the same.

        Args:
            do: gives for each of many items what came of it, or the error that it is answered with.
            item: what it is done for.

        Raises:
            IntakeFullError: when too many wait; nothing was recorded.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(do, item, loop, loop.create_future())
        self._put(waiting)
        return await waiting.answer

    def _put(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._closed:
                raise IntakeFullError("The server is stopping, nothing was recorded: try again in a moment.")
            if len(self._queue) >= self._capacity:
                raise IntakeFullError("Too many requests wait, nothing was recorded: try again in a moment.")
            self._begin()
            self._queue.append(waiting)
            self._changed.notify()

    def _begin(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="demur-intake", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while batch := self._take():
            self._record(batch)
            for loop in {waiting.loop for waiting in batch}:
                _tell(loop, [waiting for waiting in batch if waiting.loop is loop])

    def _take(self) -> list[_Waiting]:
        """What waits, as far as one transaction takes it; empty once closed and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            return [self._queue.popleft() for _ in range(min(len(self._queue), self._batch))]

    def _record(self, batch: Sequence[_Waiting]) -> None:
        """One transaction around all; where one of them spoils it for the others, each gets its own."""
        phase = "lock"
        try:
            with self._register.locked() as register:
                phase = "acts"
                _do(register, batch)
                phase = "commit"
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever waits gets it, and the thread goes on
            if phase == "acts" and len(batch) > 1:  # taken back whole: nothing can be recorded twice
                for waiting in batch:
                    self._record([waiting])
                return
            for waiting in batch:
                waiting.keep(_own(error))


def _do(register: Register, batch: Sequence[_Waiting]) -> None:
    groups: dict[Callable[..., Any], list[_Waiting]] = {}
    for waiting in batch:
        groups.setdefault(waiting.do, []).append(waiting)
    for do, group in groups.items():
        for waiting, outcome in zip(group, do(register, [each.item for each in group]), strict=True):
            waiting.keep(outcome)


def _each(register: Register, acts: Sequence[Callable[[Register], object]]) -> Iterator[object]:
    for act in acts:
        try:
            yield act(register)
        except DemurError as error:
            yield error


def _tell(loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
    def tell() -> None:
        for waiting in batch:
            waiting.tell()

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return  # the loop is closed, nobody waits; what was recorded stays recorded


def _own(error: Exception) -> Exception:
    """An exception of one's own: one object raised in many tasks would gather all their tracebacks."""
    return type(error)(*error.args) if isinstance(error, DemurError) else error
