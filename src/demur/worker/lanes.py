"""A lane: one kind of work, which a thread takes up again and again.

Invariants: a lane that fails rests, longer each time, and never ends the others; what it had in hand is given back.
"""

import threading
from collections import Counter
from typing import Final, Protocol

from demur.errors import DemurError
from demur.worker.logs import log_error

_FIRST_REST_S: Final = 1.0
_LONGEST_REST_S: Final = 300.0


class Lane(Protocol):
    """One kind of work."""

    name: str
    counts: Counter[str]
    """What it did, by name."""

    def turn(self) -> float:
        """Do what is due now; seconds until it is worth looking again, 0 where there is more to do."""

    def close(self) -> None:
        """Let go of what it holds."""


class Rest:
    """How long to rest after failures in a row."""

    def __init__(self, first: float = _FIRST_REST_S, longest: float = _LONGEST_REST_S) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def more(self) -> float:
        """Seconds to rest after one more failure."""
        self._failures += 1
        return float(min(self._first * 2 ** min(self._failures - 1, 30), self._longest))

    def over(self) -> None:
        """It worked."""
        self._failures = 0


def keep_on(lane: Lane, stop: threading.Event) -> None:
    """Take turns until the worker stops."""
    rest = Rest()
    while not stop.is_set():
        pause = _turn(lane, rest)
        if pause:
            stop.wait(pause)


def drain(lane: Lane, stop: threading.Event) -> None:
    """Take turns until nothing is due.

    Raises:
        DemurError: what kept it from its work.
    """
    while not stop.is_set() and not lane.turn():
        pass


def _turn(lane: Lane, rest: Rest) -> float:
    try:
        pause = lane.turn()
    except DemurError as error:
        log_error(f"{lane.name}.waits", error)
        return rest.more()
    except Exception as error:  # noqa: BLE001  # one lane's fault must not end the others
        log_error(f"{lane.name}.failed", error)
        return rest.more()
    rest.over()
    return pause
