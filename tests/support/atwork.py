"""A worker's depot, at work while a block runs: for tests that take the turns of one lane themselves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from demur.register import Register
from demur.worker.depot import Depot
from demur.worker.shift import Shift
from demur.workspace import Workspace


@contextmanager
def at_work(workspace: Workspace, register: Register) -> Iterator[Depot]:
    with Shift(workspace, register) as shift:
        yield Depot(workspace, register, threading.Event(), shift)
