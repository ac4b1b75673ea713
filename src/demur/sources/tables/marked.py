"""Texts of a table in their markup become plain text with spans.

Invariants: what is no text of its markup is not touched; a text without a character that marks anything costs a look;
an undeclared markup is never read, but said: names and quoted words stay where nobody says what they are.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import SourceError
from demur.sources.limits import MAX_ELEMENTS
from demur.sources.markup.names import Names, nobody
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.text import Span
from demur.terms import SPAN

_SAMPLE: Final = 1000
_SHARE: Final = 0.05
_NAMING: Final = (
    (Markup.HTML, r'(?i)<blockquote|<aside\s|<a\s[^<>]*class="[^"]*mention'),
    (Markup.BBCODE, r"(?i)\[quote[=\]\s:]"),
    (Markup.MARKDOWN, r"(?m)^>+ ?\S"),
)
"""What a text that is no markup hardly holds, and what names people in one that is."""
_TAGGED: Final = (
    (Markup.HTML, r"(?i)<(?:p|br|a|div|span|em|strong|b|i|ul|ol|li|img)(?:\s[^<>]*)?/?>"),
    (Markup.BBCODE, r"(?i)\[(?:b|i|u|url|img|user|list|code)[=\]]"),
)
"""What a text about markup may hold as well: it counts where one of twenty does."""


class Posts:
    """Who wrote which post of a table, and what markup calls the authors: 12 bytes a post."""

    def __init__(self) -> None:
        self._places = array("q")
        self._codes = array("i")
        self._authors: dict[str, int] = {}
        self._called: dict[str, str] = {}
        self._sorted: tuple[np.ndarray, np.ndarray, list[str]] | None = None

    def add(self, authors: Sequence[str | None], topics: Sequence[str | None], numbers: Sequence[str | None]) -> None:
        """Note who wrote posts, by topic and number in it."""
        for author, topic, number in zip(authors, topics, numbers, strict=True):
            if author is not None and topic is not None and number is not None:
                self._places.append(_place(topic, number))
                self._codes.append(self._authors.setdefault(author, len(self._authors)))

    def call(self, authors: Sequence[str | None], called: Sequence[str | None]) -> None:
        """Note the names that markup calls authors by."""
        for author, name in zip(authors, called, strict=True):
            if author is not None and name:
                self._called[name.casefold()] = author

    def called(self, name: str) -> str | None:
        """The account that bears a name."""
        return self._called.get(name.casefold())

    def author_of(self, topic: str, number: str) -> str | None:
        """The account that wrote a post."""
        if not self._places:
            return None
        if self._sorted is None:
            places = np.frombuffer(self._places, np.int64)
            order = np.argsort(places, kind="stable")
            self._sorted = places[order], np.frombuffer(self._codes, np.int32)[order], list(self._authors)
        places, codes, authors = self._sorted
        place = _place(topic, number)
        at = int(np.searchsorted(places, place))
        return authors[codes[at]] if at < len(places) and places[at] == place else None


def _place(topic: str, number: str) -> int:
    return hash((topic.rpartition(":")[2], number))


@dataclass(frozen=True)
class Reading:
    """How the texts of a table are read."""

    markup: Markup
    namespace: str | None
    """Of the names in markup; else that of the row's author."""
    posts: Posts = field(default_factory=Posts)
    by_number: bool = False
    """Whether authors are told by the number of their account, and markup calls them by a name."""

    def names(self, author: str | None) -> Names:
        """Whom names stand for in a text of ``author``."""
        namespace = self.namespace or (author or "").rpartition(":")[0]
        if not namespace:
            return Names(nobody, author_of=self.posts.author_of)

        def in_namespace(name: str) -> str:
            return f"{namespace}:{name}"

        def named(name: str) -> str:
            return self.posts.called(name) or in_namespace(name)

        return Names(named, in_namespace if self.by_number else nobody, self.posts.author_of)

    def column(
        self, text: pa.Array, authors: pa.Array, topics: pa.Array | None, place: Callable[[int], str]
    ) -> tuple[pa.Array, pa.Array]:
        """A column of text, large_string, and its spans, list<:data:`demur.terms.SPAN`>.

        Args:
            text: in its markup.
            authors: of the rows.
            topics: the threads that the rows stand in, if the table has them.
            place: says where a row stands, for error sentences.
        """
        plain: list[str | None] = []
        marked: list[list[Span] | None] = []
        known: dict[str | None, Names] = {}
        threads: Iterable[str | None] = topics.to_pylist() if topics is not None else [None] * len(text)
        for row, (one, author, topic) in enumerate(zip(text.to_pylist(), authors.to_pylist(), threads, strict=True)):
            if one is None:
                plain.append(None)
                marked.append(None)
                continue
            key = None if self.namespace else author and author.rpartition(":")[0]
            names = known.get(key) or known.setdefault(key, self.names(author))
            written, spans = to_plain(self.markup, one, names if topic is None else names._replace(topic=topic))
            if len(spans) > MAX_ELEMENTS:
                raise SourceError(f"{place(row)}: more than {MAX_ELEMENTS:,} quotes and mentions: leave it out.")
            plain.append(written)
            marked.append(spans or None)
        return pa.array(plain, pa.large_string()), pa.array(marked, pa.list_(SPAN))


def looks_like(text: pa.Array) -> Markup | None:
    """The markup that some of the first texts of a column seem to be written in, if any."""
    sample = text.slice(0, _SAMPLE)
    for markup, pattern in _NAMING:
        if pc.any(pc.match_substring_regex(sample, pattern)).as_py():
            return markup
    for markup, pattern in _TAGGED:
        if (pc.sum(pc.match_substring_regex(sample, pattern)).as_py() or 0) > _SHARE * len(sample):
            return markup
    return None
