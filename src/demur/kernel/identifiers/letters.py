r"""Characters as the search for identifiers sees them: their classes, and what a reader takes a disguised one for.

The classes, the inside of a ``[...]``, tell two kinds of letters apart. Where words are set off by spaces (Latin,
Cyrillic, Arabic, Devanagari, ...) an identifier ends at the word's end. Where they are not (Han, kana, Thai, ...), and
in Hangul, where particles follow without a space, text goes on right behind a handle or an address: an identifier in
letters of the first kind ends where the second kind begins. ``\w`` would join them, and it lacks the vowel signs of
the Indic scripts.

Folding makes disguised identifiers look like plain ones. Invariants: every character becomes exactly one character or
none, so that offsets map back by counting what was left out; ASCII is its own fold. Folded are full-width and small
forms, mathematical and circled letters (by NFKC, UAX #15), the decimal digits of every script, and typographic spaces
and dashes; left out are characters that are not seen (Default_Ignorable_Code_Point, UAX #44).
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from demur.characters import IGNORABLE
from demur.patterns import lazily

_SPACED_BLOCKS: Final = (
    *((0x00AA, 0x0E00), (0x10A0, 0x1100), (0x1200, 0x1780), (0x1800, 0x2E00)),
    *((0xA4D0, 0xAC00), (0xFB00, 0xFE00), (0xFE70, 0xFF00), (0x10280, 0x10800)),
)


def _is_letter(point: int) -> bool:
    category = unicodedata.category(chr(point))
    return category[0] in "LM" or category == "Nd"


def ranges(points: Iterable[int]) -> str:
    """Ascending code points as the inside of a character class, ``a-bc-d``."""
    runs: list[list[int]] = []
    for point in points:
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)


SPACED: Final = "0-9A-Z_a-z" + ranges(point for block in _SPACED_BLOCKS for point in range(*block) if _is_letter(point))
"""Letters, marks and digits of scripts that set words off by spaces, and ``_``."""


_COMPATIBLE: Final = ((0x24B6, 0x24EA), (0xFE50, 0xFE6C), (0xFF01, 0xFF5F), (0x1D400, 0x1D800), (0x1F130, 0x1F14A))
_DIGIT_BLOCKS: Final = ((0x0660, 0x1C50), (0xA620, 0xABFA))
_SPACES: Final = (0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_DASHES: Final = (*range(0x2010, 0x2016), 0x2212)


def _points(ranges: tuple[tuple[int, int], ...]) -> Iterator[int]:
    return chain.from_iterable(range(*bounds) for bounds in ranges)


def _table() -> dict[int, str | None]:
    compatible = {point: unicodedata.normalize("NFKC", chr(point)) for point in _points(_COMPATIBLE)}
    digits = {point: unicodedata.decimal(chr(point), None) for point in _points(_DIGIT_BLOCKS)}
    return {
        **{point: folded for point, folded in compatible.items() if len(folded) == 1 and folded.isascii()},
        **{point: str(digit) for point, digit in digits.items() if digit is not None},
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(IGNORABLE),
        0x2024: ".",  # ONE DOT LEADER
    }


FOLDS: Final = _table()
"""Code point -> its one-character fold, or None where it is left out; all others are their own fold."""
_LEFT_OUT: Final = frozenset(chr(point) for point, folded in FOLDS.items() if folded is None)
_SECOND_PLANE: Final = 0x10000
_FOLDED: Final = lazily(
    f"[{ranges(sorted(point for point in FOLDS if point < _SECOND_PLANE))}\U0001d400-\U0001d7ff\U0001f130-\U0001f149"
    "\U000e0000-\U000e01ef]"
)
"""Whether there is anything to fold. Beyond the first plane whole blocks: the engine tries range by range there."""


class Folded(NamedTuple):
    """A folded text and the way back."""

    text: str
    places: list[int] | None
    """Offset in the original of each folded character; None where they are the same."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The slice of the original that a slice (not empty) of the fold stands for."""
        return (start, end) if self.places is None else (self.places[start], self.places[end - 1] + 1)


def foldable(text: str) -> bool:
    """Whether folding could change ``text`` at all."""
    return not text.isascii() and _FOLDED.search(text) is not None


def fold(text: str) -> Folded:
    """The fold of ``text``."""
    if not foldable(text):
        return Folded(text, None)
    folded = text.translate(FOLDS)
    if len(folded) == len(text):
        return Folded(folded, None)
    return Folded(folded, [offset for offset, character in enumerate(text) if character not in _LEFT_OUT])
