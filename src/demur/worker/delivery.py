"""Delivery: notices and mails are taken in hand, handed over side by side, and put on record.

Invariants: what is in hand is handed over while the number under which it was taken holds (shift.py), and is let go of
otherwise. At most GROUP mails are ever handed over and not on record (window.py): these, and no others, may go out a
second time after a kill. What was not handed over is given back, or failed for good; nothing is forgotten in between.
Patience runs out by answers about the mail itself: a way that is shut, and what was not begun, cost it nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from demur.errors import UnavailableError
from demur.worker.depot import Depot
from demur.worker.lanes import Rest, log, log_error
from demur.worker.transport import GROUP, Fate, Handover, Patience
from demur.worker.window import Window

T = TypeVar("T")

CLAIM: Final = 200
"""How many are taken in hand at once."""
IDLE_S: Final = 1.0
"""How long a lane without work waits."""
_AGAIN_S: Final = 2.0


class Kind(Protocol[T]):
    """What is delivered: notices, mails, messages."""

    name: str
    patience: Patience

    @property
    def lines(self) -> int:
        """How many are handed over side by side."""

    def claim(self, limit: int, worker: int) -> Sequence[T]:
        """Take some in the hands of a worker."""

    def carry(self, one: T) -> Handover:
        """Hand one over, from any thread."""

    def attempt(self, one: T) -> int:
        """How often it was answered, this time included."""

    def sent(self, some: Sequence[T]) -> None:
        """Record that they were handed over."""

    def retry(self, one: T, at: datetime, *, tried: bool) -> None:
        """Give one back until then; whether that was an attempt."""

    def failed(self, one: T, cause: str) -> None:
        """Give one up."""

    def close(self) -> None:
        """Let go of connections."""


class Delivery(Generic[T]):
    """The lane of one kind."""

    def __init__(self, depot: Depot, kind: Kind[T], idle: float = IDLE_S) -> None:
        self.name = kind.name
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._kind = kind
        self._idle = idle
        self._rest = Rest()
        self._shut = False
        self._pool = ThreadPoolExecutor(GROUP, thread_name_prefix=kind.name)

    def turn(self) -> float:
        """Deliver what is due, at most CLAIM; while the way was shut last time, at most GROUP."""
        number = self._depot.shift.number
        hand = self._kind.claim(GROUP if self._shut else CLAIM, number) if number else []
        if not hand:
            return self._idle
        self._shut = False
        self._deliver(hand, number)
        if self._shut:
            return self._rest.more()
        self._rest.over()
        return 0.0

    def close(self) -> None:
        """Wait for what is under way, then hang up."""
        self._pool.shutdown()
        self._kind.close()

    def _deliver(self, hand: Sequence[T], number: int) -> None:
        """Hand over what was taken in hand under a number, put on record what became of it, and give back the rest."""

        def may_go_on() -> bool:
            return self._depot.shift.number == number and not self._depot.stop.is_set()

        lines = min(self._kind.lines, GROUP, len(hand))
        window = Window(hand, lines, may_go_on)
        threads = [self._pool.submit(window.carry, self._carry) for _ in range(lines)]
        try:
            while some := window.answered():
                self._insist(partial(self._record, some))
                self._tell([answer for _, answer in some])
                window.recorded(len(some))
        finally:
            window.end()
            wait(threads)
            if self._depot.shift.number == number:
                self._give_back(window.left)
            elif window.left:  # others have it
                log(f"{self.name}.let go", number=len(window.left))

    def _tell(self, answers: Sequence[Handover]) -> None:
        """Count and log what is on record."""
        self.counts.update(answer.fate.value for answer in answers)
        causes = Counter((answer.fate, answer.cause) for answer in answers if answer.fate is not Fate.SENT)
        for (fate, cause), number in causes.items():
            log(f"{self.name}.{fate.value}", number=number, cause=cause)
        self._shut = self._shut or any(answer.fate is Fate.CLOSED for answer in answers)

    def _carry(self, one: T) -> Handover:
        try:
            return self._kind.carry(one)
        except Exception as error:  # noqa: BLE001  # one that can't be made must not take back the others, who have theirs
            log_error(f"{self.name}.failed", error)
            return Handover(Fate.LATER, "error here")

    def _record(self, some: Sequence[tuple[T, Handover]]) -> None:
        """What became of some, in one transaction."""
        kind, now = self._kind, datetime.now(UTC)
        with self._depot.register.locked():
            sent = [one for one, answer in some if answer.fate is Fate.SENT]
            if sent:
                kind.sent(sent)
            for one, answer in some:
                attempt = kind.attempt(one)
                if answer.fate is Fate.CLOSED:
                    kind.retry(one, now, tried=False)
                elif answer.fate is Fate.NEVER or (answer.fate is Fate.LATER and kind.patience.over(attempt)):
                    kind.failed(one, answer.cause)
                elif answer.fate is Fate.LATER:
                    kind.retry(one, now + kind.patience.delay(attempt), tried=True)

    def _insist(self, work: Callable[[], None]) -> None:
        """Record, however long others keep the register busy; only the end of the worker ends the tries."""
        while True:
            try:
                work()
            except UnavailableError as error:
                log_error(f"{self.name}.unrecorded", error)
                if self._depot.stop.wait(_AGAIN_S):
                    raise
            else:
                return

    def _give_back(self, hand: Sequence[T]) -> None:
        """What was not begun; where even that fails, the next worker takes it back."""
        if not hand:
            return
        at = datetime.now(UTC) - timedelta(seconds=1)
        with suppress(UnavailableError), self._depot.register.locked():
            for one in hand:
                self._kind.retry(one, at, tried=False)
