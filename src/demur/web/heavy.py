"""What takes long: how much of it runs at a time, how it waits for another writer, and how a copy is handed over.

Invariants: what another process that writes to the workspace holds up is tried for a while; then it ends in an error
that says when to come back. The file of a copy is gone before its first byte leaves.
"""

import time
from collections.abc import Callable, Iterator
from typing import IO, Final, TypeVar

from anyio import CapacityLimiter
from starlette.responses import Response, StreamingResponse

from demur.errors import CorpusError, WorkspaceError
from demur.rights.access import Copy

heavy: Final = CapacityLimiter(2)
"""Searches, copies and deletions at a time: the pages of everybody else go on meanwhile."""

_PATIENCE_S: Final = 20.0
"""How long an act waits for another process that writes, in seconds."""
_PAUSE_S: Final = 0.5
_CHUNK: Final = 64 * 1024

T = TypeVar("T")


def patiently(act: Callable[[], T], patience: float | None = None) -> T:
    """Do it, as soon as no other process writes to the workspace.

    Raises:
        WorkspaceError: when one still does after ``patience`` seconds.
        CorpusError: when it changed the corpus in each attempt.
    """
    until = time.monotonic() + (_PATIENCE_S if patience is None else patience)
    while True:
        try:
            return act()
        except (WorkspaceError, CorpusError):
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE_S)


def handed_over(made: Copy) -> Response:
    """The answer that holds a copy, whose file is gone before the first byte leaves."""
    file = made.path.open("rb")
    made.discard()
    headers = {"content-disposition": 'attachment; filename="copy.zip"', "content-length": str(made.size)}
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
