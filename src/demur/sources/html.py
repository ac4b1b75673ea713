"""An HTML fragment becomes plain text, and what its markup said becomes spans.

Invariants: offsets are code points of the text that is returned; the text holds no markup; white space reads
as a browser shows it, so that one paragraph is one line and paragraphs stand apart; however broken the HTML is,
reading it never fails. Hidden parts of a shortened link (Mastodon's ``invisible`` and ``ellipsis``) are text
like any other, so that a URL stays whole.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from lxml import etree

from demur.sources.text import Span
from demur.terms import Role


@dataclass(frozen=True)
class Link:
    """A link, or the source that a quotation cites."""

    href: str
    text: str
    """What the link shows; empty for the source of a quotation."""
    classes: frozenset[str]


AccountOf = Callable[[Link], str | None]
"""Tells the account that a link names, or None if it names nobody."""

_SPACE: Final = re.compile(r"[ \t\n\f\r]+")  # HTML, 4.6: a no-break space is no white space
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_DROPPED: Final = re.compile("head|iframe|math|noscript|object|script|select|style|svg|template|textarea")
_LINE_TAGS: Final = re.compile(
    "address|aside|body|dd|details|div|dt|fieldset|figcaption|footer|form|h[1-6]|header|hr|li|main|nav|summary|tr"
)
_PARAGRAPH_TAGS: Final = re.compile("article|blockquote|dl|figure|ol|p|pre|section|table|ul")
_NO_GAP, _BLANK, _LINE, _PARAGRAPH = "", " ", "\n", "\n\n"


def to_text(html: str, account_of: AccountOf = lambda _: None) -> tuple[str, list[Span]]:
    """The plain text of an HTML fragment, and its spans in the order in which they end.

    A link that ``account_of`` knows is a mention. A ``<blockquote>``, and the ``quote-inline`` paragraph that
    Mastodon puts before a quote-post, is a quote: of the account that ``account_of`` knows from its ``cite``
    attribute or from the first link in it, else of nobody in particular. An image reads as its alternative
    text.
    """
    if "<" not in html and "&" not in html:
        return _SPACE.sub(" ", html).strip(" "), []
    writer = _Writer(account_of)
    target = cast("Any", writer)  # the stubs ask of a target what lxml does not: comments, names as bytes
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True, no_network=True)
    try:
        parser.feed(_SURROGATE.sub("\ufffd", html).replace("\0", "").encode())
        parser.close()
    except etree.LxmlError:  # nothing but comments, or deeper than libxml2 goes: what was read so far stands
        pass
    return writer.result()


@dataclass
class _Open:
    """An element that has begun and not ended."""

    tag: str
    attributes: Mapping[str, str]
    classes: frozenset[str]
    part: int
    """The number of parts written before it."""
    mentions: int
    """The number of mentions found before it."""


class _Writer:
    """What lxml tells of the document (its parser target interface), written down as text and spans."""

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of
        self._parts: list[str] = []
        self._starts: list[int] = []  # where each part begins, in code points
        self._length = 0
        self._gap = _NO_GAP
        self._open: list[_Open] = []
        self._dropped = 0  # depth of elements that have no text
        self._preformatted = 0  # depth of <pre>
        self._listed = 0  # depth of <li>: what stands in a list stands close
        self._spans: list[Span] = []
        self._mentions: list[str] = []  # the accounts that links named

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        classes = frozenset(attributes.get("class", "").split())
        self._break(tag)
        self._open.append(_Open(tag, dict(attributes), classes, len(self._parts), len(self._mentions)))
        self._dropped += _DROPPED.fullmatch(tag) is not None
        self._preformatted += tag == "pre"
        self._listed += tag == "li"
        if tag == "br":
            self._gap = _PARAGRAPH if self._gap.startswith(_LINE) else _LINE
        elif tag == "img":
            self.data(attributes.get("alt", ""))
        elif tag in ("td", "th"):
            self._gap = self._gap or _BLANK

    def end(self, tag: str) -> None:
        element = self._open.pop()
        self._dropped -= _DROPPED.fullmatch(tag) is not None
        self._preformatted -= tag == "pre"
        self._listed -= tag == "li"
        if tag == "a":
            self._end_link(element)
        elif tag == "blockquote" or "quote-inline" in element.classes:
            self._end_quote(element)
        self._break(tag)

    def data(self, data: str) -> None:
        if self._dropped:
            return
        if self._preformatted:
            self._write(data.replace("\r\n", "\n").replace("\r", "\n"))
            return
        text = _SPACE.sub(" ", data)
        if text.startswith(" "):
            self._gap = self._gap or _BLANK
        if words := text.strip(" "):
            self._write(words)
            self._gap = _BLANK if text.endswith(" ") else _NO_GAP

    def close(self) -> None:
        """Nothing is left to do: open elements were ended by the parser."""

    def result(self) -> tuple[str, list[Span]]:
        return "".join(self._parts), self._spans

    def _write(self, text: str) -> None:
        if self._length and self._gap:
            self._append(self._gap)
        self._gap = _NO_GAP
        if text:
            self._append(text)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._starts.append(self._length)
        self._length += len(text)

    def _break(self, tag: str) -> None:
        """A block stands on a line of its own, a paragraph with an empty line around it."""
        if _PARAGRAPH_TAGS.fullmatch(tag) and not self._listed:
            self._gap = _PARAGRAPH
        elif self._gap != _PARAGRAPH and (_LINE_TAGS.fullmatch(tag) or _PARAGRAPH_TAGS.fullmatch(tag)):
            self._gap = _LINE

    def _extent(self, element: _Open) -> tuple[int, int] | None:
        """Where the text of an element begins and ends, without the gap before it; None if it has none."""
        for part in range(element.part, len(self._parts)):
            if not self._parts[part].isspace():
                return self._starts[part], self._length
        return None

    def _end_link(self, element: _Open) -> None:
        extent = self._extent(element)
        if extent is None or self._dropped:
            return
        shown = "".join(self._parts[element.part :]).strip()
        account = self._account_of(Link(element.attributes.get("href", ""), shown, element.classes))
        if account is not None:
            self._spans.append(Span(*extent, Role.MENTION, account))
            self._mentions.append(account)

    def _end_quote(self, element: _Open) -> None:
        extent = self._extent(element)
        if extent is None:
            return
        cited = self._account_of(Link(element.attributes.get("cite", ""), "", element.classes))
        named = "quote-inline" in element.classes and len(self._mentions) > element.mentions
        account = cited or (self._mentions[element.mentions] if named else None)
        self._spans.append(Span(*extent, Role.QUOTE, account))
