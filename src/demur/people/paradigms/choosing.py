"""Which rules say how a word changes in a language: code of its own, or a table."""

from collections.abc import Callable
from typing import Final

from demur.people.lexicon import without_accents
from demur.people.paradigms.finnish import finnish
from demur.people.paradigms.hungarian import hungarian
from demur.people.paradigms.irish import irish
from demur.people.paradigms.possessives import possessives
from demur.people.paradigms.table import Use, table
from demur.people.paradigms.turkish import turkish

_RULED: Final[dict[str, Callable[[str, Use], list[str]]]] = {
    "fi": finnish,
    "ga": irish,
    "hu": hungarian,
    "tr": turkish,
}
_TABLES: Final = {
    **{
        language: language
        for language in ("bg", "cs", "el", "et", "hr", "lt", "lv", "pl", "ro", "ru", "sk", "sl", "sr", "uk")
    },
    **dict.fromkeys(("da", "de", "en", "nl", "no", "sv"), "genitive"),
    "bs": "hr",
}
LANGUAGES: Final = frozenset({*_RULED, *_TABLES})
"""Whose names change; in others (es, fr, it, mt, pt) they don't."""
CYRILLIC: Final = frozenset({"bg", "mk", "ru", "sr", "uk", "be"})
GREEK: Final = frozenset({"el"})


def inflected(word: str, use: Use, language: str) -> list[str]:
    """The other forms of a word in a language, likeliest first; none where its rules don't fit.

    Args:
        word: in small letters, NFC, with its accents.
        use: as what it is borne.
        language: BCP 47 primary tag.
    """
    rules = _RULED.get(language)
    if rules is not None:
        return rules(word, use)
    name = _TABLES.get(language)
    bare = without_accents(word) if language in GREEK else word
    found = table(name).forms(bare, use) if name else []
    return [*found, *possessives(word, found, language)] if use is Use.GIVEN else found
