"""``demur access``: a person's copy of what is held of and about them (Art. 15 GDPR)."""

from pathlib import Path

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, progress
from demur.cli.whose import account_in, whose
from demur.rights.access import Copy, copy_of


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
    default="en",
    show_default=True,
    metavar="LANGUAGE",
    help="Language of the legal information in it, BCP 47; the rest is in English.",
)
@shared
def access(invocation: Invocation, account: str | None, reference: str | None, to: Path, language: str) -> None:
    """Write a person's copy of what is held of and about them: one zip with JSON and a page to read.

    It covers the accounts that members or `demur link` prove to be theirs, and none that somebody merely named, or that
    has the same mail address without anybody having verified it. Make sure first that it is the holder of the account
    who asks. Of somebody without an account it holds what they said when they objected, and nothing of the accounts
    that they named then.
    """
    asked = account_in(invocation, account, reference)
    with progress("Writing the copy"):
        copy = copy_of(invocation.workspace, asked, to=to, language=language)
    emit(lambda: _told(copy), copy)


def _told(copy: Copy) -> str:
    hold = "holds" if copy.versions == 1 else "hold"
    sentence = (
        f"The copy is in {copy.path}: {count(copy.own, 'row')} of theirs, {count(copy.about, 'row')} of others about "
        f"them, {count(copy.versions, 'version')} that {hold} such rows; {count(copy.accounts, 'account')}."
    )
    if not copy.claimed:
        return sentence
    return (
        f"{sentence}\nNot in it: {count(copy.claimed, 'account')} that an objection named together with theirs; "
        "`demur link` records that one is theirs, once that is shown."
    )
