"""A reader's process, from the side that asks it: started, asked, watched, ended.

Invariants: it is started anew, not forked, so that it has no memory of this one; it inherits three pipes and what it
needs to find its modules, no other file and no other variable; a picture that it does not answer in time, or at all,
costs that picture; every process that was started here is ended here, and one whose starter was killed ends by itself,
since its pipe does.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from demur.errors import UsageError
from demur.pictures.limits import MAX_START, MAX_WALL, PICTURES_A_PROCESS
from demur.pictures.refusals import Why
from demur.pictures.wire import OUT_OF_MEMORY, READY, Fields, Malformed, answered, ask

_COMMAND: Final = "from demur.pictures.working import work; work()"
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables without which some installations of Python don't start."""


class _Gone(Exception):  # noqa: N818  # it is what happened
    """The process ended before it answered."""


class Child:
    """One process that reads pictures."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            UsageError: it does not start.
        """
        self._left = PICTURES_A_PROCESS
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, sys.path))
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own module, by our own interpreter
                [sys.executable, "-P", "-c", _COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # decoders write what they like there, file contents among it
                cwd="/",
                env=environment,
            )
        except OSError as error:
            raise _unstarted() from error
        try:
            with _Watch(self._process, MAX_START):
                ready = self._read(len(READY))
        except _Gone as gone:
            self.end()
            raise _unstarted() from gone
        if ready != READY:
            self.end()
            raise _unstarted()

    @property
    def is_fresh(self) -> bool:
        """Whether it can be asked once more."""
        return self._left > 0 and self._process.poll() is None

    def read(self, data: bytes, longest_side: int) -> Fields | Why:
        """What becomes of one file; a process that did not answer can't be asked any more."""
        self._left -= 1
        with _Watch(self._process, MAX_WALL) as watch:
            try:
                ask(self._pipe(self._process.stdin), data, longest_side)
                return answered(self._read, longest_side)
            except (_Gone, Malformed, OSError):
                self.end()
        return Why.TIME if watch.barked else self._ended_by()

    def stop(self) -> None:
        """Have it end, whatever it is at, from another thread: whoever asks it gets no answer."""
        self._left = 0
        self._process.kill()

    def end(self) -> None:
        """End it, and wait for that."""
        self.stop()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent yet has nowhere to go
                self._pipe(pipe).close()

    def _ended_by(self) -> Why:
        status = self._process.returncode
        if status == -signal.SIGXCPU:
            return Why.TIME
        return Why.MEMORY if status == OUT_OF_MEMORY else Why.DIED

    def _read(self, length: int) -> bytes:
        data = self._pipe(self._process.stdout).read(length)
        if len(data) < length:
            raise _Gone
        return data

    def _pipe(self, pipe: object) -> BinaryIO:
        return cast("BinaryIO", pipe)


class _Watch:
    """Ends a process that takes longer than it may."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.barked = False
        self._process = process
        self._timer = threading.Timer(seconds, self._bark)
        self._timer.daemon = True

    def _bark(self) -> None:
        self.barked = True
        self._process.kill()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()  # from here on it can't bark at the next picture


def _unstarted() -> UsageError:
    return UsageError(
        "The process that reads pictures does not start: check that `pip install 'demur[pictures]'` went through, that "
        "memory and processes are left (`ulimit -a`), and that this is Linux or another POSIX system that bounds them."
    )
