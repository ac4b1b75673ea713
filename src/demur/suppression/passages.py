"""Which runs of somebody's words in a text are a copy, how sure that is, and what is masked as one passage.

Invariants: decided by what one post of theirs has in common with the text, never by what was found of anybody else;
nothing reaches over an edge of a quote; the time is linear in what is given.

A copy is a run of 12 words, or two separate runs of 8 and more near each other; or, of short posts, nearly all of a
text, or all of it. Scores say how sure it is, 0 to 100.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from demur.suppression.shingles import ANCHOR, NEAR, SIZE, WORD, Readable
from demur.words.page import Bools, Ints, Page

_RUN: Final = 12 * WORD
"""From which length a run is a copy by itself."""
_SURE: Final = 20 * WORD
"""From which length there is no doubt."""
_TWO: Final = 16 * WORD
"""How long separate runs are together."""
_NEARBY: Final = 50
"""Words between runs that count together."""
_PASSAGE: Final = 9
"""Words between runs of one writer that are masked along: an edited word, and what it leaves of a run."""
_ALIKE: Final = 0.6
"""The share of pairs of words that a near copy keeps, of the text and of the post."""
_LEAST: Final = 6
"""How many pairs it shares at least."""


@dataclass(frozen=True, eq=False)
class Places:
    """Places in a Readable, as arrays of shape (n,)."""

    first: Ints
    """Index of the first word."""
    last: Ints
    """Index of the last word."""
    subject: Ints
    score: Ints

    def take(self, which: Bools | Ints) -> "Places":
        """A selection."""
        return Places(*(getattr(self, each.name)[which] for each in fields(self)))


def together(parts: list[Places]) -> Places:
    """All of them."""
    return Places(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Places)))


@dataclass(frozen=True, eq=False)
class Met:
    """Words of somebody's post that stand in a text, as arrays of shape (n,)."""

    first: Ints
    """Index in the Readable."""
    item: Ints
    """Which post."""
    subject: Ints
    kind: Ints
    """Of the shingle."""
    stock: Bools
    """Whether it counts for nothing; never of a GRAM."""

    def take(self, which: Bools | Ints) -> "Met":
        """A selection."""
        return Met(*(getattr(self, each.name)[which] for each in fields(self)))


def long_runs(words: Readable, met: Met, stock: Bools) -> Places:
    """The runs that are copies, of one post each; words of ``stock``, shape (n,) of the Readable, make none longer."""
    met = met.take(np.lexsort((met.first, met.item)))
    met = met.take(~_beside_stock(met, _fresh(words, met)))
    if not len(met.first):
        return Places(met.first, met.first, met.item, met.item)
    fresh = _fresh(words, met)
    head = np.flatnonzero(fresh)
    anchored = np.add.reduceat((met.kind == ANCHOR).astype(np.int64), head) > 0
    tail = np.append(head[1:], len(fresh)) - 1
    head, tail = head[anchored], tail[anchored]
    first, last, item = met.first[head], met.first[tail] + SIZE[ANCHOR] - 1, met.item[head]
    counted = np.concatenate([[0], np.cumsum(np.where(stock, 0, np.diff(words.length)))])
    length = counted[last + 1] - counted[first]
    apart = np.ones(len(head), bool)
    apart[1:] = (item[1:] != item[:-1]) | (words.row[first[1:]] != words.row[first[:-1]])
    apart[1:] |= first[1:] - last[:-1] > _NEARBY
    score = _score_of_runs(length, np.cumsum(apart) - 1)
    return Places(first, last, met.subject[head], score).take(score > 0)


def within_stock(words: Readable, met: Met) -> Bools:
    """Which words are within eight, or six, that are stock, whoever of those met wrote them; shape (n,)."""
    met = met.take(np.isin(met.kind, list(SIZE)))
    met = met.take(np.lexsort((met.kind, met.first)))
    head = np.flatnonzero((np.diff(met.first, prepend=-1) != 0) | (np.diff(met.kind, prepend=-1) != 0))
    edges = np.zeros(len(words.word) + 1, np.int64)
    if len(head):
        at = head[np.logical_and.reduceat(met.stock, head)]
        np.add.at(edges, met.first[at], 1)
        np.add.at(edges, met.first[at] + np.where(met.kind[at] == ANCHOR, SIZE[ANCHOR], SIZE[NEAR]), -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _fresh(words: Readable, met: Met) -> Bools:
    """Which of them, by post and place, begin a run: those before neither overlap nor touch them."""
    fresh = np.ones(len(met.first), bool)
    fresh[1:] = (met.item[1:] != met.item[:-1]) | (met.first[1:] > met.first[:-1] + SIZE[ANCHOR])
    fresh[1:] |= words.stretch[met.first[1:]] != words.stretch[met.first[:-1]]
    return fresh


def _beside_stock(met: Met, fresh: Bools) -> Bools:
    """Which are stock: anchors that are, and what stands between such a one and the next anchor of its run."""
    anchor, run = met.kind == ANCHOR, np.cumsum(fresh)
    found = np.zeros(len(run), bool)
    at = np.flatnonzero(anchor)
    if len(at):
        before = np.cumsum(anchor) - 1  # the anchor at or before each
        behind = before + ~anchor
        for nearest in (before, behind):
            inside = (nearest >= 0) & (nearest < len(at))
            other = at[np.clip(nearest, 0, len(at) - 1)]
            found |= inside & (run[other] == run) & met.stock[other]
    return found


def _score_of_runs(length: Ints, group: Ints) -> Ints:
    """How sure it is that each run, with the others of its group, is a copy; 0 where it is none."""
    if not len(length):
        return length
    head = np.flatnonzero(np.diff(group, prepend=-1))
    longest, whole = np.maximum.reduceat(length, head), np.add.reduceat(length, head)
    several = np.diff(np.append(head, len(length))) > 1
    by_run = 70 + 30 * (longest - _RUN) // (_SURE - _RUN)
    by_several = np.where(several & (whole >= _TWO), np.minimum(60 + (whole - _TWO) // WORD, 79), 0)
    score = np.where(longest >= _RUN, np.maximum(np.minimum(by_run, 100), by_several), by_several)
    return np.asarray(score[group])


def score_of_near(shared: Ints, usual: Ints, of_text: Ints, of_post: Ints) -> Ints:
    """How sure it is that a text is a near copy of a post, 0 where it is none.

    What is stock counts on neither side; where it is more than half of a text, the text is none.

    Args:
        shared: how many different pairs of words they share that are no stock, shape (n,).
        usual: how many that are.
        of_text: how many the text has.
        of_post: how many the post has.
    """
    share = shared / np.maximum(np.maximum(of_text, of_post) - usual, 1)
    sure = 40 + 2 * np.minimum(shared, 20) + (20 * (share - _ALIKE) / (1 - _ALIKE)).astype(np.int64)
    return np.where((share >= _ALIKE) & (shared >= _LEAST) & (2 * usual <= of_text), np.minimum(sure, 99), 0)


def score_of_whole(length: Ints, letters: Ints) -> Ints:
    """How sure it is that a short text is somebody's: the longer it and its words are, the rarer.

    Args:
        length: half words, shape (n,).
        letters: code points of its words.
    """
    return np.asarray(np.minimum(6 * length // WORD + letters, 95))


def passages(page: Page, words: Readable, places: Places) -> Places:
    """Places of one writer that overlap, or have a few words or a mask between them, as one; sorted by writer."""
    places = places.take(np.lexsort((places.last, places.first, places.subject)))
    if not len(places.first):
        return places
    fresh = np.ones(len(places.first), bool)
    fresh[1:] = places.subject[1:] != places.subject[:-1]
    group = np.cumsum(fresh)
    width = len(words.word) + 1
    reached = np.maximum.accumulate(group * width + places.last) - group * width
    number = page.words.place[words.word]
    apart = number[places.first[1:]] - number[reached[:-1]] - 1 > _PASSAGE
    fresh[1:] |= apart | (words.unit[places.first[1:]] != words.unit[reached[:-1]])
    head = np.flatnonzero(fresh)
    last = np.maximum.reduceat(places.last, head)
    return Places(places.first[head], last, places.subject[head], np.maximum.reduceat(places.score, head))
