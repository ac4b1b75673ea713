"""A worker's shift: it is at work for as long as it says so, and finds out what it may do beside other workers.

Invariants: what was taken in hand under one number is handed over only while that number holds: a worker that could
not say for too long that it is at work lets go of what it has not begun, as others have it by then. Whoever takes a
dead worker's place in the same folder ends it at once; elsewhere its silence does.
"""

import threading
import time
from contextlib import ExitStack
from typing import Final, Self

from demur.errors import UnavailableError
from demur.register import Register
from demur.register.contact.workers import SILENT_S
from demur.worker.lanes import log, log_error
from demur.workspace import WorkersPlace, Workspace

BEAT_S: Final = 10.0
_BELIEVED_S: Final = SILENT_S / 2
"""How long after its last beat a worker takes it that nobody else counts it as ended."""


class Shift:
    """At work while the block runs; safe to use from several threads."""

    def __init__(self, workspace: Workspace, register: Register) -> None:
        self._workspace = workspace
        self._register = register
        self._stack = ExitStack()
        self._over = threading.Event()
        self._place: WorkersPlace
        self._thread = threading.Thread(target=self._keep_on, name="shift", daemon=True)
        self._number = 0
        self._beaten = 0.0
        self.others = 0
        """How many other workers are at work."""
        self.leads = False
        """Whether it is the one for the whole register that does what must not be done side by side."""
        self.leads_here = False
        """The same for this folder."""

    def __enter__(self) -> Self:
        self._place = self._stack.enter_context(self._workspace.delivering())
        self._begin(after=self._place.before)
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with self._stack:
            try:
                self._register.workers.end(self._number)
            except UnavailableError as error:  # its silence will tell
                log_error("worker.unended", error)

    @property
    def number(self) -> int:
        """Under which things are taken in hand now; 0 while nobody may."""
        return self._number if time.monotonic() - self._beaten < _BELIEVED_S else 0

    def _begin(self, after: int | None = None) -> None:
        began = time.monotonic()
        self._number = self._register.workers.begin(after=after)
        self._place.say(self._number)
        self._beaten = began

    def _keep_on(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._beat()
            except UnavailableError as error:
                log_error("worker.unheard", error)

    def _beat(self) -> None:
        began = time.monotonic()
        if self._register.workers.beat(self._number):
            self._beaten = began
        else:
            log("worker.counted as ended")
            self._begin()
        self._look()

    def _look(self) -> None:
        at_work = [each.number for each in self._register.workers.at_work()]
        self.others = len(at_work) - 1
        self.leads = at_work[0] == self._number
        self.leads_here = self._place.leads()
