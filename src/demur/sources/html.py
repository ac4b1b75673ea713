"""An HTML fragment becomes plain text, and what its markup said becomes spans.

Invariants: offsets are code points of the text that is returned; the text holds no markup; white space reads
as a browser shows it, so that one paragraph is one line and paragraphs stand apart; however broken the HTML is,
reading it never fails. Hidden parts of a shortened link (Mastodon's ``invisible`` and ``ellipsis``) are text
like any other, so that a URL stays whole.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, cast

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
    attributes: Mapping[str, str] = field(default_factory=dict)
    """All attributes of the element."""


AccountOf = Callable[[Link], str | None]
"""Tells the account that a link names, or None if it names nobody."""


class Reader(Protocol):
    """Whom elements name."""

    naming: frozenset[str]
    """The tags whose elements may name somebody."""

    def linked(self, link: Link) -> Sequence[str]:
        """The accounts that a link, or another element of these tags, names."""
        ...

    def quoted(self, tag: str, attributes: Mapping[str, str]) -> Sequence[str] | None:
        """The accounts that an element quotes, which may be none that is known; None if it is no quote."""
        ...

    def cited(self, words: str) -> Sequence[str]:
        """The accounts that the ``<cite>`` of a quote names, where the quote's element names nobody."""
        ...


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SPACE: Final = re.compile(r"[ \t\n\f\r]+")  # HTML, 4.6: a no-break space is no white space
_SPACE_RUN: Final = re.compile(r"[\t\n\f\r]|  ")
_BLANKS: Final = " \t\n\f\r"
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_DROPPED: Final = _tags("head iframe math noscript object script select style svg template textarea")
_LINE_TAGS: Final = _tags(
    "address aside body dd details div dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header hr li main nav "
    "summary tr"
)
_PARAGRAPH_TAGS: Final = _tags("article blockquote dl figure ol p pre section table ul")
_QUIET: Final = _tags("b code del em i ins mark small strong sub sup u html")
"""Elements that say nothing of people or lines."""
_BLOCKS: Final = (_LINE_TAGS | _PARAGRAPH_TAGS) - _tags("aside blockquote li pre")
"""Elements that without attributes do nothing but break lines."""
_CELLS: Final = frozenset(("td", "th"))
_NO_GAP, _BLANK, _LINE, _PARAGRAPH = "", " ", "\n", "\n\n"
_NAMED: Final = "named"
_MAX_TREE: Final = 2_000
"""Brackets of a fragment that is read as a tree: fast, but no deeper, and of many times the fragment's size."""


_PARSER: Final = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)


def to_text(html: str, account_of: AccountOf = lambda _: None) -> tuple[str, list[Span]]:
    """The plain text of an HTML fragment, and its spans in the order in which they end.

    A link that ``account_of`` knows is a mention. A ``<blockquote>``, and the ``quote-inline`` paragraph that
    Mastodon puts before a quote-post, is a quote: of the account that ``account_of`` knows from its ``cite``
    attribute or from the first link in it, else of nobody in particular. An image reads as its alternative
    text.
    """
    return read(html, _Plain(account_of))


def read(html: str, reader: Reader) -> tuple[str, list[Span]]:
    """The plain text of an HTML fragment and its spans, as :func:`to_text`, with ``reader`` to say whom it names."""
    if "<" not in html and "&" not in html:
        return _SPACE.sub(" ", html).strip(" "), []
    writer = _Writer(reader)
    try:
        encoded = html.encode()
    except UnicodeEncodeError:
        encoded = _SURROGATE.sub("\ufffd", html).encode()
    encoded = encoded.replace(b"\0", b"")
    tell = _walk if html.count("<") <= _MAX_TREE else _stream
    with suppress(etree.LxmlError):  # nothing but comments, or deeper than libxml2 goes: what was read so far stands
        tell(encoded, writer)
    return writer.result()


def _walk(encoded: bytes, writer: "_Writer") -> None:
    """Tell the writer of the tree."""
    root = etree.HTML(encoded, _PARSER)
    if root is None:
        return
    start, end, data, break_at = writer.start, writer.end, writer.data, writer.break_at
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag
        if event == "start":
            if tag in _BLOCKS and not element.attrib:
                break_at(tag)
            elif tag not in _QUIET:
                start(tag, element.attrib)
            text = element.text
        else:
            if tag in _BLOCKS and not element.attrib:
                break_at(tag)
            elif tag not in _QUIET and event == "end":
                end(tag)
            text = element.tail
        if text:
            data(text)


def _stream(encoded: bytes, writer: "_Writer") -> None:
    """Tell the writer of each event: slow, in no memory."""
    target = cast("Any", writer)  # the stubs ask of a target what lxml does not: comments, names as bytes
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True, no_network=True)
    parser.feed(encoded)
    parser.close()


class _Plain:
    """A blockquote is a quote, a link that is known a mention."""

    naming = frozenset(("a",))

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of

    def linked(self, link: Link) -> Sequence[str]:
        account = self._account_of(link)
        return () if account is None else (account,)

    def quoted(self, tag: str, attributes: Mapping[str, str]) -> Sequence[str] | None:
        if tag != "blockquote":
            return None
        return self.linked(Link(attributes.get("cite", ""), "", frozenset(attributes.get("class", "").split())))

    def cited(self, _words: str) -> Sequence[str]:
        return ()


class _Open(NamedTuple):
    """An element that has begun and not ended."""

    attributes: Mapping[str, str]
    part: int
    """The number of parts written before it."""
    quoted: Sequence[str] | None
    """Whom it quotes; None if it is no quote."""
    mentions: int
    """The number of mentions found before it, for a ``quote-inline``; else -1."""


class _Writer:
    """What lxml tells of the document (its parser target interface), written down as text and spans."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
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
        self._quotes: list[str] = []  # the tags of open quotes; _NAMED for one whose words are still to come
        self._cites: list[tuple[int, str]] = []  # of each <cite> in an open quote: the part it begins with, its words

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.break_at(tag)
        inline = attributes and "quote-inline" in attributes.get("class", "").split()
        quoted = () if inline else self._quoted(tag, attributes)
        self._open.append(_Open(attributes, len(self._parts), quoted, len(self._mentions) if inline else -1))
        if quoted is not None:
            self._quotes.append(tag if tag == "blockquote" or not quoted else _NAMED)
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "li":
            self._listed += 1
        elif tag == "br":
            self._gap = _PARAGRAPH if self._gap.startswith(_LINE) else _LINE
        elif tag == "img":
            self.data(attributes.get("alt") or " ")
        elif tag in _CELLS:
            self._gap = self._gap or _BLANK

    def _quoted(self, tag: str, attributes: Mapping[str, str]) -> Sequence[str] | None:
        """Whom an element quotes; a nameless blockquote in one that names somebody is its words, and no other quote."""
        if not attributes and tag != "blockquote":
            return None
        quoted = self._reader.quoted(tag, attributes)
        if tag == "blockquote" and not quoted and self._quotes and self._quotes[-1] == _NAMED:
            self._quotes[-1] = tag
            return None
        return quoted

    def end(self, tag: str) -> None:
        element = self._open.pop()
        if tag in _DROPPED:
            self._dropped -= 1
        elif tag == "pre":
            self._preformatted -= 1
        elif tag == "li":
            self._listed -= 1
        if tag in self._reader.naming:
            self._end_link(element)
        if element.quoted is not None:
            self._quotes.pop()
            self._end_quote(element, element.quoted)
        elif tag == "cite" and self._quotes:
            self._cites.append((element.part, "".join(self._parts[element.part :]).strip()))
            self._gap = _LINE
        self.break_at(tag)

    def data(self, data: str) -> None:
        if self._dropped:
            return
        if self._preformatted:
            self._write(data.replace("\r\n", "\n").replace("\r", "\n"))
            return
        words = data.strip(_BLANKS)
        if not words:
            self._gap = self._gap or _BLANK
            return
        if data[0] in _BLANKS:
            self._gap = self._gap or _BLANK
        if _SPACE_RUN.search(words):
            words = _SPACE.sub(" ", words)
        self._write(words)
        self._gap = _BLANK if data[-1] in _BLANKS else _NO_GAP

    def close(self) -> None:
        """Nothing is left to do: open elements were ended by the parser."""

    def result(self) -> tuple[str, list[Span]]:
        return "".join(self._parts), self._spans

    def _write(self, text: str) -> None:
        if self._length and self._gap:
            self._parts.append(self._gap)
            self._starts.append(self._length)
            self._length += len(self._gap)
        self._gap = _NO_GAP
        self._parts.append(text)
        self._starts.append(self._length)
        self._length += len(text)

    def break_at(self, tag: str) -> None:
        """A block stands on a line of its own, a paragraph with an empty line around it."""
        if self._gap == _PARAGRAPH:
            return
        if tag in _PARAGRAPH_TAGS and not self._listed:
            self._gap = _PARAGRAPH
        elif tag in _LINE_TAGS or tag in _PARAGRAPH_TAGS:
            self._gap = _LINE

    def _extent(self, element: _Open) -> tuple[int, int] | None:
        """Where the text of an element begins and ends, without the gap before it; None if it has none."""
        for part in range(element.part, len(self._parts)):
            if not self._parts[part].isspace():
                return self._starts[part], self._length
        return None

    def _end_link(self, element: _Open) -> None:
        if self._dropped:
            return
        shown = "".join(self._parts[element.part :]).strip()
        given = dict(element.attributes)
        link = Link(given.get("href", ""), shown, frozenset(given.get("class", "").split()), given)
        self._add(self._extent(element), Role.MENTION, accounts := self._reader.linked(link))
        self._mentions.extend(accounts)

    def _end_quote(self, element: _Open, accounts: Sequence[str]) -> None:
        extent = self._extent(element)
        if element.mentions >= 0:
            accounts = self._mentions[element.mentions :][:1]
        while self._cites and self._cites[-1][0] >= element.part:
            words = self._cites.pop()[1]
            accounts = accounts or self._reader.cited(words)
        self._add(extent, Role.QUOTE, accounts or (() if extent is None else (None,)))

    def _add(self, extent: tuple[int, int] | None, role: Role, accounts: Iterable[str | None]) -> None:
        """A span for each account: an empty one where nothing is shown, because their account still matters."""
        extent = extent or (self._length, self._length)
        self._spans.extend(Span(*extent, role, account) for account in accounts)
