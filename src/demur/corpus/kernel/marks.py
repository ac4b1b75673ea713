"""Which regions of a text are masked, and which spans remain.

Invariants: one mask for everything that names a person, so that the mask says nothing; of nested regions only the
outermost is masked, and of several over one place a withheld one decides; a span whose subject is withheld goes, and
so does every span inside a masked region except those that cover exactly what the policy, not an objection, masks.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.identifiers import MASKS as IDENTIFIER_MASKS
from demur.corpus.identifiers import Category
from demur.corpus.kernel.spans import MARK, ROLES, Ints, Spans, running_end
from demur.corpus.kernel.splice import Regions
from demur.corpus.rules import Bools, Rules
from demur.policy import Identifiers, Others
from demur.terms import Reason, Role

PERSON, QUOTE, PHONE, IBAN, IP = range(5)
MASKS: Final = (
    IDENTIFIER_MASKS[Category.HANDLE].encode(),
    b"[quote]",
    *(IDENTIFIER_MASKS[category].encode() for category in (Category.PHONE, Category.IBAN, Category.IP)),
)
"""By the numbers above; what identifiers are replaced by is said once, where they are found."""

_PERSON: Final = MASKS[PERSON].decode()

CODE: Final = {role: code for code, role in enumerate(ROLES)}

_MARK_MASKS: Final = {Category.PHONE: PHONE, Category.IBAN: IBAN, Category.IP: IP}


NAMING: Final = frozenset({Category.HANDLE, Category.PROFILE_URL, Category.MAIL})
"""What names a person: recorded as a mention, masked by the neutral mask."""

FIELDS: Final = {
    Category.HANDLE: "handles",
    Category.PROFILE_URL: "profile_urls",
    Category.MAIL: "mail",
    Category.PHONE: "phone",
    Category.IBAN: "iban",
    Category.IP: "ip",
}
"""The key of `[identifiers]` that decides on each category."""


def replaced(identifiers: Identifiers) -> frozenset[Category]:
    """The categories that the policy replaces."""
    return frozenset(c for c in Category if getattr(identifiers, FIELDS[c]) == "replace")


def mark_mask(category: Category) -> int:
    """The mask of a region that names no account."""
    return _MARK_MASKS[category]


def regions_of(texts: pa.LargeStringArray, spans: Spans, withheld: Bools, rules: Rules) -> tuple[Regions, Spans]:
    """What is to be masked in ``texts``, and the spans that stay (at their old places).

    ``spans`` are nested; a MARK's ``subject`` is its mask. ``withheld`` has their shape.
    """
    mask = _masks(texts, spans, withheld, rules)
    masked = np.flatnonzero((mask >= 0) & (spans.end > spans.start))
    outer = masked[spans.start[masked] >= running_end(spans.row[masked], spans.end[masked])]
    bare = (spans.role == MARK) & np.isin(mask, (PERSON, QUOTE))  # outermost: no span stands over the same place
    for_somebody = _any_over_the_same(spans, withheld) | bare
    regions = Regions(spans.row[outer], spans.start[outer], spans.end[outer], mask[outer], for_somebody[outer])
    return regions, spans.take(_staying(spans, withheld, regions))


def bare_masks(texts: pa.LargeStringArray, others: Others) -> Spans:
    """The masks of people and quotes that stand in texts at rest, where the policy drops such items.

    A mask that no span covers stands for a suppressed person: were it not looked for, an item that was masked before
    the policy was tightened would stay, and one that is read today would not (law 2).
    """
    dropped = {PERSON: others.mentions == "drop", QUOTE: others.quotes == "drop"}
    found = [
        (row, match.start(), match.end(), MARK, mask)
        for mask in (PERSON, QUOTE)
        if dropped[mask]
        for row in np.flatnonzero(pc.match_substring(texts, MASKS[mask].decode()).to_numpy(zero_copy_only=False))
        for match in re.finditer(re.escape(MASKS[mask].decode()), texts[row].as_py())
    ]
    return Spans(*np.array(found, np.int64).reshape(-1, 5).T)


def dropped_by(regions: Regions, others: Others) -> Iterator[tuple[Reason, Bools]]:
    """For each reason to drop an item instead of masking it: the regions that give it."""
    if others.quotes == "drop":
        yield Reason.QUOTE, np.asarray(regions.withheld & (regions.mask == QUOTE))
    if others.mentions == "drop":
        yield Reason.MENTION, np.asarray(regions.withheld & (regions.mask == PERSON))


def _masks(texts: pa.LargeStringArray, spans: Spans, withheld: Bools, rules: Rules) -> Ints:
    """The mask of each span, or -1 for none."""
    mask = np.full(len(spans), -1, np.int64)
    by_policy = (spans.role == CODE[Role.MENTION]) & _replaced_mention(texts, spans, rules)
    mask[by_policy | withheld] = PERSON
    mask[withheld & (spans.role == CODE[Role.QUOTE])] = QUOTE
    marks = spans.role == MARK
    mask[marks] = spans.subject[marks]
    return mask


def _any_over_the_same(spans: Spans, holds: Bools) -> Bools:
    """Whether it holds of any span over the same place: markup and search may name two accounts where one stands."""
    fresh = np.ones(len(spans), bool)
    fresh[1:] = False
    for values in (spans.row, spans.start, spans.end):
        fresh[1:] |= values[1:] != values[:-1]
    place = np.cumsum(fresh) - 1
    return np.asarray(np.bincount(place, weights=holds)[place] > 0) if len(spans) else holds


def _replaced_mention(texts: pa.LargeStringArray, spans: Spans, rules: Rules) -> Bools:
    """Whether the policy replaces what a mention covers, judged by what stands there: mail, profile URL or handle.

    A mask was put there by the policy of its time, and stays: nothing that it could be turned back into is kept.
    """
    replace = replaced(rules.policy.identifiers) & NAMING
    if replace == NAMING:
        return np.full(len(spans), fill_value=True)
    rows, at = np.unique(spans.row, return_inverse=True)
    known = texts.take(pa.array(rows)).to_pylist()
    where = zip(at.tolist(), spans.start.tolist(), spans.end.tolist(), strict=True)
    words = (known[row][start:end] for row, start, end in where)
    return np.array([each == _PERSON or _category(each) in replace for each in words], bool)


def _category(words: str) -> Category:
    if "/" in words:
        return Category.PROFILE_URL
    return Category.MAIL if "@" in words[1:] and not words.startswith("@") else Category.HANDLE


def _staying(spans: Spans, withheld: Bools, regions: Regions) -> Bools:
    """Which spans are still spans when ``regions`` are masked."""
    stay = ~withheld & (spans.role != MARK)
    if not len(regions):
        return np.asarray(stay)
    width = int(max(spans.end.max(initial=0), regions.end.max())) + 1
    at = np.searchsorted(regions.row * width + regions.start, spans.row * width + spans.start, side="right") - 1
    region = np.maximum(at, 0)
    inside = (at >= 0) & (regions.row[region] == spans.row) & _within(spans, regions, region)
    exact = (regions.start[region] == spans.start) & (regions.end[region] == spans.end) & ~regions.withheld[region]
    around = (spans.start == regions.start[region]) & (spans.end > regions.end[region])
    return np.asarray(stay & (~inside | exact | around))


def _within(spans: Spans, regions: Regions, region: Ints) -> Bools:
    """Whether a span lies in its region; an empty one at the region's first place stands before it."""
    empty_before = (spans.start == spans.end) & (spans.start == regions.start[region])
    return np.asarray((spans.end <= regions.end[region]) & (spans.start < regions.end[region]) & ~empty_before)
