"""``demur key`` and ``demur staff``: with which keys the platform calls the API, and who uses the staff's pages.

Invariants: a key and an invitation are shown once, when they are made; the register keeps their SHA-256 alone; whoever
is removed is out at once, and a revoked key within a second.
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
from demur.extras import lacking
from demur.register import KeyScope, Staff, StaffRole

if TYPE_CHECKING:
    from demur.web.staff.passkeys import Site
    from demur.workspace import Workspace

HOURS: Final = 48
"""How long an invitation holds."""


@click.group(cls=Noun)
@in_workspace
def key(roots: Sequence[Path]) -> None:  # the command reads them
    """Make, list and revoke the keys of the API."""


@key.command
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([each.value for each in KeyScope]),
    default=KeyScope.PLATFORM.value,
    show_default=True,
    help="`platform`: all that the platform does for its members. `load`: following an export, for a trainer. "
    "`generate`: asking `demur serve --model` for texts. `metrics`: reading /metrics, for Prometheus.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="For how many days it holds; it does not expire otherwise.")
@shared
def create(invocation: Invocation, name: str, scope: str, days: int | None) -> None:
    """Make a key, for what or whom NAME says, and show it this once."""
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with invocation.workspace.register() as register:
        secret = register.api_keys.create(name, KeyScope(scope), expires=expires)
    note(f"This is the key {name}. It is shown only now: put it where {name} keeps its secrets.")
    emit(secret, {"name": name, "key": secret, "scope": scope, "expires": expires})


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
def list_keys(invocation: Invocation) -> None:
    """List the keys, those revoked included."""
    with invocation.workspace.register() as register:
        found = register.api_keys.list()
    rows = [
        (each.name, each.scope, f"{each.created:%Y-%m-%d}", _day(each.expires), _day(each.revoked)) for each in found
    ]
    listed = (
        "\n".join(table(("key", "scope", "made", "expires", "revoked"), rows))
        if rows
        else "No key yet: `demur key create NAME`."
    )
    emit(listed, {"keys": [vars(each) for each in found]})


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


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
def list_staff(invocation: Invocation) -> None:
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
        raise lacking("Making passkeys", "web") from None
    policy = workspace.policy()
    return Site.of(policy.portal.url, policy.controller.name)
