"""``demur notice``: tell people, see how far that has come, and what is on record of it."""

import csv
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import count, emit, note, progress, table
from demur.errors import CheckFailed
from demur.files import replacing
from demur.policy import Policy
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.notices.rendering import Rendered
    from demur.register import Register
    from demur.register.contact.records import NoticeRecord, Preview

_COLUMNS: Final = "campaign subject channel status language digest queued sent bounced opened".split()  # noqa: SIM905
_EXAMPLE_TOKEN: Final = "EXAMPLE"  # noqa: S105  # no token: it opens nothing
_OPENED: Final = "not recorded"
"""Nothing in a notice tells whether it was opened."""


_campaign_name: Final = click.argument("name", metavar="CAMPAIGN")


@click.group(cls=Noun)
@in_workspace
def notice(roots: Sequence[Path]) -> None:  # the command reads them
    """Tell members what is used of theirs, and how to object."""


@notice.command
@shared
def check(invocation: Invocation) -> None:
    """Say what the notice lacks (Arts 13, 14 and 21(4) GDPR).

    Exits with 1 where something is missing, and names the keys of demur.toml to fill in.
    """
    _check(invocation.workspace)


@notice.command
@_campaign_name
@shared
def preview(invocation: Invocation, name: str) -> None:
    """Show whom a campaign would tell, and one notice.

    It counts whom the campaign leaves out and why, who has no mail address, and what the notice lacks; nothing is
    queued.
    """
    _campaign(invocation.workspace, name, dry_run=True)


@notice.command
@_campaign_name
@click.option("--dry-run", is_flag=True, help="Queue nothing: do what `demur notice preview` does.")
@shared
def send(invocation: Invocation, name: str, *, dry_run: bool) -> None:
    """Queue a notice for everybody whom the policy wants to be told.

    They are told by mail and within the platform. A campaign is queued once and delivered by `demur worker` or `demur
    serve`; started again, it adds who is new. People who objected get no notice. It is refused while `demur notice
    check` finds something.
    """
    _campaign(invocation.workspace, name, dry_run=dry_run)


@notice.command("progress")
@_campaign_name
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what is on record of each notice instead: the .csv to write.",
)
@shared
def progress_(invocation: Invocation, name: str, to: Path | None) -> None:
    """Show where the notices of a campaign stand: how many, by channel and status."""
    if to is None:
        _show_progress(invocation.workspace, name)
    else:
        _write_records(invocation.workspace, name, to)


@click.command(hidden=True)
@click.option("--campaign", metavar="NAME", help="`demur notice send NAME`.")
@click.option("--dry-run", is_flag=True, help="With --campaign: `demur notice preview NAME`.")
@click.option("--check", is_flag=True, help="`demur notice check`.")
@click.option("--progress", "watched", metavar="NAME", help="`demur notice progress NAME`.")
@click.option("--records", "listed", metavar="NAME", help="`demur notice progress NAME --to FILE`.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="With --records.")
@shared
def notify(
    invocation: Invocation,
    campaign: str | None,
    watched: str | None,
    listed: str | None,
    to: Path | None,
    *,
    dry_run: bool,
    check: bool,
) -> None:
    """Do what `demur notice` does, by its former spelling, which goes with the next release."""
    _one_of(campaign, watched, listed, check=check)
    if (to is None) is not (listed is None) or (dry_run and campaign is None):
        message = "--records and --to go together, and --dry-run with --campaign."
        raise click.UsageError(message, click.get_current_context())
    workspace = invocation.workspace
    if check:
        _hint("check")
        _check(workspace)
    elif watched is not None:
        _hint("progress", watched)
        _show_progress(workspace, watched)
    elif listed is not None and to is not None:
        _hint("progress", listed, "--to", str(to))
        _write_records(workspace, listed, to)
    elif campaign is not None:
        _hint("preview" if dry_run else "send", campaign)
        _campaign(workspace, campaign, dry_run=dry_run)


def _one_of(*names: str | None, check: bool) -> None:
    if sum(name is not None for name in names) + check != 1:
        message = "Give one of --campaign, --check, --progress and --records."
        raise click.UsageError(message, click.get_current_context())


def _hint(*words: str) -> None:
    note(f"`demur notify` goes with the next release: from now on say `demur notice {shlex.join(words)}`.")


def _check(workspace: Workspace) -> None:
    from demur.notices.lacking import lacks  # noqa: PLC0415  # it loads Babel; help does without

    lacking = lacks(workspace.policy())
    emit("\n".join(lacking) or "Every key that the notice is made from is filled in.", {"lacks": lacking})
    if lacking:
        raise CheckFailed(_incomplete(lacking))


def _incomplete(lacking: Sequence[str]) -> str:
    return f"The notice lacks {count(len(lacking), 'thing')} that it has to say: fill in demur.toml."


def _campaign(workspace: Workspace, name: str, *, dry_run: bool) -> None:
    from demur.notices.campaign import channels_of, too_soon, unmailed  # noqa: PLC0415  # the same
    from demur.notices.lacking import lacks  # noqa: PLC0415  # the same

    policy, today = workspace.policy(), datetime.now(UTC).date()
    without, lacking = unmailed(policy), lacks(policy)
    if without and not channels_of(policy) and not dry_run:
        raise CheckFailed(without)
    if lacking and not dry_run:
        raise CheckFailed(f"{_incomplete(lacking)[:-1]}; `demur notice check` names the keys.")
    for sentence in (without, *lacking, too_soon(policy, today)):
        if sentence:
            note(sentence)
    if dry_run:
        _preview(workspace, policy, name, today)
    else:
        _start(workspace, policy, name, today)


def _preview(workspace: Workspace, policy: Policy, name: str, today: date) -> None:
    from demur.notices.rendering import Links, render_notice  # noqa: PLC0415  # the same

    with workspace.register() as register:
        preview, elsewhere, age = _weighed(register, policy, today)
        no_address = preview.people - _with_address(register, policy, today)
    example = render_notice(policy, None, Links(policy.portal.url, _EXAMPLE_TOKEN))
    head = f"Campaign {name} would tell {_people(preview.people)}; nothing was queued. {_left_out(preview)}"
    others = f"Left out by the policy's regions: {_people(elsewhere)}; of the others, by its age limit: {_people(age)}."
    data = _data(name, preview)
    left_out = {**data["left_out"], "region": elsewhere, "age": age}
    emit(
        lambda: "\n".join([head, others, _unmailed(no_address, policy), "", *_shown(example)]),
        {**data, "left_out": left_out, "no_address": no_address, "queued": False, "example": example},
    )


def _unmailed(people: int, policy: Policy) -> str:
    """Of those whom a campaign would tell, how many no mail reaches, and what that means for them."""
    sentence = f"Without a mail address on file, so that no mail reaches them: {_people(people)}"
    if not people:
        return f"{sentence}."
    if policy.notice.in_app != "none":
        return f"{sentence}; the notice within the platform does."
    return f"{sentence}; they don't count as told: import their addresses with `demur members`, or set `notice.in_app`."


def _with_address(register: "Register", policy: Policy, today: date) -> int:
    """How many of those whom a campaign would tell have a mail address on file."""
    from demur.notices.campaign import selection_of  # noqa: PLC0415  # the same

    return sum(register.mails.reached(keys) for keys in register.campaigns.addressed(selection_of(policy, today)))


def _weighed(register: "Register", policy: Policy, today: date) -> tuple["Preview", int, int]:
    """What a campaign means, and how many members regions and age leave out."""
    from demur.notices.campaign import selection_of  # noqa: PLC0415  # the same

    chosen = selection_of(policy, today)
    of_any_age = replace(chosen, born_by=None, unknown_age=True)
    anybody = replace(of_any_age, regions=None, unknown_region=True)
    previews = [register.campaigns.preview(selection) for selection in (chosen, of_any_age, anybody)]
    counted = [preview.people for preview in previews]
    return previews[0], counted[2] - counted[1], counted[1] - counted[0]


def _start(workspace: Workspace, policy: Policy, name: str, today: date) -> None:
    from demur.notices.campaign import channels_of, selection_of  # noqa: PLC0415  # the same

    selection, channels = selection_of(policy, today), channels_of(policy)
    with workspace.register() as register:
        if not policy.tries_out:
            register.notices.end_try_out()
        with progress("Queueing notices") as advance:
            seen = 0

            def told(looked_at: int) -> None:
                nonlocal seen
                advance(looked_at - seen)
                seen = looked_at

            started = register.campaigns.start(name, selection, channels, progress=told)
        preview = register.campaigns.preview(selection)
    ways = " and ".join(channels)
    head = f"Campaign {name} has a notice for {_people(started.people)}, by {ways}. {_left_out(preview)}"
    data = {**_data(name, preview), "people": started.people, "channels": channels, "queued": True}
    emit(
        f"{head}\n`demur worker` (or `demur serve`) delivers them; `demur notice progress {name}` shows how far.",
        data,
    )


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _left_out(preview: "Preview") -> str:
    objected = f"Left out because they objected: {_people(preview.objected)}"
    return f"{objected}; because nothing is known to write to: {_people(preview.unreachable)}."


def _data(name: str, preview: "Preview") -> dict[str, Any]:
    return {
        "campaign": name,
        "people": preview.people,
        "left_out": {"objected": preview.objected, "unreachable": preview.unreachable},
    }


def _shown(example: "Rendered") -> Iterator[str]:
    yield f"A notice in the default language ({example.language}), with an example of a link:"
    yield ""
    yield from (f"  {line}".rstrip() for line in example.text.splitlines())


def _show_progress(workspace: Workspace, name: str) -> None:
    with workspace.register() as register:
        counts = register.campaigns.progress(name)
    rows = [(each.channel.value, each.status.value, f"{each.number:,}") for each in counts]
    told = [f"Campaign {name}", *table(("channel", "status", "notices"), rows, right="notices")]
    emit("\n".join(told) if rows else f"Campaign {name} has no notices.", {"campaign": name, "counts": counts})


def _write_records(workspace: Workspace, name: str, to: Path) -> None:
    with replacing(to) as file, workspace.register() as register, progress("Writing records") as advance:
        number = _write(file, register.notices.records(name), advance)
    emit(f"{count(number, 'notice')} of campaign {name}: {to}", {"campaign": name, "path": to, "notices": number})


def _write(path: Path, records: "Iterable[tuple[int, NoticeRecord]]", advance: Callable[[int], None]) -> int:
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number, (subject, record) in enumerate(records, 1):  # noqa: B007  # how many there were
            writer.writerow(_row(subject, record))
            advance(1)
    return number


def _row(subject: int, record: "NoticeRecord") -> tuple[str, ...]:
    """A notice as it is on record; the person by their subject key, as exports give it."""
    bounced = record.changed if record.status == "bounced" else None
    times = (f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else "" for time in (record.queued, record.sent, bounced))
    said = (record.language or "", record.digest.hex() if record.digest else "")
    return (record.campaign, f"{subject:016x}", record.channel.value, record.status.value, *said, *times, _OPENED)
