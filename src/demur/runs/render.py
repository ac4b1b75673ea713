"""A row becomes the text that is trained on: a pure function of the row.

Invariants: what markup shows to be a mention is one mask, the one that govern puts in its place when its person
objects, so that such an objection does not change the text; words that markup shows to be somebody else's (quotes), and
what stands for them once they are withheld, are left out, and a row that is a reshare is left out whole. Nothing in the
text says whether a mention or a quote in it is of somebody who is withheld.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from demur.kernel.identifiers import MASKS, Category
from demur.kernel.marks import MASKS as ALL_MASKS
from demur.kernel.marks import QUOTE
from demur.kernel.schema import WITHHELD_COPY, WITHHELD_MENTION, WITHHELD_NAME, WITHHELD_QUOTE
from demur.terms import Role

MASK: Final = MASKS[Category.HANDLE]
"""What stands for a person, whoever it is."""
COLUMNS: Final = ("text", "spans")
"""What of a row is rendered."""

_WITHHELD_WORDS: Final = ALL_MASKS[QUOTE].decode()
_NAMING: Final = frozenset({str(Role.MENTION), str(Role.TAG), WITHHELD_MENTION, WITHHELD_NAME})
_QUOTING: Final = frozenset({str(Role.QUOTE), WITHHELD_QUOTE, WITHHELD_COPY})
_BLANKS: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r" ?\n[\s]*")


def render(text: str, spans: Iterable[Mapping[str, Any]], *, mask_mentions: bool = True) -> str:
    """The text of one row; "" for a row that gives none.

    Args:
        text: the row's.
        spans: the row's, as schema.STORED_SPAN; they nest or are disjoint.
        mask_mentions: whether mentions are masked before anybody objects.
    """
    known = list(spans)
    if any(span["role"] == Role.RESHARE for span in known):
        return ""
    pieces, at = [], 0
    for start, end, piece in _outer(known, mask_mentions=mask_mentions):
        if start >= at:
            pieces += [text[at:start], piece]
            at = end
    pieces.append(text[at:])
    whole = "".join(pieces).replace(_WITHHELD_WORDS, " ")
    return _LINES.sub("\n", _BLANKS.sub(" ", whole)).strip()


def _outer(spans: Iterable[Mapping[str, Any]], *, mask_mentions: bool) -> list[tuple[int, int, str]]:
    """What stands in the place of words: start, end and the new words, outermost first where they nest."""
    naming = _NAMING if mask_mentions else frozenset({WITHHELD_MENTION, WITHHELD_NAME})
    found = []
    for span in spans:
        start, end, role = int(span["start"]), int(span["end"]), span["role"]
        if end > start and role in _QUOTING:
            found.append((start, end, " "))
        elif end > start and role in naming:
            found.append((start, end, MASK))
    return sorted(found, key=lambda each: (each[0], -each[1], each[2]))
