"""What the words around a name say by themselves: a title, a place, a common word, another name.

Invariants: a word's senses follow from its folded letters and the lists that demur ships, whatever page it stands on;
each distinct word is looked up once a process, and what is remembered is bounded.
"""

from collections import defaultdict
from enum import IntFlag
from functools import cache
from importlib import resources
from typing import Final

import numpy as np

from demur.people.greetings import HELLO, THANKS, phrases
from demur.people.lexicon import is_common, is_given, is_surname, surname_languages
from demur.people.phrases import Phrases
from demur.words.folding import fold_name
from demur.words.page import Ints

_MOST: Final = 500_000
"""Words that are remembered."""


_LISTED: Final = 7
"""What lexicon.surname_languages says of a surname that is on the list."""


class Sense(IntFlag):
    """What a word may be."""

    COMMON = 1
    """People write it in lower case."""
    GIVEN = 2
    """A given name that many bear."""
    SURNAME = 4
    """A surname that many bear, or that ends as surnames do."""
    TITLE = 8
    """Stands before a surname: Mr, Herr, colleague."""
    PLACE = 16
    INSTITUTION = 32
    """Beside the name of a firm, a street, a school: GmbH, Street."""
    INSIDE = 64
    """A preposition of places: in, near."""
    ARTICLE = 128
    GREETING = 256
    """The last word of a phrase that greets or thanks whoever is named next."""
    LEAVE = 512
    """The last word of a phrase that a signature follows."""
    OPENER = 1024
    """Opens a sentence before a comma, and calls nobody: well, however."""
    TERM = 2048
    """A technical word or a product."""
    FREQUENT = 4096
    """A surname on a list of those that most bear."""
    WAY = 16384
    """A kind of street that stands before its name in lower case, too."""
    VERB = 8192
    """A name that opens many sentences as a word: Will, May, Mark."""


_known: dict[int, int] = {}
"""Senses by the key of a word."""


def senses(phrases: Phrases, words: Ints) -> Ints:
    """The senses of some words of a page, indices of shape (n,), -1 for none; as bits of :class:`Sense`."""
    found = np.zeros(len(words), np.int64)
    at = np.flatnonzero(words >= 0)
    keys, first, which = np.unique(phrases.page.words.key[words[at]], return_index=True, return_inverse=True)
    _learn(phrases, keys, words[at[first]])
    found[at] = np.array([_known[key] for key in keys.tolist()], np.int64)[which]
    return found


def sense_of(folded: str) -> Sense:
    """What one folded word may be."""
    found = _listed().get(folded, Sense(0))
    for holds, sense in ((is_common, Sense.COMMON), (is_given, Sense.GIVEN), (is_surname, Sense.SURNAME)):
        found |= sense if holds(folded) else 0
    frequent = max(surname_languages(folded).values(), default=0) >= _LISTED
    return found | (Sense.FREQUENT if frequent else 0)


def _learn(phrases: Phrases, keys: Ints, words: Ints) -> None:
    """Looks up what is not known yet, given a word of each key."""
    if len(_known) + len(keys) > _MOST:
        _known.clear()
    known = [key in _known for key in keys.tolist()]
    for at in np.argsort(words):  # row by row
        if not known[at]:
            _known[int(keys[at])] = int(sense_of(fold_name(phrases.texts.word(int(words[at])))))


@cache
def _listed() -> dict[str, Sense]:
    """The senses of the words in the list of cues, and of greetings."""
    found: dict[str, Sense] = defaultdict(lambda: Sense(0))
    source = resources.files("demur.people").joinpath("data/cues.txt").read_text(encoding="utf-8")
    for line in source.splitlines():
        if not line.startswith("#"):
            head, _, words = line.partition(":")
            for word in words.split():
                found[fold_name(word)] |= Sense[head.split()[0].upper()]
    for phrase in (*phrases(HELLO), *phrases(THANKS)):
        found[fold_name(phrase.split()[-1])] |= Sense.GREETING
    return dict(found)
