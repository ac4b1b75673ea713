"""BBCode: quotes and mentions become spans, and the tags go.

Invariants: a quote that is never closed runs to the end, so that broken markup leaves nobody's words; quotes nest; no
tag of a quote stays in the text.

Read are ``[quote="name, post:N, topic:T"]`` and ``[chat quote="name;..."]`` (Discourse; ``username:`` names the account
where a full name stands first), ``[QUOTE="name, post: N, member: M"]`` (XenForo), ``[quote=name post_id=N user_id=M]``
and ``[quote="name":uid]`` (phpBB), ``[QUOTE=name;N]`` (vBulletin), ``[quote="name" pid='N']`` (MyBB) and
``[quote author=name link=...]`` (SMF); ``[user]``, ``[member]``, ``[mention]`` and ``[smention]`` for mentions.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from demur.sources.html import Link
from demur.sources.markup.edits import Edit
from demur.sources.markup.forums import ForumHtml
from demur.sources.markup.names import Cited, Names
from demur.sources.text import Span
from demur.terms import Role

_QUOTE_TAGS: Final = "quote|chat"
_MENTION_TAGS: Final = "user|member|mention|smention"
_LINK_TAGS: Final = "url|link|iurl"
_QUOTING: Final = frozenset(_QUOTE_TAGS.split("|"))
_LINKING: Final = frozenset(_LINK_TAGS.split("|"))
_MENTIONING: Final = frozenset(_MENTION_TAGS.split("|")) | _LINKING
_OTHER_TAGS: Final = (
    r"b|i|u|s|d|email|color|colour|size|font|list|\*|li|ul|ol|code|php|html|icode|plain|noparse|spoiler|"
    r"ispoiler|hide|details|left|center|right|justify|align|indent|float|table|tr|td|th|h[1-6]|heading|hr|sub|sup|"
    r"strike|attach|attachment|media|youtube|video|img|pre|tt|highlight|bg|background|move|glow|shadow|anchor|abbr"
)
_ARGUMENT: Final = (
    r"(?::\w{1,40})?(?:\s*=\s*(?P<quoted>\"(?:\\.|[^\"\\\n]){0,300}\"[^\]\n]{0,300}"
    r"|'(?:\\.|[^'\\\n]){0,300}'[^\]\n]{0,300})|(?P<bare>[=\s][^\]\n]{0,300}))?"
)


def _tags(names: str) -> re.Pattern[str]:
    return re.compile(rf"\[(?P<close>/?)(?P<tag>{names}){_ARGUMENT}\]", re.IGNORECASE)


_QUOTES: Final = _tags(_QUOTE_TAGS)
_ALL: Final = _tags(f"{_QUOTE_TAGS}|{_MENTION_TAGS}|{_LINK_TAGS}|{_OTHER_TAGS}")
_VERBATIM: Final = re.compile(r"code|php|html|icode|plain|noparse|pre|tt")
_UNSEEN: Final = re.compile(r"img|attach|attachment|media|youtube|video")
_FIELD: Final = re.compile(
    r"(?:^|[\s,;])(author|username|post_id|pid|post|topic|member|user_id|u)\s*[:=]\s*['\"]?([^\s,;'\"]+)"
)
_SPOKEN: Final = re.compile(r"quote=\"([^\";]+)")
_NAMED: Final = re.compile(
    r"(?:^|\s)(?:author|name|username|user|cite)=(.*?)(?:\s+(?:link|date|time|timestamp|topic|post|post_id|user_id)=|$)"
)
_QUOTED: Final = re.compile(r"(?P<mark>[\"'])(?P<name>.*?)(?P=mark)(?=$|\s*[,;:]|\s+\w+=)(?P<further>.*)")
_ESCAPED: Final = re.compile(r"\\([\"'\\])")
_FIRST_FIELD: Final = re.compile(
    r"[,;]\s*(?:post|topic|member|full|username|user_id|\d+\s*$)|\s+(?:post_id|pid|user_id|time|dateline|link|date)="
)
_MENTION_LENGTH: Final = 200


class Found(NamedTuple):
    """What a pass over a text found: edits, and spans in the text as it was."""

    edits: list[Edit]
    spans: list[Span]


class _Opened(NamedTuple):
    """A tag that is open."""

    tag: str
    match: re.Match[str]


def quotes(text: str, names: Names) -> Found:
    """The quotes of a text that is not BBCode otherwise: Discourse's Markdown, or what was never rendered."""
    return _read(text, names, _QUOTES) if "[" in text else Found([], [])


def tags(text: str, names: Names) -> Found:
    """Quotes, mentions and every other tag that is known."""
    return _read(text, names, _ALL) if "[" in text else Found([], [])


def _read(text: str, names: Names, pattern: re.Pattern[str]) -> Found:
    found = Found([], [])
    quoted: list[_Opened] = []
    mentioned: list[_Opened] = []
    for match in _outside_code(text, pattern):
        tag, closes = match["tag"].lower(), bool(match["close"])
        found.edits.append(_edit(text, match, tag, closes=closes))
        held = quoted if tag in _QUOTING else mentioned
        if tag in _QUOTING or tag in _MENTIONING:
            if not closes:
                held.append(_Opened(tag, match))
            elif held:
                _close(held.pop(), match.start(), text, names, found)
    for opened in reversed(quoted):
        _close(opened, len(text), text, names, found)
    return found


def _outside_code(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """The tags that count: within ``[code]``, where it is closed, only those of quotes."""
    ends: dict[str, int] = {}
    code = 0
    for match in pattern.finditer(text):
        tag = match["tag"].lower()
        if match.start() < code and tag not in _QUOTING:
            continue
        yield match
        if not match["close"] and _VERBATIM.fullmatch(tag):
            if ends.get(tag, 0) <= match.end():
                ends[tag] = _closing(text, tag, match.end())
            code = ends[tag] if ends[tag] < len(text) else 0


def _closing(text: str, tag: str, start: int) -> int:
    """Where ``[/tag]`` stands next; the text's length if nowhere."""
    found = re.compile(re.escape(f"[/{tag}"), re.IGNORECASE).search(text, start)
    return found.start() if found else len(text)


def _edit(text: str, match: re.Match[str], tag: str, *, closes: bool) -> Edit:
    """The tag goes; a quote's stands alone on its line, so one line end goes with it, and what follows begins anew."""
    start, end = match.span()
    if tag in _QUOTING and not closes:
        alone = start == 0 or text[start - 1] == "\n"
        return Edit(start, end + (text[end : end + 1] == "\n"), "" if alone else "\n")
    if tag in _QUOTING:
        return Edit(start, end, "" if text[end : end + 1] in ("", "\n") or text[start - 1 : start] == "\n" else "\n")
    return Edit(start, end, "\n" if tag in ("*", "li", "hr", "tr") and not closes and start else "")


def _close(opened: _Opened, end: int, text: str, names: Names, found: Found) -> None:
    start = opened.match.end()
    if opened.tag in _QUOTING:
        accounts: list[str | None] = [*names.accounts(cited(opened.match))] or [None]
        found.spans.extend(Span(start, end, Role.QUOTE, account) for account in accounts)
    elif end - start <= _MENTION_LENGTH:
        named = (_linked if opened.tag in _LINKING else _mentioned)(opened.match, text[start:end], names)
        found.spans.extend(Span(start, end, Role.MENTION, account) for account in named)


def _linked(match: re.Match[str], shown: str, names: Names) -> Sequence[str]:
    """Whom a link names: the bearer of the profile that it leads to."""
    return ForumHtml(names).linked(Link(_argument(match)[0], shown, frozenset()))


def _mentioned(match: re.Match[str], shown: str, names: Names) -> Sequence[str]:
    """Whom a mention names, by the number of an account or by name."""
    told = cited(match)
    number = told.member or (told.name if told.name and told.name.isdigit() else None)
    named = shown.strip().lstrip("@") if number or not told.name else told.name
    return names.accounts(Cited(named or told.name, number))


def _argument(match: re.Match[str]) -> tuple[str, str]:
    """What an opening tag says of a quote: what stands in quotation marks, which its name may hold too, and the rest.

    phpBB writes a backslash before a mark in a name, MyBB nothing.
    """
    written = html.unescape(match["quoted"] or match["bare"] or "").strip().lstrip("=").strip()
    quoted = _QUOTED.fullmatch(written)
    return (_ESCAPED.sub(r"\1", quoted["name"]), quoted["further"]) if quoted else (written, "")


def cited(match: re.Match[str]) -> Cited:
    """Whom a quote's opening tag says it is of."""
    if match["tag"].lower() == "chat":  # Discourse's transcripts
        spoken = _SPOKEN.search(match["bare"] or "")
        return Cited(html.unescape(spoken[1])) if spoken else Cited()
    argument, further = _argument(match)
    fields = {key.lower(): value for key, value in _FIELD.findall(f"{argument} {further}")}
    named = _NAMED.search(argument)
    name = named[1] if named else fields.get("username") or _FIRST_FIELD.split(argument, maxsplit=1)[0]
    name = name.strip(" \"'\u201c\u201d\u201e\u00ab\u00bb")
    discourse = "topic" in fields
    member = fields.get("member") or fields.get("user_id") or fields.get("u")
    return Cited(name or None, member, fields.get("topic"), fields.get("post") if discourse or not member else None)
