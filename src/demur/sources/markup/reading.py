"""A post in its markup becomes plain text, and what its markup says of other people becomes spans.

Invariants: offsets are code points of the text that is returned; the text holds no quote tag and no HTML; whoever
markup names has a span, an empty one where nothing of it is shown; however broken the markup is, reading it never
fails, and it costs a few passes over the text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from html import unescape
from typing import Final

from demur.sources import html
from demur.sources.markup import bbcode, forums, inline, markdown
from demur.sources.markup.attributions import Attributed
from demur.sources.markup.edits import Edit, edited
from demur.sources.markup.names import Names
from demur.sources.text import Span
from demur.terms import Role


class Markup(StrEnum):
    """What a text is written in."""

    TEXT = "text"
    """Nothing: it stays as it is."""
    HTML = "html"
    """As it is shown: Discourse's ``cooked``, XenForo's and others' rendered posts."""
    MARKDOWN = "markdown"
    """With HTML and ``[quote]`` in it, as in Discourse's ``raw``, NodeBB, Flarum, Stack Exchange."""
    BBCODE = "bbcode"
    """XenForo, phpBB, vBulletin, MyBB, SMF."""


def to_plain(markup: Markup, text: str, names: Names) -> tuple[str, list[Span]]:
    """The plain text of a post, and its spans.

    Args:
        markup: what ``text`` is written in.
        text: of the post.
        names: whom the names in it stand for.
    """
    if markup is Markup.TEXT or not _MARKS[markup].search(text):
        return text, []
    plain, spans = _READERS[markup](text, names)
    if plain[:1].isspace() or plain[-1:].isspace() or "\n\n\n" in plain:
        plain, spans = edited(plain, spans, _gaps(plain))
    if len(spans) > 1:
        spans = list(dict.fromkeys(spans))
    if any(span.role == Role.QUOTE and span.account is None for span in spans):
        spans = Attributed(plain, spans, names).spans()
    return plain, spans


def _gaps(text: str) -> Iterator[Edit]:
    """What tags that went left behind: blanks at both ends, and several empty lines."""
    yield Edit(0, len(text) - len(text.lstrip()))
    yield from (Edit(*match.span(), "\n\n") for match in _GAP.finditer(text))
    yield Edit(len(text.rstrip()), len(text))


def _html(text: str, names: Names) -> tuple[str, list[Span]]:
    """HTML; what has no tag was typed before there was markup, and keeps its lines."""
    if _ELEMENT.search(text):
        plain, spans = html.read(text, forums.ForumHtml(names))
    else:
        plain, spans = unescape(text), []
    plain, spans = _passed(plain, spans, bbcode.quotes(plain, names))
    return _passed(plain, spans, markdown.lines(plain, headings=False))


def _markdown(text: str, names: Names) -> tuple[str, list[Span]]:
    text, spans = _passed(text, [], inline.elements(text, names))
    text, spans = _passed(text, spans, bbcode.quotes(text, names))
    text, spans = _passed(text, spans, markdown.lines(text))
    text, spans = _passed(text, spans, markdown.marks(text, names))
    return text, [*spans, *markdown.handles(text, names)]


def _bbcode(text: str, names: Names) -> tuple[str, list[Span]]:
    text, spans = _passed(text, [], inline.elements(text, names))
    text, spans = _passed(text, spans, bbcode.tags(text, names))
    text, spans = _passed(text, spans, markdown.lines(text, headings=False))
    return text, [*spans, *markdown.handles(text, names)]


def _passed(text: str, spans: list[Span], found: bbcode.Found) -> tuple[str, list[Span]]:
    return edited(text, [*spans, *found.spans], found.edits) if found.edits or found.spans else (text, spans)


_GAP: Final = re.compile(r"\n{3,}")
_ELEMENT: Final = re.compile(r"<[A-Za-z!/]")
_READERS: Final[Mapping[Markup, Callable[[str, Names], tuple[str, list[Span]]]]] = {
    Markup.HTML: _html,
    Markup.MARKDOWN: _markdown,
    Markup.BBCODE: _bbcode,
}
_MARKS: Final[Mapping[Markup, re.Pattern[str]]] = {
    Markup.HTML: re.compile(r"[<&\[>\s]"),
    Markup.MARKDOWN: re.compile(r"[<&\[>@*_~#]"),
    Markup.BBCODE: re.compile(r"[<&\[>@]"),
}
"""Characters without which a text says nothing in its markup."""
