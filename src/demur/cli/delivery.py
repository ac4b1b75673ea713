"""``demur worker`` and ``bounce``: what is queued is delivered, the corpus follows, and what came back is recorded."""

import logging
import signal
import sys
import threading
from collections.abc import Mapping
from typing import BinaryIO

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, note


@click.command
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@shared
def worker(invocation: Invocation, *, once: bool) -> None:
    """Deliver notices and letters, and let the corpus follow the register.

    It runs until it is stopped (SIGTERM or Ctrl-C) and then finishes the mails in flight. There is one at a time for
    a workspace; `demur serve` starts its own. What it does is on stderr, a JSON object on each line, without names
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
    """Record mails that came back, from delivery status notifications (RFC 3464).

    Each FILE is one mail; without any, one is read from stdin, so that a mail server can pipe what comes back into
    this command. Whoever was not reached does not count as told, and nothing of theirs lapses unasked.
    Delays and other mails change nothing.
    """
    from demur.worker.bounces import LARGEST_BYTES, read_dsn, record_bounce  # noqa: PLC0415  # help does without

    opened = files or (sys.stdin.buffer,)
    recorded = ignored = 0
    keys = invocation.workspace.keys()
    with invocation.workspace.register() as register:
        for file in opened:
            found = read_dsn(file.read(LARGEST_BYTES + 1))
            if found is None:
                note(f"{getattr(file, 'name', 'stdin')}: no mail that came back for good; nothing is recorded.")
            elif not record_bounce(register, keys, found.message_id, found.cause):
                note(f"{getattr(file, 'name', 'stdin')}: the mail that came back is none of ours.")
            else:
                recorded += 1
                continue
            ignored += 1
    emit(f"{count(recorded, 'mail')} came back.", {"recorded": recorded, "ignored": ignored})
