"""The ways in which people write an identifier so that it is still read, but no longer found by comparing strings.

Each way returns the name rewritten, or the name itself where it has nothing to change. Sources: Unicode UAX 15 (normal
forms), UTS 39 (confusables); transliteration of Cyrillic by BGN/PCGN and of Greek by ELOT 743, both simplified.
"""

import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_LETTERS: Final = tomllib.loads((Path(__file__).parent / "letters.toml").read_text("utf-8"))
_LATIN_TO_CYRILLIC: Final[dict[str, str]] = _LETTERS["twins"]
_CYRILLIC_TO_LATIN: Final = {cyrillic: latin for latin, cyrillic in _LATIN_TO_CYRILLIC.items()}
_STROKES: Final[dict[str, str]] = _LETTERS["strokes"]
_UMLAUTS: Final[dict[str, str]] = _LETTERS["umlauts"]
ZERO_WIDTHS: Final = "\u200b\u200c\u200d\u2060\u00ad"


def stripped(name: str) -> str:
    """The name without diacritics, strokes included."""
    parts = unicodedata.normalize("NFD", "".join(_STROKES.get(letter, letter) for letter in name))
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def umlauts(name: str) -> str:
    """The name with German umlauts spelled out."""
    return "".join(_UMLAUTS.get(letter, letter) for letter in name)


def joined(name: str) -> str:
    """The name without its spaces."""
    return name.replace(", ", "").replace(" ", "")


def spaced(name: str) -> str:
    """The name with a space after each letter, and words kept apart by three."""
    return "   ".join(" ".join(word) for word in name.split(" "))


def homoglyphs(name: str) -> str:
    """The name with letters of another script that look the same."""
    table = _CYRILLIC_TO_LATIN if any("Ѐ" <= letter <= "ӿ" for letter in name) else _LATIN_TO_CYRILLIC
    return "".join(table.get(letter, letter) for letter in name)


def zero_width(name: str) -> str:
    """The name with an invisible character after its first and its third letter."""
    mark = ZERO_WIDTHS[len(name) % len(ZERO_WIDTHS)]
    return name[:1] + mark + name[1:3] + (mark if len(name) > 3 else "") + name[3:]


def fullwidth(name: str) -> str:
    """The name in fullwidth forms, where it is ASCII throughout."""
    if not name.isascii():
        return name
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in name)


def decomposed(name: str) -> str:
    """The name with its diacritics as characters of their own (NFD)."""
    return unicodedata.normalize("NFD", name)


def capitals(name: str) -> str:
    """The name in capitals, which bear no accent in Greek."""
    greek = any("Ͱ" <= letter <= "Ͽ" for letter in name)
    return (stripped(name) if greek else name).upper()


def small(name: str) -> str:
    """The name in lower case."""
    return name.lower()


@cache
def _sounds(language: str) -> dict[str, str]:
    """Letters and pairs of letters -> what they are in Latin, as a language has it."""
    alphabets = [_LETTERS["sounds"][name] for name in ("cyrillic", "greek", language) if name in _LETTERS["sounds"]]
    sounds = dict.fromkeys(_LETTERS["silent"]["letters"].split(), "")
    for letters, latin in alphabets:
        sounds |= dict(zip(letters.split(), latin.split(), strict=True))
    return sounds


def transliterated(name: str, language: str = "") -> str:
    """A Cyrillic or Greek name in Latin letters; any other comes back as it is."""
    sounds = _sounds(language)
    plain = stripped(name) if any("Ͱ" <= letter <= "Ͽ" for letter in name) else name
    latin, at = "", 0
    while at < len(plain):
        size = 2 if plain[at : at + 2].lower() in sounds else 1
        taken = plain[at : at + size]
        sound = sounds.get(taken.lower(), taken)
        latin += sound.capitalize() if taken[0].isupper() else sound
        at += size
    return latin


WAYS: Final[dict[str, Callable[[str], str]]] = {
    "joined": joined,
    "spaced": spaced,
    "homoglyph": homoglyphs,
    "zero-width": zero_width,
    "fullwidth": fullwidth,
    "decomposed": decomposed,
    "stripped": stripped,
    "umlaut": umlauts,
    "capitals": capitals,
    "small": small,
    "transliterated": transliterated,
}
"""The word for each way in ``Truth.form``, and what it does."""


def apply(way: str, name: str, language: str) -> str:
    """The name written in one of ``WAYS``, or as it was where that makes no sense for its letters or the language."""
    if way == "transliterated":
        return transliterated(name, language)
    if way == "umlaut" and language != "de":
        return name
    if way == "stripped" and any("Ѐ" <= letter <= "ӿ" for letter in name):
        return name
    return WAYS[way](name)
