"""``demur members``, ``link`` and ``unlink``: who the members are, and which accounts are one person."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pyarrow as pa

from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress
from demur.errors import CheckFailed
from demur.sources.meter import watching
from demur.sources.tables.membercolumns import Reading, member_options
from demur.sources.tables.members import member_batches

if TYPE_CHECKING:
    from demur.register import MemberPreview

_NAMED: Final = 20
"""Columns that are named one by one."""


@click.command
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be taken, line by line what not, and record nothing.")
@shared
def members(invocation: Invocation, paths: Sequence[Path], *, dry_run: bool) -> None:
    """Read accounts, names, locales, regions, birth years, told-on dates and linked accounts from each PATH.

    PATH is a Parquet, CSV or JSON Lines file with a row for each account. Columns: account (needed), names, locale,
    region, birth_year, told_on, linked, consented, mail, mail_verified; others are mapped under [sources.members] of
    demur.toml. In CSV the lists (names, linked) have | between their parts. What is empty is unknown; the last row
    read for an account counts, whole.

    An objection covers all accounts that are linked or have a mail address in common. A copy or an erasure covers
    those in linked, and those that share an address which mail_verified says you made sure of: true only where a
    mail to it was answered.
    """
    policy = invocation.workspace.policy()
    options = member_options(policy.sources.get("members", {}), policy.portal.namespace)
    reading = Reading(options, policy.accounts.names, lenient=dry_run)
    if dry_run:
        _preview(invocation, paths, reading)
    else:
        _import(invocation, paths, reading)


def _import(invocation: Invocation, paths: Sequence[Path], reading: Reading) -> None:
    workspace = invocation.workspace
    with workspace.register() as register, watching() as meter, progress("Reading members") as advance:
        outcome = register.members.import_all(
            _watched(paths, reading, advance), minimum_age=workspace.policy().door.minimum_age
        )
    sentence = f"{count(outcome.read, 'member')} read, {outcome.changed:,} of them new or changed."
    data = {"read": outcome.read, "changed": outcome.changed, "entry": outcome.seq, "unused": reading.unused}
    recorded(workspace, "\n".join([sentence, *_unused(reading), *meter.told]), data)


def _preview(invocation: Invocation, paths: Sequence[Path], reading: Reading) -> None:
    """Say what an import would do.

    Raises:
        CheckFailed: when it would be refused.
    """
    with invocation.workspace.register() as register, watching() as meter, progress("Reading members") as advance:
        found = register.members.preview(_watched(paths, reading, advance))
    data = {**vars(found), "refused": reading.refused, "why": reading.why}
    data |= {"columns": reading.taken, "unused": reading.unused}
    emit(lambda: "\n".join([*_page(found, reading), *meter.told]), data)
    if reading.refused:
        raise CheckFailed(f"{count(reading.refused, 'record')} can't be read: correct them, or nothing is imported.")


def _page(found: "MemberPreview", reading: Reading) -> Iterator[str]:
    read, refused = count(found.read + reading.refused, "record"), reading.refused
    told = f"{found.new:,} new, {found.changed:,} changed, {found.unchanged:,} unchanged, {refused:,} refused"
    again = found.read - found.new - found.changed - found.unchanged
    yield f"{read} read: {told}{f', {again:,} of an account that comes again' if again else ''}. Nothing was recorded."
    for path, taken in reading.taken.items():
        yield f"{path}: {', '.join(f'{name} from {_columns(columns)}' for name, columns in taken.items())}."
    yield from _unused(reading)
    yield from (f"  {sentence}" for sentence in reading.why)
    if refused > len(reading.why):
        yield f"  and {refused - len(reading.why):,} more."


def _columns(columns: Sequence[str]) -> str:
    return " and ".join(f"`{column}`" for column in columns)


def _unused(reading: Reading) -> Iterator[str]:
    """Which columns of a file are passed over."""
    for path, columns in reading.unused.items():
        if columns:
            yield f"{path}: not used are {', '.join(f'`{column}`' for column in columns[:_NAMED])}{_more(columns)}."


def _more(columns: Sequence[str]) -> str:
    return f" and {len(columns) - _NAMED:,} more columns" if len(columns) > _NAMED else ""


def _watched(paths: Sequence[Path], reading: Reading, advance: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        for batch in member_batches(path, reading):
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
