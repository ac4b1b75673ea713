"""A window: what is in hand is handed over by several threads, while one thread puts on record what became of it.

Invariants: at most GROUP were handed over, or are being handed over, and are not on record; each is begun once; none is
begun once the way is shut or whoever asks says that it may not go on. What was not begun is what :attr:`Window.left`
says in the end.

The next ones leave while those before them are put on record: a mail server and a disk are waited for side by side.
Where the record takes longer than handing over all that may be open, it waits for all of these instead: fewer and
larger transactions are faster then.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from demur.worker.transport import GROUP, Fate, Handover

T = TypeVar("T")


class Window(Generic[T]):
    """One hand, on its way; safe to use from several threads, one of which records."""

    def __init__(self, hand: Sequence[T], lines: int, may_go_on: Callable[[], bool]) -> None:
        self._lines = lines
        self._waiting = deque(hand)
        self._may_go_on = may_go_on
        self._answers: list[tuple[T, Handover]] = []
        self._open = 0
        """Begun, and not on record."""
        self._flying = 0
        """Begun, and without an answer."""
        self._blocked = 0
        """Threads that could begin one if there were room."""
        self._over = False
        self._answered = 0
        self._carried_s = 0.0
        """What handing over took, all of them together."""
        self._taken = 0.0
        """When answers were last taken, by the monotonic clock."""
        self._recording_s = 0.0
        """What putting these on record took."""
        lock = threading.Lock()
        self._room = threading.Condition(lock)
        self._news = threading.Condition(lock)

    @property
    def left(self) -> list[T]:
        """What was not begun."""
        with self._room:
            return list(self._waiting)

    def carry(self, carry: Callable[[T], Handover]) -> None:
        """Hand over one after another, until none may be begun any more; for each of ``lines`` threads."""
        one = self._begin()
        while one is not None:
            began = time.monotonic()
            answer = carry(one)
            one = self._begin((one, answer), time.monotonic() - began)

    def answered(self) -> list[tuple[T, Handover]]:
        """What is to be put on record now, waited for; empty once nothing more will come."""
        with self._news:
            self._news.wait_for(self._worth_recording)
            taken, self._answers = self._answers, []
            self._taken = time.monotonic()
            return taken

    def recorded(self, number: int) -> None:
        """So many of what :meth:`answered` gave are on record: as many may be begun."""
        with self._room:
            self._recording_s = time.monotonic() - self._taken
            self._open -= number
            self._room.notify(number)

    def end(self) -> None:
        """Begin nothing more."""
        with self._room:
            self._finish()

    def _begin(self, answer: tuple[T, Handover] | None = None, took_s: float = 0.0) -> T | None:
        """Take the answer to the last one, and give the next one, once there is room; None if there is none."""
        with self._room:
            if answer is not None:
                self._answers.append(answer)
                self._flying -= 1
                self._answered += 1
                self._carried_s += took_s
                if answer[1].fate is Fate.CLOSED:
                    self._finish()
            while self._open >= GROUP and not self._done:
                self._wait()
            if self._done or not self._may_go_on():
                self._finish()
                return None
            self._open += 1
            self._flying += 1
            self._tell()
            return self._waiting.popleft()

    def _wait(self) -> None:
        self._blocked += 1
        self._tell()
        try:
            self._room.wait()
        finally:
            self._blocked -= 1

    def _finish(self) -> None:
        self._over = True
        self._room.notify_all()
        self._tell()

    def _tell(self) -> None:
        if self._worth_recording():
            self._news.notify()

    @property
    def _done(self) -> bool:
        return self._over or not self._waiting

    def _worth_recording(self) -> bool:
        """Whether somebody waits for room, or no more will come: until then a transaction gathers more."""
        if self._done and not self._flying:
            return True
        full = self._blocked > 0 and self._open >= GROUP
        return full and bool(self._answers) and not (self._flying and self._slow_to_record)

    @property
    def _slow_to_record(self) -> bool:
        """Whether the last record took longer than it takes to hand over GROUP."""
        return self._recording_s * self._lines * self._answered > GROUP * self._carried_s
