"""``demur object``, ``names``, ``confirm``, ``doubt``, ``lapse``, ``revive``, ``withdraw``: what staff record.

Invariants (Art. 21 GDPR): a reason is optional and never judged; an objection binds from the moment it is recorded,
confirmed or not, and an import that is running does not make it wait; what a mail says of its sender can be forged, so
that it counts for the address alone and is asked about, unless staff say that they know; nothing lapses unless somebody
says no, or doubts it on record and nobody answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, named
from demur.objecting import settling
from demur.objecting.called import Called, add
from demur.objecting.channels import RECORDED, Route
from demur.objecting.lodging import Taken, Written, as_staff_say, take_letter
from demur.objecting.office import Office
from demur.register import ObjectionState, Register
from demur.register.objections.names import Kept
from demur.tokens import Tokens
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.objecting.many import Asked

_WHOSE: Final = ("accounts", "names", "former", "handles", "links")
"""Options that say whose an objection is."""


_CALLED: Final = (
    click.option(
        "--name",
        "names",
        multiple=True,
        metavar="NAME",
        help="A name of the person, who needs no account; repeat it for each spelling and nickname that others use. "
        "It is kept sealed, and looked for in what others wrote.",
    ),
    click.option(
        "--former",
        multiple=True,
        metavar="NAME",
        help="A name that they had; repeat it for each. It is kept sealed, and looked for likewise.",
    ),
    click.option(
        "--handle",
        "handles",
        multiple=True,
        metavar="HANDLE",
        help="What they are called elsewhere: @ann@social.example is an account there, stevem42 is looked for as a "
        "name.",
    ),
    click.option(
        "--link",
        "links",
        multiple=True,
        metavar="URL",
        help="The address of a profile, which is an account, or of something that others wrote, for an officer.",
    ),
)


def _called(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what else somebody is called."""
    for option in reversed(_CALLED):
        command = option(command)
    return command


@click.command("object")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="NAMESPACE:VALUE",
    help="An account of the person, like instagram:ann; repeat it for each account they have.",
)
@_called
@click.option(
    "--eml",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The mail in which they object, saved as .eml: sender, date, text and attachments are taken from it.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="Many at once: a CSV file with the column account and perhaps channel, received, reason, name, former, handle "
    "and link (of these, several in a cell with | between them), or a folder of .eml files. One wrong line keeps "
    "all from being recorded; started again, it records none twice.",
)
@click.option("--text", metavar="TEXT", help="What the letter says; it is kept sealed.")
@click.option(
    "--channel",
    type=click.Choice([route.value for route in RECORDED]),
    help="How the objection arrived.  [default: ticket; mail with --eml]",
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
    help="Nobody knows yet that the holder of the account sent it: they are asked, where their address is known; "
    "it binds, has no deadline, and waits in the officer's queue.",
)
@click.option(
    "--confirmed",
    is_flag=True,
    help="You know that the holder sent it: it is confirmed at once, also a mail, whose sender can be forged.",
)
@shared
def object_(invocation: Invocation, /, **said: Any) -> None:  # noqa: ANN401  # click's own: one for each option above
    """Record an objection that came by letter, mail or ticket.

    It binds from now on, for all accounts that are linked with those given, and the corpus follows at once. The holder
    of the first account gets a receipt by mail, where their address is known. Of somebody without an account, names are
    enough: these count at once, or with --unconfirmed and of a mail once the objection is confirmed. Others may write
    "Hi Steve" about Stephen: give what they write. A mail counts for the address that sent it; unless you say
    --confirmed, that address is asked whether to keep it, and accounts are not linked with each other.
    Where a mailing list, a forwarder or an address of yours stands in the sender's place, it counts for the writer whom
    the mail names. An automatic reply counts for nobody. Both are told, and wait for review.
    """
    _check(said)
    if said["source"]:
        from demur.cli.many import from_list  # noqa: PLC0415  # tables and letters, which one objection does without

        from_list(invocation, said["source"], _asked(said), _office)
        return
    workspace = invocation.workspace
    said["accounts"] = invocation.accounts(said["accounts"])
    with workspace.register() as register:
        office = _office(workspace, register)
        written = _written(said, office)
        if said["eml"] or said["confirmed"]:
            taken = take_letter(register, written, office, checked=said["confirmed"])
        else:
            receipt = as_staff_say(register, written, office, unconfirmed=said["unconfirmed"])
            taken = Taken((receipt,), binds=bool(written.accounts))
        states = [register.objections.get(each.reference) for each in taken.receipts]
        named_any = written.names or written.former
        kept = register.names.kept(register.objections.covered_by(states[0].reference)) if named_any else None
    _tell(workspace, states, taken, kept)


def _check(said: Mapping[str, Any]) -> None:
    """Refuse what does not fit together.

    Raises:
        UsageError: with what to say instead.
        BadParameter: for a day that has not come.
    """
    day = said["received"]
    if day and day.date() > datetime.now(UTC).date() + timedelta(days=1):  # "today" is a day ahead east of Greenwich
        raise click.BadParameter(f"{day.date()} has not come yet.", param_hint="--received")
    if said["confirmed"] and said["unconfirmed"]:
        raise click.UsageError("--confirmed and --unconfirmed exclude each other.")
    if said["source"]:
        if any(said[name] for name in (*_WHOSE, "eml", "text", "reason")):
            raise click.UsageError("--from says whose the objections are and why: leave the other options out.")
    elif not (said["eml"] or any(each.strip() for name in _WHOSE for each in said[name])):
        raise click.UsageError("Whose objection is it? Give --account, --name or --eml.")


def _asked(said: Mapping[str, Any]) -> "Asked":
    """What the options say of all objections of a list."""
    from demur.objecting.many import Asked  # noqa: PLC0415  # see above

    day = said["received"].date() if said["received"] else None
    return Asked(said["channel"], day, checked=said["confirmed"], unconfirmed=said["unconfirmed"])


def _written(said: Mapping[str, Any], office: Office) -> Written:
    """What the options and the mail say."""
    day = said["received"].date() if said["received"] else None
    besides = _besides(said, office)
    written = Written(
        said["channel"] or Route.TICKET,
        (*said["accounts"], *besides.accounts),
        besides.names,
        said["text"] or "",
        said["reason"],
        day,
        former=besides.former,
        links=besides.links,
    )
    if not said["eml"]:
        return written
    from demur.objecting.eml import MOST_BYTES, read_letter  # noqa: PLC0415  # most come without a letter

    with said["eml"].open("rb") as file:
        letter = read_letter(file.read(MOST_BYTES + 1), now=office.now, names=office.policy.accounts.names)
    return replace(written, channel=said["channel"] or Route.MAIL).with_letter(letter)


def _besides(said: Mapping[str, Any], office: Office) -> Called:
    """What the options say somebody is called besides."""
    return Called.of(said["names"], said["former"], (*said["handles"], *said["links"]), office.policy.accounts.names)


def _office(workspace: Workspace, register: Register) -> Office:
    keys = workspace.keys()
    return Office(workspace.policy(), keys, Tokens.of(keys, register.incarnation), datetime.now(UTC))


def _tell(workspace: Workspace, states: Sequence[ObjectionState], taken: Taken, kept: Kept | None) -> None:
    """Say what is recorded, and of names, where any were given, how many count; none is printed."""
    first, covers = states[0], workspace.policy().accounts.mail_tags == "cover"
    sentences = []
    for each in states:
        bound = f"binds {count(each.covered, 'account')}" if taken.binds else "names no account"
        sentences.append(f"Objection {each.reference} is recorded and {bound}.")
    if kept is not None:
        sentences += named(kept)
    elif not taken.binds:
        sentences.append("What it says is kept sealed: it keeps nothing out yet.")
    if taken.tagged:
        does = "covers the address without it, too" if covers else "keeps it apart from the address without it"
        sentences.append(f"The sender's address has a tag (+): `mail_tags` of [accounts] in demur.toml {does}.")
    if taken.doubt:
        sentences.append(taken.doubt.said)
    data = {"reference": first.reference, "entry": first.seq, "accounts": sum(each.covered for each in states)}
    data |= {"lodged": first.lodged, "confirm_by": None, "references": [each.reference for each in states]}
    data |= {"warning": taken.doubt, "names": None if kept is None else vars(kept)}
    recorded(workspace, "\n".join(sentences), data, after=first.seq)


@click.command
@click.argument("reference")
@_called
@shared
def names(invocation: Invocation, /, reference: str, **said: Any) -> None:  # noqa: ANN401  # click's own: see _CALLED
    """Record what else the person of the objection REFERENCE is called.

    Names count at once, and the corpus follows. So only an objection takes them that is shown to be theirs: by a link
    to the address on file, a sign-in, the platform, or because it is confirmed (`demur confirm`). Accounts that are
    named here prove nothing: each has an objection of its own, and its holder is asked. Links that are no account are
    kept for an officer.
    """
    workspace = invocation.workspace
    with workspace.register() as register:
        office = _office(workspace, register)
        if not (besides := _besides(said, office)):
            raise click.UsageError("What else are they called? Give --name, --former, --handle or --link.")
        before = register.log.head().seq
        beside = add(register, reference, besides, office, frozenset(besides.accounts))
        kept = register.names.kept(register.objections.covered_by(reference))
        other = None if beside is None else register.objections.reference_of(beside)
    sentences = [f"Objection {reference} has what was added.", *named(kept)]
    if other:
        sentences.append(f"Accounts and links are recorded with the objection {other}.")
    data = {"reference": reference, "names": vars(kept), "beside": other}
    recorded(workspace, "\n".join(sentences), data, after=before + 1)


@click.command
@click.argument("reference")
@shared
def confirm(invocation: Invocation, reference: str) -> None:
    """Record that the holder of the account confirmed the objection REFERENCE."""
    workspace = invocation.workspace
    with workspace.register() as register:
        settling.confirm(register, reference, _office(workspace, register))
    recorded(workspace, f"Objection {reference} is confirmed.", _state(reference, "confirmed"))


@click.command
@click.argument("reference")
@click.option(
    "--cause",
    type=click.Choice(["denied", "unconfirmed"]),
    required=True,
    help="Whether the holder of the account denied it, or did not answer in time once it was doubted (`demur doubt`).",
)
@shared
def lapse(invocation: Invocation, reference: str, cause: str) -> None:
    """Record that the objection REFERENCE lapsed, as the holder of the account says that it is not theirs.

    Silence ends none: one that somebody typed in, and that you doubt on record, lapses by itself after the reminders.
    What the person wrote may come in again with the next import of its source.
    """
    workspace = invocation.workspace
    with workspace.register() as register:
        office = _office(workspace, register)
        settling.lapse(register, reference, office, cause="denied" if cause == "denied" else "unconfirmed")
    sentence = f"Objection {reference} lapsed ({cause}); the next import may bring the rows back."
    recorded(workspace, sentence, {**_state(reference, "lapsed"), "cause": cause})


@click.command
@click.argument("reference")
@click.option("--reason", metavar="TEXT", required=True, help="Why you doubt whose it is; it is kept sealed.")
@shared
def doubt(invocation: Invocation, reference: str, reason: str) -> None:
    """Record reasonable doubt whose the objection REFERENCE is (Art. 12(6) GDPR).

    Only one that somebody typed in on the portal can be doubted, and only where an email address of the account's
    holder is on file. They are asked anew, and reminded after 7 and 21 days. It goes on binding meanwhile, and lapses
    only where nobody answers within `objections.confirm_within_days`.
    """
    workspace = invocation.workspace
    with workspace.register() as register:
        state = settling.doubt(register, reference, reason, _office(workspace, register))
    assert state.confirm_by is not None
    sentence = (
        f"The doubt about objection {reference} is on record, and the account's holder is asked: unless they answer "
        f"or `demur confirm {reference}` comes first, it lapses after {state.confirm_by.date()}."
    )
    recorded(workspace, sentence, {**_state(reference, "lodged"), "confirm_by": state.confirm_by})


@click.command
@click.argument("reference")
@shared
def revive(invocation: Invocation, reference: str) -> None:
    """Bring back the objection REFERENCE, which has lapsed.

    It binds as it did, with its reference, its words and its files, and the corpus follows at once. Whoever was asked
    about it, or got its receipt, gets another email.
    """
    workspace = invocation.workspace
    with workspace.register() as register:
        state = settling.revive(register, reference, _office(workspace, register))
    recorded(workspace, f"Objection {reference} binds again.", _state(reference, state.phase.value))


@click.command
@click.argument("reference")
@shared
def withdraw(invocation: Invocation, reference: str) -> None:
    """Record that the person withdrew the objection REFERENCE.

    Whoever stood for it is told by mail, where their address is known. What they
    wrote may come in again with the next import of its source.
    """
    workspace = invocation.workspace
    with workspace.register() as register:
        settling.withdraw(register, reference, _office(workspace, register))
    sentence = f"Objection {reference} is withdrawn; the next import may bring the rows back."
    recorded(workspace, sentence, _state(reference, "withdrawn"))


def _state(reference: str, state: str) -> dict[str, object]:
    return {"reference": reference, "state": state}
