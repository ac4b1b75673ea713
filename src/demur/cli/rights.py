"""``demur access`` and ``erase``: a person's copy (Art. 15 GDPR), and their deletion, down to the bytes (Art. 17 GDPR).

Invariant: whose data it is, an account says, or the reference of somebody who has none; never both.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress
from demur.corpus.find import find
from demur.objecting.channels import account_by_reference
from demur.rights import erasing
from demur.rights.access import Copy, copy_of
from demur.runs.listing import REPLAY, listed

_MB = 1_000_000

F = TypeVar("F", bound=Callable[..., object])


def whose(function: F) -> F:
    """Give a command ``--account`` and ``--reference``; :func:`account_in` reads them."""
    account = click.option("--account", metavar="NAMESPACE:VALUE", help="An account of the person.")
    reference = click.option(
        "--reference",
        metavar="REF",
        help="Of somebody without an account: the reference of the objection in which they said who they are.",
    )
    return account(reference(function))


def account_in(invocation: Invocation, account: str | None, reference: str | None) -> str:
    """The account that is asked for.

    Raises:
        UsageError: unless exactly one option is given, or where a reference is of no such objection.
        RegisterError: for an unknown reference.
    """
    if account and not reference:
        return invocation.account(account)
    if account or not reference:
        raise click.UsageError("Whose data is it? Give --account or --reference, one of them.")
    with invocation.workspace.register() as register:
        return account_by_reference(register, reference)


@click.command
@whose
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip",
    help="Where the copy is written: a new file, outside of the workspace.",
)
@click.option(
    "--language",
    metavar="LANGUAGE",
    help="Language of the page in it, BCP 47; without it the one on file for the person, else that of your notices.",
)
@shared
def access(invocation: Invocation, account: str | None, reference: str | None, to: Path, language: str | None) -> None:
    """Write a person's copy of what is held of and about them: one zip with JSON and a page to read.

    It covers the accounts that members or `demur link` prove to be theirs, and none that somebody merely named, or that
    has the same mail address without anybody having verified it. Make sure first that it is the holder of the account
    who asks. Where nothing is held of an account, it says so and writes nothing. Of somebody without an account it
    holds what they said when they objected, and nothing of the accounts that they named then.
    """
    asked = account_in(invocation, account, reference)
    with progress("Writing the copy"):
        copy = copy_of(invocation.workspace, asked, to=to, language=language, known=True)
    emit(lambda: _told(copy), copy)


def _told(copy: Copy) -> str:
    hold = "holds" if copy.versions == 1 else "hold"
    sentence = (
        f"The copy is in {copy.path}: {count(copy.own, 'row')} of theirs, {count(copy.about, 'row')} of others about "
        f"them, {count(copy.versions, 'version')} that {hold} such rows; {count(copy.accounts, 'account')}."
    )
    if copy.pictures:
        sentence += f"\nPictures in it, of theirs or with a tag of them: {copy.pictures:,}."
    if not copy.claimed:
        return sentence
    return (
        f"{sentence}\nNot in it: {count(copy.claimed, 'account')} that an objection named together with theirs; "
        "`demur link` records that one is theirs, once that is shown."
    )


@click.command
@whose
@click.option("--yes", is_flag=True, help="Don't ask.")
@shared
def erase(invocation: Invocation, account: str | None, reference: str | None, *, yes: bool) -> None:
    """Erase everything of and about a person, and keep it out from now on.

    Rows, indexes and old files are rewritten, versions that hold rows of theirs are retired, sealed details and mails
    to them are destroyed. What stays are keyed numbers, for the one purpose of keeping them out: of each account, of
    their names, of what they wrote and of the threads they wrote in. It covers the accounts that members or `demur
    link` prove to be theirs, and none that somebody merely named, or that has the same mail address without anybody
    having verified it. If it is cut off, the same command or `demur maintain` finishes it. Of somebody without an
    account, what they said when they objected is destroyed, and nothing of the accounts that they named then.
    """
    asked = account_in(invocation, account, reference)
    if not yes:
        _ask(invocation, asked)
    with progress("Erasing"):
        erased = erasing.erase(invocation.workspace, asked)
    with invocation.workspace.register() as register:
        runs = [each.run for each in listed(invocation.workspace.models_path, register) if each.waits == REPLAY]
    emit(lambda: "\n".join([*_receipt(erased), *map(_to_replay, runs)]), {**vars(erased), "to_replay": runs})


def _ask(invocation: Invocation, account: str) -> None:
    if not sys.stdin.isatty():
        msg = "Nothing brings back what is erased: add --yes where nobody can be asked."
        raise click.UsageError(msg)
    found = find(invocation.workspace, account, limit=0)
    rows = f"{count(found.own, 'row')} of theirs go, {count(found.about, 'row')} of others are masked or go"
    click.confirm(
        f"{rows}, in {count(found.accounts, 'account')}; nothing brings them back. Erase?", abort=True, err=True
    )


def _to_replay(run: str) -> str:
    return (
        f"Run `demur replay {run}`: it serves a state that never saw whoever objected, and is yet to be trained again."
    )


def _receipt(erased: erasing.Erased) -> Iterator[str]:
    yield f"Erased: objection {erased.reference} keeps it out from now on."
    yield f"  accounts         {erased.accounts:,}"
    yield f"  rows deleted     {erased.own:,} of theirs"
    yield f"  rows rewritten   {erased.about:,} of others that named, quoted, passed on or showed them"
    yield f"  versions retired {', '.join(erased.retired) or 'none'}"
    yield f"  mails removed    {erased.mails:,}; old files of the corpus {erased.bytes_removed / _MB:,.1f} MB"
    kept = erased.kept
    yield (
        f"  kept             to honour it alone, as keyed numbers: {count(kept.spellings, 'spelling')}, fingerprints "
        f"of {count(kept.fingerprints, 'item')}, {count(kept.threads, 'thread')}"
    )
    for each in erased.recalls:
        told = (
            f"tell whoever has it to remove the rows in {each.rows}"
            if each.rows
            else "tell whoever has it to delete it"
        )
        yield f"Recall the export of {each.version} in {each.path}: {told}."
    for each in erased.unchecked:
        yield (
            f"The export of {each.version} can't be read in {each.path} (any more), and the version is gone: "
            "it may hold rows of theirs; have whoever took it delete it."
        )
    if erased.claimed:
        yield (
            f"Not erased: {count(erased.claimed, 'account')} that an objection named together with theirs; "
            "`demur link` records that one is theirs, once that is shown."
        )
    if not erased.overwritten:
        yield "A reader kept the register's log open: run `demur maintain` later, which empties it."
