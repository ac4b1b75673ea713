"""Dumps of Reddit by Pushshift and Arctic Shift: JSON Lines of submissions (``RS_*.zst``) and comments (``RC_*.zst``).

Their fields are those of Reddit's API; github.com/ArthurHeitmann/arctic_shift, file_content_explanations.md, says what
the dumps add. Invariants: an author is who the object names, and nobody where Reddit shows ``[deleted]``; what was
deleted or removed, as far as the dump knows it, is an item that is gone; what stands in a subreddit that is not open
is never public. Memory holds a line.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, Final, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import ItemRow, Options, batches
from demur.sources.dumps.lines import json_lines
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record
from demur.sources.markup.names import Names
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span, microseconds
from demur.terms import Audience, Kind, Reason, Role

NAMESPACE: Final = "reddit"

_FILES: Final = r"[^/]*(?:R[SC]_\d{4}-\d\d[^/]*|\.(?:jsonl|ndjson)|_(?:submissions|comments))(?:\.(?:gz|bz2|zst))?"
_GONE: Final = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]"})
_PERSON: Final = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})(?![\w/-])")
_AUDIENCES: Final = {
    "public": Audience.PUBLIC,
    "restricted": Audience.PUBLIC,  # anybody reads it, some may write
    "archived": Audience.PUBLIC,
    "user": Audience.PUBLIC,
}
"""Who reads a subreddit, by its type; of any other (private, gold_only, employees_only) its members."""


class RedditOptions(Options):
    """``[sources.reddit]`` of ``demur.toml``."""

    default_audience: Literal["public", "unlisted", "followers", "group"] | None = None
    """The audience where the data does not say the type of the subreddit, as that of old dumps; else it is not used."""


class RedditSource:
    """The adapter of Reddit's dumps."""

    reads: ClassVar[str] = "dumps of Reddit: JSON Lines of submissions and comments (RS_*.zst, RC_*.zst)"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'default_audience = "group", or "public" where anybody could read the subreddits',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether the first line is one of Reddit's objects."""
        first = seen.start(r".*" if seen.alone else _FILES).partition(b"\n")[0]
        return all(sign in first for sign in (b'"subreddit"', b'"author"', b'"created_utc"'))

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or holds none of Reddit's objects.
        """
        return batches(_rows(paths, RedditOptions.parse(NAMESPACE, options)))


def _rows(paths: Sequence[str], options: RedditOptions) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = members_at(paths, _FILES, stack)
        if not members:
            raise SourceError(f"{', '.join(paths)}: there is no dump of Reddit: give files like RS_2026-03.zst.")
        meter.expect(member.size for member in members)
        for member in members:
            for record in json_lines(member):
                yield _item(record, options)


def _item(record: Record, options: RedditOptions) -> ItemRow:
    value, where = record
    number, subreddit = _text(value, "id"), _text(value, "subreddit")
    if not number or not subreddit:
        raise SourceError(f"{where} is no submission or comment of Reddit: give a dump of these.")
    comment = "link_id" in value
    body = _text(value, "body" if comment else "selftext")
    text, spans = ("", []) if body in _GONE else _read(body)
    created = value.get("created_utc")
    return ItemRow(
        item=f"{NAMESPACE}:{'t1' if comment else 't3'}_{number.removeprefix('t1_').removeprefix('t3_')}",
        author=_account(_text(value, "author")),
        kind=Kind.COMMENT if comment else Kind.POST,
        audience=_audience(value, options),
        created=microseconds(created, where) if isinstance(created, int | float | str) and created != "" else None,
        text=text,
        spans=spans,
        parent=_named(value, "parent_id") or _named(value, "crosspost_parent"),
        thread=_named(value, "link_id") or f"{NAMESPACE}:t3_{number}",
        group=f"{NAMESPACE}:r/{subreddit.lower()}",
        deleted=body in _GONE or _is_gone(value),
    )


def _audience(value: Mapping[str, Any], options: RedditOptions) -> str | None:
    kind = _text(value, "subreddit_type")
    return _AUDIENCES.get(kind, Audience.GROUP) if kind else options.default_audience


def _is_gone(value: Mapping[str, Any]) -> bool:
    """Whether it was deleted or removed, by what Reddit or a later look of the dump says."""
    meta = value.get("_meta")
    later = isinstance(meta, dict) and (meta.get("was_deleted_later") is True or meta.get("removal_type") is not None)
    return later or bool(value.get("removed_by_category"))


def _read(body: str) -> tuple[str, list[Span]]:
    """A body in Reddit's Markdown, which shows ``&``, ``<`` and ``>`` escaped."""
    for escape, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        body = body.replace(escape, sign)
    text, spans = to_plain(Markup.MARKDOWN, body, Names(_account))
    named = [Span(*match.span(), Role.MENTION, _account(match[1])) for match in _PERSON.finditer(text)]
    return text, [*spans, *named]


def _named(value: Mapping[str, Any], key: str) -> str | None:
    name = _text(value, key)
    return f"{NAMESPACE}:{name}" if name.startswith(("t1_", "t3_")) else None


def _account(name: str) -> str | None:
    """The account of a name; links to profiles and ``u/`` before it name the same."""
    bare = name.strip().rstrip("/").rpartition("/")[2]
    return f"{NAMESPACE}:{bare}" if bare and bare not in _GONE else None


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""
