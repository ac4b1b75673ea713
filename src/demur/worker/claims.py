"""Tests of claims that a model repeats data, in a process of its own: rows and models stay out of the worker.

Invariants: a claim that was recorded is tested without anybody's doing; what keeps one from its test is told in the log
and tried again later; told to stop, the process ends, and the next worker begins it anew, as a test changes nothing
before its entry.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from demur.register import ClaimPhase
from demur.worker.depot import Depot
from demur.worker.lanes import log

_LOOK_S: Final = 30.0
_POLL_S: Final = 1.0
_AGAIN_S: Final = 3600.0
"""Rest where something is left to test after a pass: what kept it from that rarely goes away by itself."""
_END_S: Final = 30.0


class Claims:
    """The lane."""

    name = "claims"
    command: Sequence[str] = (sys.executable, "-m", "demur", "claim", "test", "--waiting")
    """What is started, before the workspace."""

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._under_way: subprocess.Popen[str] | None = None
        self._waited = 0
        self._not_before = 0.0

    def turn(self) -> float:
        """Begin a pass that is due, or see how far one is."""
        if self._under_way is not None:
            return self._watch(self._under_way)
        if not self._depot.shift.leads_here:
            return _LOOK_S
        self._waited = self._waiting()
        if not self._waited or time.monotonic() < self._not_before:
            return _LOOK_S
        where = ("-w", str(self._depot.workspace.root), "--json")
        self._under_way = subprocess.Popen(  # noqa: S603  # demur itself
            [*self.command, *where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        log("claims.begun", claims=self._waited)
        return 0.0

    def close(self) -> None:
        """End what is under way."""
        if self._under_way is not None:
            self._under_way.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._under_way.communicate(timeout=_END_S)
            if self._under_way.poll() is None:
                self._under_way.kill()
                self._under_way.communicate()
            self._under_way = None

    def _watch(self, process: "subprocess.Popen[str]") -> float:
        try:
            _, told = process.communicate(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            return 0.0 if not self._depot.stop.is_set() else _POLL_S
        self._under_way = None
        left = self._waiting()
        self.counts["tested"] += max(self._waited - left, 0)
        if left:
            self._not_before = time.monotonic() + _AGAIN_S
            said = (told.strip().splitlines() or [""])[-1]
            log("claims.left", claims=left, code=process.returncode, error=said)
        return 0.0

    def _waiting(self) -> int:
        """How many claims are to be tested, of those of which anything is left."""
        claims = self._depot.register.claims
        return sum(claims.said(each.reference) is not None for each in claims.listed(ClaimPhase.LODGED))
