"""``demur worker`` and ``bounce``: what is queued is delivered, the corpus follows, and what came back is recorded."""

import logging
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from typing import BinaryIO, Final

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, note


@click.command
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@shared
def worker(invocation: Invocation, *, once: bool) -> None:
    """Deliver notices and mails, and let the corpus follow the register.

    It runs until it is stopped (SIGTERM or Ctrl-C) and then finishes the mails in flight. Several share what is
    queued; `demur serve` starts one of its own. What it does is on stderr, a JSON object on each line, without names
    or addresses.
    """
    from demur.worker.work import work  # noqa: PLC0415  # it loads templates and the register

    _log_lines()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    counts = work(invocation.workspace, stop, once=once)
    lines = [f"{lane}: {_said(done)}" for lane, done in counts.items()]
    emit("\n".join(lines), counts)


def _said(done: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in done.items() if number) or "nothing to do"


def _log_lines() -> None:
    """The log goes to stderr."""
    logger = logging.getLogger("demur.worker")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


@click.command
@click.argument("files", nargs=-1, type=click.File("rb"), metavar="[FILE]...")
@shared
def bounce(invocation: Invocation, files: tuple[BinaryIO, ...]) -> None:
    """Record mails that came back, from what mail servers report of them.

    Each FILE is one mail; without any, one is read from stdin, so that a mail server can pipe what comes back into
    this command. It reads delivery status notifications (RFC 3464) and what servers write in words. Whoever was not
    reached does not count as told, and nothing of theirs lapses unasked.
    Delays, complaints, automatic replies and other mails change nothing; each is told and counted apart.
    """
    from demur.worker.bounces import Came, record_returned  # noqa: PLC0415  # help does without
    from demur.worker.mails import Post  # noqa: PLC0415
    from demur.worker.returned import LARGEST_BYTES, read_returned  # noqa: PLC0415

    workspace, counts = invocation.workspace, Counter[str]()
    keys = workspace.keys()
    post = Post(workspace.policy(), keys)
    with workspace.register() as register:
        for file in files or (sys.stdin.buffer,):
            reading = read_returned(file.read(LARGEST_BYTES + 1))
            outcome = record_returned(register, keys, post, reading)
            counts[outcome] += 1
            if outcome is not Came.RETURNED:
                note(f"{getattr(file, 'name', 'stdin')}: {outcome.said}")
    data = {each.value: counts[each] for each in Came}
    lines = [f"{number:,} {_COUNTED[name]}" for name, number in data.items() if number and name in _COUNTED]
    came = counts[Came.RETURNED]
    ignored = {"recorded": came, "ignored": counts.total() - came}
    emit("\n".join([f"{count(came, 'mail')} came back.", *lines]), ignored | data)


_COUNTED: Final = {
    "unknown": "came back and none of ours.",
    "delayed": "delayed or arrived.",
    "complaint": "with a complaint of a reader: see above.",
    "automatic": "written by a machine in a reader's place.",
    "unclear": "not understood: see above.",
}
"""What is said of the number of mails that changed nothing, by what they were."""
