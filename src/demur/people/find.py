"""Finds the people of an index in the words of a page, with what speaks for each.

Invariants: pure; a find of a person follows from the row, its thread and that person's own names, never from what was
found of another; full names never hang on the context, nor does whether somebody is named in full; a row of which no
word hangs on it has the same finds under every context.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from demur.people.context import Context, in_thread
from demur.people.finding.bearers import Known, among, beside
from demur.people.finding.full import COUNTS, full, known_too, parts_of
from demur.people.finding.phrases import Phrases
from demur.people.finding.sightings import Double, Sighter
from demur.people.finding.single import Parts, Said, anywhere, hangs, in_context, learnable, learnt
from demur.people.finding.tiers import Reason, scores, tiers
from demur.people.finds import Finds
from demur.people.index import PeopleIndex
from demur.people.indexed.table import distinct, expanded
from demur.words.columns import BITS, in_rows, shortened
from demur.words.page import Bools, Ints, Page

_NONE: Final = np.zeros(0, np.int64)
_LEAST: Final = 30
"""No find has a lower score: it would say that somebody is not meant."""


class Whole(NamedTuple):
    """Who is named by given name, or its letter, and surname; shape (n,) each, in any order."""

    row: Ints
    subject: Ints
    score: Ints
    """0 to 100: how sure it is, whatever their thread says."""


class _Named(NamedTuple):
    """The names of two words that stand on the page, of one table."""

    sighter: Sighter
    seen: Double
    reasons: Ints
    """What speaks for each, whatever their thread says: bits of tiers.Reason."""
    whole: Whole
    parts: Parts


@dataclass(frozen=True, eq=False)
class Search:
    """The search for the people of an index on a page: what does not hang on the context is looked up once."""

    page: Page
    index: PeopleIndex

    def found(self, context: Context, in_full: tuple[Ints, Ints] = (_NONE, _NONE)) -> Finds:
        """Everybody of the index who is named on the page.

        Args:
            context: what is known of the threads.
            in_full: rows, and people whose full names stood in them before they were masked; shape (n,) both.
        """
        known = Known(self.page, self.index, context)
        parts = [_found(named, known, in_full) for named in self._named]
        if len(known.withheld[0]) and (len(context.learnt) or len(context.called)):
            called = learnt(self._phrases, known)
            parts.append(_placed(self._phrases, called, called.word))
        return _best(*(np.concatenate(columns) for columns in zip(_NOTHING, *parts, strict=True)))

    def hangs(self) -> Bools:
        """Which rows of the page may have other finds under another context; shape (rows,)."""
        row = self.page.words.row
        needs = np.zeros(len(self.page.texts), bool)
        for sighter in self._sighters:
            needs[row[sighter.words[hangs(sighter)]]] = True
        if len(self.index.subjects):
            needs[row[learnable(self._phrases, ~needs)]] = True
        return needs

    @cached_property
    def whole(self) -> Whole:
        """What tells elsewhere in a thread who is meant."""
        parts = (named.whole for named in self._named)
        return Whole(*(np.concatenate(columns) for columns in zip(_NOBODY, *parts, strict=True)))

    @cached_property
    def _named(self) -> list[_Named]:
        return [_of_two_words(sighter) for sighter in self._sighters if len(sighter.words)]

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases(self.page)

    @cached_property
    def _sighters(self) -> list[Sighter]:
        return [Sighter(self._phrases, table) for table in self.index.tables]


def find_people(page: Page, index: PeopleIndex, context: Context) -> Finds:
    """Everybody of the index who is named on a page."""
    return Search(page, index).found(context)


def adds(context: Context, index: PeopleIndex, threads: Ints, words: pa.ListArray) -> Bools:
    """In which rows a context may add a find, shape (n,): those that hold a word by which somebody may be meant there.

    That are the words of the names of whoever of the index writes or is named in full in a row's thread, and what they
    are called there: all else that is known of a thread speaks against somebody.

    Args:
        context: what is known of the threads.
        index: whom it is asked of.
        threads: of the rows, shape (n,).
        words: of each row, as words.columns.word_lists has them.
    """
    stirred, people = map(
        np.concatenate,
        zip(*(among(known, index.subjects) for known in (context.takes_part, context.named)), strict=True),
    )
    stirred, people = distinct(stirred, people)
    here = np.flatnonzero(np.isin(threads, stirred))
    row, word = in_rows(words.take(pa.array(here)))
    called, by = _called(np.unique(people), index, context, np.unique(word))
    low, high = (np.searchsorted(called, people, side) for side in ("left", "right"))
    which, at = expanded(low, high)
    there, by_others = beside(context.called, in_thread(stirred, people))
    said = _of_thread(stirred, stirred[there], shortened(by_others))
    known = np.unique(np.concatenate([_of_thread(stirred, stirred[which], by[at]), said]))
    found = np.zeros(len(threads), bool)
    found[here[row[np.isin(_of_thread(stirred, threads[here][row], word), known)]]] = True
    return found


def _called(people: Ints, index: PeopleIndex, context: Context, words: Ints) -> tuple[Ints, Ints]:
    """By which of some words, shortened and ascending, each of some people may be meant; sorted by person."""
    whose, keys = index.words_of(people)
    learnt = context.learnt[np.isin(context.learnt["one"], people)]
    whose, short = np.concatenate([whose, learnt["one"]]), shortened(np.concatenate([keys, learnt["other"]]))
    there = np.isin(short, words)
    return distinct(whose[there], short[there].astype(np.int64))


def _of_thread(threads: Ints, thread: Ints, word: np.ndarray) -> Ints:
    """A number for each word, shortened, in its thread, one of some ascending ones."""
    return np.searchsorted(threads, thread) << BITS | word.astype(np.int64)


_Columns = tuple[Ints, Ints, Ints, Ints, Ints]
"""Row, start, end, subject and reasons; shape (n,) each."""
_NOTHING: Final[_Columns] = tuple(np.zeros((5, 0), np.int64))  # type: ignore[assignment]  # five empty rows
_NOBODY: Final = Whole(*np.zeros((3, 0), np.int64))


def _of_two_words(sighter: Sighter) -> _Named:
    phrases, double = sighter.phrases, sighter.double()
    seen, reasons = full(sighter, double)
    row = phrases.page.words.row[seen.given].astype(np.int64)
    whole = Whole(row, seen.subject, scores(reasons))
    return _Named(sighter, seen, reasons, whole, parts_of(seen, reasons, double, phrases.capital))


def _found(named: _Named, known: Known, before: tuple[Ints, Ints]) -> _Columns:
    sighter, seen, reasons, whole, parts = named
    phrases = sighter.phrases
    first, last = np.minimum(seen.given, seen.surname), np.maximum(seen.given, seen.surname)
    placed = _columns(phrases, first, last, seen.subject, known_too(seen, reasons, phrases.capital, known))
    counts = whole.score >= COUNTS
    both = zip((whole.row[counts], whole.subject[counts]), before, strict=True)
    in_full = distinct(*(np.concatenate(each) for each in both))
    singles = in_context(sighter, known, in_full, parts), anywhere(sighter, known, parts)
    found = [placed, *(_placed(phrases, each, parts.last(each)) for each in singles)]
    return tuple(np.concatenate(columns) for columns in zip(*found, strict=True))  # type: ignore[return-value]


def _placed(phrases: Phrases, single: Said, last: Ints) -> _Columns:
    return _columns(phrases, single.word, last, single.subject, single.reasons)


def _columns(phrases: Phrases, first: Ints, last: Ints, subject: Ints, reasons: Ints) -> _Columns:
    words = phrases.page.words
    row, start, end = words.row[first], words.start[first], words.end[phrases.with_ending(last)]
    return row.astype(np.int64), start.astype(np.int64), end.astype(np.int64), subject, reasons


def _best(row: Ints, start: Ints, end: Ints, subject: Ints, reasons: Ints) -> Finds:
    """Each place of a person once, by its highest score, but for those within a place that is as sure.

    A find has the widest place of its person that it stands in, where that one does not count by itself. So how much
    of a name is masked does not hang on what stands around it, which tells how sure it is. A letter or a word that
    nobody is called by widens no place.
    """
    score = scores(reasons)
    at = np.flatnonzero((score >= _LEAST) | (reasons & np.int64(Reason.NO_CALL) == 0))
    at = at[np.lexsort((reasons[at], -score[at], -end[at], start[at], subject[at], row[at]))]
    row, start, end, subject, reasons, score = (each[at] for each in (row, start, end, subject, reasons, score))
    wide = _widest(row, subject, end)
    wide = np.where(score[wide] < COUNTS, wide, np.arange(len(wide)))
    found = Finds(row, start[wide], end[wide], subject, tiers(reasons), score, reasons)
    found = found.take(score >= _LEAST)
    found = found.take(~_within(found))
    return found.take(np.lexsort((found.subject, found.end, found.start, found.row)))


def _widest(row: Ints, subject: Ints, end: Ints) -> Ints:
    """For each place the first one of the same person that it stands in: itself, or a wider one before it.

    The places are sorted by row, subject, start (not asked for), and the wider first.
    """
    if not len(row):
        return row
    place = np.cumsum((np.diff(row, prepend=row[0]) != 0) | (np.diff(subject, prepend=subject[0]) != 0))
    width = int(end.max()) + 1
    reached = np.maximum.accumulate(place * width + end)
    fresh = np.append(True, reached[1:] > reached[:-1])
    return np.maximum.accumulate(np.where(fresh, np.arange(len(row)), 0))


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
