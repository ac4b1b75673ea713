r"""Character classes for the patterns, as the inside of a ``[...]``.

Two kinds of letters are told apart. Where words are set off by spaces (Latin, Cyrillic, Arabic, Devanagari, ...) an
identifier ends at the word's end. Where they are not (Han, kana, Thai, ...), and in Hangul, where particles follow
without a space, text goes on right behind a handle or an address: an identifier in letters of the first kind ends
where the second kind begins. ``\w`` would join them, and it lacks the vowel signs of the Indic scripts.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

UNSPACED: Final = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd"  # Thai, Lao
    "\u0f40-\u0fbc\u1000-\u103f\u1050-\u109d\u1780-\u17d3"  # Tibetan, Myanmar, Khmer
    "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"  # Hangul
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\uf900-\ufaff\U00020000-\U0003ffff"  # Han, bopomofo, Yi
)
"""Letters and marks of scripts that do not set words off by spaces, and of Hangul."""

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
