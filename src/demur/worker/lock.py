"""One worker at a time: what one has in hand would be sent again by another.

Invariants: the lock is the operating system's and ends with the process, however that ends; its file stays, so that
two processes can't each hold "the" lock on different files.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from demur.errors import WorkspaceError
from demur.workspace import Workspace

_LOCK: Final = ".worker"


@contextmanager
def only_worker(workspace: Workspace) -> Iterator[None]:
    """Be the workspace's one worker while the block runs.

    Raises:
        WorkspaceError: when another process is.
    """
    descriptor = os.open(workspace.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceError(
                f"Another worker delivers for {workspace.root} already: one is enough; `demur serve` starts its own."
            ) from None
        yield
    finally:
        os.close(descriptor)
