"""A post in its markup becomes plain text, and what its markup says of other people becomes spans.

Invariants: offsets are code points of the text that is returned; the text holds no quote tag and no HTML; whoever
markup names has a span, an empty one where nothing of it is shown; however broken the markup is, reading it never
fails, and it costs a few passes over the text.
"""

from enum import StrEnum

from demur.sources.markup.names import Names
from demur.sources.text import Span


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
    raise NotImplementedError
