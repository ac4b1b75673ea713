"""Finds the people of an index in the words of a page, with what speaks for each.

Invariants: pure; a find of a person follows from the row, its thread and that person's own names, never from what was
found of another; full names never hang on the context; a row of which no word hangs on it has the same finds under
every context.
"""

from typing import Final

import numpy as np

from demur.people.compiled import FormFlag
from demur.people.context import Context
from demur.people.finds import Finds, Tier, joined, no_finds
from demur.people.index import PeopleIndex
from demur.people.names import NameRole
from demur.people.phrases import Phrases
from demur.people.sightings import Sighter, Sightings
from demur.people.table import expanded
from demur.words.page import Bools, Ints, Page

_GIVEN: Final = (NameRole.GIVEN, NameRole.MIDDLE, NameRole.NICK, NameRole.SINGLE)


def find_people(page: Page, index: PeopleIndex, context: Context) -> Finds:
    """Everybody of the index who is named on a page."""
    phrases = Phrases(page)
    found = no_finds()
    for table in index.tables:
        sighter = Sighter(phrases, table)
        if len(sighter.words):
            found = joined(found, _best(_found(sighter, index, context)))
    return found


def needs_context(page: Page, index: PeopleIndex) -> Bools:
    """Which rows of a page may have other finds under another context; shape (rows,)."""
    phrases = Phrases(page)
    needs = np.zeros(len(page.texts), bool)
    for table in index.tables:
        sighter = Sighter(phrases, table)
        needs[page.words.row[sighter.words[_hangs(sighter)]]] = True
    return needs


def full_names(finds: Finds) -> Finds:
    """Those of full names."""
    return finds.take(finds.tier == Tier.FULL_NAME)


def _found(sighter: Sighter, index: PeopleIndex, context: Context) -> Finds:
    full = _full(sighter)
    handles = _handles(sighter)
    return joined(joined(full, handles), _within(sighter, index, context, full))


def _full(sighter: Sighter) -> Finds:
    seen = sighter.full()
    capital = sighter.phrases.capital
    upper = capital[seen.first].astype(int) + capital[seen.last]
    word = (seen.flags | seen.last_flags) & FormFlag.WORD > 0
    initial = seen.role == NameRole.INITIAL
    score = np.where(initial, 75, 96) - 15 * seen.apart * ~initial - np.where(upper == 2, 0, np.where(word, 50, 8))  # noqa: PLR2004
    score = np.where(initial & (upper < 2), 20, score)  # noqa: PLR2004
    tier = np.where(initial, Tier.INITIAL_SURNAME, Tier.FULL_NAME)
    return _finds(sighter, seen, tier, score)


def _handles(sighter: Sighter) -> Finds:
    seen = sighter.alone((NameRole.HANDLE, NameRole.JOINED))
    weak = seen.flags & (FormFlag.WORD | FormFlag.ABBREVIATED) > 0
    words = sighter.phrases.page.words
    short = words.end[seen.first] - words.start[seen.first] <= 3  # noqa: PLR2004
    return _finds(sighter, seen, np.full(len(seen.first), Tier.HANDLE), np.where(weak | short, 30, 85))


def _within(sighter: Sighter, index: PeopleIndex, context: Context, full: Finds) -> Finds:
    """Words of the names of those who take part in a thread, or are named in full in it."""
    words = sighter.words[_hangs(sighter)]
    page = sighter.phrases.page
    row = page.words.row[words].astype(np.int64)
    thread, author = page.writing.thread[row], page.writing.author[row]
    named = full.take(full.tier == Tier.FULL_NAME)
    word, subject = _people(thread, context, row, named)
    kept = np.isin(subject, index.subjects) & (subject != author[word])
    seen = sighter.within(words, word[kept], subject[kept])
    return _finds(sighter, seen, *_weighed(sighter, seen))


def _people(thread: Ints, context: Context, row: Ints, named: Finds) -> tuple[Ints, Ints]:
    """For each word, whoever may be meant: its position, and the person."""
    found = []
    for known in (context.takes_part, context.named):
        which, at = expanded(*(np.searchsorted(known["one"], thread, side) for side in ("left", "right")))
        found.append(np.stack([which, known["other"][at]], axis=1))
    which, at = expanded(*(np.searchsorted(named.row, row, side) for side in ("left", "right")))
    found.append(np.stack([which, named.subject[at]], axis=1))
    both = np.unique(np.concatenate(found), axis=0)
    return both[:, 0], both[:, 1]


def _weighed(sighter: Sighter, seen: Sightings) -> tuple[Ints, Ints]:
    """The tier and score of single words of people who may be meant."""
    capital, opens = sighter.phrases.capital[seen.first], sighter.phrases.page.words.opens[seen.first]
    word = seen.flags & FormFlag.WORD > 0
    score = np.where(capital, 85, 65) - np.where(word, np.where(capital & ~opens, 20, 45), 0)
    given = np.isin(seen.role, _GIVEN)
    handle = np.isin(seen.role, [NameRole.HANDLE, NameRole.JOINED])
    tier = np.where(handle, Tier.HANDLE, np.where(given, Tier.GIVEN_IN_CONTEXT, Tier.SURNAME_IN_CONTEXT))
    return tier, score


def _hangs(sighter: Sighter) -> Bools:
    """Which of the words that are in names hang on the context."""
    return np.ones(len(sighter.words), bool)


def _finds(sighter: Sighter, seen: Sightings, tier: Ints, score: Ints) -> Finds:
    words = sighter.phrases.page.words
    row, start, end = (
        column.astype(np.int64) for column in (words.row[seen.first], words.start[seen.first], words.end[seen.last])
    )
    return Finds(row, start, end, seen.subject, np.asarray(tier, np.int64), np.clip(score, 0, 100).astype(np.int64))


def _best(finds: Finds) -> Finds:
    """Each place of a person once, by its highest score, sorted."""
    order = np.lexsort((finds.tier, -finds.score, finds.subject, finds.end, finds.start, finds.row))
    finds = finds.take(order)
    once = np.ones(len(finds), bool)
    for name in ("row", "start", "end", "subject"):
        column = getattr(finds, name)
        once[1:] &= column[1:] == column[:-1]
    once[:1] = False
    finds = finds.take(~once)
    return finds.take(np.lexsort((finds.subject, finds.end, finds.start, finds.row)))
