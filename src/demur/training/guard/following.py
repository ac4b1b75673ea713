"""Whom the guard looks for: everybody who is withheld as of the register's head.

Invariants: what is searched for is at least as new as the binding entry that is asked for, the policy's file, the
fingerprints beside the corpus and the day; where any of these can't be read, there is nothing to search by, and nothing
may leave (law 4). Names and fingerprints are read as an import reads them, mapped into memory, and nothing is changed.
"""

import threading
from datetime import UTC, datetime
from typing import Final

from demur.corpus.datasets.evidence import Fingerprints
from demur.corpus.session import reading
from demur.errors import DemurError, UnavailableError
from demur.glance import head_of
from demur.kernel.rules import Rules
from demur.workspace import Workspace

By = tuple[int, str]
"""A binding entry of the register, and its commitment in hexadecimal."""
_AGAIN: Final = "see `demur status`, then ask again."


class Followed:
    """The rules of a workspace as the guard knows them; safe to use from several threads."""

    def __init__(self, workspace: Workspace) -> None:
        """Follow a workspace; nothing is read yet."""
        self._workspace = workspace
        self._lock = threading.Lock()
        self._known: tuple[object, Rules] | None = None

    def rules(self, by: By) -> Rules:
        """Who is withheld, at least as of a binding entry.

        Raises:
            UnavailableError: when that can't be read.
        """
        try:
            state = self._state(by)
            with self._lock:
                if self._known is None or self._known[0] != state:
                    with reading(self._workspace, rows=False) as session:
                        self._known = state, session.rules()[0]
                return self._known[1]
        except (DemurError, OSError) as error:
            why = str(error).rstrip(".") if isinstance(error, DemurError) else error.strerror
            raise UnavailableError(
                f"What is known of withheld people's names and words can't be read, so nothing leaves ({why}): {_AGAIN}"
            ) from None

    def _state(self, by: By) -> object:
        """What tells that something has to be read anew.

        Raises:
            OSError: when the policy's file is gone.
        """
        told = self._workspace.policy_path.stat()
        policy = told.st_ino, told.st_size, told.st_mtime_ns
        prints = head_of(self._workspace.beside_place / Fingerprints.FOLDER)
        return by, policy, prints, datetime.now(UTC).date()
