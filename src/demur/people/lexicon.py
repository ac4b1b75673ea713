"""What is known of single names and words, from the lists in ``data/``; each list says where it is from.

Invariants: lists are read once a process, when they are first asked for; words are folded as those of texts are, but
for :func:`script_variants` and :func:`nicks`, whose words are inflected.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from demur.words.folding import Shape, fold, fold_name

_LONGEST_ENDING: Final = 7
_MOST_FOLDED: Final = 65_536


ALPHABETS: Final = {
    "latin": frozenset(
        map(
            chr,
            (
                *range(0x41, 0x5B),
                *range(0x61, 0x7B),
                *range(0xC0, 0xD7),
                *range(0xD8, 0xF7),
                *range(0xF8, 0x17F),
                *range(0x218, 0x21C),
            ),
        )
    ),
    "greek": frozenset("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫ"),
    "cyrillic": frozenset(map(chr, (*range(0x400, 0x460), 0x490, 0x491))),
}
"""Letters of which nearly all names are: a word of one alphabet is folded letter by letter."""


@lru_cache(maxsize=_MOST_FOLDED)
def folded(word: str) -> str:
    """A word as the words of texts are folded, in one piece."""
    return _fold(word)


def _fold(word: str) -> str:
    if word.isascii() and word.isalnum():
        return word.lower()
    return word.translate(_folds()) if of_one_alphabet(word) else fold_name(word)


def places(text: str) -> list[tuple[int, int]]:
    """Where the words of a text are, as those of posts are cut: begin and end."""
    if (text.isascii() and text.isalnum()) or of_one_alphabet(text):
        return [(0, len(text))]
    return [(piece.start, piece.end) for piece in fold(text) if not piece.shape & Shape.ALSO]


def of_one_alphabet(word: str) -> bool:
    """Whether a word is written in letters of one of :data:`ALPHABETS` alone."""
    return bool(word) and any(letters.issuperset(word) for letters in ALPHABETS.values())


@cache
def _folds() -> dict[int, str]:
    """What each letter of the alphabets folds to."""
    return {ord(letter): fold_name(letter) for letters in ALPHABETS.values() for letter in letters}


def small(word: str) -> str:
    """A word in small letters with its accents, NFC: how paradigms read it."""
    return unicodedata.normalize("NFC", word.lower())


def without_accents(word: str) -> str:
    """A word in the letters that carry its accents: a Greek one without tonos and dialytika."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


def is_given(word: str) -> bool:
    """Whether people bear a word as a given name."""
    plain = folded(word)
    return plain in given_names() or plain in further_given_names()


def bearers_of(word: str) -> tuple[str, ...]:
    """The languages whose people bear a word as a given name, those that commonly do first."""
    plain = folded(word)
    return tuple(dict.fromkeys((*given_names().get(plain, ()), *further_given_names().get(plain, ()))))


def is_surname(word: str) -> bool:
    """Whether a word is known as a surname, or ends as many do; nothing that is a given name."""
    return not is_given(word) and bool(surname_languages(word))


def surname_languages(word: str) -> dict[str, int]:
    """The languages in which a word is, or ends as, a surname; and how much of it says so, in letters."""
    plain = folded(word)
    names, endings = _surnames()
    found = dict.fromkeys(names.get(plain, ()), _LONGEST_ENDING)
    for size in range(1, min(_LONGEST_ENDING, len(plain) - 2) + 1):
        for language in endings.get(plain[-size:], ()):
            found[language] = max(found.get(language, 0), size)
    return found


@cache
def given_names() -> dict[str, tuple[str, ...]]:
    """Folded given names with the languages whose people commonly bear them."""
    return _given("given.txt")


@cache
def further_given_names() -> dict[str, tuple[str, ...]]:
    """The same of names, or languages, that are rarer."""
    return _given("given_more.txt")


def _given(name: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language, words in _by_language(name):
        for word in dict.fromkeys(map(folded, words)):
            found[word] = (*found.get(word, ()), language)
    return found


@cache
def _surnames() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Folded surnames, and endings of them, with their languages."""
    names: dict[str, tuple[str, ...]] = {}
    endings: dict[str, tuple[str, ...]] = {}
    for language, words in _by_language("surnames.txt"):
        for word in words:
            into, plain = (endings, folded(word[1:])) if word.startswith("-") else (names, folded(word))
            if language not in into.get(plain, ()):
                into[plain] = (*into.get(plain, ()), language)
    return names, endings


@cache
def script_variants() -> dict[str, tuple[str, ...]]:
    """For names that are spelt in a way of their own in another script: those of their line."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines("variants.txt"):
        for word in line.split():
            found[word] = (*found.get(word, ()), *(other for other in line.split() if other != word))
    return found


@cache
def nicks() -> dict[tuple[str, str], tuple[str, ...]]:
    """For a language and a folded name: the names that go with it."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    language = ""
    for line in _lines("nicks.txt"):
        if line.startswith("["):
            language = line[1:-1]
            continue
        full, _, short = (part.split() for part in line.partition(":"))
        for names, others in ((full, short), (short, full)):
            for name in names:
                place = language, folded(name)
                found[place] = tuple(dict.fromkeys((*found.get(place, ()), *others)))
    return found


def is_common(word: str) -> bool:
    """Whether a folded word is one that people write in lower case in some language."""
    return word in common_words()


@cache
def common_words() -> dict[str, int]:
    """Folded words that people write in lower case, each with the :func:`tongue` of the languages that do."""
    found: dict[str, int] = {}
    for name in ("words.txt", "words_own.txt", "calendar.txt"):
        for language, words in _by_language(name):
            for word in map(_fold, words):
                found[word] = found.get(word, 0) | tongue(language)
    return found


@cache
def calendar_words() -> frozenset[str]:
    """Folded names of months and weekdays, in many languages."""
    return frozenset(_fold(word) for _, words in _by_language("calendar.txt") for word in words)


@cache
def place_names() -> frozenset[str]:
    """Folded names of countries and large cities, in many languages."""
    return frozenset(_fold(word) for _, words in _by_language("places.txt") for word in words)


TONGUES: Final = (
    "en de fr es pt it nl pl cs sk hu ro bg ru uk el da sv fi et lv lt hr sl no mt ga tr ca sr".split()  # noqa: SIM905
)
"""Languages of the lists."""
UNKNOWN: Final = 1
"""The :func:`tongue` of a text of which nobody says the language."""


def tongue(language: str | None) -> int:
    """A bit that stands for a language, BCP 47; :data:`UNKNOWN` for one of no list."""
    primary = (language or "").replace("_", "-").partition("-")[0].lower()
    return _bits().get(primary, UNKNOWN)


@cache
def _bits() -> dict[str, int]:
    bits = {language: 2 << number for number, language in enumerate(TONGUES)}
    return bits | {"nb": bits["no"], "nn": bits["no"], "bs": bits["hr"], "sh": bits["hr"], "lb": bits["de"]}


def _by_language(name: str) -> Iterator[tuple[str, list[str]]]:
    for line in _lines(name):
        language, _, words = line.partition(":")
        yield language, words.split()


def _lines(name: str) -> Iterator[str]:
    """The lines of a list, without comments."""
    source = resources.files("demur.people").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return (line for line in source.splitlines() if line.strip() and not line.startswith("#"))
