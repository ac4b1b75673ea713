"""A lane: one kind of work, which a thread takes up again and again, and what is logged of it.

Invariants: a lane that fails rests, longer each time, and never ends the others; what it had in hand is given back.
The log is a JSON object on each line: names, numbers, codes and the sentences of demur's own errors; never an address,
a name, an account or what a server said in words.
"""

import json
import logging
import threading
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from demur.errors import DemurError

LOGGER: Final = logging.getLogger("demur.worker")
_FIRST_REST_S: Final = 1.0
_LONGEST_REST_S: Final = 300.0


def log(event: str, **facts: str | float) -> None:
    """Say what happened."""
    LOGGER.info(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}))


def log_error(event: str, error: BaseException) -> None:
    """Say what went wrong: demur's own sentence, else only the kind of error and its place."""
    if isinstance(error, DemurError):
        log(event, error=str(error))
        return
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    log(event, error=type(error).__name__, place=place)


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
