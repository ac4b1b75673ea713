"""The sheets of `demur status --html` and `verify --html`: where a workspace stands, and what a check found.

Invariants: pure functions of what the commands found; like the text pages they name nobody but rows, by their keys.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from demur.cli.frame.output import count
from demur.policy import Policy, rule_of
from demur.sheet.page import banner, cards, figure, listed, page, section, table, text
from demur.sheet.plots import Bar, bars, columns, histogram
from demur.status import Deadline, Status
from demur.store import Place
from demur.terms import Reason
from demur.versions.findings import MEANS, Findings
from demur.versions.states import VersionState

_DAYS: Final = 90
_SIZES: Final = ("1 to 9", "10 to 99", "100 to 999", "1,000 and more")
_NAMED: Final = 25
"""Rows of each kind that a sheet names."""


@dataclass(frozen=True)
class Checked:
    """What `verify` found of a version, and of its exports."""

    name: str
    rows: int
    """Of the version, as it was published."""
    current: bool
    """Whether it was judged by the register as it is now."""
    places: Mapping[Place | None, Findings]
    """None is the version in the workspace, any other an export."""


def status_sheet(
    found: Status, policy: Policy, due: Sequence[str], honoured: Sequence[tuple[int, int]], *, made: datetime
) -> str:
    """The page of `demur status --html`.

    Args:
        found: where the workspace stands.
        policy: its policy.
        due: the sentences on what somebody should do.
        honoured: how many rows were deleted, and rewritten, each time that the corpus followed the register.
        made: when, in UTC.
    """
    lead = f"{policy.controller.name or 'A controller without a name'}: the corpus, its objections and what is due."
    parts = [
        _in_short(found, due),
        *_deadlines(found),
        *_came_in(found, policy),
        *_objections(found, made),
        *_costs(honoured),
    ]
    return page("Where the workspace stands", lead, [*parts, *_versions(found.versions)], made=made)


def _in_short(found: Status, due: Sequence[str]) -> Markup:
    late = sum(each.overdue for each in found.deadlines) + len(due)
    sentence = f"{count(late, 'thing')} to do: see below." if late else "Nothing is overdue."
    return section(
        "In short",
        banner(sentence, good=not late),
        *([listed(map(_plain, due))] if due else []),
        cards(
            [
                (f"{found.rows:,}", "rows in the corpus"),
                (f"{found.objections:,}", f"objections in force, covering {count(found.suppressed, 'account')}"),
                (f"{found.queue:,}", "objections that wait for an officer; they bind"),
                (f"{found.mails:,}", "mails and notices that wait for the worker"),
                ("signed" if found.signed else "not signed", f"legal basis: {found.basis}"),
                (f"{found.head.seq:,}", "entries in the register"),
            ]
        ),
    )


def _plain(sentence: str) -> str:
    """A sentence of the text page, without the marks of code."""
    return sentence.replace("`", "")


def _deadlines(found: Status) -> Iterator[Markup]:
    if found.deadlines:
        rows = [(f"{each.on:%Y-%m-%d}", _shown(each)) for each in found.deadlines]
        yield section("What is due when", table("Deadlines", ("by", "what"), rows))


def _shown(deadline: Deadline) -> Markup:
    late = Markup('<span class="late">Overdue:</span> ') if deadline.overdue else Markup()
    return late + _plain(deadline.what)


def _came_in(found: Status, policy: Policy) -> Iterator[Markup]:
    if not found.imports:
        return
    each_one = [(each.source, each.counts.kept, each.counts.read, each.finished) for each in found.imports]
    rows = [Bar(source, (kept, read - kept), f"{kept:,} of {read:,}") for source, kept, read, _ in each_one]
    plot = bars("came-in", "The last import from each source", _share(found), rows, ("kept", "left out"))
    head = ("source", "read", "kept", "left out", "finished (UTC)")
    counts = [(source, read, kept, read - kept, f"{at:%Y-%m-%d %H:%M}") for source, kept, read, at in each_one]
    numbers = table("Imports", head, counts, "read|kept|left out")
    parts = [figure("The last import from each source: what was kept", plot, numbers)]
    left_out = sum((Counter(each.counts.left_out) for each in found.imports), Counter[Reason]())
    if left_out:
        parts.append(_why_not(left_out, policy))
    yield section("What came in, and why not", *parts)


def _share(found: Status) -> str:
    read = sum(each.counts.read for each in found.imports)
    return f"{sum(each.counts.kept for each in found.imports):,} of {read:,} items were kept."


def _why_not(left_out: Counter[Reason], policy: Policy) -> Markup:
    ranked = left_out.most_common()
    plot = bars(
        "why-not",
        "What these imports left out, by reason",
        "; ".join(f"{reason}: {number:,}" for reason, number in ranked[:3]),
        [Bar(str(reason), (number,), f"{number:,}") for reason, number in ranked],
    )
    rows = [(str(reason), number, _plain(rule_of(reason, policy))) for reason, number in ranked]
    return figure("What they left out, by reason", plot, table("Reasons", ("reason", "items", "rule"), rows, "items"))


def _objections(found: Status, made: datetime) -> Iterator[Markup]:
    since = made.date() - timedelta(days=_DAYS)
    kinds = (
        ("lodged", f"Objections of the last {_DAYS} days, by the day on which they were recorded", found.lodged_by_day),
        ("queue", "Objections that wait for an officer, by the day on which they came", found.queue_by_day),
    )
    parts = []
    for name, title, days in kinds:
        shown = [(day, number) for day, number in days if name == "queue" or day > since]
        if shown:
            plot = columns(name, title, f"{sum(number for _, number in shown):,} in all", shown)
            parts.append(figure(title, plot, table(title, ("day", "objections"), shown, "objections")))
    if parts:
        yield section("Objections", *parts)


def _costs(honoured: Sequence[tuple[int, int]]) -> Iterator[Markup]:
    if not honoured:
        return
    sizes = Counter(min(len(str(deleted + rewritten)), len(_SIZES)) for deleted, rewritten in honoured)
    bins = [(label, sizes[digits]) for digits, label in enumerate(_SIZES, 1)]
    deleted, rewritten = (sum(column) for column in zip(*honoured, strict=True))
    title = "How often the corpus followed with so many rows"
    plot = histogram("costs", title, f"{len(honoured):,} times in all.", bins)
    yield section(
        "What objections cost",
        text("Rows of whoever objected are deleted, and rows of others that named or quoted them are rewritten."),
        cards(
            [
                (f"{len(honoured):,}", "times the corpus followed the register"),
                (f"{deleted:,}", "rows were deleted for it"),
                (f"{rewritten:,}", "rows of others were rewritten for it"),
            ]
        ),
        figure(title, plot, table(title, ("rows", "times"), bins, "times")),
    )


def _versions(versions: Sequence[VersionState]) -> Iterator[Markup]:
    if not versions:
        return
    rows = [(each.name, each.rows, each.stale or 0, each.published, each.retired) for each in versions]
    kept = [Bar(name, (n - stale, stale), _standing(stale, gone)) for name, n, stale, _, gone in rows if not gone]
    names = ("may be used", "to remove or replace")
    plot = bars("versions", "Rows of each version", "Those to remove or replace are hatched.", kept, names)
    numbers = table(
        "The versions",
        ("version", "rows", "to remove or replace", "published (UTC)", "state"),
        [(name, n, stale, f"{on:%Y-%m-%d %H:%M}", _standing(stale, gone)) for name, n, stale, on, gone in rows],
        right="rows|to remove or replace",
    )
    yield section("The versions", figure("Rows of each version, and those that an objection came after", plot, numbers))


def _standing(stale: int, gone: bool) -> str:  # noqa: FBT001  # one of a pair
    if gone:
        return "retired"
    return f"stale: {count(stale, 'row')}" if stale else "current"


def verify_sheet(checked: Checked, *, made: datetime) -> str:
    """The page of `demur verify --html`."""
    total = sum(findings.total for findings in checked.places.values())
    judged = "by the register as it is now" if checked.current else "by the register as it was when it was published"
    sentence = (
        f"Version {checked.name} does not hold: {count(total, 'finding')}. Publish a new one, and don't use this one."
        if total
        else "Nothing is wrong. Each row, file and entry is what was signed, and nobody is in it who may not be."
    )
    parts = [section("In short", banner(sentence, good=not total), *_numbers(checked))]
    parts += [_place(at, checked, *each) for at, each in enumerate(checked.places.items())]
    lead = f"{count(checked.rows, 'row')}, judged {judged}, in {count(len(checked.places), 'place')}."
    return page(f"Does version {checked.name} hold?", lead, parts, made=made)


def _numbers(checked: Checked) -> Iterator[Markup]:
    """How many of its rows are concerned, before and after."""
    concerned = max((_rows(findings) for findings in checked.places.values()), default=0)
    if not concerned or not checked.rows:
        return
    rest = max(0, checked.rows - concerned)
    rows = [
        Bar("as published", (checked.rows,), f"{checked.rows:,} rows"),
        Bar("without them", (rest, checked.rows - rest), f"{rest:,} rows"),
    ]
    described = f"{concerned:,} of {checked.rows:,} rows are named by findings."
    plot = bars("before", "Rows before and after", described, rows, ("rows", "named by a finding"))
    counts = [("as published", checked.rows), ("named by a finding", concerned), ("the rest", rest)]
    numbers = table("Rows before and after", ("which", "rows"), counts, "rows")
    yield figure("The version as it was published, and without the rows that a finding names", plot, numbers)


def _rows(findings: Findings) -> int:
    return len({each.item for each in findings.shown if each.item is not None})


def _place(number: int, checked: Checked, place: Place | None, findings: Findings) -> Markup:
    heading = f"Version {checked.name} in the workspace" if place is None else f"The export in {place}"
    notes = [text(f"Note: {note}") for note in findings.notes]
    if findings.ok:
        return section(heading, banner("Nothing is wrong.", good=True), *notes)
    kinds = list(findings.summary(_NAMED))
    plot = bars(
        f"place-{number}",
        f"Findings by kind: {heading}",
        "; ".join(f"{kind.number:,} {MEANS[kind.code]}" for kind in kinds),
        [Bar(str(kind.code), (kind.number,), f"{kind.number:,}") for kind in kinds],
    )
    counts = [(str(kind.code), kind.number, MEANS[kind.code]) for kind in kinds]
    numbers = table("Findings by kind", ("kind", "findings", "which means"), counts, "findings")
    parts = [figure("Findings by kind", plot, numbers)]
    for kind in kinds:
        more = [f"... and {kind.number - len(kind.examples):,} more"] if kind.number > len(kind.examples) else []
        parts.append(
            Markup("<details><summary>{}: {}</summary>{}</details>").format(
                MEANS[kind.code].capitalize(), f"{kind.number:,}", listed([*kind.examples, *more])
            )
        )
    return section(heading, *parts, *notes)
