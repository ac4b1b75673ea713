"""What each character is to the search for words: part of one, what joins two, or what stands between them.

Invariants: each code point has one class, a set of the bits below; the table follows from the Unicode data of the
interpreter and from demur.characters alone; it is made when first asked for, once a process.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.characters import IGNORABLE, UNSPACED

WORD: Final = 1
"""Part of a word: a letter, digit or mark, or what is not seen. By itself it only goes on with what stands before."""
CONNECTOR: Final = 2
"""Joins two words where it stands between them without a space: apostrophe, hyphen, underscore, full stop."""
SPACE: Final = 4
LINE: Final = 8
"""Ends a line."""
STOP: Final = 16
"""Ends a sentence, with a space behind it."""
OTHER: Final = 32
"""Anything else that is seen: commas, brackets, symbols, emoji."""
ALONE: Final = 64
"""Begins a word by itself: of a script that does not set words off by spaces, and Hangul."""
LETTER: Final = 128
"""A letter or digit of a script that sets words off by spaces."""

VIRAMAS: Final = (0x1039, 0x17D2)
"""Signs of Myanmar and Khmer that stack the next consonant below the one before: no word begins behind them."""

_POINTS: Final = 0x110000
_BMP_AND_NEXT: Final = 0x20000
_UNSPACED_BLOCKS: Final = range(0x0E00, 0xFFFF)
_HAN: Final = slice(0x20000, 0x40000)
_JAMO: Final = ((0x1100, 0x1200), (0xA960, 0xA980), (0xD7B0, 0xD800))
"""Letters that make up Hangul syllables: any of them may go on with the syllable before."""
_ATTACHED: Final = (0x0E33, 0x0EB3, 0xFF9E, 0xFF9F, *range(0x1F3FB, 0x1F400))
"""What belongs to the character before it, though it is no mark (UAX #29, table 2): vowels, sound marks, skin tones."""
FILLERS: Final = (0x115F, 0x1160, 0x3164, 0xFFA0)
"""Letters of Hangul that are not seen."""
PREPENDED: Final = (*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD)
"""Signs that belong to the character behind them (UAX #29, Prepend)."""
DISGUISED: Final = {
    **{0x1F150 + place: chr(ord("a") + place) for place in range(26)},
    **{0x1F170 + place: chr(ord("a") + place) for place in range(26)},
}
"""Letters in filled circles and squares, which have no compatible plain letter (UAX #15)."""

HYPHENS: Final = frozenset("-\u2010\u2011\uff0d")
"""What stands between the parts of a double name."""

_SIGNS: Final = {
    CONNECTOR: "'`\u00b4\u2018\u2019\u02b9\u02bb\u02bc\u2032\uff07-\u2010\u2011\ufe63\uff0d_\uff3f\u00b7\u2027",
    CONNECTOR | STOP: ".\u2024\uff0e",
    SPACE: "\t",
    LINE: "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029",
    LINE | OTHER: "\0",
    STOP | OTHER: "!?\u2026\u203c\u2047\u2048\u2049\u037e\u0589\u061f\u06d4\u0964\u0965",
    STOP | SPACE | OTHER: "\u3002\uff01\uff1f\uff61",
}


@cache
def table() -> npt.NDArray[np.uint8]:
    """The class of every code point, shape (0x110000,), read-only."""
    found = np.full(_POINTS, OTHER, np.uint8)
    found[:_BMP_AND_NEXT] = np.frombuffer(bytes(_by_category()), np.uint8)
    for first, end in _unspaced():
        letters = found[first:end]
        letters[letters != WORD] = WORD | ALONE  # a mark goes on with the letter before it
    found[_HAN] = WORD | ALONE
    for sign_class, signs in _SIGNS.items():
        found[[ord(sign) for sign in signs]] = sign_class
    found[list(DISGUISED)] = WORD | LETTER
    found[[*IGNORABLE, *_ATTACHED, *FILLERS]] = WORD
    found[list(PREPENDED)] = WORD | LETTER
    for first, end in _JAMO:
        found[first:end] = WORD
    found.flags.writeable = False
    return found


@cache
def packed() -> bytes:
    """The same as bytes: what code that looks at one character at a time indexes."""
    return table().tobytes()


_CATEGORIES: Final = {
    **dict.fromkeys(("Mn", "Mc", "Me", "Cf"), WORD),
    **dict.fromkeys(("Lu", "Ll", "Lt", "Lm", "Lo", "Nd"), WORD | LETTER),
    "Zs": SPACE,
    **dict.fromkeys(("Cn", "Co", "Cs"), OTHER),
}
"""The class of all characters of a general category; of those of others, their compatible plain form decides."""


def _by_category() -> list[int]:
    characters = list(map(chr, range(_BMP_AND_NEXT)))
    known = map(_CATEGORIES.get, map(unicodedata.category, characters))
    return [_by_form(each) if found is None else found for each, found in zip(characters, known, strict=True)]


def _by_form(character: str) -> int:
    plain = unicodedata.normalize("NFKC", character)
    return WORD | LETTER if plain != character and plain.isalnum() else OTHER


def _unspaced() -> Iterator[tuple[int, int]]:
    """Where the letters of scripts without spaces begin and end, with their marks."""
    for run in re.finditer(f"[{UNSPACED}]+", "".join(map(chr, _UNSPACED_BLOCKS))):
        yield _UNSPACED_BLOCKS[run.start()], _UNSPACED_BLOCKS[run.end() - 1] + 1
