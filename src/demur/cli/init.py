"""``demur init``: a workspace with safe defaults, and the few choices that decide whether anything comes in.

Invariants: on a terminal it asks for what no flag says; elsewhere, and with ``--yes``, it asks nothing; a wrong
answer is told before anything is written; the workspace is there whole, or not at all.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import click
from pydantic import ValidationError

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import as_json, emit
from demur.errors import UsageError
from demur.policy import FILE_NAME, Door, Policy, complaint
from demur.terms import Audience, Basis, Kind
from demur.workspace import create

_LEAVE_OUT: Final = "leave-out"
_UNKNOWN: Final = (_LEAVE_OUT, "use")


@click.command
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option("--controller", metavar="NAME", help="Who answers for the processing.")
@click.option("--contact", metavar="MAIL", help="Mail address that anyone can write to.")
@click.option("--purpose", metavar="TEXT", help="What the corpus is for, in a few words.")
@click.option("--basis", type=click.Choice([str(basis) for basis in Basis]), help="Legal basis, Art. 6(1) GDPR.")
@click.option("--regions", metavar="CODES", help='"any", or country codes with commas between: DE,FR.')
@click.option(
    "--unknown-region", type=click.Choice(_UNKNOWN), help="Authors of unknown region, where regions are listed."
)
@click.option("--kinds", metavar="KINDS", help=f"Kinds that come in, with commas between: {', '.join(Kind)}.")
@click.option("--audiences", metavar="NAMES", help=f"Audiences, with commas between: {', '.join(Audience)}.")
@click.option("--since", metavar="DATE", help="First day of the time range, like 2020-01-31.")
@click.option("--minimum-age", type=int, metavar="YEARS", help="Age limit, at least 18.")
@click.option("--unknown-age", type=click.Choice(_UNKNOWN), help="Authors of unknown age.")
@click.option("--notice/--no-notice", default=None, help="Whether only authors who were told come in.")
@click.option("--period-days", type=int, metavar="DAYS", help="Days between telling them and the first use.")
@click.option(
    "--effective-date",
    metavar="DATE",
    help="Day from which the policy holds, if not the one on which the notice period of who is told today is over.",
)
@click.option("--register", metavar="URL", help="The register: a PostgreSQL URL, if not a file in the workspace.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; what no flag says has the safe value.")
@shared
def init(invocation: Invocation, /, folder: Path | None, *, yes: bool, **flags: object) -> None:
    """Make a workspace in DIR with safe defaults: policy, keys, register.

    On a terminal it asks for the few choices that decide whether anything comes in.
    """
    answers = {name: value for name, value in flags.items() if value is not None}
    if not yes and not as_json() and sys.stdin.isatty():
        answers = _ask(answers)
    policy = _policy(answers)
    workspace = create(folder or invocation.root, policy)
    emit(lambda: _welcome(workspace.root, policy), {"workspace": workspace.root.resolve(), "policy": FILE_NAME})


class _Question(NamedTuple):
    """A choice that init asks for on a terminal."""

    name: str
    """The flag that answers it."""
    text: str
    default: str | bool | None = None
    """What Enter answers; None where there has to be an answer."""
    choices: Sequence[str] | None = None


_QUESTIONS: Final = (
    _Question("controller", "Who answers for the processing (organisation)"),
    _Question("contact", "Mail address that anyone can write to"),
    _Question("basis", "Legal basis", str(Basis.LEGITIMATE_INTERESTS), [str(basis) for basis in Basis]),
    _Question("regions", 'Regions of authors: "any", or codes like DE,FR', "any"),
    _Question("unknown_region", "Authors of unknown region", _LEAVE_OUT, _UNKNOWN),
    _Question("unknown_age", "Authors of unknown age (minors never come in)", _LEAVE_OUT, _UNKNOWN),
    _Question("notice", "Only authors who were told come in", default=True),
)


def _ask(flags: Mapping[str, object]) -> dict[str, object]:
    """The flags, and the answers to what no flag says."""
    answers = dict(flags)
    for question in _QUESTIONS:
        needless = question.name == "unknown_region" and answers["regions"] == "any"
        if question.name not in answers and not needless:
            answers[question.name] = _answer(question)
    return answers


def _answer(question: _Question) -> object:
    if isinstance(question.default, bool):
        return click.confirm(question.text, default=question.default, err=True)
    kind = click.Choice(question.choices) if question.choices else None
    return click.prompt(question.text, default=question.default, type=kind, err=True)


_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "controller": ("controller", "name"),
    "contact": ("controller", "contact"),
    "purpose": ("purpose", "name"),
    "basis": ("basis", "use"),
    "regions": ("regions",),
    "unknown_region": ("door", "unknown_region"),
    "kinds": ("door", "kinds"),
    "audiences": ("door", "audiences"),
    "since": ("door", "since"),
    "minimum_age": ("door", "minimum_age"),
    "unknown_age": ("door", "unknown_age"),
    "notice": ("notice", "required"),
    "period_days": ("notice", "period_days"),
    "effective_date": ("effective_date",),
    "register": ("register", "url"),
}
"""The key of demur.toml that each flag sets."""

_LISTS: Final = ("regions", "kinds", "audiences")


def _policy(answers: Mapping[str, object]) -> Policy:
    """The policy that the answers make.

    Raises:
        UsageError: when an answer does not hold.
    """
    today = datetime.now(UTC).date()
    table: dict[str, object] = {"effective_date": today}
    for name, value in answers.items():
        *section, key = _KEYS[name]
        place = table
        for part in section:
            inner = place.setdefault(part, {})
            assert isinstance(inner, dict)
            place = inner
        place[key] = _list(value) if name in _LISTS and value != "any" else value
    try:
        policy = Policy.model_validate(table)
    except ValidationError as error:
        raise UsageError(complaint(error)) from None
    if "effective_date" in answers:
        return policy
    return policy.model_copy(update={"effective_date": _first_day(policy, today)})


def _first_day(policy: Policy, today: date) -> date:
    """The first day on which the content of somebody who is told today may come in."""
    return today + timedelta(days=policy.notice.period_days if policy.notice.required else 0)


def _list(value: object) -> list[str]:
    return [part for part in (piece.strip() for piece in str(value).split(",")) if part]


def _welcome(root: Path, policy: Policy) -> str:
    """What is there now, and what to do next."""
    lines = [
        f"{root / FILE_NAME} holds the policy, one key a line: read it, and change what does not fit.",
        f"{root / 'keys'} holds four secrets: keep a copy in a safe place, nothing replaces them.",
        "Next:",
    ]
    where = "" if root.resolve() == Path.cwd() else f" -w {root}"
    steps = [
        (f"demur import{where} SOURCE PATH...", "their content"),
        (f"demur policy check{where}", "what is missing before a version can be published"),
    ]
    if policy.notice.required and policy.door.kinds == Door().kinds:
        lines.insert(1, "Notices name every kind of content in door.kinds: keep those that your platform has.")
    if policy.notice.required or policy.door.unknown_age == "leave-out":
        steps.insert(0, (f"demur members{where} PATH", "what you know of members: birth year, region, told on"))
    width = max(len(command) for command, _ in steps)
    return "\n".join(lines + [f"  {command:{width}}  {what}" for command, what in steps])
