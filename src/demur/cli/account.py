"""``demur link`` and ``unlink``: which accounts are one person, so that one objection covers all of them."""

import click

from demur.cli.honouring import recorded
from demur.cli.options import Invocation, shared


@click.command
@click.argument("first", metavar="ACCOUNT")
@click.argument("second", metavar="ACCOUNT")
@shared
def link(invocation: Invocation, first: str, second: str) -> None:
    """Record that two accounts belong to one person.

    An objection of either then covers both, and each shows the other's data: look first whether they are.
    """
    with invocation.workspace.register() as register:
        register.members.link(first, second)
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
        register.members.unlink(first, second)
    recorded(invocation.workspace, "The two accounts are no longer linked.", {"linked": False})
