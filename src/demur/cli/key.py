"""``demur key``: the keys with which the platform calls the API.

Invariants: a key is shown once, when it is made; the register keeps its SHA-256 alone.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import emit, note, table


@click.group(cls=Noun)
@in_workspace
def key(roots: Sequence[Path]) -> None:  # the command reads them
    """Make, list and revoke the keys of the API."""


@key.command
@click.argument("name")
@shared
def create(invocation: Invocation, name: str) -> None:
    """Make a key, for what or whom NAME says, and show it this once."""
    with invocation.workspace.register() as register:
        secret = register.api_keys.create(name)
    note(f"This is the key {name}. It is shown only now: put it where {name} keeps its secrets.")
    emit(secret, {"name": name, "key": secret})


@key.command
@click.argument("name")
@shared
def revoke(invocation: Invocation, name: str) -> None:
    """Revoke the key NAME; it stops working within a second."""
    with invocation.workspace.register() as register:
        register.api_keys.revoke(name)
    emit(f"The key {name} is revoked.", {"name": name})


@key.command("list")
@shared
def list_(invocation: Invocation) -> None:
    """List the keys, those revoked included."""
    with invocation.workspace.register() as register:
        found = register.api_keys.list()
    rows = [(each.name, f"{each.created:%Y-%m-%d}", _day(each.revoked)) for each in found]
    listed = "\n".join(table(("key", "made", "revoked"), rows)) if rows else "No key yet: `demur key create NAME`."
    emit(listed, {"keys": [vars(each) for each in found]})


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
