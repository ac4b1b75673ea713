"""The page of ``demur audit model --html``: the report as one page with plots, for whoever has to judge it.

Invariants: a pure function of the report; every number stands with its unit, how many it is over, and its interval or
why it has none; what was not tried is listed; nothing says that the model is anonymous.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from demur.sheet.charts import Axis, Estimate, curves, whiskers
from demur.sheet.page import cards, figure, listed, page, section, table, text
from demur.sheet.plots import SERIES
from demur.training.audit.figure import Curve, Figure, Finding
from demur.training.audit.report import KNOWN, MEANS, Audit
from demur.training.cohorts import ENSEMBLE

EDPB: Final = (
    "membership inference",
    "attribute inference",
    "exfiltration",
    "regurgitation",
    "inversion",
    "reconstruction",
)
"""What Opinion 28/2024 names in para 46."""

_GUESSING: Final = 0.5
_GRID: Final = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""False positive rates of the table below the curves."""
_POINTS: Final = (
    "Points of a curve have no interval of their own: those of the test stand in its figures, with what they are over."
)
_WIDE: Final = 100
"""From which ratio of its ends on a scale is logarithmic."""


def audit_page(done: Audit) -> str:
    """The page."""
    lead = (
        f"What was tested of the model {done.name}: what it shows of people whose rows it was trained on, to whoever "
        "asks it. A test, and a lower bound."
    )
    return page(f"Audit of the model {done.name}", lead, sections(done), made=done.made)


def sections(done: Audit) -> list[Markup]:
    """What the page says, section by section, for another page that ends with it."""
    tests = [_one(each) for each in done.findings]
    return [_in_short(done), *_membership(done), *tests, _untried(done), _which(done)]


def cells(done: Audit) -> list[tuple[str, str, str, str, str]]:
    """Every figure as a line of text: its test where that begins, name, value, unit, and how many it is over."""
    return [
        (found.attack if at == 0 else "", one.name, said(one), one.unit, f"{one.n:,} {one.of}")
        for found in done.findings
        for at, one in enumerate(found.figures)
    ]


HEAD: Final = ("test", "figure", "value [95 %]", "unit", "over")
"""Of :func:`cells`."""


def said(one: Figure) -> str:
    """A number with its interval, as short as it can stand beside its unit."""
    if one.value is None:
        return "not told"
    number = _number(one.value)
    return f"{number} (no interval)" if one.interval is None else f"{number} [{', '.join(map(_number, one.interval))}]"


def _number(value: float) -> str:
    return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004  # digits that say something


def _in_short(done: Audit) -> Markup:
    people = done.people
    shown = [
        (f"{people['members']:,}", f"members audited, of {people['members_of']:,}"),
        (f"{people['held_out']:,}", f"people held out, of {people['held_out_of']:,}"),
    ]
    for attack, name, what in _CARDS:
        one = _figure(done, attack, name)
        if one is not None and one.value is not None:
            interval = "" if one.interval is None else f" [{', '.join(map(_number, one.interval))}]"
            why = f"; no interval: {one.note}" if one.interval is None else ""
            shown.append((_number(one.value), f"{one.unit}{interval}: {what}; {one.n:,} {one.of}{why}"))
    return section("The audit in short", cards(shown), text(MEANS), listed(_six(done)))


_CARDS: Final = (
    ("blind", "auc_words", "told apart without any model"),
    ("reference", "auc", "told apart by the primary attack"),
    ("objectors", "auc_after", "the same of people who were taken out, afterwards"),
    ("version-diff", "auc", "the same with both models in hand"),
)


def _figure(done: Audit, attack: str, name: str) -> Figure | None:
    found = (one for each in done.findings if each.attack == attack for one in each.figures if one.name == name)
    return next(found, None)


def _six(done: Audit) -> Iterator[str]:
    """For each of EDPB's six attacks, which test stands for it."""
    for kind in EDPB:
        tests = [each.attack for each in done.findings if kind in each.stands_for]
        yield f"{kind.capitalize()} (EDPB Opinion 28/2024): {', '.join(tests) if tests else 'no test stands for it'}."


def _membership(done: Audit) -> Iterator[Markup]:
    """All AUCs of attacks in one picture, and their curves in another."""
    found = [each for each in done.findings if any(curve.name == "roc" for curve in each.curves)]
    if not found:
        return
    named = [(each.attack, one) for each in found for one in each.figures if one.name == "auc"]
    parts = [_whiskers("auc", "The AUC of each attack, with its interval over persons", named)]
    lines = {each.attack: next(c for c in each.curves if c.name == "roc") for each in found[:SERIES]}
    low = 10.0 ** math.floor(math.log10(1 / max(one.n for _, one in named)))
    axes = (Axis("false positive rate", low, 1, log=True), Axis("true positive rate", low, 1, log=True))
    over = "; ".join(f"{attack} over {one.n:,} {one.of}" for attack, one in named[:SERIES])
    caption = f"True against false positive rate of each attack, both logarithmic, as shares: {over}"
    points = {attack: curve.points for attack, curve in lines.items()}
    plot = curves("roc", caption, f"Guessing is the dashed line. {_POINTS}", points, axes, diagonal=True)
    head = ("attack", *(f"at {rate:g}" for rate in _GRID))
    rows = [(attack, *(f"{_up(curve, rate):.3f}" for rate in _GRID)) for attack, curve in lines.items()]
    parts.append(
        figure(caption, plot, table(f"True by false positive rate. {_POINTS}", head, rows, "|".join(head[1:])))
    )
    yield section("Told from people held out", *parts)


def _up(curve: Curve, rate: float) -> float:
    """The highest true rate at a false rate."""
    return max((y for x, y in curve.points if x <= rate), default=0.0)


def _whiskers(name: str, caption: str, named: Sequence[tuple[str, Figure]]) -> Markup:
    rows = [Estimate(label, one.value, one.interval, said(one)) for label, one in named if one.value is not None]
    low = f"The dashed line is at {_GUESSING:g}, which guessing gives."
    return figure(caption, whiskers(name, caption, low, rows, _GUESSING), _table(caption, named))


def _one(found: Finding) -> Markup:
    """What one attack found."""
    parts = [text(found.asks), text(f"The attacker holds: {found.needs}.")]
    if found.stands_for:
        parts.append(text(f"It stands for: {found.stands_for} (EDPB Opinion 28/2024, para 46)."))
    shares = [(one.name, one) for one in found.figures if one.unit == "AUC" and one.value is not None]
    if len(shares) > 1:
        parts.append(_whiskers(f"of-{_id(found.attack)}", f"{found.attack}: AUC, with intervals over persons", shares))
    parts.append(_table(f"Figures of {found.attack}", [(one.name, one) for one in found.figures]))
    parts += [_curve(found.attack, curve) for curve in found.curves if curve.name != "roc" and curve.points]
    parts += [text(found.said)] if found.said else []
    return section(f"Test: {found.attack}", *parts)


def _table(caption: str, named: Sequence[tuple[str, Figure]]) -> Markup:
    head = ("figure", "value [95 %]", "unit", "over", "note")
    rows = [(label, said(one), one.unit, f"{one.n:,} {one.of}", one.note) for label, one in named]
    return table(caption, head, rows, "value [95 %]|over")


def _curve(attack: str, curve: Curve) -> Markup:
    """Any other curve, on scales that hold its numbers."""
    axes = _axis(curve.across, [x for x, _ in curve.points]), _axis(curve.up, [y for _, y in curve.points])
    caption, name = f"{attack}: {curve.name}", f"{_id(attack)}-{_id(curve.name)}"
    plot = curves(name, caption, f"{curve.up} by {curve.across}. {_POINTS}", {curve.name: curve.points}, axes)
    rows = [(_number(x), _number(y)) for x, y in curve.points]
    return figure(caption, plot, table(f"{caption}. {_POINTS}", (curve.across, curve.up), rows, curve.up))


def _axis(label: str, values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    if low > 0 and high / low >= _WIDE:
        return Axis(label, low, high, log=True)
    return Axis(label, min(low, 0.0), high if high > min(low, 0.0) else min(low, 0.0) + 1)


def _id(name: str) -> str:
    return "".join(each if each.isalnum() else "-" for each in name.lower())


def _untried(done: Audit) -> Markup:
    rows = [(each.attack, each.why) for each in done.not_run]
    return section("Not run", text(_LISTED), table("Attacks that were not run", ("attack", "why not"), rows))


_LISTED: Final = (
    f"An attack that is not tried may find what these did not. Of {len(KNOWN)} that are known here, these were not run:"
)


def _which(done: Audit) -> Markup:
    about, people = done.about, done.people
    environment = about["environment"]
    pins = ", ".join(f"{k} {v}" for k, v in environment.items()) if isinstance(environment, dict) else ""
    whole = "its last checkpoint" if about["whole"] else "an earlier checkpoint, as somebody objected since"
    which = f"{done.name}, {whole}, with the averaged weights that are served"
    if "together" in about:
        how = "by the mean of their probabilities" if about["together"] == ENSEMBLE else "with their adapters merged"
        whole = "their last checkpoints" if about["whole"] else "earlier checkpoints, as somebody objected since"
        which = f"{done.name}, a family of cohorts that answer {how}; {whole}, with averaged weights"
    if about["certificate"] is None:
        which = f"the folder {about['run']}, that demur did not train: it was only asked"
    rows = [
        ("model", which),
        ("version", about["version"] or "the corpus as it is now: the version was retired"),
        ("certificate, SHA-256", about["certificate"] or "none"),
        ("weights, SHA-256", about["weights"]),
        ("configuration, SHA-256", about["config"]),
        ("environment", pins),
        ("rows and tokens read", f"{people['rows']:,} rows, {people['tokens']:,} tokens"),
        ("of a person at most", f"{people['tokens_a_person_at_most']:,} tokens, rows at random"),
        ("rows passed over", f"{people['rows_passed_over']:,}: of people who objected since, or changed since"),
        ("seed of every draw", str(people["seed"])),
        ("report, SHA-256", done.digest),
    ]
    return section("Which model, and who", table("What was audited", ("what", "is"), rows))
