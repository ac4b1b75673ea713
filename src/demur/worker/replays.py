"""Replays: runs that somebody objected to are trained again, one after the other, in a process of its own.

Invariants: nothing is replayed unless demur.toml says that the worker does so; what serves has moved before, whenever
that is; told to stop, the process ends, and the next one carries on to the same bytes.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from demur.errors import CorpusError
from demur.runs.folder import RunFolder, runs_in
from demur.runs.listing import waits
from demur.runs.pointer import read_pointer
from demur.worker.depot import Depot
from demur.worker.lanes import log

_LOOK_S: Final = 30.0
_POLL_S: Final = 1.0
_AGAIN_S: Final = 3600.0
"""Rest after a replay that failed: what kept it from its work rarely goes away by itself."""
_END_S: Final = 30.0


class Replays:
    """The lane."""

    name = "replays"
    command: Sequence[str] = (sys.executable, "-m", "demur", "replay")
    """What is started, before the run's name; torch stays out of the worker."""

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._under_way: tuple[str, subprocess.Popen[str]] | None = None
        self._not_before: dict[str, float] = {}

    def turn(self) -> float:
        """Begin a replay that is due, or see how far one is."""
        if self._under_way is not None:
            return self._watch(*self._under_way)
        if not self._depot.shift.leads_here or self._depot.policy().training.replay != "worker":
            return _LOOK_S
        for run in self._due():
            where = ("-w", str(self._depot.workspace.root), "--json")
            process = subprocess.Popen(  # noqa: S603  # demur itself; the name of a run begins with no dash
                [*self.command, run.name, *where],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            log("replays.begun", run=run.name)
            self._under_way = run.name, process
            return 0.0
        return _LOOK_S

    def close(self) -> None:
        """End what is under way; the next worker carries it on."""
        if self._under_way is not None:
            _, process = self._under_way
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=_END_S)
            if process.poll() is None:
                process.kill()
                process.communicate()
            self._under_way = None

    def _watch(self, name: str, process: "subprocess.Popen[str]") -> float:
        try:
            _, told = process.communicate(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            return 0.0 if not self._depot.stop.is_set() else _POLL_S
        self._under_way = None
        if process.returncode == 0:
            self.counts["replayed"] += 1
            log("replays.done", run=name)
            return 0.0
        self.counts["failed"] += 1
        self._not_before[name] = time.monotonic() + _AGAIN_S
        log("replays.failed", run=name, code=process.returncode, error=(told.strip().splitlines() or [""])[-1])
        return 0.0

    def _due(self) -> Iterator[RunFolder]:
        hours = timedelta(hours=self._depot.policy().training.replay_after_hours)
        for run in runs_in(self._depot.workspace.models_path):
            if time.monotonic() < self._not_before.get(run.name, 0.0):
                continue
            try:
                pointer = read_pointer(run)
                if waits(run) and (pointer is None or pointer.since + hours <= datetime.now(UTC)):
                    yield run
            except CorpusError as error:
                self._not_before[run.name] = time.monotonic() + _AGAIN_S
                log("replays.waits", run=run.name, error=str(error))
