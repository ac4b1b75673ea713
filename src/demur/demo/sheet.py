"""The sheet that `demur demo --html` writes: what the text page says, for those who rather look than read.

Invariants: a pure function of the report, as the text page is; it says what was measured and nothing more.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from markupsafe import Markup

from demur.demo import modelled
from demur.demo.page import MEANS, MEANS_NOT, REASONS, WAVES, bins, commands
from demur.demo.report import Example, Report, percentile
from demur.sheet.page import banner, cards, figure, listed, page, section, table, text
from demur.sheet.page import commands as command_list
from demur.sheet.plots import Bar, bars, histogram
from demur.terms import Kind, Reason
from demur.training.audit.page import sections

_MASK: Final = re.compile(r"\[[a-z -]+\]")


def sheet(report: Report, *, made: datetime, activate: str = "") -> str:
    """The whole page; ``activate`` as :func:`demur.demo.page.render` has it."""
    lead = (
        f"{report.people:,} invented people with {report.accounts:,} accounts write in {report.languages} languages. "
        f"{len(report.costs)} of them object. This is what was read, what stayed out and why, and what is left."
    )
    parts = (_summary, _came_in, _why_not, _costs, _examples, _versions, _residual)
    following = section("Try it", command_list(commands(report, activate)))
    trained = [] if report.model is None else [_model(report.model), *_audit(report.model)]
    body = [*(part(report) for part in parts), *trained, following]
    return page("A community that does not exist, after people said no", lead, body, made=made)


def _summary(report: Report) -> Markup:
    times = [cost.milliseconds for cost in report.costs]
    figures = cards(
        [
            (f"{report.offered.total():,}", "items that the people wrote"),
            (f"{report.exported.total():,}", f"of them in the last version, {report.versions[-1].name}"),
            (f"{len(report.costs):,}", "people who objected"),
            (f"{percentile(times, 0.5):,.0f} ms", "for half of the objections, or less, until nothing was left"),
            (f"{len(report.residual):,}", "errors that an independent count found in the export"),
        ]
    )
    good = "An independent count of the exported files found nothing that should not be there, and nothing missing."
    bad = f"Something is wrong: {len(report.residual)} errors by the count, {len(report.findings)} by `demur verify`."
    return section("In short", banner(good if report.clean else bad, good=report.clean), figures)


def _came_in(report: Report) -> Markup:
    last = report.versions[-1].name
    kinds = [(kind, report.exported[kind], report.offered[kind]) for kind in Kind if report.offered[kind]]
    rows = [
        Bar(str(kind), (kept, items - kept), f"{kept:,} of {items:,}")
        for kind, kept, items in sorted(kinds, key=lambda each: -each[2])
    ]
    most = max(kinds, key=lambda each: each[1], default=(Kind.POST, 0, 0))
    plot = bars(
        "came-in",
        "Items by kind, in the last version or not",
        f"Most of what is in it, {most[1]:,} items, is of the kind {most[0]}.",
        rows,
        ("in the version", "not in it"),
    )
    numbers = table(
        "Items by kind",
        ("kind", "items", f"in {last}", "share"),
        [(str(kind), items, kept, f"{kept / items:.0%}") for kind, kept, items in kinds],
        right=f"items|in {last}|share",
    )
    return section(
        "What came in", figure("Each kind of item: what is in the last version, and what is not", plot, numbers)
    )


def _why_not(report: Report) -> Markup:
    left_out = report.left_out
    found = sorted(((left_out[reason], reason) for reason in Reason if left_out[reason]), reverse=True)
    plot = bars(
        "why-not",
        "Readings that were left out, by reason",
        "; ".join(f"{reason}: {number:,}" for number, reason in found[:3]) or "Nothing was left out.",
        [Bar(str(reason), (number,), f"{number:,}") for number, reason in found],
    )
    reasons = [(str(reason), left_out[reason], REASONS[reason]) for reason in Reason]
    numbers = table("Readings left out, by reason", ("reason", "readings", "which means"), reasons, right="readings")
    waves = [
        (WAVES[each.wave], each.read, each.kept, each.left_out.total(), f"{each.seconds:,.1f}")
        for each in report.imports
    ]
    head = ("import", "read", "kept", "left out", "seconds")
    return section(
        "What stayed out, and why",
        text(
            "Every reading is kept or left out, and what is left out is counted once, by the first reason that holds.",
            "Of the text itself nothing is stored. An item that several imports read is counted in each of them.",
        ),
        figure("What was left out of all imports together, by reason", plot, numbers),
        Markup("<h3>Import by import</h3>"),
        table("The imports", head, waves, right="read|kept|left out|seconds"),
    )


def _costs(report: Report) -> Markup:
    times = [cost.milliseconds for cost in report.costs]
    deleted, rewritten = (sum(getattr(cost, name) for cost in report.costs) for name in ("deleted", "rewritten"))
    median, slow = percentile(times, 0.5), percentile(times, 0.95)
    plot = histogram(
        "costs",
        "Objections by the milliseconds that each took",
        f"Half of them took {median:.0f} ms or less, 95 % took {slow:.0f} ms or less.",
        [(_short(label), number) for label, number in bins(times)],
    )
    numbers = table("Objections by what they took", ("milliseconds", "objections"), bins(times), right="objections")
    return section(
        "What an objection cost",
        text(
            f"Each of {len(times)} objections was recorded durably and honoured by itself, on this machine.",
            "Rows of the person are deleted, and rows of others that named, quoted or tagged them are rewritten.",
        ),
        cards(
            [
                (f"{median:,.0f} ms", "half of them took this or less"),
                (f"{slow:,.0f} ms", "95 % took this or less"),
                (f"{max(times, default=0):,.0f} ms", "the slowest took"),
                (f"{deleted:,}", "rows of the people themselves were deleted"),
                (f"{rewritten:,}", "rows of others were rewritten"),
            ]
        ),
        figure(
            "How many objections took so many milliseconds, from being recorded to nothing being left", plot, numbers
        ),
    )


def _short(label: str) -> str:
    """A stretch of milliseconds, short enough to stand below its column."""
    return label.replace(" ms and more", "+").removesuffix(" ms").replace(" to ", "\u2013")


def _examples(report: Report) -> Markup:
    return section("Before and after", *map(_example, report.examples))


def _example(example: Example) -> Markup:
    both = Markup(
        '<h3>{}</h3><div class="pair"><div><b>Before</b><p>{}</p></div><div><b>After</b><p>{}</p></div></div>'
    ).format(example.what, example.before or "(no text)", Markup().join(_marked(example.after or "(no text)")))
    return both + listed(example.reasons) if example.reasons else both


def _marked(after: str) -> Iterator[Markup]:
    """A text with its masks set off."""
    at = 0
    for mask in _MASK.finditer(after):
        yield Markup("{}<mark>{}</mark>").format(after[at : mask.start()], mask[0])
        at = mask.end()
    yield Markup("{}").format(after[at:])


def _versions(report: Report) -> Markup:
    last = report.versions[-1]
    rows = [(each.name, each.rows, each.objections, last.objections - each.objections) for each in report.versions]
    plot = bars(
        "versions",
        "Rows of each version",
        "; ".join(f"{name} has {count:,} rows" for name, count, _, _ in rows),
        [
            Bar(name, (count,), f"{count:,}, {f'stale by {since}' if since else 'current'}")
            for name, count, _, since in rows
        ],
    )
    head = ("version", "rows", "objections before it", "objections since")
    numbers = table("The versions", head, rows, right="|".join(head[1:]))
    return section(
        "The versions",
        text(
            "A version never changes. One that people objected after is stale: it is not exported again, and whoever",
            "holds a copy is told which rows to remove.",
        ),
        figure("Rows of each version, and how many objections came after it", plot, numbers),
    )


def _residual(report: Report) -> Markup:
    wrong = [*report.residual, *report.findings]
    return section(
        f"The residual: {len(report.residual)}",
        *([listed(wrong[:10])] if wrong else []),
        text(MEANS),
        Markup("<h3>It does not mean</h3>"),
        listed(MEANS_NOT),
    )


def _model(model: modelled.Modelled) -> Markup:
    classes = [
        (modelled.wrote(each), each.people, each.rows, f"{each.share:.0%}", round(each.share * 1000))
        for each in model.classes
    ]
    plot = bars(
        "classes",
        "The tokens of each class of people, in the order of training",
        "; ".join(f"{name}: {share}" for name, _, _, share, _ in classes),
        [Bar(name, (parts,), share) for name, _, _, share, parts in classes],
    )
    head = ("tokens a person", "people", "rows in the class", "share of the tokens")
    numbers = table("The classes", head, [each[:4] for each in classes], right="|".join(head[1:]))
    return section(
        "A model, and the objection that came after it",
        cards(
            [
                (f"{model.moved_seconds * 1000:,.0f} ms", "until the objection was on record, and what serves moved"),
                (f"{model.cost:.0%}", "of the personal phase was trained again"),
                (f"{model.checked.steps:,} of {model.steps_after:,}", "steps were checked from scratch, byte for byte"),
            ]
        ),
        *(text(each) for each in modelled.told(model)),
        figure("Classes of people, those who wrote most first", plot, numbers),
        text(modelled.ORDER, modelled.EVEN),
        Markup("<h3>The certificate</h3>"),
        table("The certificate", ("figure", "value"), modelled.certified(model)),
        Markup("<h3>It proves</h3>"),
        listed(modelled.PROVES),
        Markup("<h3>It does not prove</h3>"),
        listed(modelled.PROVES_NOT),
        text(modelled.verified(model)),
    )


def _audit(model: modelled.Modelled) -> list[Markup]:
    """The audit's page, section by section."""
    return [section("The audit of the model", text(modelled.audited(model))), *sections(model.audit)]
