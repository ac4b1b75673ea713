"""What stands around single words that may be a name: the words before and behind, and how the text calls on them.

Invariants: a mask of a person counts as a name that stands there, so that it is the same before and after somebody else
was masked; nothing is read beyond the edge of a quote; each word costs the same, however long its text is.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from demur.people.phrases import Phrases
from demur.people.senses import Sense, senses
from demur.words.page import Bools, Ints
from demur.words.shapes import Shape

_NEAR: Final = 12
"""Characters that are read between two words."""
_WORDS_OF_A_LETTER: Final = frozenset("AEIOUYАВИКОСУЯІЄОИ")
_MASK: Final = "person"
"""The word in the mask of a person; those of other masks are nobody."""
_CALLS: Final = re.compile(r"\A\s?[,:;!>\n]|\A[ ]?[-–—][ ]|\A\s*\Z")
_ENDS: Final = re.compile(r"\A\s*[.!?…)]*(?:\s|\Z)|\A\s*[.!?…)]")
_JOINS: Final = re.compile(r"\A[-_.'’·]\Z")


_NAMES: Final = Sense.GIVEN | Sense.SURNAME
_CALLING: Final = Sense.TITLE | Sense.GREETING


class Call(IntEnum):
    """Whether a word stands where somebody is addressed."""

    NONE = 0
    PERHAPS = 1
    """Behind a comma at the end, or before one at the beginning."""
    SURE = 2
    """Behind a greeting, or before a colon at the beginning of a line."""


class Beside(NamedTuple):
    """The words on one side of some words; shape (n,) each."""

    word: Ints
    """Index of the nearest plain word; -1 for none, and beyond the edge of a quote."""
    near: Bools
    """Whether nothing but space, or a hyphen, stands between."""
    named: Bools
    """Whether it is near and a name, or the mask of one: none that people write in lower case."""
    initial: Bools
    """Whether it is near, and a letter that is short for a name."""
    senses: Ints
    """senses.Sense of it, where it is near."""


@dataclass(frozen=True)
class Surroundings:
    """See the module's docstring; arrays have shape (n,)."""

    before: Beside
    behind: Beside
    own: Ints
    """senses.Sense of the word itself."""
    call: Ints
    """A :class:`Call`."""
    greeted: Bools
    """Behind a greeting, whatever follows."""
    opener: Bools
    """Before a comma at the beginning, or a colon."""
    signs: Bools
    """Where authors sign."""
    inside: Bools
    """Part of a longer token, a path or a piece of code."""

    def take(self, which: Ints) -> "Surroundings":
        """A selection, in its order."""
        before, behind = (Beside(*(column[which] for column in beside)) for beside in (self.before, self.behind))
        columns = self.own, self.call, self.greeted, self.opener, self.signs, self.inside
        return Surroundings(before, behind, *(column[which] for column in columns))

    @classmethod
    def of(cls, phrases: Phrases, words: Ints) -> "Surroundings":
        """What stands around some words, by their indices."""
        page = phrases.page
        own = senses(phrases, words)
        number_before = page.words.place[words].astype(np.int64) - 1
        number_behind = page.words.last[words].astype(np.int64) + 1
        before_word = _plain(phrases, words, number_before, number_before + 1)
        behind_word = _plain(phrases, words, number_behind, number_behind)
        before_text = _texts_before(phrases, words, before_word)
        behind_text = _texts_behind(phrases, words, behind_word)
        edge_behind = (number_behind < len(phrases.plain)) & page.edges[
            phrases.plain[np.minimum(number_behind, len(phrases.plain) - 1)]
        ]
        before = _beside(phrases, before_word, before_text, _apart(phrases, number_before + 1), "] ")
        behind = _beside(phrases, behind_word, behind_text, _apart(phrases, number_behind), " [")
        return cls(
            before, behind, own, **_called(phrases, words, own, before, behind, before_text, behind_text, edge_behind)
        )


def _texts_before(phrases: Phrases, words: Ints, others: Ints) -> list[str]:
    """What stands between each word and the one before it, of -1 the text's beginning; so many characters at most."""
    starts = phrases.page.words.start[words]
    rooms = np.minimum(starts - np.where(others >= 0, phrases.page.words.end[others], 0), _NEAR)
    return [phrases.texts.before(word, room) for word, room in zip(words.tolist(), rooms.tolist(), strict=True)]


def _texts_behind(phrases: Phrases, words: Ints, others: Ints) -> list[str]:
    """What stands between each word and the one behind it."""
    ends = phrases.page.words.end[words]
    rooms = np.where(others >= 0, np.minimum(phrases.page.words.start[others] - ends, _NEAR), _NEAR)
    return [phrases.texts.behind(word, room) for word, room in zip(words.tolist(), rooms.tolist(), strict=True)]


def _plain(phrases: Phrases, words: Ints, number: Ints, edge: Ints) -> Ints:
    """The plain word of a number, if it is in the same row and no edge stands between; else -1.

    ``edge``: the number of the later one of the two words.
    """
    page = phrases.page
    exists = (number >= 0) & (number < len(phrases.plain))
    found = phrases.plain[np.where(exists, number, 0)]
    crossed = page.edges[phrases.plain[np.where(exists, edge, 0)]]
    exists &= (page.words.row[found] == page.words.row[words]) & ~crossed
    return np.where(exists, found, -1)


def _apart(phrases: Phrases, number: Ints) -> Bools:
    """Whether a break or the beginning of a line or sentence stands before each number."""
    inside = number < len(phrases.plain)
    word = phrases.plain[np.where(inside, number, 0)]
    return np.asarray(~inside | phrases.page.breaks[word] | phrases.page.words.opens[word])


def _beside(phrases: Phrases, word: Ints, between: list[str], breaks: Bools, bracket: str) -> Beside:
    page = phrases.page
    there = np.maximum(word, 0)
    near = (word >= 0) & ~breaks & ~page.opaque[there]
    found = senses(phrases, np.where(near, word, -1))
    single = page.words.shape[there] & np.uint8(Shape.DIGITS | Shape.SINGLE) > 0
    known = (found & _NAMES > 0) & (found & _CALLING == 0)
    plain = (found & (_CALLING | Sense.LEAVE) > 0) | (found & Sense.COMMON > 0) & (
        page.words.opens[there] | phrases.nouns[page.words.row[there]]
    )
    named = near & phrases.capital[there] & ~single & (known | ~plain)
    initial = near & phrases.letter[there] & phrases.capital[there]
    for at in np.flatnonzero(initial):
        written = phrases.texts.word(int(word[at]))
        initial[at] = written not in _WORDS_OF_A_LETTER or phrases.texts.behind(int(word[at]), 1) == "."
    return Beside(word, near, named | _masked(phrases, word, between, bracket), initial, found)


def _masked(phrases: Phrases, word: Ints, between: list[str], bracket: str) -> Bools:
    """Which words are the mask of a person, or a mention, right beside."""
    masked = (word >= 0) & phrases.page.opaque[np.maximum(word, 0)]
    for at in np.flatnonzero(masked):
        is_mask = between[at] == bracket and phrases.texts.word(int(word[at])) == _MASK
        masked[at] = is_mask or between[at] == " "
    return masked


def _called(  # noqa: PLR0913, PLR0917  # everything that stands around, once
    phrases: Phrases,
    words: Ints,
    own: Ints,
    before: Beside,
    behind: Beside,
    before_text: list[str],
    behind_text: list[str],
    edge_behind: Bools,
) -> dict[str, np.ndarray]:
    """How the text calls on each word."""
    first = (before.word < 0) | _matches(r"\n", before_text)
    last = (behind.word < 0) & ~edge_behind
    comma = _matches(r",", before_text)
    close = np.where(
        before.word >= 0, senses(phrases, np.where(_matches(r"\A\W?[ ]?\Z", before_text), before.word, -1)), 0
    )
    greeted = close & Sense.GREETING > 0
    calls = _matches(_CALLS, behind_text) | last & _matches(_ENDS, behind_text)
    colon = first & _matches(r"\A[ ]?[:>]", behind_text)
    opener = first & _matches(r"\A[,;!]", behind_text)
    strong = (greeted & (calls | _matches(_ENDS, behind_text) & (behind.word < 0) | ~behind.near)) | colon
    closing = comma & (last | _matches(r"\A[.!?…]", behind_text))
    call = np.where(strong, Call.SURE, np.where(opener | closing | greeted, Call.PERHAPS, Call.NONE))
    marked = _matches(r"(?:--|—|–|~|- ?)\s*\Z", before_text) & first
    line = _matches(r"\n\s*\Z", before_text) & (before.word >= 0)
    leaves = np.where(before.word >= 0, senses(phrases, before.word), 0) & Sense.LEAVE > 0
    leaves &= _matches(r"\A[,.!]?\s+\Z", before_text)
    signs = last & _matches(r"\A[\s.!)]*\Z", behind_text) & (marked | line | leaves)
    elided = _matches(r"\A['’]\Z", before_text) & ~phrases.capital[np.maximum(before.word, 0)]
    joined = _matches(_JOINS, before_text) & (before.word >= 0) & ~elided | _matches(r"\A[-_.·]\Z", behind_text) & (
        behind.word >= 0
    )
    inside = joined | _matches(r"(?:[/\\=$<>{}#~]|::)\Z", before_text) | _matches(r"\A(?:[/\\=${}(]|::)", behind_text)
    return {"call": call, "greeted": greeted, "opener": opener, "signs": signs, "inside": inside}


def _matches(pattern: str | re.Pattern[str], texts: list[str]) -> Bools:
    found = re.compile(pattern).search
    return np.array([found(each) is not None for each in texts], bool)
