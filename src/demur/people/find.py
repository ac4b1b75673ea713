"""Finds the people of an index in the words of a page, with what speaks for each.

Invariants: pure; a find of a person follows from the row, its thread and that person's own names, never from what was
found of another; full names never hang on the context; a row of which no word hangs on it has the same finds under
every context.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from demur.people.context import Context
from demur.people.finding.bearers import Known, among
from demur.people.finding.full import full, is_full, known_too, parts_of
from demur.people.finding.phrases import Phrases
from demur.people.finding.sightings import Sighter
from demur.people.finding.single import Said, anywhere, hangs, in_context, learnable, learnt
from demur.people.finding.tiers import scores, tiers
from demur.people.finds import Finds, Tier
from demur.people.index import PeopleIndex
from demur.people.indexed.table import distinct
from demur.words.page import Bools, Ints, Page

_LEAST: Final = 30
"""No find has a lower score: it would say that somebody is not meant."""


@dataclass(frozen=True, eq=False)
class Search:
    """The search for the people of an index on a page: what does not hang on the context is looked up once."""

    page: Page
    index: PeopleIndex

    def found(self, context: Context) -> Finds:
        """Everybody of the index who is named on the page."""
        known = Known(self.page, self.index, context)
        parts = [_of_table(sighter, known) for sighter in self._sighters]
        if len(known.withheld[0]) and len(context.learnt):
            called = learnt(self._phrases, known)
            parts.append(_placed(self._phrases, called, called.word))
        return _best(*(np.concatenate(columns) for columns in zip(_NOTHING, *parts, strict=True)))

    def hangs(self) -> Bools:
        """Which rows of the page may have other finds under another context; shape (rows,)."""
        row = self.page.words.row
        needs = np.zeros(len(self.page.texts), bool)
        if len(self.index.subjects):
            needs[row[learnable(self._phrases)]] = True
        for sighter in self._sighters:
            needs[row[sighter.words[hangs(sighter)]]] = True
        return needs

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases(self.page)

    @cached_property
    def _sighters(self) -> list[Sighter]:
        return [Sighter(self._phrases, table) for table in self.index.tables]


def find_people(page: Page, index: PeopleIndex, context: Context) -> Finds:
    """Everybody of the index who is named on a page."""
    return Search(page, index).found(context)


def adds(context: Context, index: PeopleIndex, threads: Ints) -> Bools:
    """In which threads a context may add a find, shape (n,): where somebody of the index writes or is named in full.

    All else that is known of a thread speaks against somebody.
    """
    stirred, _ = zip(*(among(known, index.subjects) for known in (context.takes_part, context.named)), strict=True)
    return np.isin(threads, np.concatenate(stirred))


def full_names(finds: Finds) -> Finds:
    """Those of full names."""
    return finds.take(finds.tier == Tier.FULL_NAME)


_Columns = tuple[Ints, Ints, Ints, Ints, Ints]
"""Row, start, end, subject and reasons; shape (n,) each."""
_NOTHING: Final[_Columns] = tuple(np.zeros((5, 0), np.int64))  # type: ignore[assignment]  # five empty rows


def _of_table(sighter: Sighter, known: Known) -> _Columns:
    phrases = sighter.phrases
    if not len(sighter.words):
        return _NOTHING
    double = sighter.double()
    seen, reasons = full(sighter, double)
    told = known_too(seen, reasons, phrases.capital, known)
    whole = _columns(
        phrases, np.minimum(seen.given, seen.surname), np.maximum(seen.given, seen.surname), seen.subject, told
    )
    counts = is_full(reasons)
    named = distinct(whole[0][counts], seen.subject[counts])
    parts = parts_of(seen, reasons, double, phrases.capital)
    singles = in_context(sighter, known, named, parts), anywhere(sighter, known, parts)
    found = [whole, *(_placed(phrases, each, parts.last(each)) for each in singles)]
    return tuple(np.concatenate(columns) for columns in zip(*found, strict=True))  # type: ignore[return-value]


def _placed(phrases: Phrases, single: Said, last: Ints) -> _Columns:
    return _columns(phrases, single.word, last, single.subject, single.reasons)


def _columns(phrases: Phrases, first: Ints, last: Ints, subject: Ints, reasons: Ints) -> _Columns:
    words = phrases.page.words
    row, start, end = words.row[first], words.start[first], words.end[phrases.with_ending(last)]
    return row.astype(np.int64), start.astype(np.int64), end.astype(np.int64), subject, reasons


def _best(row: Ints, start: Ints, end: Ints, subject: Ints, reasons: Ints) -> Finds:
    """Each place of a person once, by its highest score, but for those within a place that is as sure."""
    score = scores(reasons)
    at = np.flatnonzero(score >= _LEAST)
    row, start, end, subject, reasons, score = (each[at] for each in (row, start, end, subject, reasons, score))
    found = Finds(row, start, end, subject, tiers(reasons), score, reasons)
    found = found.take(np.lexsort((reasons, -score, -end, start, subject, row)))
    found = found.take(~_within(found))
    return found.take(np.lexsort((found.subject, found.end, found.start, found.row)))


def _within(finds: Finds) -> Bools:
    """Which finds stand in a longer one, or an equal one before them, of the same person, that is as sure.

    ``finds`` are sorted by row, subject, start, and the longer first.
    """
    within = np.zeros(len(finds), bool)
    open_ones: list[tuple[int, int]] = []  # end and score of those that reach over the present place, outermost first
    columns = (finds.row, finds.subject, finds.start, finds.end, finds.score)
    place = None
    for at, (row, subject, start, end, score) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        if place != (row, subject):
            place, open_ones = (row, subject), []
        open_ones = [each for each in open_ones if each[0] > start]
        within[at] = any(last >= end and other >= score for last, other in open_ones)
        if not within[at]:
            open_ones.append((end, score))
    return within
