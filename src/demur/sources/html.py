"""An HTML fragment becomes plain text, and what its markup said becomes spans.

Invariants: offsets are code points of the text that is returned; the text holds no markup; white space reads
as a browser shows it, so that one paragraph is one line and paragraphs stand apart; however broken the HTML is,
reading it never fails. Hidden parts of a shortened link (Mastodon's ``invisible`` and ``ellipsis``) are text
like any other, so that a URL stays whole.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, cast

from lxml import etree

from demur.sources.text import Span
from demur.terms import Role


class Link(NamedTuple):
    """A link, or the source that a quotation cites."""

    href: str
    text: str
    """What the link shows; empty for the source of a quotation."""
    classes: frozenset[str]
    attributes: Mapping[str, str] = MappingProxyType({})
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
_BLANKS: Final = " \t\n\f\r"
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_DROPPED: Final = _tags("head iframe math noscript object script select style svg template textarea")
_LINE_TAGS: Final = _tags(
    "address aside body dd details div dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header hr li main nav "
    "summary tr"
)
_PARAGRAPH_TAGS: Final = _tags("article blockquote dl figure ol p pre section table ul")
_SILENT: Final = ((_LINE_TAGS | _PARAGRAPH_TAGS) - _tags("aside blockquote li pre")) | _tags(
    "b code del em html i ins mark small strong sub sup u"
)
"""Elements that without attributes do no more than break lines."""
_HELD: Final = _DROPPED | _tags("cite li pre")
"""Elements whose end matters, whatever their attributes."""
_CELLS: Final = frozenset(("td", "th"))
_NO_GAP, _BLANK, _LINE, _PARAGRAPH = "", " ", "\n", "\n\n"
_GAPS: Final = dict.fromkeys(_LINE_TAGS, _LINE) | dict.fromkeys(_PARAGRAPH_TAGS, _PARAGRAPH)
"""What stands around a block."""
_NAMED: Final = "named"
_NONE: Final[frozenset[str]] = frozenset()


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
    try:
        encoded = html.encode()
    except UnicodeEncodeError:
        encoded = _SURROGATE.sub("\ufffd", html).encode()
    return _PARSING.read(encoded.replace(b"\0", b""), reader)


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
    """An element that has begun and not ended, and whose end matters."""

    attributes: Mapping[str, str]
    part: int
    """The number of parts written before it."""
    quoted: Sequence[str] | None
    """Whom it quotes; None if it is no quote."""
    mentions: int
    """The number of mentions found before it, for a ``quote-inline``; else -1."""


class _Writer:
    """What lxml tells of a document (its parser target interface), written down as text and spans."""

    def begin(self, reader: Reader) -> None:
        """Begin a text of its own."""
        self._reader = reader
        self._naming = reader.naming
        self._parts: list[str] = []
        self._starts: list[int] = []  # where each part begins, in code points
        self._length = 0
        self._gap = _NO_GAP
        self._open: list[_Open | None] = []
        self._dropped = 0  # depth of elements that have no text
        self._preformatted = 0  # depth of <pre>
        self._listed = 0  # depth of <li>: what stands in a list stands close
        self._spans: list[Span] = []
        self._mentions: list[str] = []  # the accounts that links named
        self._quotes: list[str] = []  # the tags of open quotes; _NAMED for one whose words are still to come
        self._cites: list[tuple[int, str]] = []  # of each <cite> in an open quote: the part it begins with, its words

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _GAPS:
            self._break_at(tag)
        silent = not attributes and tag in _SILENT
        self._open.append(None if silent else self._begun(tag, attributes))

    def _begun(self, tag: str, attributes: Mapping[str, str]) -> _Open | None:
        """What an element does where it begins, and what is to be known of it where it ends, if anything is."""
        inline = bool(attributes) and "quote-inline" in attributes.get("class", "").split()
        quoted = () if inline else self._quoted(tag, attributes)
        if quoted is not None:
            self._quotes.append(tag if tag == "blockquote" or not quoted else _NAMED)
        held = quoted is not None or tag in _HELD or (tag in self._naming and (attributes or tag == "a"))
        opened = _Open(attributes, len(self._parts), quoted, len(self._mentions) if inline else -1) if held else None
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
        return opened

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
        if element is not None:
            self._ended(tag, element)
        if tag in _GAPS:
            self._break_at(tag)

    def _ended(self, tag: str, element: _Open) -> None:
        if tag in _DROPPED:
            self._dropped -= 1
        elif tag == "pre":
            self._preformatted -= 1
        elif tag == "li":
            self._listed -= 1
        if tag in self._naming and not self._dropped:
            self._end_link(element)
        if element.quoted is not None:
            self._quotes.pop()
            self._end_quote(element, element.quoted)
        elif tag == "cite" and self._quotes:
            self._cites.append((element.part, "".join(self._parts[element.part :]).strip()))
            self._gap = _LINE

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
        if "\n" in words or "  " in words or "\t" in words or "\r" in words or "\f" in words:
            words = _SPACE.sub(" ", words)
        self._write(words)
        if data[-1] in _BLANKS:
            self._gap = _BLANK

    def close(self) -> None:
        """Nothing is left to do: open elements were ended by the parser."""

    def result(self) -> tuple[str, list[Span]]:
        return "".join(self._parts), self._spans

    def _write(self, text: str) -> None:
        if self._gap:
            if self._length:
                self._parts.append(self._gap)
                self._starts.append(self._length)
                self._length += len(self._gap)
            self._gap = _NO_GAP
        self._parts.append(text)
        self._starts.append(self._length)
        self._length += len(text)

    def _break_at(self, tag: str) -> None:
        """A block stands on a line of its own, a paragraph with an empty line around it."""
        if self._gap != _PARAGRAPH:
            self._gap = _LINE if self._listed else _GAPS[tag]

    def _extent(self, element: _Open) -> tuple[int, int] | None:
        """Where the text of an element begins and ends, without the gap before it; None if it has none."""
        for part in range(element.part, len(self._parts)):
            if not self._parts[part].isspace():
                return self._starts[part], self._length
        return None

    def _end_link(self, element: _Open) -> None:
        given = element.attributes
        shown = "".join(self._parts[element.part :]).strip()
        classes = given.get("class")
        link = Link(given.get("href", ""), shown, frozenset(classes.split()) if classes else _NONE, given)
        if accounts := self._reader.linked(link):
            self._add(self._extent(element), Role.MENTION, accounts)
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


class _Parsing(threading.local):
    """A thread's parser, which tells a writer what it reads; making one takes as long as reading a post."""

    def __init__(self) -> None:
        self._writer = _Writer()
        target = cast("Any", self._writer)  # the stubs ask of a target what lxml does not: comments, names as bytes
        self._parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True, no_network=True)

    def read(self, encoded: bytes, reader: Reader) -> tuple[str, list[Span]]:
        """What a fragment in UTF-8 says."""
        writer = self._writer
        writer.begin(reader)
        try:
            self._parser.feed(encoded)
            self._parser.close()
        except etree.LxmlError:  # nothing but comments, or deeper than libxml2 goes: what was read so far stands
            self.__init__()  # type: ignore[misc]  # a parser that failed is not asked again
        except BaseException:
            self.__init__()  # type: ignore[misc]
            raise
        return writer.result()


_PARSING: Final = _Parsing()
