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
