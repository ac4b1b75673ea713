"""``demur erase``: a person's deletion, down to the bytes (Art. 17 GDPR)."""

import sys
from collections.abc import Iterator

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, progress
from demur.cli.whose import account_in, whose
from demur.corpus.find import find
from demur.rights import erasing

_MB = 1_000_000


@click.command
@whose
@click.option("--yes", is_flag=True, help="Don't ask.")
@shared
def erase(invocation: Invocation, account: str | None, reference: str | None, *, yes: bool) -> None:
    """Erase everything of and about a person, and keep it out from now on.

    Rows, indexes and old files are rewritten, versions that hold rows of theirs are retired, sealed details and mails
    to them are destroyed. What stays is a keyed number for each account, for the one purpose of keeping their content
    out. It covers the accounts that members or `demur link` prove to be theirs, and none that somebody merely named, or
    that has the same mail address without anybody having verified it. If it is cut off, the same command or `demur
    maintain` finishes it. Of somebody without an account, what they said when they objected is destroyed, and nothing
    of the accounts that they named then.
    """
    asked = account_in(invocation, account, reference)
    if not yes:
        _ask(invocation, asked)
    with progress("Erasing"):
        erased = erasing.erase(invocation.workspace, asked)
    emit(lambda: "\n".join(_receipt(erased)), erased)


def _ask(invocation: Invocation, account: str) -> None:
    if not sys.stdin.isatty():
        msg = "Nothing brings back what is erased: add --yes where nobody can be asked."
        raise click.UsageError(msg)
    found = find(invocation.workspace, account, limit=0)
    rows = f"{count(found.own, 'row')} of theirs go, {count(found.about, 'row')} of others are masked or go"
    click.confirm(
        f"{rows}, in {count(found.accounts, 'account')}; nothing brings them back. Erase?", abort=True, err=True
    )


def _receipt(erased: erasing.Erased) -> Iterator[str]:
    yield f"Erased: objection {erased.reference} keeps it out from now on."
    yield f"  accounts         {erased.accounts:,}"
    yield f"  rows deleted     {erased.own:,} of theirs"
    yield f"  rows rewritten   {erased.about:,} of others that named, quoted, passed on or showed them"
    yield f"  versions retired {', '.join(erased.retired) or 'none'}"
    yield f"  mails removed    {erased.mails:,}; old files of the corpus {erased.bytes_removed / _MB:,.1f} MB"
    for each in erased.recalls:
        told = (
            f"tell whoever has it to remove the rows in {each.rows}"
            if each.rows
            else "tell whoever has it to delete it"
        )
        yield f"Recall the export of {each.version} in {each.path}: {told}."
    for each in erased.unchecked:
        yield (
            f"The export of {each.version} is not in {each.path} any more, and the version is gone: "
            "it may hold rows of theirs; have whoever took it delete it."
        )
    if erased.claimed:
        yield (
            f"Not erased: {count(erased.claimed, 'account')} that an objection named together with theirs; "
            "`demur link` records that one is theirs, once that is shown."
        )
    if not erased.overwritten:
        yield "A reader kept the register's log open: run `demur maintain` later, which empties it."
