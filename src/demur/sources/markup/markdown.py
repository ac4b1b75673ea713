"""Markdown as forums write it: quoted lines, handles, and marks of emphasis that go.

Invariants: a run of lines that begin with ``>`` is a quote, and so is each deeper run in it (CommonMark, 5.1, without
lazy continuation lines: words beyond the last ``>`` are the author's more often than not); lines between fences are
code, and stay as they are, as text of nobody else.
"""

import re
from collections.abc import Iterator
from typing import Final

from demur.sources.html import Link
from demur.sources.markup.bbcode import Found
from demur.sources.markup.edits import Edit
from demur.sources.markup.forums import ForumHtml
from demur.sources.markup.names import Cited, Names
from demur.sources.text import Span
from demur.terms import Role

_LINE: Final = re.compile(r"[^\n]*(?:\n|\Z)")
_QUOTED: Final = re.compile(r"[ \t]{0,3}(?:(?:[-*+]|\d{1,3}[.)])[ \t]{1,4})?>(?:[ \t]{0,3}>)*[ \t]?")
_FENCE: Final = re.compile(r"[ \t]{0,3}(```+|~~~+)")
_HEADING: Final = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+")
_DEEPEST: Final = 8
_HANDLE: Final = re.compile(r"(?<![\w@/.`])@(?:\"([^\"\n]{1,60})\"|'([^'\n]{1,60})')(?:#p?\d+)?")
_LINK: Final = re.compile(r"(!?)\[([^\[\]\n]{0,300})\]\(([^()\s]{0,2000})(?:\s+\"[^\"\n]{0,300}\")?\)")
_EMPHASIS: Final = re.compile(r"(\*\*|__|~~)(?=\S)([^\n*_~]{1,500}?)(?<=\S)\1")


def lines(text: str, *, headings: bool = True) -> Found:
    """The quotes that ``>`` before lines makes, of nobody that is known yet, and the marks that open lines."""
    found = Found([], [])
    if not (headings and "#" in text) and ">" not in text:
        return found
    opened: list[int] = []  # where the open quotes begin, from the outermost
    fence, last = "", 0
    for match in _LINE.finditer(text):
        start, line = match.start(), match[0]
        quoted = None if fence else _QUOTED.match(line)
        depth = min(quoted[0].count(">"), _DEEPEST) if quoted else 0
        while len(opened) > depth:
            found.spans.append(Span(opened.pop(), last, Role.QUOTE, None))
        opened.extend([start] * (depth - len(opened)))
        rest = quoted.end() if quoted else 0
        fence = _fence(line[rest:], fence)
        head = _HEADING.match(line, rest) if headings and not fence else None
        if end := head.end() if head else rest:
            found.edits.append(Edit(start, start + end))
        last = match.end() - line.endswith("\n")
    found.spans.extend(Span(start, last, Role.QUOTE, None) for start in reversed(opened))
    return found


def _fence(line: str, open_fence: str) -> str:
    """The fence that is open behind a line, if one is."""
    mark = _FENCE.match(line)
    if mark is None:
        return open_fence
    if not open_fence:
        return mark[1]
    return "" if mark[1].startswith(open_fence) else open_fence


def marks(text: str, names: Names) -> Found:
    """Links and pictures become what they show, one to a person's profile a mention, and emphasis goes."""
    found = Found([], [])
    if "](" in text:
        reader = ForumHtml(names)
        for match in _LINK.finditer(text):
            found.edits.extend((Edit(match.start(), match.start(2)), Edit(match.end(2), match.end())))
            accounts = reader.linked(Link(match[3], match[2], frozenset()))
            found.spans.extend(Span(*match.span(2), Role.MENTION, account) for account in accounts)
    if "**" in text or "__" in text or "~~" in text:
        for match in _EMPHASIS.finditer(text):
            found.edits.extend((Edit(match.start(), match.start(2)), Edit(match.end(2), match.end())))
    return found


def handles(text: str, names: Names) -> Iterator[Span]:
    """Mentions of names with blanks, ``@"Ann Berg"`` (MyBB, Flarum); plain handles the kernel finds in any text."""
    if '@"' in text or "@'" in text:
        for match in _HANDLE.finditer(text):
            for account in names.accounts(Cited(match[1] or match[2])):
                yield Span(*match.span(), Role.MENTION, account)
