"""What the words of a text say besides its markup: who is named in it, and whose words it copies.

Invariants: rows come masked in everything else, from a source as from rest, so that both give the same finds; a find
counts from the score that the policy names, and only of somebody who is withheld; rows whose answer hangs on what is
not known of their thread yet wait, and nothing is said of them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.evidence import ROW, UNCERTAIN, Beside, writing_of
from demur.kernel.marks import CODE, MASKS
from demur.kernel.media import with_shown
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import COPY, NAME, WITHHELD_NAME, Ints, Spans
from demur.kernel.splice import code_points, found
from demur.people.context import Context
from demur.people.find import Search
from demur.people.finds import Finds, Tier, joined, no_finds
from demur.suppression.copies import gram_lists
from demur.terms import Role
from demur.words.batch import Words
from demur.words.columns import word_lists
from demur.words.page import Page, Places, short_keys

_NONE: Final = np.zeros(0, np.int64)
_BEGINS: Final = MASKS[0][:1].decode()
"""What all masks begin with."""
_WRITTEN: Final = ["item", "author", "thread", "parent", "language"]
"""The columns that a page says of its rows besides the words."""


@dataclass(frozen=True)
class Wording:
    """What was found in the words of rows."""

    finds: Finds
    """What counts, of rows that don't wait."""
    named: Beside
    """Row and subject of each full name that stands there, of all rows."""
    seen: Beside
    """Row and gram of each fingerprint of a withheld person's words that stands there, of all rows."""
    media: pa.Array
    """The rows' pictures, with whoever a description names counted as shown."""
    waits: Bools
    """Which rows have to wait; shape (rows,)."""
    shows: Bools
    """Of which rows the pictures differ; shape (rows,)."""
    hint: Bools
    """In which rows something is found as far as nothing is known of their threads, also where they wait."""

    @property
    def rows(self) -> Ints:
        """The rows in which something was found, ascending."""
        return np.union1d(self.finds.row, np.flatnonzero(self.shows))

    @property
    def spans(self) -> Spans:
        """The finds as NAMEs and COPYs."""
        role = np.where(self.finds.tier == Tier.COPY, COPY, NAME)
        return Spans(self.finds.row, self.finds.start, self.finds.end, role, self.finds.subject)


@dataclass(frozen=True, eq=False)
class Pages:
    """The words of rows of schema.ROW, read when somebody first asks for them, and once."""

    rows: pa.RecordBatch
    rules: Rules

    @cached_property
    def page(self) -> Page:
        """Of the texts."""
        return page_of(self.rows, self.rules)

    @cached_property
    def pictures(self) -> tuple[Page, Ints]:
        """Of the pictures' descriptions, and the row of each picture."""
        return _pictures(self.rows, self.rules)

    @cached_property
    def lists(self) -> list[pa.ListArray]:
        """What finds the rows by their words, and as copies: the columns that schema.STORED has besides."""
        shown, picture_of = self.pictures
        words, described = self.page.words, shown.words
        parts = (words.row, words.key), (picture_of[described.row], described.key)
        return [word_lists(len(self.rows), *parts), gram_lists(self.page)]


@dataclass(frozen=True, eq=False)
class _Read:
    """One page, read under rules; ``context`` is None as long as it is not known."""

    page: Page
    rules: Rules
    context: Context | None
    before: Beside = (_NONE, _NONE)
    """Row and subject of the full names that stood there before they were masked."""

    @cached_property
    def waits(self) -> Bools:
        """Which rows of the page hang on what is not known of their thread."""
        if self.context is not None or self._search is None:
            return np.zeros(len(self.page.texts), bool)
        return self._search.hangs()

    def counting(self) -> Finds:
        """What is found and counts: by score, of somebody withheld, and not decided otherwise by an officer."""
        rules, others = self.rules, self.rules.policy.others
        finds = no_finds()
        if self._search is not None:
            names = self._search.found(self.context or Context(), self.before)
            finds = names.take(names.score >= others.names_from)
        if rules.copies is not None:
            copies = rules.copies.found(self.page)
            finds = joined(finds, copies.take(copies.score >= others.copies_from))
        return finds.take(self._may_count(finds.row, finds.subject))

    def in_full(self) -> Beside:
        """Row and subject of whoever is named in full, or by an initial and a surname, whatever the context."""
        if self._search is None:
            return _NONE, _NONE
        whole = self._search.whole
        counts = (whole.score >= self.rules.policy.others.names_from) & self._may_count(whole.row, whole.subject)
        return whole.row[counts], whole.subject[counts]

    def _may_count(self, row: Ints, subject: Ints) -> Bools:
        """Whether somebody is withheld and did not write the row, and no officer decided otherwise; shape (n,)."""
        writing = self.page.writing
        other = self.rules.is_withheld(subject) & (subject != writing.author[row])
        return np.asarray(other & ~self.rules.is_cleared(writing.item[row], subject))

    @cached_property
    def _search(self) -> Search | None:
        return None if self.rules.people is None else Search(self.page, self.rules.people)


def read(pages: Pages, context: Context | None, before: Beside = (_NONE, _NONE)) -> Wording:
    """What is found in rows.

    Args:
        pages: the rows.
        context: what is known of their threads; None as long as it is not known.
        before: row and subject of the full names that stood in the rows' texts before they were masked.
    """
    rows, rules = pages.rows, pages.rules
    media = rows.column("media")
    nothing = np.zeros(len(rows), bool)
    if not rules.reads_words or not len(rows):
        return Wording(no_finds(), (_NONE, _NONE), (_NONE, _NONE), media, nothing, nothing, nothing)
    page, (shown, picture_of) = pages.page, pages.pictures
    in_text, in_pictures = _Read(page, rules, context, before), _Read(shown, rules, context)
    waits = in_text.waits | _any(in_pictures.waits, picture_of, len(rows))
    finds, named = in_text.counting(), in_pictures.counting()
    with_named = with_shown(media, named.row[named.tier != Tier.COPY], named.subject[named.tier != Tier.COPY])
    shows = np.zeros(len(rows), bool)
    shows[picture_of[named.row]] = True
    seen = _seen(page, rules)
    decided, hint = finds.take(~waits[finds.row]), shows.copy()
    hint[finds.row] = True
    return Wording(decided, in_text.in_full(), seen, with_named, waits, shows & ~waits, hint)


def _seen(page: Page, rules: Rules) -> Beside:
    """Where a page's authors wrote themselves what withheld people wrote: row and key.

    Fingerprints of people who are not withheld lie beside them: of whoever copied, and of whoever has withdrawn.
    """
    if rules.copies is None:
        return _NONE, _NONE
    row, key = rules.copies.seen(page)
    which, subject = rules.copies.writers(key)
    counts = np.zeros(len(key), bool)
    counts[which[rules.is_withheld(subject)]] = True
    return row[counts], key[counts]


def stored(rows: pa.RecordBatch, rules: Rules) -> pa.RecordBatch:
    """Rows of schema.ROW as schema.STORED: with what finds them by their words."""
    return with_lists(rows, Pages(rows, rules).lists)


def with_lists(rows: pa.RecordBatch, lists: list[pa.ListArray]) -> pa.RecordBatch:
    """Rows of schema.ROW with their :attr:`Pages.lists`, as schema.STORED."""
    return pa.RecordBatch.from_arrays([*rows.columns, *lists], schema=schema.STORED)


def uncertain(rows: pa.RecordBatch, finds: Finds, rules: Rules) -> pa.RecordBatch:
    """The finds that the policy wants somebody to look at; of evidence.ROW and :data:`UNCERTAIN`."""
    others = rules.policy.others
    sure = np.where(finds.tier == Tier.COPY, others.copies_sure, others.names_sure)
    unsure = finds.take(finds.score < sure)
    items = rows.column("item").take(pa.array(unsure.row))
    places = (unsure.start, unsure.end, unsure.subject, unsure.tier, unsure.score, unsure.reasons)
    fields = list(UNCERTAIN)[2:]
    arrays = [pa.array(values).cast(field.type) for values, field in zip(places, fields, strict=True)]
    return pa.RecordBatch.from_arrays(
        [pa.array(unsure.row), pa.array(short_keys(items)), items, *arrays], schema=pa.schema([ROW, *UNCERTAIN])
    )


def page_of(rows: pa.RecordBatch, rules: Rules) -> Page:
    """The texts of rows, with what stands over their words."""
    texts, spans = rows.column("text"), Spans.of(rows.column("spans"), incoming=False)
    spans = spans.take(spans.end > spans.start).sorted()
    opaque = np.isin(spans.role, [CODE[Role.MENTION], CODE[Role.TAG]])
    quotes = _places(spans.take(spans.role == CODE[Role.QUOTE]))
    covered = _together(_places(spans.take(opaque)), _masks(texts))
    hidden = _places(spans.take(spans.role == WITHHELD_NAME))
    words, language = Words.of(texts, rules.word_keys), rows.column("language")
    return Page.of(texts, words, writing_of(rows), language, opaque=covered, quotes=quotes, hidden=hidden)


def _pictures(rows: pa.RecordBatch, rules: Rules) -> tuple[Page, Ints]:
    """The descriptions of the rows' pictures, and the row of each picture."""
    media = rows.column("media")
    picture_of = pc.list_parent_indices(media).to_numpy(zero_copy_only=False).astype(np.int64)
    alt = pc.cast(pc.fill_null(media.flatten().field("alt"), ""), pa.large_string())
    words, none = Words.of(alt, rules.word_keys), (_NONE, _NONE, _NONE)
    some = rows.select(_WRITTEN).take(pa.array(picture_of))
    return Page.of(alt, words, writing_of(some), some.column("language"), opaque=_masks(alt), quotes=none), picture_of


def _masks(texts: pa.LargeStringArray) -> Places:
    """Where masks stand."""
    rows = np.flatnonzero(pc.match_substring(texts, _BEGINS).to_numpy(zero_copy_only=False))
    some = texts.take(pa.array(rows))
    masks = found(some, code_points(some), MASKS)
    return rows[masks.row], masks.start, masks.end


def _places(spans: Spans) -> Places:
    return spans.row, spans.start, spans.end


def _together(one: Places, other: Places) -> Places:
    """Both, sorted."""
    row, start, end = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    order = np.lexsort((start, row))
    return row[order], start[order], end[order]


def _any(which: Bools, row_of: Ints, rows: int) -> Bools:
    """Which rows have one for which it holds."""
    return np.asarray(np.bincount(row_of[which], minlength=rows) > 0)
