"""``demur worker``: mails go out, the platform hears what happened, and the corpus follows the register."""

import logging
import signal
import sys
import threading
from collections.abc import Mapping

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import emit


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
