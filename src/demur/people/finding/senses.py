"""What the words around a name say by themselves: a title, a place, a common word, another name.

Invariants: a word's senses follow from its folded letters and the lists that demur ships, whatever page it stands on;
each distinct word is looked up once a process, and what is remembered is bounded. Common words, prepositions, articles,
verbs and kinds of institutions count in texts of their own language: ``a`` is an article in English, and to in Spanish.
"""

from collections import defaultdict
from collections.abc import Iterator
from enum import IntFlag
from functools import cache, reduce
from importlib import resources
from operator import or_
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.people.finding.phrases import Phrases
from demur.people.greetings import HELLO, THANKS, phrases
from demur.people.lexicon import (
    UNKNOWN,
    calendar_words,
    common_words,
    is_given,
    place_names,
    surname_languages,
    tongue,
)
from demur.people.paradigms import Use, inflected
from demur.words.folding import fold_name
from demur.words.page import Ints

_MOST: Final = 500_000
"""Words that are remembered."""


_LISTED: Final = 7
"""What lexicon.surname_languages says of a surname that is on the list."""


_TELLING: Final = 4
"""Letters of a kind of firm that is told in a text of an unknown language."""


_CHANGES: Final = 3
"""Letters of a noun that has other cases: a shorter one is an abbreviation."""


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
    VERB = 8192
    """A name that opens many sentences as a word: Will, May, Mark."""
    WAY = 16384
    """A kind of street, or bridge, that stands beside its name in lower case, too."""
    SAYS = 32768
    """A verb whose subject is a person, in a form that follows its subject: said, schrieb."""
    TOWARD = 65536
    """A preposition that stands before places, and before people: from, nach."""
    ONE = 131072
    """An article that is another word in other languages: a."""
    MODAL = 262144
    """A name that stands in lower case before a verb: will, may."""
    CROWN = 524288
    """Before the given name of a monarch, a pope or a saint."""
    CALENDAR = 1048576
    """A month or a weekday."""
    DATES = 2097152
    """Stands before dates: in, since, last."""
    OWN = 4194304
    """People write it in lower case in the text's own language, as far as that is known."""


_BOUND: Final = (
    Sense.INSIDE,
    Sense.ARTICLE,
    Sense.ONE,
    Sense.INSTITUTION,
    Sense.WAY,
    Sense.SAYS,
    Sense.TOWARD,
    Sense.VERB,
    Sense.MODAL,
    Sense.CROWN,
    Sense.DATES,
)
"""What a word is in some languages alone."""
_UNBOUND: Final = (0,) * len(_BOUND)
"""What a word is that is none of these anywhere."""
_DECLINED: Final = (Sense.INSTITUTION, Sense.WAY)
"""Kinds of nouns that stand in other cases, too."""
_EVERYWHERE: Final = tongue("en")
"""The language whose common words, and kinds of firms, stand in texts of all."""
_SENSES: Final = np.array([Sense.COMMON, *_BOUND], np.int64)[:, None]
"""What a word is in some languages, in the order of :data:`_Meaning`; shape (senses, 1)."""
_ALSO: Final = np.where(np.isin(_SENSES, [Sense.COMMON, Sense.INSTITUTION]), _EVERYWHERE, 0)
"""The languages in whose words each counts in texts of all; of the same shape."""


_Meaning = tuple[int, ...]
"""What a word is in every language; in which it is a common word, and in which each of :data:`_BOUND`."""
_known: dict[int, _Meaning] = {}
"""By the key of a word."""


def senses(phrases: Phrases, words: Ints) -> Ints:
    """The senses of some words of a page, indices of shape (n,), -1 for none; as bits of :class:`Sense`."""
    found = np.zeros(len(words), np.int64)
    at = np.flatnonzero(words >= 0)
    if not len(at):
        return found
    keys, first, which = np.unique(phrases.page.words.key[words[at]], return_index=True, return_inverse=True)
    _learn(phrases, keys, words[at[first]])
    meanings = np.array([_known[key] for key in keys.tolist()], np.int64).reshape(-1, 2 + len(_BOUND))[which]
    found[at] = _in_tongue(meanings, phrases.tongues[phrases.page.words.row[words[at]]])
    return found


def _in_tongue(meanings: npt.NDArray[np.int64], tongues: Ints) -> Ints:
    """What words, lines of :data:`_Meaning`, are in texts of some languages."""
    everywhere, common, *_ = by_language = meanings.T
    spoken = by_language[1:] & (tongues | _ALSO) > 0
    spoken[0] |= (tongues == UNKNOWN) & (common > 0)
    own = np.where((common & tongues > 0) | (tongues == UNKNOWN) & (common > 0), np.int64(Sense.OWN), 0)
    return np.asarray(np.bitwise_or.reduce(np.where(spoken, _SENSES, 0), axis=0) | everywhere | own)


def sense_of(folded: str) -> Sense:
    """What one folded word may be, in any language."""
    sense, common, *bound = _meaning(folded)
    some = [each for each, among in zip(_BOUND, bound, strict=True) if among]
    return reduce(or_, some, Sense(sense) | (Sense.COMMON if common else Sense(0)))


def _meaning(folded: str) -> _Meaning:
    listed = _listed().get(folded, {})
    found = sum(sense.value for sense in listed if sense not in _BOUND)
    given, surname = is_given(folded), surname_languages(folded)
    for holds, sense in (
        (given, Sense.GIVEN),
        (surname and not given, Sense.SURNAME),
        (max(surname.values(), default=0) >= _LISTED, Sense.FREQUENT),
    ):
        found |= sense.value if holds else 0
    bound = (listed.get(sense, 0) for sense in _BOUND) if listed else _UNBOUND
    return found, common_words().get(folded, 0), *bound


def _learn(phrases: Phrases, keys: Ints, words: Ints) -> None:
    """Looks up what is not known yet, given a word of each key."""
    if len(_known) + len(keys) > _MOST:
        _known.clear()
    new = sorted((word, key) for word, key in zip(words.tolist(), keys.tolist(), strict=True) if key not in _known)
    for word, key in new:  # row by row
        _known[key] = _meaning(fold_name(phrases.texts.word(word)))


@cache
def _listed() -> dict[str, dict[Sense, int]]:
    """The senses of the words in the list of cues, and of greetings; each with its languages, 0 for all."""
    found: dict[str, dict[Sense, int]] = defaultdict(dict)
    source = resources.files("demur.people").joinpath("data/cues.txt").read_text(encoding="utf-8")
    for line in source.splitlines():
        if not line.startswith("#"):
            head, _, words = line.partition(":")
            sense = Sense[head.split()[0].upper()]
            languages = head.split()[1:]
            for word in map(fold_name, _with_cases(words.split(), languages) if sense in _DECLINED else words.split()):
                found[word][sense] = found[word].get(sense, 0) | _tongues(sense, languages, word)
    for word in calendar_words():
        found[word][Sense.CALENDAR] = 0
    for place in place_names():
        found[place][Sense.PLACE] = 0
    for phrase in (*phrases(HELLO), *phrases(THANKS)):
        found[fold_name(phrase.split()[-1])][Sense.GREETING] = 0
    return dict(found)


def _with_cases(words: list[str], languages: list[str]) -> Iterator[str]:
    """Nouns and their other cases: names of people change as nouns do."""
    for word in words:
        yield word
        if len(word) >= _CHANGES:
            yield from (form for use in Use for form in inflected(word, use, languages[0]))


def _tongues(sense: Sense, languages: list[str], word: str) -> int:
    """The languages of a word on a line of cues: English ones hold where nobody says the language, too.

    Kinds of firms of some letters are told in all texts.
    """
    if sense not in _BOUND:
        return 0
    told = sense is Sense.INSTITUTION and len(word) >= _TELLING
    return tongue(languages[0]) | (UNKNOWN if languages == ["en"] or told else 0)
