"""How the letters of one word fold: to what a reader sees in them, without case, accents or disguise.

Invariants: folding what was folded changes nothing; a fold holds letters, digits and the marks that its script can't do
without, and nothing else; ASCII folds to its small letters. Folded are compatible forms (NFKC, UAX #15: full-width,
mathematical, circled, ligatures), case (casefold), diacritics of Latin, Greek, Cyrillic, Hebrew and Arabic, strokes
and hooks (ø, ł, đ), small capitals, the digits of every script; left out is what is not seen.
"""

import re
import unicodedata
from functools import cache
from itertools import repeat
from typing import Final

from demur.characters import IGNORABLE
from demur.words.classes import DISGUISED, FILLERS
from demur.words.lookalikes import readings

LONGEST: Final = 64
"""Letters of a word that may be read in another script, or be joined of several: longer ones are nobody's name."""

_MARKS: Final = re.compile(
    "[\u02b9-\u02bd\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Marks that may be left out without making another word of it, as many writers do."""
_LATIN: Final = re.compile(
    r"LATIN (CAPITAL|SMALL) (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*)?|LATIN LETTER (SMALL) CAPITAL ([A-Z]{1,2})"
)
_NAMED: Final = {
    "æ": "ae",
    "ð": "d",
    "þ": "th",
    "ŋ": "n",
    "ı": "i",
    "ȷ": "j",
    "ɑ": "a",
    "ɡ": "g",
    "ə": "e",
    "ɛ": "e",
    "ɩ": "i",
    "ɔ": "o",
    "ʋ": "v",
    "ɥ": "h",
    "ƕ": "hv",
    "ĸ": "k",
    "ɖ": "d",
    "ɋ": "q",
    "ɪ": "i",
}
_LATIN_BLOCKS: Final = ((0xC0, 0x2B0), (0x1D00, 0x1DC0), (0x1E00, 0x1F00), (0x2C60, 0x2C80), (0xA720, 0xA800))


def folds(written: str) -> tuple[str, ...]:
    """The folds of a word, as many as there are :func:`~demur.words.lookalikes.readings` of it; () if nothing is seen.

    ``written`` holds one word: what is no letter, digit or mark in it is left out.
    """
    if written.isascii():
        return (written.lower(),)
    plain = _bare(seen(written))
    ways = (plain,) if len(plain) > LONGEST or plain.isascii() else readings(plain)
    return tuple(dict.fromkeys(fold for way in ways if (fold := _small(way))))


def fold_letters(written: str) -> str:
    """The likeliest fold of a word, "" if nothing of it is seen."""
    return next(iter(folds(written)), "")


def seen(written: str) -> str:
    """A word in compatible letters, with its case: what its shape is judged by."""
    return written if written.isascii() else unicodedata.normalize("NFKC", written.translate(_disguises()))


def _bare(plain: str) -> str:
    """Without the marks that may be left out, and in plain Latin letters."""
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", plain))).translate(
        _plain_letters()
    )


def _small(plain: str) -> str:
    """Without case; a small letter may be several, and bring marks with it."""
    small = plain.lower() if plain.isascii() else _bare(unicodedata.normalize("NFKC", plain).casefold()).casefold()
    return small if small.isalnum() else "".join(filter(_stays, small))


def _stays(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


@cache
def _disguises() -> dict[int, str | None]:
    """What compatibility does not know: letters in filled signs, digits of other scripts, and what is not seen."""
    values = map(unicodedata.decimal, map(chr, range(0x80, 0x20000)), repeat(None))
    digits = {point: str(value) for point, value in enumerate(values, 0x80) if value is not None}
    unseen = dict.fromkeys([*IGNORABLE, *FILLERS, *range(0x1F3FB, 0x1F400)])
    return {**unseen, **digits, **DISGUISED}


@cache
def _plain_letters() -> dict[int, str]:
    """Latin letters that are no composition of a letter and a mark."""
    points = (point for first, end in _LATIN_BLOCKS for point in range(first, end))
    found = {point: _LATIN.fullmatch(unicodedata.name(chr(point), "")) for point in points}
    plain = {
        point: match[2] if match[1] == "CAPITAL" else (match[2] or match[4]).lower()
        for point, match in found.items()
        if match
    }
    named = {form(letter): form(letters) for letter, letters in _NAMED.items() for form in (str.upper, str.lower)}
    return plain | {ord(letter): letters for letter, letters in named.items()}
