"""The worker: its lanes side by side, from the lock to the last mail in flight.

Invariants: several workers share the queues of one register, and each notice and mail is in the hands of one of them
(shift.py); at its start a worker takes back what the one before it in its folder had in hand. Mails that somebody waits
for never wait for notices, for a webhook or for the corpus; told to stop, it finishes and records what is in flight.
"""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from demur.worker.claims import Claims
from demur.worker.cosigning import Cosigning
from demur.worker.delivery import Delivery
from demur.worker.depot import Depot
from demur.worker.lanes import Lane, drain, keep_on, log
from demur.worker.mail_kinds import MailNotices, SingleMails
from demur.worker.platform_lanes import Events, InAppNotices
from demur.worker.replays import Replays
from demur.worker.shift import Shift
from demur.worker.upkeep import Upkeep
from demur.workspace import Workspace

MAILS_IDLE_S: Final = 0.25

Counts = Mapping[str, Mapping[str, int]]
"""What each lane did, by name."""


def work(workspace: Workspace, stop: threading.Event, *, once: bool = False) -> Counts:
    """Work until told to stop, or (``once``) until nothing is due.

    Raises:
        WorkspaceError: when too many workers are at work in the folder.
        DemurError: with ``once``, what kept a lane from its work.
    """
    with workspace.register() as register, Shift(workspace, register) as shift:
        depot = Depot(workspace, register, stop, shift)
        lanes = lanes_of(depot)
        with ExitStack() as stack:
            for lane in lanes:
                stack.callback(lane.close)
            log("worker.started")
            (_in_turn if once else _side_by_side)(lanes, stop)
        counts = {lane.name: dict(lane.counts) for lane in lanes}
        log("worker.ended")
        return counts


def lanes_of(depot: Depot) -> list[Lane]:
    """Every kind of work, in the order in which one pass does it."""
    return [
        Delivery(depot, SingleMails(depot), MAILS_IDLE_S),
        Delivery(depot, MailNotices(depot)),
        Delivery(depot, InAppNotices(depot)),
        Upkeep(depot),
        Events(depot),
        Replays(depot),
        Claims(depot),
        Cosigning(depot),
    ]


def _in_turn(lanes: list[Lane], stop: threading.Event) -> None:
    for lane in lanes:
        drain(lane, stop)


def _side_by_side(lanes: list[Lane], stop: threading.Event) -> None:
    threads = [threading.Thread(target=keep_on, args=(lane, stop), name=lane.name) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        stop.wait()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
