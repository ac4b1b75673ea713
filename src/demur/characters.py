r"""Characters that nothing we keep or show may hold, each set as it stands inside the brackets of a regular expression.

Invariants: a pattern that removes or refuses such characters is made of these sets, and adds what its own format
forbids; line feed and tab are controls of a line and none of a text.

::

    re.compile(f"[{IN_TEXT}{UNSEEN}]").sub("", typed)
"""

from typing import Final

IN_LINE: Final = "\x00-\x1f\x7f"
"""The control codes of ASCII (ECMA-48, C0) and DELETE."""

IN_TEXT: Final = "\x00-\x08\x0b-\x1f\x7f"
"""Of these, all but tab and line feed."""

C1: Final = "\x80-\x9f"
"""The further control codes of ECMA-48, which some platforms' names hold."""

UNSEEN: Final = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""What has no width, joins, or turns the direction of text (Unicode, Cf)."""

SURROGATES: Final = "\ud800-\udfff"
"""Halves of a pair, which no encoding of Unicode holds by themselves."""

UNSPACED: Final = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd"  # Thai, Lao
    "\u0f40-\u0fbc\u1000-\u103f\u1050-\u109d\u1780-\u17d3"  # Tibetan, Myanmar, Khmer
    "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"  # Hangul
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\uf900-\ufaff\U00020000-\U0003ffff"  # Han, bopomofo, Yi
)
"""Letters and marks of scripts that do not set words off by spaces, and of Hangul."""

IGNORABLE: Final = (
    *(0x00AD, 0x034F, 0x061C, 0xFEFF),
    *range(0x180B, 0x180F),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xE0000, 0xE01F0),
)
"""Code points that are not seen and may stand inside a word (Default_Ignorable_Code_Point, UAX #44)."""
