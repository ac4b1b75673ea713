"""HTML within other markup: tags that are known go, and what they say of people becomes spans.

Invariants: white space stays as it is, because there it has a meaning of its own; ``<`` that opens no tag of HTML
stays; a quote that is never closed runs to the end of the text. phpBB and Flarum store their posts as XML around what
people typed (s9e TextFormatter): its tags go, and what was typed is read.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from demur.sources.html import Link
from demur.sources.markup.bbcode import Found
from demur.sources.markup.edits import Edit
from demur.sources.markup.forums import ForumHtml
from demur.sources.markup.names import Names
from demur.sources.text import Span
from demur.terms import Role

_INLINE: Final = (
    "a|abbr|b|bdi|bdo|big|br|cite|code|del|dfn|em|font|i|img|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|"
    "u|var|wbr|r|t|e|c|quote|s?mention|usermention|postmention|url|emoji"
)
_BLOCK: Final = (
    "address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|"
    "header|hr|html|iframe|li|main|nav|ol|p|pre|section|summary|table|tbody|td|th|thead|tr|ul"
)
_TAG: Final = re.compile(
    rf"<(?P<close>/?)(?P<tag>{_INLINE}|{_BLOCK})"
    r"(?P<given>(?:\s[^<>]{0,2000})?)/?>|<!--.{0,300}?-->|&(?:\w{2,32}|#\d{1,7}|#x[0-9a-f]{1,6});",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_VOID: Final = frozenset(("br", "hr", "img", "wbr"))
_IN_BLOCK: Final = re.compile(_BLOCK)
_DEEPEST: Final = 200


class _Open(NamedTuple):
    """An element that has begun and not ended."""

    tag: str
    start: int
    given: Mapping[str, str]
    quoted: list[str | None] | None


def elements(text: str, names: Names) -> Found:
    """The edits that take the HTML out of a text, and the spans that it makes."""
    found = Found([], [])
    if "<" not in text and "&" not in text:
        return found
    reader, held = ForumHtml(names), list[_Open]()
    for match in _TAG.finditer(text):
        tag = (match["tag"] or "").lower()
        found.edits.append(Edit(*match.span(), _instead(match, tag, text)))
        if not tag or tag in _VOID:
            continue
        if match["close"]:
            _end(held, tag, match.start(), text, reader, found)
        elif len(held) < _DEEPEST:
            held.append(_begun(tag, match, reader))
    for opened in reversed(held):
        _quote(opened, len(text), found)
    return found


def _begun(tag: str, match: re.Match[str], reader: ForumHtml) -> _Open:
    given = dict(_attributes(match["given"] or ""))
    accounts = reader.quoted(tag, given)
    return _Open(tag, match.end(), given, None if accounts is None else list(accounts) or [None])


def _attributes(given: str) -> Iterator[tuple[str, str]]:
    for match in _ATTRIBUTE.finditer(given):
        yield match[1].lower(), html.unescape(match[2] or match[3] or match[4] or "")


def _instead(match: re.Match[str], tag: str, text: str) -> str:
    """What stands in a tag's place: a line end for a block, unless there is one; the character of a reference."""
    if match[0].startswith("&"):
        return html.unescape(match[0])
    before, behind = (
        text[max(match.start() - 1, 0) : match.start()] or "\n",
        text[match.end() : match.end() + 1] or "\n",
    )
    if tag == "br":
        return "\n" * (behind != "\n")
    return "\n" * (_IN_BLOCK.fullmatch(tag) is not None and "\n" not in (before, behind))


def _end(held: list[_Open], tag: str, end: int, text: str, reader: ForumHtml, found: Found) -> None:
    """End the element of this tag that began last, and those within it."""
    at = next((number for number in range(len(held) - 1, -1, -1) if held[number].tag == tag), None)
    if at is None:
        return
    for opened in reversed(held[at:]):
        _quote(opened, end, found)
        if opened.tag in reader.naming and opened.given:
            _mention(opened, end, text, reader, found)
    del held[at:]


def _quote(opened: _Open, end: int, found: Found) -> None:
    found.spans.extend(Span(opened.start, end, Role.QUOTE, account) for account in opened.quoted or ())


def _mention(opened: _Open, end: int, text: str, reader: ForumHtml, found: Found) -> None:
    given = opened.given
    shown = html.unescape(_TAG.sub("", text[opened.start : min(end, opened.start + 1000)])).strip()
    link = Link(given.get("href", ""), shown, frozenset(given.get("class", "").split()), given)
    found.spans.extend(Span(opened.start, end, Role.MENTION, account) for account in reader.linked(link))
