"""The two options that say whose data it is: an account, or the reference of somebody who has none."""

from collections.abc import Callable
from typing import TypeVar

import click

from demur.cli.options import Invocation
from demur.objecting.channels import account_by_reference

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
        return account
    if account or not reference:
        raise click.UsageError("Whose data is it? Give --account or --reference, one of them.")
    with invocation.workspace.register() as register:
        return account_by_reference(register, reference)
