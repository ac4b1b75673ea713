"""In which languages' rules a name is read and inflected."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from demur.people.lexicon import bearers_of, folded, given_names, is_given, places, surname_languages
from demur.people.scripts import script_of

MOST: Final = 6
"""Languages whose rules one name gets: more would make forms that nobody writes."""
_GUESSED: Final = 4
_LETTERS: Final = {
    "ąęłśźżćń": ("pl",), "ěřů": ("cs",), "ľĺŕ": ("sk",), "őű": ("hu",), "șțăşţ": ("ro",), "ėįųū": ("lt",),
    "āēīņļķģ": ("lv",),
    "ß": ("de",), "äöü": ("de", "fi", "et", "sv"), "õ": ("et", "pt"), "ø": ("da", "no"), "å": ("sv", "da", "no", "fi"),
    "ñ": ("es",), "ãõ": ("pt",), "çêèœ": ("fr",), "đć": ("hr", "sr"), "žšč": ("cs", "sk", "sl", "hr", "lt", "lv"),
    "ýďťň": ("cs", "sk"), "áéíóú": ("hu", "cs", "sk", "es", "pt", "ga"), "ğış": ("tr",),
    "ыэёъ": ("ru",), "іїєґ": ("uk",), "ђјљњћџ": ("sr",),
}  # fmt: skip
_BY_LETTER: Final = {
    letter: tuple(languages for few, languages in _LETTERS.items() if letter in few)
    for letter in set("".join(_LETTERS))
}
_BY_SCRIPT: Final = {"cyrillic": ("ru", "uk", "bg"), "greek": ("el",), "latin": ("en",)}
_SCRIPTS: Final = {"cyrillic": frozenset({"ru", "uk", "bg", "sr"}), "greek": frozenset({"el"})}
_MOST_REMEMBERED: Final = 65_536
_LETTER_WEIGHT: Final = 6
_GIVEN_WEIGHT: Final = 8
_FIRST: Final = 0.4
"""Of the best guess: another language counts from this share of it."""


def languages_of(spelling: str, locale: str | None = None, also: Sequence[str] = ()) -> tuple[str, ...]:
    """The languages whose rules a spelling gets, the likeliest first, at most :data:`MOST`.

    Args:
        spelling: as it was declared.
        locale: the member's, BCP 47 or POSIX (``pl``, ``pl-PL``, ``pl_PL``): comes first.
        also: languages that are written on the platform: names are inflected in the language of the text.
    """
    own = [locale.replace("_", "-").partition("-")[0].lower()] if locale else []
    return tuple(dict.fromkeys([*own, *guessed(spelling), *also]))[:MOST]


def guessed(spelling: str) -> tuple[str, ...]:
    """The languages that a spelling's script, letters, given names and endings of surnames speak for."""
    words = [run[start:end].lower() for run in spelling.split() for start, end in places(run)]
    if not words:
        return ()
    script = script_of(words[0])
    scores: Counter[str] = Counter()
    for number, word in enumerate(words):
        for language, weight in _votes(word, number > 0 or not is_given(word)):
            scores[language] += weight
    allowed = _SCRIPTS.get(script)
    scores = Counter({language: score for language, score in scores.items() if not allowed or language in allowed})
    best = max(scores.values(), default=0)
    likely = [language for language, score in scores.most_common(_GUESSED) if score >= best * _FIRST]
    return tuple(dict.fromkeys([*likely, *_BY_SCRIPT.get(script, ())]))[: _GUESSED + 1]


@lru_cache(maxsize=_MOST_REMEMBERED)
def _votes(word: str, ends: bool) -> tuple[tuple[str, int], ...]:  # noqa: FBT001  # part of the cache's key
    """What a word speaks for; its ending where it ``ends`` a name, as surnames do."""
    given = given_names().get(folded(word)) or bearers_of(word)
    votes = [(language, _LETTER_WEIGHT // len(group)) for group in _telling(word) for language in group]
    votes += [(language, _GIVEN_WEIGHT // len(given) + 1) for language in given]
    return (*votes, *(surname_languages(word).items() if ends else ()))


def _telling(word: str) -> Iterator[tuple[str, ...]]:
    """For each letter of a word and each group of languages that it speaks for: the group."""
    if not word.isascii():
        for letter in set(word):
            yield from _BY_LETTER.get(letter, ())
