"""Which places of a text are masked, by what, and which spans remain.

Invariants: one mask for everything that names a person, so that the mask says nothing; of nested places only the
outermost is masked, and all spans in it decide together on its mask; no span is left of anybody who is withheld. What
is left of a masked place says as much as all that was withheld in it, and not who: what is withheld later gives the
same answer as if everything had been withheld at once (law 2; the proof is in ADR 0022).
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel.identifiers import MASKS as IDENTIFIER_MASKS
from demur.kernel.identifiers import Category
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import (
    COPY,
    MARK,
    NAME,
    NOBODY,
    ROLES,
    WITHHELD_COPY,
    WITHHELD_MENTION,
    WITHHELD_NAME,
    WITHHELD_QUOTE,
    Ints,
    Spans,
    running_end,
)
from demur.kernel.splice import CodePoints, Regions, found, move
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

_ANY_MASK: Final = "|".join(re.escape(mask.decode()) for mask in MASKS)

_BY_MASK: Final = ((PERSON, (ROLES.index(Role.MENTION), WITHHELD_NAME)), (QUOTE, (WITHHELD_COPY,)))
"""For a mask, the roles of a span exactly over it that says itself what the mask stands for."""

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


def with_masks(texts: pa.LargeStringArray, points: CodePoints, spans: Spans) -> Spans:
    """Nested spans, and a MARK for each mask that stands in the texts.

    A mask gets none where a span exactly over it says what it stands for: a mention whose name the policy replaced, or
    a name or copy that was found. A mask in which words of a span begin or end is a piece of somebody's text; it was
    none when the spans were read.
    """
    masks = found(texts, points, MASKS)
    if not len(masks):
        return spans
    width = int(max(spans.end.max(initial=0), masks.end.max())) + 1
    begin, end = masks.row * width + masks.start, masks.row * width + masks.end
    first, last = spans.row * width + spans.start, spans.row * width + spans.end
    edges = np.sort(np.concatenate([first[first < last], last[first < last]]))
    whole = np.searchsorted(edges, begin, side="right") == np.searchsorted(edges, end, side="left")
    at = np.flatnonzero(whole & ~_told(spans, masks, first, begin))
    marks = Spans(masks.row[at], masks.start[at], masks.end[at], np.full(len(at), MARK), masks.mask[at])
    return spans.joined(marks).sorted() if len(at) else spans


def _told(spans: Spans, masks: Regions, first: Ints, begin: Ints) -> Bools:
    """Which masks a span tells of; ``first`` and ``begin`` are the places of spans and masks in one count."""
    told = np.zeros(len(masks), bool)
    for mask, roles in _BY_MASK:
        over = np.isin(spans.role, roles) & (spans.end - spans.start == len(MASKS[mask]))
        told |= (masks.mask == mask) & np.isin(begin, first[over])
    return told


def held(spans: Spans, rules: Rules) -> Bools:
    """Which spans are of somebody who is withheld, or say that such a one was there."""
    marks = spans.role == MARK
    found = (spans.role >= WITHHELD_QUOTE) & ~marks
    mask = marks & ((spans.subject == PERSON) | (spans.subject == QUOTE))
    return np.asarray(found | mask | (~marks & rules.is_withheld(spans.subject)))


def dropped_by(spans: Spans, withheld: Bools, others: Others) -> Iterator[tuple[Reason, Ints]]:
    """For each reason to drop an item instead of masking it: the rows that give it, whatever their spans cover."""
    if others.quotes == "drop":
        yield Reason.QUOTE, spans.row[withheld & _quoting(spans)]
    if others.mentions == "drop":
        yield Reason.MENTION, spans.row[withheld & _naming(spans)]


def dropped_by_words(spans: Spans, others: Others) -> Iterator[tuple[Reason, Ints]]:
    """The same for what was found in the words; ``spans`` are those that stay, with the traces of it."""
    if others.copies == "drop":
        yield Reason.COPY, spans.row[spans.role == WITHHELD_COPY]
    if others.names == "drop":
        yield Reason.NAME, spans.row[spans.role == WITHHELD_NAME]


def regions_of(texts: pa.LargeStringArray, spans: Spans, withheld: Bools, rules: Rules) -> tuple[Regions, Spans, Spans]:
    """What is to be masked in ``texts``, the spans that stay, and those within a region (at its beginning, empty).

    Of spans over one whole region a withheld quote decides its mask, else whatever names a person. A span of somebody
    who is not withheld is left out where the region says the same of somebody else. What was found in the words (NAME,
    COPY) leaves a trace where it decides a mask, and none inside another region: there nobody would find it any more.

    Args:
        texts: the texts of the batch.
        spans: nested, with their MARKs.
        withheld: what :func:`held` says of them.
        rules: whose policy says which names are replaced.
    """
    masked = _masked(texts, spans, withheld, rules)
    outer = masked[spans.start[masked] >= running_end(spans.row[masked], spans.end[masked])]
    places = spans.take(outer)
    place = _place(spans, places)
    inside = place >= 0
    over = inside & (spans.end - spans.start == _of_place(places.end - places.start, place))

    def any_of(which: Bools) -> Bools:
        """For each place, whether ``which`` holds of a span."""
        return np.asarray(np.bincount(place[which], minlength=len(places)) > 0)

    quoting, naming = _quoting(spans), _naming(spans)
    quote, person = any_of(over & withheld & quoting), any_of(over & withheld & naming)
    copied, by_name = any_of(over & copying(spans)) & ~quote, any_of(over & naming_by_name(spans)) & ~quote
    name = person | by_name | any_of(over & (spans.role == CODE[Role.MENTION]))
    mask = np.where(quote | copied, QUOTE, np.where(name, PERSON, places.subject))  # with neither, it is a MARK's
    regions = Regions(places.row, places.start, places.end, mask)

    quoted, named = any_of(inside & withheld & quoting), any_of(inside & withheld & naming)
    said_over = _of_place(quote, place) & quoting | _of_place(person, place) & naming
    said = _of_place(quoted, place) & quoting | _of_place(named, place) & naming
    stay = ~withheld & (spans.role != MARK)
    outside = spans.take(stay & (~inside | over & ~said_over))
    lone = spans.take(withheld & ~inside & (quoting | naming))
    within = stay & inside & ~over & ~said
    swallowed = spans.take(within).at(places.take(place[within]))
    unsaid = (places.take(quoted & ~quote), WITHHELD_QUOTE), (places.take(named & (quote | ~person)), WITHHELD_MENTION)
    for there, role in unsaid:
        swallowed = swallowed.joined(_traces(there, np.full(len(there), role)).at(there))
    for decided, role in ((copied, WITHHELD_COPY), (by_name & ~copied & ~person, WITHHELD_NAME)):
        outside = outside.joined(_traces(places.take(decided), np.full(int(decided.sum()), role)))
    if len(lone):
        outside = outside.joined(_traces(lone, np.where(_quoting(lone), WITHHELD_QUOTE, WITHHELD_MENTION)))
    return regions, outside.sorted(), swallowed


def settled(spans: Spans, within: Spans, regions: Regions) -> Spans:
    """All spans, as :func:`regions_of` gives them, at their places once the regions are masked."""
    spans = move(spans, regions, MASKS)
    if not len(within):
        return spans
    moved = move(within, regions, MASKS)
    inner = Spans(moved.row, moved.start + 1, moved.start + 1, moved.role, moved.subject)
    return spans.joined(inner).sorted()


def _quoting(spans: Spans) -> Bools:
    quote = (spans.role == CODE[Role.QUOTE]) | (spans.role == WITHHELD_QUOTE)
    return np.asarray(quote | ((spans.role == MARK) & (spans.subject == QUOTE)))


def _naming(spans: Spans) -> Bools:
    name = (spans.role == CODE[Role.MENTION]) | (spans.role == CODE[Role.TAG]) | (spans.role == WITHHELD_MENTION)
    return np.asarray(name | ((spans.role == MARK) & (spans.subject == PERSON)))


def nothing_else(texts: pa.LargeStringArray, spans: Spans) -> Bools:
    """Which texts, masked as they are to be, hold a copy and no word besides; shape (texts,)."""
    copied = np.unique(spans.row[spans.role == WITHHELD_COPY])
    alone = np.zeros(len(texts), bool)
    left = pc.replace_substring_regex(texts.take(pa.array(copied)), _ANY_MASK, "")
    alone[copied] = pc.invert(pc.match_substring_regex(left, r"[\pL\pN]")).to_numpy(zero_copy_only=False)
    return alone


def copying(spans: Spans) -> Bools:
    """Which spans are words that somebody withheld wrote, found or masked before."""
    return np.asarray((spans.role == COPY) | (spans.role == WITHHELD_COPY))


def naming_by_name(spans: Spans) -> Bools:
    """Which spans are a name of somebody withheld, found or masked before."""
    return np.asarray((spans.role == NAME) | (spans.role == WITHHELD_NAME))


def _masked(texts: pa.LargeStringArray, spans: Spans, withheld: Bools, rules: Rules) -> Ints:
    """Positions of the spans whose text may not stand.

    A mention around a masked place is masked itself: what kind of name it was (a handle, a mail address) can't be
    told any more from what is left of it, and the policy may ask for it later.
    """
    words = spans.end > spans.start
    mention = spans.role == CODE[Role.MENTION]
    by_policy = mention & _replaced_mention(texts, spans, rules)
    masked = words & (withheld | (spans.role == MARK) | by_policy)
    kept = np.flatnonzero(mention & words & ~masked)
    if len(kept):
        masked[kept[_around(spans, masked)[kept]]] = True
    return np.flatnonzero(masked)


def _around(spans: Spans, masked: Bools) -> Bools:
    """Which spans hold a masked one that is smaller than they are."""
    width = int(spans.end.max(initial=0)) + 1
    begin, end = spans.row * width + spans.start, spans.row * width + spans.end
    count = np.concatenate([[0], np.cumsum(masked)])
    fresh = np.concatenate([(begin[1:] != begin[:-1]) | (end[1:] != end[:-1]), [True]])
    last = np.flatnonzero(fresh)
    behind_same = last[np.searchsorted(last, np.arange(len(spans)))] + 1
    return np.asarray(count[np.searchsorted(begin, end)] > count[behind_same])


def _place(spans: Spans, places: Spans) -> Ints:
    """The index of the place that each span stands in, -1 for none; an empty span at its edge stands outside."""
    if not len(places):
        return np.full(len(spans), -1)
    width = int(max(spans.end.max(), places.end.max())) + 1
    at = np.searchsorted(places.row * width + places.start, spans.row * width + spans.start, side="right") - 1
    place = np.maximum(at, 0)
    inside = (at >= 0) & (places.row[place] == spans.row) & (spans.end <= places.end[place])
    at_edge = (spans.start == spans.end) & (spans.start == places.start[place])
    return np.where(inside & (spans.start < places.end[place]) & ~at_edge, place, -1)


def _of_place(values: np.ndarray, place: Ints) -> np.ndarray:
    """What is true of each span's place; zero or False for spans in none."""
    return np.append(values, np.zeros(1, values.dtype))[place]  # -1 is the last


def _traces(spans: Spans, role: Ints) -> Spans:
    """What withheld people leave that no mask says: that they stood there, and not who."""
    return Spans(spans.row, spans.start, spans.end, role, np.full(len(spans), NOBODY))


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
