"""``demur consent give`` and ``withdraw``: consents (Art. 7 GDPR), for workspaces where consent is the basis."""

from collections.abc import Sequence
from pathlib import Path

import click

from demur.cli.app import Noun
from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import count

_accounts = click.option(
    "--account",
    "accounts",
    multiple=True,
    required=True,
    metavar="NAMESPACE:VALUE",
    help="An account whose consent it is, like instagram:ann; repeat it for several.",
)


@click.group(cls=Noun)
@in_workspace
def consent(roots: Sequence[Path]) -> None:  # the command reads them
    """Record consents, given and withdrawn."""


@consent.command
@_accounts
@shared
def give(invocation: Invocation, accounts: Sequence[str]) -> None:
    """Record that accounts consented."""
    _record(invocation, accounts, given=True)


@consent.command
@_accounts
@shared
def withdraw(invocation: Invocation, accounts: Sequence[str]) -> None:
    """Record that accounts withdrew their consent."""
    _record(invocation, accounts, given=False)


def _record(invocation: Invocation, accounts: Sequence[str], *, given: bool) -> None:
    accounts = invocation.accounts(accounts)
    with invocation.workspace.register() as register:
        entry = register.members.consent(accounts, given=given)
    done = "consented" if given else "withdrew consent"
    sentence = f"It is recorded that {count(len(set(accounts)), 'account')} {done}."
    recorded(invocation.workspace, sentence, {"given": given, "accounts": len(set(accounts)), "entry": entry})
