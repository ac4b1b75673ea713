"""``demur members``, ``link`` and ``unlink``: who the members are, and which accounts are one person."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pyarrow as pa

from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, progress
from demur.sources.tables.members import member_batches


@click.command
@click.argument("path", type=click.Path(path_type=Path))
@shared
def members(invocation: Invocation, path: Path) -> None:
    """Read accounts, names, locales, regions, birth years, told-on dates and linked accounts from PATH.

    PATH is a Parquet, CSV or JSON Lines file with a row for each account. Columns: account (needed), names, locale,
    region, birth_year, told_on, linked, consented, mail, mail_verified. In CSV the lists (names, linked) have |
    between their parts. What is empty is unknown; the last row read for an account counts, whole.

    An objection covers all accounts that are linked or have a mail address in common. A copy or an erasure covers
    those in linked, and those that share an address which mail_verified says you made sure of: true only where a
    mail to it was answered.
    """
    workspace = invocation.workspace
    with workspace.register() as register, progress("Reading members") as advance:
        outcome = register.members.import_all(_watched(path, advance))
    sentence = f"{count(outcome.read, 'member')} read, {outcome.changed:,} of them new or changed."
    data = {"read": outcome.read, "changed": outcome.changed, "entry": outcome.seq}
    recorded(workspace, sentence, data)


def _watched(path: Path, advance: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
    for batch in member_batches(path):
        yield batch
        advance(batch.num_rows)


@click.command
@click.argument("first", metavar="ACCOUNT")
@click.argument("second", metavar="ACCOUNT")
@shared
def link(invocation: Invocation, first: str, second: str) -> None:
    """Record that two accounts belong to one person.

    An objection of either then covers both, and each shows the other's data: look first whether they are.
    """
    with invocation.workspace.register() as register:
        register.members.link(*invocation.accounts([first, second]))
    recorded(invocation.workspace, "The two accounts are linked.", {"linked": True})


@click.command
@click.argument("first", metavar="ACCOUNT")
@click.argument("second", metavar="ACCOUNT")
@shared
def unlink(invocation: Invocation, first: str, second: str) -> None:
    """Record that two accounts do not belong to one person.

    An objection of one no longer covers the other.
    """
    with invocation.workspace.register() as register:
        register.members.unlink(*invocation.accounts([first, second]))
    recorded(invocation.workspace, "The two accounts are no longer linked.", {"linked": False})
