"""What carries a mail or a message away, and what became of it.

Invariants: SENT is said only once the other side has taken it over; NEVER only where the other side refused this one
for good; CLOSED where the way itself is shut, for which no single mail is to blame. In the outbox, a mail's file is
named by its Message-ID, so that a repeat overwrites it; it is whole, on the disk before it counts as sent, and readable
by its owner alone.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

from demur.files import write_durably

GROUP: Final = 10
"""Most mails that were handed over and are not on record yet: what a kill may let be sent a second time."""
LINES: Final = 4
"""Messages that are handed to the platform side by side."""


class Fate(Enum):
    """What became of one mail."""

    SENT = "sent"
    LATER = "later"
    NEVER = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Handover:
    """What became of one mail, and why: a status code or a few plain words."""

    fate: Fate
    cause: str = ""


SENT: Final = Handover(Fate.SENT)


@dataclass(frozen=True)
class Mail:
    """One mail, ready to leave."""

    address: str
    """As it is written on the envelope; never logged."""
    message_id: str
    """Without angle brackets; the same for the same notice, however often it is tried."""
    content: bytes
    """The whole message, RFC 5322, lines ending in CR LF."""
    utf8: bool = False
    """Whether it needs SMTPUTF8 (RFC 6531)."""
    sender: str = ""
    """On the envelope, where it is not the one of every mail: what can't be delivered comes back to it."""


class Carrier(Protocol):
    """Where mails go."""

    def carry(self, mail: Mail, *, urgent: bool = False) -> Handover:
        """Hand one over, from any thread; an urgent one does not wait for the throttle."""

    def close(self) -> None:
        """Let go of every connection."""


class Outbox:
    """The embedded mail sink, where no server is set: mails become files of a folder of the workspace."""

    def __init__(self, folder: Path, *, alone: bool) -> None:
        """Begin to fill a folder; who is ``alone`` there removes what workers left that were killed."""
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob(".*.partial") if alone else ():
            left.unlink(missing_ok=True)

    def carry(self, mail: Mail, *, urgent: bool = False) -> Handover:  # noqa: ARG002  # nothing is throttled here
        """Write one."""
        write_durably(self._folder / f"{mail.message_id}.eml", mail.content)
        return SENT

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Patience:
    """How long is waited, and how often is tried."""

    first: timedelta
    """Before the second attempt; doubled before each further one."""
    longest: timedelta
    attempts: int
    """After as many a mail that was only put off counts as failed."""

    def delay(self, attempt: int) -> timedelta:
        """The wait after an attempt (1 for the first), between a half and one and a half times the plan."""
        doubled: timedelta = self.first * 2 ** min(attempt - 1, 16)
        return min(doubled, self.longest) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret: it spreads the load

    def over(self, attempt: int) -> bool:
        """Whether this attempt was the last."""
        return attempt >= self.attempts


NOTICES: Final = Patience(timedelta(minutes=1), timedelta(hours=4), 36)
"""Five days, as RFC 5321, section 4.5.4.1 asks: a minute to two hours within the first four, then every four hours."""
MAILS: Final = Patience(timedelta(seconds=15), timedelta(hours=4), 40)
"""For single mails, whose readers wait: nearly a week, and a little sooner at first."""


class Throttle:
    """At most so many a second, over all threads, and over all who share that."""

    def __init__(self, per_second: int, stop: threading.Event, sharing: Callable[[], int] = lambda: 1) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._sharing = sharing
        self._next = 0.0
        self._stop = stop
        self._lock = threading.Lock()

    def wait(self, *, urgent: bool = False) -> bool:
        """Wait for one's turn, which an urgent one takes from those who come later; False if the worker ends."""
        if not self._gap:
            return True
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._gap * self._sharing()
        return urgent or not self._stop.wait(turn - now)
