"""``demur object``, ``confirm``, ``lapse`` and ``withdraw``: objections that staff record (Art. 21 GDPR).

Invariants: a reason is optional and never judged; an objection binds from the moment it is recorded, confirmed or
not, and an import that is running does not make it wait.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from demur.cli.honouring import recorded
from demur.cli.options import Invocation, shared
from demur.cli.output import count

CHANNELS = ("letter", "mail", "ticket", "form", "api")
"""How an objection can arrive."""


@click.command("object")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    required=True,
    metavar="NAMESPACE:VALUE",
    help="An account of the person, like instagram:ann; repeat it for each account they have.",
)
@click.option(
    "--channel",
    type=click.Choice(CHANNELS),
    default="ticket",
    show_default=True,
    help="How the objection arrived.",
)
@click.option(
    "--received",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day it arrived, if not today: the answer is due within a month (Art. 12(3) GDPR).",
)
@click.option("--reason", metavar="TEXT", help="The reason, if the person gave one; it is kept sealed.")
@click.option(
    "--unconfirmed",
    is_flag=True,
    help="Nobody knows yet that the holder of the account sent it: it binds, and lapses unless confirmed in time.",
)
@shared
def object_(
    invocation: Invocation,
    accounts: Sequence[str],
    channel: str,
    received: datetime | None,
    reason: str | None,
    *,
    unconfirmed: bool,
) -> None:
    """Record an objection that came by letter, mail or ticket.

    It binds from now on, for all accounts that are linked with those given, and the corpus follows at once.
    """
    day = received.date() if received else None
    if day and day > datetime.now(UTC).date() + timedelta(days=1):  # "today" is a day ahead east of Greenwich
        raise click.BadParameter(f"{day} has not come yet.", param_hint="--received")
    workspace = invocation.workspace
    within = timedelta(days=workspace.policy().objections.confirm_within_days)
    confirm_by = datetime.now(UTC) + within if unconfirmed else None
    with workspace.register() as register:
        receipt = register.lodge(accounts, channel=channel, received=day, reason=reason, confirm_by=confirm_by)
    data = {"reference": receipt.reference, "entry": receipt.seq, "accounts": len(receipt.subjects)}
    sentence = f"Objection {receipt.reference} is recorded and binds {count(len(receipt.subjects), 'account')}."
    if confirm_by:
        sentence += f" It lapses after {confirm_by.date()} unless `demur confirm {receipt.reference}` comes first."
    recorded(workspace, sentence, {**data, "lodged": receipt.lodged, "confirm_by": confirm_by})


@click.command
@click.argument("reference")
@shared
def confirm(invocation: Invocation, reference: str) -> None:
    """Record that the holder of the account confirmed the objection REFERENCE."""
    with invocation.workspace.register() as register:
        register.confirm(reference)
    recorded(invocation.workspace, f"Objection {reference} is confirmed.", _state(reference, "confirmed"))


@click.command
@click.argument("reference")
@click.option(
    "--cause",
    type=click.Choice(["denied", "unconfirmed"]),
    required=True,
    help="Whether the holder of the account denied it, or nobody confirmed it in time.",
)
@shared
def lapse(invocation: Invocation, reference: str, cause: str) -> None:
    """Record that the objection REFERENCE lapsed.

    What the person wrote may come in again with the next import of its source.
    """
    with invocation.workspace.register() as register:
        register.lapse(reference, cause="denied" if cause == "denied" else "unconfirmed")
    sentence = f"Objection {reference} lapsed ({cause}); the next import may bring the rows back."
    recorded(invocation.workspace, sentence, {**_state(reference, "lapsed"), "cause": cause})


@click.command
@click.argument("reference")
@shared
def withdraw(invocation: Invocation, reference: str) -> None:
    """Record that the person withdrew the objection REFERENCE.

    What they wrote may come in again with the next import of its source.
    """
    with invocation.workspace.register() as register:
        register.withdraw(reference)
    sentence = f"Objection {reference} is withdrawn; the next import may bring the rows back."
    recorded(invocation.workspace, sentence, _state(reference, "withdrawn"))


def _state(reference: str, state: str) -> dict[str, object]:
    return {"reference": reference, "state": state}
