"""``demur mark``: the file outside the register that says how far it was acknowledged."""

from datetime import datetime

import click

from demur.cli.app import Noun
from demur.cli.options import Invocation, shared
from demur.cli.output import emit

_KB = 1_000


@click.group(cls=Noun)
def mark() -> None:
    """Show the mark, or begin a new one where it is lost."""


@mark.command
@shared
def show(invocation: Invocation) -> None:
    """Say where the mark lies, how far it goes, and since when its journal holds what a restore does again."""
    with invocation.workspace.register() as register:
        found = register.mark
        assert found is not None  # a workspace's register has one
        head, end, size = found.head(), found.end(), found.size
        began = next((entry.time for entry in register.log.entries(after=head.begin.seq - 1)), None)
    since = _since(head.begin.seq, began)
    data = {"path": found.path, "begin": head.begin.seq, "end": end.seq, "bytes": size, "incarnation": head.incarnation}
    emit(
        f"{found.path}: up to entry {end.seq:,} (incarnation {head.incarnation}), {size / _KB:,.1f} kB;\n"
        f"its journal begins {since}.",
        data,
    )


@mark.command
@shared
def renew(invocation: Invocation) -> None:
    """Begin a new mark at the register's end, where the old one is lost, or is from before a restore.

    Where it is lost, nobody can tell any more whether the register is the newest one: nothing is published then until
    somebody accepts that (`demur publish NAME --accept-loss`). Back up right after it.
    """
    workspace = invocation.workspace
    with workspace.writing("mark renew"):
        renewed = workspace.renew_mark()
    told = f"A new mark begins at entry {renewed.begin:,} in {renewed.path} (incarnation {renewed.incarnation})."
    if renewed.lost:
        told += " Whether the register was the newest is unknown: publishing waits for --accept-loss. Back up now."
    emit(told, renewed)


def _since(begin: int, began: datetime | None) -> str:
    if not begin or began is None:
        return "with the register: there is no backup yet"
    return f"after entry {begin:,} ({began:%Y-%m-%d %H:%M} UTC), where the last backup ends"
