"""What stands around single words that may be a name: the words before and behind, and how the text calls on them.

Invariants: a mask of a person counts as a name that stands there, so that it is the same before and after somebody else
was masked; nothing is read beyond the edge of a quote; each word costs the same, however long its text is.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from demur.people.finding.phrases import Phrases
from demur.people.finding.senses import Sense, senses
from demur.words.page import Bools, Ints
from demur.words.shapes import Shape

_NEAR: Final = 12
"""Characters that are read between two words."""
_MASK: Final = "person"
"""The word in the mask of a person; those of other masks are nobody."""
_WORDS_OF_A_LETTER: Final = frozenset("AEIOUYАВИКОСУЯІЄ")
_NAMES: Final = Sense.GIVEN | Sense.SURNAME
_SURE: Final = np.int64(Sense.GIVEN | Sense.FREQUENT)
"""Names that are on a list: others only end as surnames do, and so do verbs."""
_CALLING: Final = Sense.TITLE | Sense.GREETING


class Call(IntEnum):
    """Whether a word stands where somebody is addressed."""

    NONE = 0
    PERHAPS = 1
    """Behind a comma at the end, or before one at the beginning."""
    SURE = 2
    """Behind a greeting, or before a colon at the beginning of a line."""


class Beside(NamedTuple):
    """What stands on one side of some words; shape (n,) each."""

    word: Ints
    """Index of the nearest plain word; -1 for none, and beyond the edge of a quote."""
    near: Bools
    """Whether nothing but space, or a hyphen, stands between."""
    named: Bools
    """Whether it is near and a name, or the mask of one."""
    initial: Bools
    """Whether it is near, and a letter that is short for a name."""
    senses: Ints
    """senses.Sense of it, where it is near."""
    between: npt.NDArray[np.object_]
    """The characters that stand between, as far as they are read."""

    def take(self, which: Ints) -> Self:
        """A selection, in its order."""
        columns: tuple[Any, ...] = self
        return type(self)(*(column[which] for column in columns))


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
    """Before a comma at the beginning of a line."""
    signs: Bools
    """Where authors sign."""
    inside: Bools
    """Part of a longer token, a path or a piece of code."""
    acts: Bools
    """Before a verb whose subject is a person, or with a genitive's s."""
    quoted: Bools
    """By itself in quotation marks."""

    @classmethod
    def of(cls, phrases: Phrases, words: Ints) -> Self:
        """What stands around some words, by their indices."""
        before, behind = before_of(phrases, words), behind_of(phrases, words)
        ends = _ends(phrases, words, behind)
        call, greeted, opener = _calls(phrases, before, behind, ends)
        signs, inside = _signs(phrases, before, behind, ends), _is_inside(phrases, words, before, behind)
        acts = behind.near & (behind.senses & Sense.SAYS > 0) | _holds(r"\A['’]\Z", behind)
        quoted = _holds(r"[\"“”„«»‹]\Z", before) & _holds(r"\A[\"“”«»›]", behind)
        return cls(before, behind, senses(phrases, words), call, greeted, opener, signs, inside, acts, quoted)

    def take(self, which: Ints) -> Self:
        """A selection, in its order."""
        columns: tuple[Any, ...] = (
            self.own,
            self.call,
            self.greeted,
            self.opener,
            self.signs,
            self.inside,
            self.acts,
            self.quoted,
        )
        return type(self)(self.before.take(which), self.behind.take(which), *(column[which] for column in columns))


def calls_of(phrases: Phrases, words: Ints) -> Ints:
    """How the text calls on each word, a :class:`Call`, for whoever asks nothing else of what stands around it."""
    before, behind = before_of(phrases, words), behind_of(phrases, words)
    return _calls(phrases, before, behind, _ends(phrases, words, behind))[0]


def before_of(phrases: Phrases, words: Ints) -> Beside:
    """What stands before each word."""
    number = phrases.page.words.place[words].astype(np.int64)
    other = _plain(phrases, words, number - 1, number)
    starts = phrases.page.words.start[words]
    rooms = starts - np.where(other >= 0, phrases.page.words.end[other], 0)
    between = phrases.texts.before_all(words, np.minimum(rooms, _NEAR))
    named, initial, found, near = _names(phrases, other, _apart(phrases, number), nouns=False)
    return Beside(other, near, named | _masked(phrases, other, between, "] "), initial, found, between)


def behind_of(phrases: Phrases, words: Ints) -> Beside:
    """What stands behind each word."""
    number = phrases.page.words.last[words].astype(np.int64) + 1
    other = _plain(phrases, words, number, number)
    ends = phrases.page.words.end[words]
    rooms = np.where(other >= 0, phrases.page.words.start[other] - ends, _NEAR)
    between = phrases.texts.behind_all(words, np.minimum(rooms, _NEAR))
    named, initial, found, near = _names(phrases, other, _apart(phrases, number), nouns=True)
    return Beside(other, near, named | _masked(phrases, other, between, " ["), initial, found, between)


def _plain(phrases: Phrases, words: Ints, number: Ints, edge: Ints) -> Ints:
    """The plain word of a number, if it is in the same row and no edge stands between; else -1.

    ``edge``: the number of the later one of the two words.
    """
    page = phrases.page
    exists = (number >= 0) & (number < len(phrases.plain))
    found = phrases.plain[np.where(exists, number, 0)]
    crossed = page.edges[phrases.plain[np.where(exists, edge, 0)]]
    return np.where(exists & (page.words.row[found] == page.words.row[words]) & ~crossed, found, -1)


def _apart(phrases: Phrases, number: Ints) -> Bools:
    """Whether a break or the beginning of a line or sentence stands before each number."""
    inside = number < len(phrases.plain)
    word = phrases.plain[np.where(inside, number, 0)]
    return np.asarray(~inside | phrases.page.breaks[word] | phrases.page.words.opens[word])


def _names(phrases: Phrases, word: Ints, apart: Bools, *, nouns: bool) -> tuple[Bools, Bools, Ints, Bools]:
    """Which words are names, or initials; their senses, and whether they are near.

    A common word with a capital is a name too, unless it opens a sentence or all is in capitals (``Steve Young``);
    where a language writes nouns with a capital, neither are they, nor behind a name (``nouns``) what is on no list.
    What is on no list and opens a sentence is no name, even if it ends as surnames do: so do forms of verbs.
    """
    page, there = phrases.page, np.maximum(word, 0)
    near = (word >= 0) & ~apart & ~page.opaque[there]
    found = senses(phrases, np.where(near, word, -1))
    shape, opens, in_nouns = page.words.shape[there], page.words.opens[there], phrases.nouns[page.words.row[there]]
    whole = shape & np.uint8(Shape.DIGITS | Shape.SINGLE) == 0
    calling = found & (_CALLING | Sense.LEAVE) > 0
    common = (found & Sense.COMMON > 0) & (opens | in_nouns | (shape & np.uint8(Shape.ALL_UPPER) > 0))
    listed = (found & np.where(opens, _SURE, np.int64(_NAMES)) > 0) & (found & _CALLING == 0)
    unknown = ~calling & ~common & ~(in_nouns & nouns) & ~opens
    capital = near & phrases.capital[there]
    return capital & whole & (listed | unknown), _initials(phrases, word, capital), found, near


def _initials(phrases: Phrases, word: Ints, capital: Bools) -> Bools:
    """Which words are letters that are short for a name: with a full stop, or no word by themselves."""
    initial = capital & phrases.letter[np.maximum(word, 0)]
    for at in np.flatnonzero(initial).tolist():
        written, behind = phrases.texts.word(int(word[at])), phrases.texts.behind(int(word[at]), 1)
        initial[at] = written not in _WORDS_OF_A_LETTER or behind == "."
    return initial


def _masked(phrases: Phrases, word: Ints, between: npt.NDArray[np.object_], bracket: str) -> Bools:
    """Which words are the mask of a mention, or a mention, right beside; the mask of a name counts for nothing."""
    there = np.maximum(word, 0)
    masked = (word >= 0) & phrases.page.opaque[there] & ~phrases.page.hidden[there]
    for at in np.flatnonzero(masked).tolist():
        is_mask = between[at] == bracket and phrases.texts.word(int(word[at])) == _MASK
        masked[at] = is_mask or between[at] == " "
    return masked


def _ends(phrases: Phrases, words: Ints, behind: Beside) -> Bools:
    """Which words are the last ones of their text, or before the edge of a quote the last ones there."""
    number = phrases.page.words.last[words].astype(np.int64) + 1
    inside = number < len(phrases.plain)
    edge = inside & phrases.page.edges[phrases.plain[np.where(inside, number, 0)]]
    return (behind.word < 0) & ~edge


def _calls(phrases: Phrases, before: Beside, behind: Beside, ends: Bools) -> tuple[Ints, Bools, Bools]:
    """How the text calls on each word: the :class:`Call`, whether behind a greeting, whether before a comma."""
    first = (before.word < 0) | _holds(r"\n", before)
    close = senses(phrases, np.where(_holds(r"\A\W?[ ]?\Z", before), before.word, -1))
    greeted = close & Sense.GREETING > 0
    stops = _holds(r"\A\s?[,:;!>\n]|\A[ ]?[-–—][ ]", behind) | (ends & _holds(r"\A\s*(?:[.!?…)]|\Z)", behind))
    sure = greeted & (stops | ~behind.near) | first & _holds(r"\A[ ]?[:>]", behind)
    opener = first & _holds(r"\A[,;!]", behind)
    closing = _holds(",", before) & (ends | _holds(r"\A[.!?…]", behind))
    call = np.where(sure, Call.SURE, np.where(opener | closing | greeted, Call.PERHAPS, Call.NONE))
    return call, greeted, opener


def _signs(phrases: Phrases, before: Beside, behind: Beside, ends: Bools) -> Bools:
    """Which words end a text as its author's name does: behind a mark or a phrase, or on a line of their own."""
    first = (before.word < 0) | _holds(r"\n", before)
    marked = first & _holds(r"(?:--|—|–|~|-[ ]?)\s*\Z", before)
    line = (before.word >= 0) & _holds(r"\n\s*\Z", before)
    leaves = senses(phrases, np.where(_holds(r"\A[,.!]?\s+\Z", before), before.word, -1)) & Sense.LEAVE > 0
    return ends & _holds(r"\A[\s.!)]*\Z", behind) & (marked | line | leaves)


def _is_inside(phrases: Phrases, words: Ints, before: Beside, behind: Beside) -> Bools:
    """Which words are part of a longer token, a path or a piece of code; an article with an apostrophe is no part."""
    elided = _holds(r"\A['’]\Z", before) & ~phrases.capital[np.maximum(before.word, 0)]
    joined = (before.word >= 0) & _holds(r"\A[-_.'’·]\Z", before) & ~elided
    joined |= (behind.word >= 0) & _holds(r"\A[-_.·]\Z", behind) & (phrases.with_ending(words) == words)
    option = _holds(r"\A -{1,2}\Z", behind) & (behind.word >= 0)
    path = _holds(r"(?:[/\\=$<>{}#~`]|::)\Z", before) | _holds(r"\A(?:[/\\=${}(`]|::)", behind)
    at = np.flatnonzero(path)
    path[at] = ~_listed(phrases, words[at], before.take(at), behind.take(at))
    return joined | option | path


def _listed(phrases: Phrases, words: Ints, before: Beside, behind: Beside) -> Bools:
    """Which words with a capital have a slash, and a given name or a name's mask, on one side alone: Steve/Anna."""
    sides = []
    for beside, masked in ((before, "]/"), (behind, "/[")):
        there, word = beside.word >= 0, np.maximum(beside.word, 0)
        named = (senses(phrases, beside.word) & Sense.GIVEN > 0) & phrases.capital[word]
        hidden = (beside.between == masked) & phrases.page.hidden[word]
        sides.append(there & ((beside.between == "/") & named | hidden))
    other = _holds(r"/\Z", before) & ~sides[0] | _holds(r"\A/", behind) & ~sides[1]
    return np.asarray(phrases.capital[words] & (sides[0] | sides[1]) & ~other)


def _holds(pattern: str, beside: Beside) -> Bools:
    """Whether a pattern is found in what stands between each word and the one beside it: mostly a blank."""
    found, between = re.compile(pattern).search, beside.between.tolist()
    held = {each: found(each) is not None for each in set(between)}
    return np.array([held[each] for each in between], bool)
