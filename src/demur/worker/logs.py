"""What the worker says of itself: a JSON object on each line.

Invariants: a line holds names, numbers, codes and the sentences of demur's own errors; never an address, a name, an
account or what a server said in words.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from demur.errors import DemurError

LOGGER: Final = logging.getLogger("demur.worker")


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
