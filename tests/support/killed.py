"""A worker that is killed: forked from a server process that has loaded demur, and ended by SIGKILL.

Invariants: it dies from its own hand at a given call of a step, before or after it, or from outside after some time;
what it had begun is left as it was.
"""

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demur.register.contact.notices import Notices
from demur.worker.smtp import Smtp
from demur.worker.transport import Outbox
from demur.worker.work import work
from demur.workspace import Workspace

STEPS: Final[dict[str, tuple[type, str]]] = {
    "claim": (Notices, "claim"),
    "smtp": (Smtp, "carry"),
    "file": (Outbox, "carry"),
    "record": (Notices, "sent"),
}
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["demur.worker.work", "demur.kernel.rules"])  # it does not know this folder


@dataclass(frozen=True)
class Kill:
    """The moment."""

    step: str = ""
    """One of STEPS; "" for by the clock."""
    call: int = 1
    after: bool = False
    seconds: float | None = None


def run(root: Path, kill: Kill | None = None) -> int:
    """One pass of a worker; its exit status, -9 when it was killed."""
    process = _CONTEXT.Process(target=_child, args=(root, kill))
    process.start()
    if kill is not None and kill.seconds is not None:
        process.join(kill.seconds)
        process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _child(root: Path, kill: Kill | None) -> None:
    if kill is not None and kill.step:
        owner, name = STEPS[kill.step]
        setattr(owner, name, _deadly(getattr(owner, name), kill))
    work(Workspace(root), threading.Event(), once=True)


def _deadly(function: Callable[..., Any], kill: Kill) -> Callable[..., Any]:
    calls = 0
    lock = threading.Lock()

    @functools.wraps(function)
    def call(*arguments: object, **options: object) -> object:
        nonlocal calls
        with lock:
            calls += 1
            here = calls == kill.call
        if here and not kill.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call
