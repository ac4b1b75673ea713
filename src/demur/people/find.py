"""Finds the people of an index in the words of a page, with what speaks for each.

Invariants: pure; a find of a person follows from the row, its thread and that person's own names, never from what was
found of another; full names never hang on the context, nor does whether somebody is named in full; a row of which no
word hangs on it has the same finds under every context.
"""

from typing import Final, NamedTuple

import numpy as np

from demur.people.context import Context
from demur.people.finding.bearers import Known
from demur.people.finding.full import COUNTS, full, known_too, parts_of
from demur.people.finding.phrases import Phrases
from demur.people.finding.sightings import Sighter
from demur.people.finding.single import Said, anywhere, hangs, in_context, learnable, learnt
from demur.people.finding.tiers import scores, tiers
from demur.people.finds import Finds
from demur.people.index import PeopleIndex
from demur.people.indexed.table import Table, distinct
from demur.words.page import Bools, Ints, Page

_LEAST: Final = 30
"""No find has a lower score: it would say that somebody is not meant."""


class Whole(NamedTuple):
    """Who is named by given name, or its letter, and surname; shape (n,) each, in any order."""

    row: Ints
    subject: Ints
    score: Ints
    """0 to 100: how sure it is, whatever their thread says."""


class Reasoned(NamedTuple):
    """What is found on a page."""

    finds: Finds
    reasons: Ints
    """What speaks for each find: bits of tiers.Reason, shape (n,)."""
    whole: Whole
    """What tells elsewhere in their threads who is meant."""


def find_people(page: Page, index: PeopleIndex, context: Context) -> Finds:
    """Everybody of the index who is named on a page."""
    return reasoned(page, index, context).finds


def reasoned(page: Page, index: PeopleIndex, context: Context) -> Reasoned:
    """The same, with the reasons, and whom full names name."""
    phrases, known = Phrases(page), Known(page, index, context)
    found = [_of_table(phrases, table, known) for table in index.tables]
    parts = [columns for columns, _ in found]
    if len(known.withheld[0]) and len(context.learnt):
        called = learnt(phrases, known)
        parts.append(_placed(phrases, called, called.word))
    finds, reasons = _best(*(np.concatenate(columns) for columns in zip(_NOTHING, *parts, strict=True)))
    whole = (np.concatenate(columns) for columns in zip(_NOBODY, *(each for _, each in found), strict=True))
    return Reasoned(finds, reasons, Whole(*whole))


def needs_context(page: Page, index: PeopleIndex) -> Bools:
    """Which rows of a page may have other finds under another context; shape (rows,)."""
    phrases = Phrases(page)
    needs = np.zeros(len(page.texts), bool)
    if len(index.subjects):
        needs[page.words.row[learnable(phrases)]] = True
    for table in index.tables:
        sighter = Sighter(phrases, table)
        needs[page.words.row[sighter.words[hangs(sighter)]]] = True
    return needs


_Columns = tuple[Ints, Ints, Ints, Ints, Ints]
"""Row, start, end, subject and reasons; shape (n,) each."""
_NOTHING: Final[_Columns] = tuple(np.zeros((5, 0), np.int64))  # type: ignore[assignment]  # five empty rows
_NOBODY: Final = Whole(*np.zeros((3, 0), np.int64))


def _of_table(phrases: Phrases, table: Table, known: Known) -> tuple[_Columns, Whole]:
    sighter = Sighter(phrases, table)
    if not len(sighter.words):
        return _NOTHING, _NOBODY
    double = sighter.double()
    seen, reasons = full(sighter, double)
    told = known_too(seen, reasons, phrases.capital, known)
    placed = _columns(
        phrases, np.minimum(seen.given, seen.surname), np.maximum(seen.given, seen.surname), seen.subject, told
    )
    whole = Whole(placed[0], seen.subject, scores(reasons))
    counts = whole.score >= COUNTS
    named = distinct(whole.row[counts], whole.subject[counts])
    parts = parts_of(seen, reasons, double, phrases.capital)
    singles = in_context(sighter, known, named, parts), anywhere(sighter, known, parts)
    found = [placed, *(_placed(phrases, each, parts.last(each)) for each in singles)]
    return tuple(np.concatenate(columns) for columns in zip(*found, strict=True)), whole  # type: ignore[return-value]


def _placed(phrases: Phrases, single: Said, last: Ints) -> _Columns:
    return _columns(phrases, single.word, last, single.subject, single.reasons)


def _columns(phrases: Phrases, first: Ints, last: Ints, subject: Ints, reasons: Ints) -> _Columns:
    words = phrases.page.words
    row, start, end = words.row[first], words.start[first], words.end[phrases.with_ending(last)]
    return row.astype(np.int64), start.astype(np.int64), end.astype(np.int64), subject, reasons


def _best(row: Ints, start: Ints, end: Ints, subject: Ints, reasons: Ints) -> tuple[Finds, Ints]:
    """Each place of a person once, by its highest score, but for those within a place that is as sure."""
    score = scores(reasons)
    at = np.flatnonzero(score >= _LEAST)
    row, start, end, subject, reasons, score = (each[at] for each in (row, start, end, subject, reasons, score))
    found = Finds(row, start, end, subject, tiers(reasons), score)
    order = np.lexsort((reasons, -found.score, -end, start, subject, row))
    found, reasons = found.take(order), reasons[order]
    kept = ~_within(found)
    found, reasons = found.take(kept), reasons[kept]
    order = np.lexsort((found.subject, found.end, found.start, found.row))
    return found.take(order), reasons[order]


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
