"""The page that `demur demo` prints: plain text, at most 100 columns, the same with and without a terminal.

Invariants: it says what was measured and nothing more, and never that anybody complies with anything; it is a pure
function of the report. Its words for reasons, and for what the residual means and does not mean, are the sheet's, too.
"""

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from demur.demo import modelled
from demur.demo.items import Wave
from demur.demo.report import Report, Told, percentile
from demur.terms import Kind, Reason
from demur.training.audit.page import cells
from demur.training.audit.report import MEANS as AUDIT_MEANS

WAVES: Final = {
    Wave.FIRST.value: "three fifths of the items",
    Wave.MORE.value: "the others, some of them twice",
    Wave.AGAIN.value: "everything once more",
    Wave.CHANGES.value: "what was edited, deleted or made private",
}

REASONS: Final = {
    Reason.SUPERSEDED: "the same import held a later reading of the item",
    Reason.DELETED: "the source said it was gone",
    Reason.UNKNOWN_AUTHOR: "nobody could say who wrote it, so nobody could object",
    Reason.UNKNOWN_KIND: "the source did not say what it was",
    Reason.KIND: "a kind the policy does not use: messages",
    Reason.UNKNOWN_AUDIENCE: "the source did not say who could read it",
    Reason.AUDIENCE: "not everybody could read it: unlisted, followers, group or direct",
    Reason.ORIGIN: "it came from a third party that the policy does not name",
    Reason.UNKNOWN_DATE: "undated, and the policy has a time range",
    Reason.BEFORE_SINCE: "older than the policy's time range",
    Reason.UNKNOWN_REGION: "the author's region is unknown, and the policy lists regions",
    Reason.REGION: "the author lives in a region that the policy does not list",
    Reason.UNKNOWN_AGE: "the author's age is unknown, so they may be a child",
    Reason.MINOR: "the author is, or may be, under age",
    Reason.NOT_TOLD: "no notice reached the author",
    Reason.NOTICE_PERIOD: "the author was told, but not thirty days ago",
    Reason.NO_CONSENT: "only where consent is the legal basis; here it is not",
    Reason.OBJECTED: "the author had objected already; later objections delete, see below",
    Reason.RESHARE: "it passed on the words of somebody who objected, or of a child",
    Reason.QUOTE: "only where the policy drops quotes; here they are masked",
    Reason.MENTION: "only where the policy drops mentions; here they are masked",
    Reason.COPY: "nothing but the words of somebody who objected, or of a child",
    Reason.NAME: "only where the policy drops names; here they are masked",
    Reason.EMPTY: "no word and no picture was there, or was left",
}

MEANS: Final = (
    "The generator knows who wrote, quoted, reshared, named and tagged whom. A second, independent model of the rules"
    " followed the same story, read the exported Parquet and counted: rows of people who objected, of children or of"
    " anybody the policy leaves out; quotes, copies, reshares, names and keys of people who objected; names that had to"
    " stay and do not; handles, profile links,"
    " mail addresses, telephone and bank account numbers and IP addresses of anybody; rows that are missing, were"
    " changed or stand there twice; and imports whose account of what they left out is not the true one. The"
    " residual is how many it found."
)

MEANS_NOT: Final = (
    "that every name without markup, or every copy, is found: a name that the rules leave in doubt may stand or go;",
    "that names in Chinese, Japanese or Korean script are found: nobody looks for them yet;",
    "that another community would give the same number: people write identifiers in more ways than a generator does;",
    "that a model trained on an earlier version has forgotten anything;",
    "that any use of the corpus is lawful: the controller assesses that, an authority or a court judges it.",
)


WIDTH: Final = 100
_BAR: Final = 30
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_STEPS: Final = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 60_000)
_BINS: Final = 8
_LISTED: Final = 10


def render(report: Report, activate: str = "") -> str:
    """The whole page.

    Args:
        report: what was found out.
        activate: what makes the command `demur` known to a shell that does not know it; "" where it does.
    """
    parts = (_title, _came_in, _stayed_out, _costs, _versions, _examples, _residual, _model)
    lines = chain.from_iterable(part(report) for part in parts)
    return "\n".join(chain(lines, _next(report, activate))) + "\n"


def _title(report: Report) -> Iterator[str]:
    yield "demur demo: a community that does not exist, and what is left of it after people said no"
    yield "═" * WIDTH
    yield from _text(
        f"{report.people:,} invented people with {report.accounts:,} accounts write {report.offered.total():,} items"
        f" in {report.languages} languages (seed {report.seed}). {len(report.costs)} of them object,"
        f" {report.withdrawals} withdraw, {report.links} turn out to have a second account."
        f" Everything below was measured on this machine, in {report.seconds:.1f} s."
    )


def _came_in(report: Report) -> Iterator[str]:
    yield from _heading("What came in")
    last = report.versions[-1].name
    yield f"  {'kind':<20}{'items':>9}{'in ' + last:>10}"
    for kind in Kind:
        items, kept = report.offered[kind], report.exported[kind]
        share = kept / items if items else 0.0
        yield f"  {kind:<20}{items:>9,}{kept:>10,}  {_bar(share):<{_BAR}} {share:>4.0%}".rstrip()
    items, kept = report.offered.total(), report.exported.total()
    yield f"  {'together':<20}{items:>9,}{kept:>10,}"


def _stayed_out(report: Report) -> Iterator[str]:
    yield from _heading("What stayed out, and why")
    yield f"  {'import':<44}{'read':>9}{'kept':>10}{'left out':>10}{'seconds':>10}"
    for each in report.imports:
        yield (
            f"  {WAVES[each.wave]:<44}{each.read:>9,}{each.kept:>10,}{each.left_out.total():>10,}{each.seconds:>10.1f}"
        )
    yield ""
    yield from _text(
        "Read = kept + left out. Every reading that was left out is counted once, by the first reason that holds; of"
        " the text itself nothing is stored. (An item that several imports read is counted in each of them.)"
    )
    yield ""
    left_out = report.left_out
    for reason in Reason:
        count = f"{left_out[reason]:,}" if left_out[reason] else "-"
        lines = textwrap.wrap(REASONS[reason], WIDTH - 30)
        yield f"  {reason:<17}{count:>9}  {lines[0]}"
        yield from (" " * 30 + line for line in lines[1:])


def _costs(report: Report) -> Iterator[str]:
    yield from _heading("What an objection cost")
    times = [cost.milliseconds for cost in report.costs]
    median, most = percentile(times, 0.5), max(times, default=0.0)
    yield from _text(
        f"{len(times)} objections, each lodged durably and honoured by itself: median {median:.0f} ms,"
        f" 95 % within {percentile(times, 0.95):.0f} ms, the slowest {most:.0f} ms. Together they deleted"
        f" {sum(cost.deleted for cost in report.costs):,} rows of the people themselves and rewrote"
        f" {sum(cost.rewritten for cost in report.costs):,} rows in which others named, quoted or tagged them."
    )
    yield ""
    yield from _histogram(times)


def _histogram(times: Sequence[float]) -> Iterator[str]:
    counted = bins(times)
    most = max(1, *(count for _, count in counted))
    for label, count in counted:
        yield f"  {label:>20}  {_bar(count / most):<{_BAR}} {count:>4}"


def bins(times: Sequence[float]) -> list[tuple[str, int]]:
    """Counts in bins of one width, a round number of milliseconds; the last bin takes the few slow ones."""
    usual = percentile(times, 0.95)
    step = next((step for step in _STEPS if usual / step < _BINS), _STEPS[-1])
    last = int(usual / step) + 1
    counts = [0] * (last + 1)
    for time in times:
        counts[min(int(time / step), last)] += 1
    labels = [f"{at * step:,} to {(at + 1) * step:,} ms" for at in range(last)]
    return list(zip([*labels, f"{last * step:,} ms and more"], counts, strict=True))


def _versions(report: Report) -> Iterator[str]:
    yield from _heading("The versions")
    last = report.versions[-1]
    for version in report.versions:
        since = last.objections - version.objections
        state = f"stale: {since} objections came after it" if since else "honours every objection so far"
        yield f"  {version.name:<6}{version.rows:>10,} rows   after {version.objections:>3} objections   {state}"
    yield ""
    yield from _text(
        "A version never changes. A stale one is not exported again, and whoever holds a copy is told which rows to"
        " remove (`demur recall`)."
    )


def _examples(report: Report) -> Iterator[str]:
    if report.examples:
        yield from _heading("Before and after")
    for at, example in enumerate(report.examples):
        if at:
            yield ""
        yield f"  {example.what}"
        yield from _quoted("before", example.before)
        yield from _quoted("after", example.after)
        for at_reason, reason in enumerate(example.reasons):
            yield from _text(reason, first="            " if at_reason else "    why     ", rest=" " * 14)


def _quoted(label: str, text: str) -> Iterator[str]:
    margin = " " * 12
    lines = list(chain.from_iterable(textwrap.wrap(line, WIDTH - len(margin)) or [""] for line in text.splitlines()))
    yield from (
        f"{f'    {label}' if at == 0 else '':<12}{line}".rstrip() for at, line in enumerate(lines or ["(no text)"])
    )


def _residual(report: Report) -> Iterator[str]:
    wrong = len(report.residual)
    yield from _heading(f"The residual: {wrong}")
    yield from _listed(report.residual)
    yield from _text(MEANS)
    yield ""
    yield "  It does not mean"
    for line in MEANS_NOT:
        yield from _text(line, first="    - ", rest="      ")
    yield ""
    version = report.versions[-1].name
    if not report.findings:
        yield from _text(
            f"`demur verify {version}` found nothing wrong with the version, its manifest or its export either."
        )
        return
    yield from _text(f"`demur verify {version}` found {len(report.findings)} things wrong:")
    yield from _listed(report.findings)


def _model(report: Report) -> Iterator[str]:
    model = report.model
    if model is None:
        return
    yield from _heading("A model, and the objection that came after it")
    for paragraph in modelled.told(model):
        yield from _text(paragraph)
        yield ""
    yield f"  {'class, by tokens a person':<28}{'people':>8}{'rows in it':>12}  share of the tokens"
    for stand in model.classes:
        row = f"  {modelled.wrote(stand):<28}{stand.people:>8,}{stand.rows:>12,}"
        yield f"{row}  {_bar(stand.share):<{_BAR}} {stand.share:>4.0%}"
    yield ""
    yield from _text(f"{modelled.ORDER} {modelled.EVEN}")
    yield ""
    for name, value in modelled.certified(model):
        yield f"  {name:<24}{value}"
    yield ""
    yield "  The certificate proves"
    for line in modelled.PROVES:
        yield from _text(line, first="    - ", rest="      ")
    yield ""
    yield "  It does not prove"
    for line in modelled.PROVES_NOT:
        yield from _text(line, first="    - ", rest="      ")
    yield ""
    yield from _text(modelled.verified(model))
    yield from _audit(model)


def _audit(model: modelled.Modelled) -> Iterator[str]:
    audit = model.audit
    yield from _heading("The audit of the model")
    yield from _text(modelled.audited(model))
    yield ""
    for attack, name, value, unit, over in cells(audit):
        if attack:
            yield f"  {attack}"
        yield f"    {name:<26}{value:<24}{unit}, {over}"
    yield ""
    yield from _text(f"Not run: {', '.join(each.attack for each in audit.not_run)}.")
    yield ""
    yield from _text(AUDIT_MEANS)


def _listed(findings: Sequence[str]) -> Iterator[str]:
    for finding in findings[:_LISTED]:
        yield from _text(finding, first="    ! ", rest="      ")
    if len(findings) > _LISTED:
        yield f"    ! and {len(findings) - _LISTED:,} more"
    if findings:
        yield ""


def _next(report: Report, activate: str) -> Iterator[str]:
    yield from _heading("Where it is, and what to try next")
    told = report.told
    yield f"  workspace   {report.folder}"
    yield f"  Parquet     {report.export}"
    yield f"  outbox      {told.outbox}"
    yield ""
    yield from _text(
        f"After all that the members were told: {told.mails:,} mails lie in the outbox, each with its reader's own link"
        f" to object, and none has left this machine. For {told.unreached:,} more people no address is on file."
    )
    if told.mail:
        yield ""
        yield from _text(f"The mail to the holder of {report.account}, as the portal shows it, and its link:")
        yield f"    {told.portal}/outbox/{told.mail.name}"
        yield f"    {told.link}"
    yield ""
    for command, what in commands(report, activate):
        yield f"  {command}"
        yield from _text(what, first="      ", rest="      ")


def commands(report: Report, activate: str = "") -> Iterable[tuple[str, str]]:
    """What to try next, and what it shows; ``activate`` as :func:`render` has it."""
    version, told = report.versions[-1].name, report.told
    portal = (
        f"the portal, at {told.portal}, with the mails at {told.portal}/outbox: open one, follow its link, press its"
        " one button and read the receipt; the other commands go into a second terminal"
    )
    if activate:
        yield activate, "so that this shell, and each new one in which you say it, knows the command demur"
    yield f"export DEMUR_WORKSPACE={shlex.quote(str(report.folder))}", "so that no command needs -w"
    yield "demur serve", portal
    if report.account:
        yield f"demur find --account {shlex.quote(report.account)}", _found(told)
    yield f"demur verify {version} --now", "judged by what the register says now"
    yield "demur publish v4", f"a version that honours them: {version} is stale from the moment somebody objects"
    yield f"demur notice progress {shlex.quote(told.campaign)}", "where the notices stand"
    if report.model:
        yield from modelled.commands(report.model)
    yield "demur status", "where this workspace stands"
    yield "demur init my-workspace", "the same with an export of your own"


def _found(told: Told) -> str:
    """What `find` shows of the holder of the account."""
    everything = "everything the corpus holds of and about them"
    return f"{everything}; nothing, seconds after they objected by that link" if told.mail else everything


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield title
    yield "─" * WIDTH


def _text(text: str, first: str = "  ", rest: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).rstrip()
