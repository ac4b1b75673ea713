"""``demur bounce``: mails that came back, as a mail server hands them over."""

import sys
from typing import BinaryIO

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, note


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
