"""In which languages' rules a name is read and inflected."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from demur.people.lexicon import folded, given_names, surname_languages
from demur.people.scripts import script_of
from demur.people.standin import fold_word

MOST: Final = 6
"""Languages whose rules one name gets: more would make forms that nobody writes."""
_GUESSED: Final = 4
_LETTERS: Final = {
    "ąęłśźżćń": ("pl",), "ěřů": ("cs",), "ľĺŕ": ("sk",), "őű": ("hu",), "șțăşţ": ("ro",), "ėįųū": ("lt",), "āēīņļķģ": ("lv",),
    "ß": ("de",), "äöü": ("de", "fi", "et", "sv"), "õ": ("et", "pt"), "ø": ("da", "no"), "å": ("sv", "da", "no", "fi"),
    "ñ": ("es",), "ãõ": ("pt",), "çêèœ": ("fr",), "đć": ("hr", "sr"), "žšč": ("cs", "sk", "sl", "hr", "lt", "lv"),
    "ýďťňáíéúó": ("cs", "sk"), "áéíóú": ("hu", "es", "pt", "ga"), "ğış": ("tr",),
    "ыэёъ": ("ru",), "іїєґ": ("uk",), "ђјљњћџ": ("sr",),
}  # fmt: skip
_BY_SCRIPT: Final = {"cyrillic": ("ru", "uk", "bg"), "greek": ("el",), "latin": ("en",)}
_SCRIPTS: Final = {"cyrillic": frozenset({"ru", "uk", "bg", "sr"}), "greek": frozenset({"el"})}
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
    words = [spelling[piece.start : piece.end].lower() for piece in fold_word(spelling)]
    if not words:
        return ()
    script = script_of(words[0])
    scores: Counter[str] = Counter()
    for number, word in enumerate(words):
        _weigh(word, scores, only=number > 0 or len(words) == 1)
    allowed = _SCRIPTS.get(script)
    for language in list(scores):
        if (allowed and language not in allowed) or (script == "latin" and language in {"sr"} and "hr" in scores):
            del scores[language]
    best = max(scores.values(), default=0)
    likely = [language for language, score in scores.most_common(_GUESSED) if score >= best * _FIRST]
    return tuple(dict.fromkeys([*likely, *_BY_SCRIPT.get(script, ())]))[: _GUESSED + 1]


def _weigh(word: str, scores: Counter[str], *, only: bool) -> None:
    """Adds what a word speaks for; ``only`` in a place where surnames stand are their endings looked at."""
    letters = set(word)
    for few, languages in _LETTERS.items():
        for _ in letters & set(few):
            scores.update(dict.fromkeys(languages, _LETTER_WEIGHT // len(languages)))
    given = given_names().get(folded(word), ())
    scores.update(dict.fromkeys(given, _GIVEN_WEIGHT // max(1, len(given)) + 1))
    if only:
        scores.update(surname_languages(word))
