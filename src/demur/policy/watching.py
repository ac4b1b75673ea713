"""demur.toml while a process runs for long: an edit counts from the next look on.

Invariants: the policy is the one that demur.toml says now, as far as it can be read (in the middle of an edit the last
good one stays); a look that finds nothing new costs one question to the file system; threads may share it.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from demur.errors import PolicyError
from demur.policy.load import load_policy
from demur.policy.model import Policy

_Version: TypeAlias = tuple[int, ...]
"""What changes when the file does; empty while there is none."""


class WatchedPolicy:
    """The policy that a file says."""

    def __init__(self, path: Path, unreadable: Callable[[PolicyError], None] = lambda _: None) -> None:
        """Read the file.

        Args:
            path: of demur.toml.
            unreadable: is told, once for each edit, that the file can't be read.

        Raises:
            PolicyError: when it can't be read now, or does not hold together.
        """
        self._path = path
        self._unreadable = unreadable
        self._lock = threading.Lock()
        self._seen = self._told = _version(path)
        self._policy = load_policy(path)

    def now(self) -> Policy:
        """What the file says now, or said when it could last be read."""
        if (version := _version(self._path)) != self._seen:
            with self._lock:
                self._read(version)
        return self._policy

    def _read(self, version: _Version) -> None:
        try:
            self._policy = load_policy(self._path)
        except PolicyError as error:  # somebody is editing it: the next look tries again
            if version != self._told:
                self._told = version
                self._unreadable(error)
            return
        self._seen = self._told = version


def _version(path: Path) -> _Version:
    try:
        known = path.stat()
    except OSError:
        return ()
    return known.st_mtime_ns, known.st_size, known.st_ino
