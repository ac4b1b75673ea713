"""``demur staff``: who may use the staff's pages.

Invariants: an invitation is shown once, when it is made; the register keeps its SHA-256 alone; whoever is removed is
out at once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import emit, note, table
from demur.errors import UsageError
from demur.register import Staff, StaffRole

if TYPE_CHECKING:
    from demur.web.staff.passkeys import Site
    from demur.workspace import Workspace

HOURS: Final = 48
"""How long an invitation holds."""


@click.group(cls=Noun)
@in_workspace
def staff(roots: Sequence[Path]) -> None:  # the command reads them
    """Invite, list and remove the staff who use the pages at /staff/."""


@staff.command
@click.argument("name")
@click.option("--role", type=click.Choice([each.value for each in StaffRole]), required=True, help="What NAME may do.")
@shared
def invite(invocation: Invocation, name: str, role: str) -> None:
    """Invite NAME, and show the link with which they make their passkey this once."""
    site = _site(invocation.workspace)
    until = datetime.now(UTC) + timedelta(hours=HOURS)
    with invocation.workspace.register() as register:
        secret = register.staff.invite(name, role, until)
    link = f"{site.origin}/staff/join/{secret}"
    note(f"Give this link to {name}, and to nobody else. It works once, until {until:%Y-%m-%d %H:%M} UTC.")
    emit(link, {"name": name, "role": role, "link": link, "until": until})


@staff.command("list")
@shared
def list_(invocation: Invocation) -> None:
    """List everybody who was ever invited."""
    with invocation.workspace.register() as register:
        everybody = register.staff.list()
    rows = [(str(each.id), each.name, each.role, _standing(each)) for each in everybody]
    listed = (
        "\n".join(table(("number", "name", "role", "standing"), rows)) if rows else "Nobody yet: `demur staff invite`."
    )
    emit(listed, {"staff": [vars(each) for each in everybody]})


@staff.command
@click.argument("name")
@shared
def remove(invocation: Invocation, name: str) -> None:
    """Take the access of NAME, or of their number, away; their sessions end at once."""
    with invocation.workspace.register() as register:
        found = _named(register.staff.list(), name)
        register.staff.remove(found.id)
    emit(f"{found.name} has no access any more.", {"id": found.id, "name": found.name})


def _named(everybody: Sequence[Staff], name: str) -> Staff:
    """The one that a name, or a number, means.

    Raises:
        UsageError: if it means nobody, or several.
    """
    found = [each for each in everybody if not each.removed and name in {each.name, str(each.id)}]
    if len(found) == 1:
        return found[0]
    what = "several have the name" if found else "nobody has access who is called"
    raise UsageError(f"Nothing was done, as {what} {name!r}: give the number that `demur staff list` shows.")


def _standing(each: Staff) -> str:
    if each.removed:
        return f"removed {each.removed:%Y-%m-%d}"
    if each.joined:
        return f"joined {each.joined:%Y-%m-%d}"
    over = each.invite_until <= datetime.now(UTC)
    return "the invitation has expired" if over else f"invited until {each.invite_until:%Y-%m-%d %H:%M} UTC"


def _site(workspace: "Workspace") -> "Site":
    """Where passkeys are made; checked before anybody is invited there.

    Raises:
        UsageError: where browsers make none, or without the extra `web`.
    """
    try:
        from demur.web.staff.passkeys import Site  # noqa: PLC0415  # of the extra `web`
    except ImportError:
        raise UsageError("The staff's pages need the extra `web`: run `pip install 'demur[web]'`.") from None
    policy = workspace.policy()
    return Site.of(policy.portal.url, policy.controller.name)
