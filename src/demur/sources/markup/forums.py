"""Whom the HTML of forums names: mentions, and quotes with their authors.

Invariants: an element that says whom it quotes is a quote as a whole, its title included, so that no name is left over
it; one that looks like a quote and says nothing is a quote of nobody that is known, until its words say of whom
(:mod:`attributions`). Discourse (``lib/pretty_text``, the ``quotes`` rule), XenForo 1 and 2 (``bb_code_tag_quote``),
phpBB (``bbcode.html``), vBulletin 3 to 5, MyBB (``mycode_quote``), SMF (``bbc_standard_quote``), Invision
(``ipsQuote``), NodeBB, Flarum and WoltLab write what is read here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from demur.sources.html import Link
from demur.sources.markup.attributions import said_by
from demur.sources.markup.names import Cited, Names

_WRAPPERS: Final = frozenset(("aside", "div", "section", "article", "figure", "fieldset", "table", "td", "p"))
_QUOTE_CLASS: Final = re.compile(
    r"quote(?!-?(?:controls|button|link|expand)|_?(?:citation|title|author|header))|(?:^|\s)onebox(?:\s|$)",
    re.IGNORECASE,
)
_QUOTED_CELL: Final = re.compile(r"(?:^|\s)alt2(?:\s|$)")
_NAME_KEYS: Final = ("data-username", "data-quote", "data-author", "data-ipsquote-username", "author")
_MEMBER: Final = re.compile(r"member:\s*(\d+)")
_POST_URL: Final = re.compile(r"/t/(?:[^/?#\s]+/)?(\d+)(?:/(\d+))?(?:[/?#]|$)")
_PROFILE: Final = re.compile(r"/(?:u|users?|profile)/([^/?#]+)(?:[/?#]|$)|/@/?([^/?#]+)/?(?:[?#]|$)")
_MEMBER_URL: Final = re.compile(r"/members/(?:[^/?#\s]*?\.)?(\d+)/?|[?&;]u(?:id)?=(\d+)|User-id-(\d+)")
_MENTION_CLASS: Final = re.compile(r"mention|(?:^|\s)user(?:name|link)(?:\s|$|-coloured)", re.IGNORECASE)
_NO_PERSON: Final = re.compile(r"hashtag|group|category|tag\b|here|all\b", re.IGNORECASE)
_INLINE: Final = re.compile(r" - #\d+ \w+ (\S+)(?:\s+-\s|\s*$)")
_MENTION_KEYS: Final = ("data-username", "data-user-id", "data-mentionid", "data-userid")
_NAMING_KEYS: Final = frozenset(_NAME_KEYS[:-1])
_MARKING_KEYS: Final = frozenset(_MENTION_KEYS)


class ForumHtml:
    """What forums mean by elements, for :func:`demur.sources.html.read`."""

    naming = frozenset(("a", "span"))

    def __init__(self, names: Names) -> None:
        self._names = names

    def linked(self, link: Link) -> Sequence[str]:
        """Whom a mention, or a link to a profile or to a post that is named by its author, names."""
        given = link.attributes
        classes = given.get("class", "")
        if "inline-onebox" in link.classes and (by := _INLINE.search(link.text)):
            return self._names.accounts(post_at(link.href)._replace(name=by[1]))
        if classes and _NO_PERSON.search(classes):
            return ()
        marked = not _MARKING_KEYS.isdisjoint(given) or (classes and _MENTION_CLASS.search(classes))
        profile = _PROFILE.search(link.href) if link.href else None
        if not marked and not profile:
            return ()
        return self._names.accounts(Cited(_name(link, profile), _member(given, link.href)))

    def quoted(self, tag: str, attributes: Mapping[str, str]) -> Sequence[str] | None:
        """Whom an element quotes: by its attributes, or by the post that they number."""
        if tag != "blockquote" and not (tag in _WRAPPERS and _is_quote(tag, attributes)):
            return None
        name = next((attributes[key] for key in _NAME_KEYS if attributes.get(key)), None)
        if name is None and (profile := _PROFILE.search(attributes.get("cite", ""))):
            name = unquote(profile[1] or profile[2])
        told = _MEMBER.search(attributes.get("data-attributes", ""))
        url = attributes.get("cite") or attributes.get("data-onebox-src") or attributes.get("data-ipsquote-contentapp")
        post = post_at(url or "")
        topic, number = attributes.get("data-topic"), attributes.get("data-post")
        member = told[1] if told else attributes.get("data-ipsquote-userid")
        return self._names.accounts(Cited(name, member, topic or post.topic, number or post.post))

    def cited(self, words: str) -> Sequence[str]:
        """Whom the ``<cite>`` of a quote names: phpBB's and MyBB's ``ann wrote:``, SMF's ``Quote from: ann on ...``."""
        return said_by(words, self._names)


def post_at(url: str) -> Cited:
    """The post that a Discourse URL leads to: ``/t/slug/12/3`` is number 3 of topic 12, ``/t/slug/12`` its first."""
    found = _POST_URL.search(url) if url else None
    return Cited(topic=found[1], post=found[2] or "1") if found else Cited()


def _is_quote(tag: str, attributes: Mapping[str, str]) -> bool:
    classes = attributes.get("class", "")
    if tag == "td":
        return _QUOTED_CELL.search(classes) is not None
    return _QUOTE_CLASS.search(classes) is not None or not _NAMING_KEYS.isdisjoint(attributes)


def _name(link: Link, profile: re.Match[str] | None) -> str | None:
    """The name of the account: as data, by the profile's address, else as it is shown."""
    told = link.attributes.get("data-username")
    address = unquote(profile[1] or profile[2]) if profile else None
    if address is not None and not re.fullmatch(r"\d+(?:-.*)?", address):
        told = told or address
    return (told or link.text).lstrip("@").strip().strip('"')


def _member(attributes: Mapping[str, str], href: str) -> str | None:
    told = next((attributes[key] for key in _MENTION_KEYS[1:] if attributes.get(key)), None)
    found = _MEMBER_URL.search(href) if href and told is None else None
    return told or (next(filter(None, found.groups()), None) if found else None)
