"""How often the register's head is looked at while rows are handed out, and when that has failed for too long (law 4).

Invariants: nothing is handed out before the head was read once; the head is looked at when the last look ended longer
ago than the interval, by a clock that goes on while the machine sleeps; what was learnt counts from the moment at
which it was asked for; past the allowed staleness the next row is an error. A head that is wrong, and not
merely out of reach, is an error at once.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from demur.errors import UnavailableError, UsageError
from demur.loading.overlay import Overlay

CHECK_EVERY: Final = timedelta(seconds=2)
"""How long after an acknowledgement a row may still be handed out, where nobody says otherwise."""
MAX_STALENESS: Final = timedelta(minutes=5)
"""For how long the head may be out of reach, where nobody says otherwise."""


_PAUSE: Final = 0.05
"""For which share of the allowed staleness a head that was out of reach is left alone."""


def now() -> float:
    """Seconds that passed on this machine, sleep included where the system counts it."""
    return time.clock_gettime(_CLOCK)


_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True)
class Seen:
    """The head as it was seen last, for whoever goes on elsewhere: an older one is refused there."""

    instance: str
    incarnation: int
    seq: int
    """The register's last entry."""
    commitment: str
    """Of that entry, hexadecimal."""


class Head(Protocol):
    """Where the head is read, for one version."""

    @property
    def where(self) -> str:
        """What it is, for sentences."""

    def look(self) -> Overlay:
        """What today's register and policy say of the version's rows; the same object while that does not change.

        Raises:
            UnavailableError: when it is out of reach, and may be in reach again.
            DemurError: when it may not be followed: another register, an older one, a version that was retired.
        """

    def seen(self) -> Seen:
        """The head that was looked at last."""

    def go_on_from(self, seen: Seen) -> None:
        """Take a head for the one seen last: the next look makes sure that the register goes on from it."""

    def close(self) -> None:
        """Give back what is open."""


class Watch:
    """Looks at a head as often as is due; safe to use from several threads."""

    def __init__(
        self,
        head: Head,
        check_every: timedelta = CHECK_EVERY,
        max_staleness: timedelta = MAX_STALENESS,
        clock: Callable[[], float] = now,
    ) -> None:
        """Look at the head for the first time.

        Raises:
            UsageError: when the interval is longer than the staleness, or one of them is negative.
            UnavailableError, DemurError: as :meth:`Head.look`.
        """
        if not timedelta(0) <= check_every <= max_staleness:
            raise UsageError(
                f"check_every is {check_every} and max_staleness {max_staleness}: neither may be negative, and the "
                "first may not be longer than the second."
            )
        self.head, self.clock = head, clock
        self._every, self._most = check_every.total_seconds(), max_staleness.total_seconds()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._known = clock()
        self.latest = head.look()
        """What the head said last."""
        self.due = clock() + self._every
        """When the head has to be looked at again, by :attr:`clock`."""

    def overlay(self) -> Overlay:
        """What may not be handed out as it stands, as far as is known; the head is looked at if that is due.

        Raises:
            UnavailableError: when the head has been out of reach for longer than the allowed staleness.
            DemurError: as :meth:`Head.look`.
        """
        if self.clock() < self.due:
            return self.latest
        with self._lock:
            began = self.clock()
            if began < self.due:
                return self.latest  # another thread was faster
            wait = self._every
            try:
                self.latest = self.head.look()
                self._known = began
            except UnavailableError as error:
                if (old := self.clock() - self._known) > self._most:
                    raise UnavailableError(
                        f"Loading has stopped: {self.head.where} has been out of reach for {old:,.0f} s, "
                        f"and it is unknown who objected since ({str(error).rstrip('.')})."
                    ) from None
                wait = max(wait, self._most * _PAUSE)
            self.due = self.clock() + wait
            return self.latest

    def look(self) -> Overlay:
        """What may not be handed out as it stands, looked at now.

        Raises:
            UnavailableError, DemurError: as :meth:`overlay`.
        """
        self.due = float("-inf")
        return self.overlay()

    def require_own_process(self) -> None:
        """Make sure that this is the process in which it was opened: neither Lance nor a database survives a fork.

        Raises:
            UsageError: when it is not.
        """
        if os.getpid() != self._process:
            raise UsageError(
                "A loader can't be used in a process that was forked off: start worker processes with `spawn` "
                "(multiprocessing_context='spawn' of a DataLoader)."
            )

    def go_on_from(self, seen: Seen) -> None:
        """Make sure now that the head goes on from one that was seen before, in another process for instance.

        Raises:
            UnavailableError, DemurError: as :meth:`Head.look`.
        """
        with self._lock:
            self.head.go_on_from(seen)
            self._known = self.clock()
            self.latest = self.head.look()
            self.due = self.clock() + self._every

    def close(self) -> None:
        """Give back what is open; whoever asks again gets an error."""
        with self._lock:
            self.due = float("-inf")
            self.head.close()
            self.head = Closed(self.head.where)


@dataclass(frozen=True)
class Closed:
    """The head of a loader that was closed."""

    where: str

    def look(self) -> Overlay:
        """Tell that there is none.

        Raises:
            UsageError: always.
        """
        raise UsageError("This loader was closed: load the version again.")

    def seen(self) -> Seen:
        """Tell that there is none, as :meth:`look`."""
        raise UsageError("This loader was closed: load the version again.")

    def go_on_from(self, seen: Seen) -> None:
        """Take note of nothing."""

    def close(self) -> None:
        """Give back nothing."""
