"""Texts of members and of the controller, made safe for where they go.

Invariants: a line has no line break, no control character and nothing that turns the direction of text, so that it is
safe in a mail's header; a name that could pass for a link or an address is not used to greet anybody, as mail programs
would make it one.
"""

import re
import unicodedata
from typing import Final

_LONGEST: Final = 200
_LONGEST_NAME: Final = 60
_JOINERS: Final = "\u200c\u200d"  # scripts and emoji need them
_SEPARATORS: Final = frozenset({"Zl", "Zp", "Zs", "Cc"})
_UNSEEN: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_LINK_LIKE: Final = re.compile(r"[/@\\]|\w[.:]\w\w")


def line(text: str, longest: int = _LONGEST) -> str:
    """``text`` on one line of at most ``longest`` characters."""
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return " ".join(text.split())
    shown = "".join(map(_shown, text[: 4 * longest]))
    found = unicodedata.normalize("NFC", " ".join(shown.split()))  # what was apart by the unseen may join now
    return found if len(found) <= longest else found[: longest - 1].rstrip() + "…"


def greeting(names: tuple[str, ...]) -> str:
    """The first name to greet somebody by, "" if none will do."""
    name = line(names[0], _LONGEST_NAME) if names else ""
    return "" if _LINK_LIKE.search(name) else name


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in _SEPARATORS:
        return " "
    return "" if category in _UNSEEN and char not in _JOINERS else char
