"""Discourse: JSON of its API, a member's archive, answers of the Data Explorer, and the dump of its database.

The archive is what ``app/jobs/regular/export_user_archive.rb`` writes; topics, posts and categories are as the API
documents them (docs.discourse.org); tables are those of its database.

Invariants: a post has one id in all of these; it is public only where its topic is no private message and its category
is known to be open, or the controller states that what nobody knows is; personal messages, whispers, hidden posts and
posts in restricted categories never are. Files are read twice, first for topics, categories and names, so that memory
holds these and a batch of items, whatever the size of the forum.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple

import pyarrow as pa
from pydantic import Field

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.base import ItemRow, Options, batches
from demur.sources.dumps.csvstream import columns
from demur.sources.dumps.csvstream import rows as csv_rows
from demur.sources.dumps.lines import Row, copied, json_lines
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record, first_value, records, records_at
from demur.sources.limits import MIB
from demur.sources.markup.names import Names
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.sniffing import Glimpse
from demur.terms import Audience, Kind, Reason

_FILES: Final = r"[^/]*\.(?:csv|json|jsonl|ndjson|sql)(?:\.(?:gz|bz2|zst))?"
_PEEK: Final = 1 << 16
_ARCHIVE: Final = "archive"
_TABLES: Final = {
    _ARCHIVE: frozenset({"is_pm", "url"}),
    "posts": frozenset({"topic_id", "post_number"}),
    "categories": frozenset({"id", "read_restricted"}),
    "topics": frozenset({"id", "archetype"}),
    "users": frozenset({"id", "username"}),
}
"""What tells a table: columns that it has; the first that fits counts."""

_WRITTEN: Final = ("cooked", "raw", "post_cooked", "post_raw", "post")
_NAMED: Final = re.compile(r"user_archive-(.+?)-\d{6}-\d{6}(?:-\d+)?(?:\.|$)")
_PLACE: Final = re.compile(r"https?://[^/]+(?:/[^?#]*)?/t/(?:[^/]*/)?(\d+)/(\d+)")
_NO: Final = frozenset(
    re.findall(
        r"\w+",
        "ei não ne nee nei nein nej nem nie no non nu không tidak nē hay\u0131r нет не ні όχι "
        "いいえ 否 아니요 \u0644\u0627 \u05dc\u05d0",
    )
)
"""How Discourse says No in the languages of its members (``csv_export.boolean_no``); what is none of them is a Yes."""
_TRUE: Final = frozenset({"t", "true", "True", "1"})
_WHISPER: Final = "4"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DiscourseOptions(Options):
    """``[sources.discourse]`` of ``demur.toml``."""

    namespace: str = "forum"
    """The namespace of the forum's accounts: ``forum`` makes ``ann`` the account ``forum:ann``."""
    source: str = "discourse"
    """What item ids begin with: two forums need a name each."""
    username: str | None = None
    """Whose archive it is, where neither its ``preferences.json`` nor the name of the file says."""
    restricted: list[str] = Field(default_factory=list)
    """Categories that only groups can read, where the data does not say: their numbers, or names as an archive has."""
    default_audience: Literal["public", "unlisted", "followers", "group"] | None = None
    """The audience of topics, private messages never among them, whose category is not known to be open or restricted.

    Without it they are not used.
    """


class DiscourseSource:
    """The adapter of Discourse."""

    reads: ClassVar[str] = "a forum of Discourse: JSON of its API, user_archive.csv, Data Explorer results, dump.sql"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'default_audience = "group", or "public" where anybody could read the categories',
        Reason.UNKNOWN_AUTHOR: 'username = "name"',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether there are posts as Discourse has them."""
        return any(_form(seen.start(re.escape(one.name)), one.name) in _POSTS for one in seen.named(_FILES)[:50])

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or nothing in it is of Discourse.
        """
        return batches(_rows(paths, DiscourseOptions.parse("discourse", options)))


def _rows(paths: Sequence[str], options: DiscourseOptions) -> Iterator[ItemRow]:
    known = _Known(options)
    with ExitStack() as stack:
        files = [(each, path) for path in paths for each in members_at([path], _FILES, stack)]
        forms = [(member, _form(_start(member), member.name), path) for member, path in files]
        if not any(form in _POSTS for _, form, _ in forms):
            raise SourceError(f"{', '.join(paths)}: no post of Discourse was found: give what its API or export gave.")
        meter.expect(member.size for member, form, _ in forms if form)
        for member, form, _ in forms:
            if form in _TELLING:
                known.learn(_tables(member, form))
        for member, form, path in forms:
            known.owner = _owner(member, path, files, options) if form == _ARCHIVE else None
            for table, record in _tables(member, form) if form in _POSTS else ():
                if table in ("posts", _ARCHIVE):
                    yield known.item(record)


# The forms of files


_POSTS: Final = frozenset(
    {_ARCHIVE, "posts", "topic", "latest_posts", "private_posts", "explorer", "lines", "list", "dump"}
)
_TELLING: Final = frozenset({"categories", "topics", "users", "site", "topic", "explorer", "dump"})


_SIGNS: Final = {
    "topic": (b'"post_stream"',),
    "latest_posts": (b'"latest_posts"',),
    "private_posts": (b'"private_posts"',),
    "explorer": (b'"result_count"', b'"columns"'),
    "list": (b'"topic_id"', b'"post_number"', b'"cooked"'),
    "site": (b'"read_restricted"',),
}
"""What tells a file of JSON by how it begins: the first that fits counts."""


def _start(member: Member) -> bytes:
    with member.open() as file:
        return file.read(_PEEK)


def _form(start: bytes, name: str) -> str:
    """What a file is, by its name and how it begins; empty for what is none of Discourse's."""
    ending = re.sub(r"\.(?:gz|bz2|zst)$", "", name.lower()).rpartition(".")[2]
    if ending == "csv":
        return _table(columns(start))
    if ending == "sql":
        return "dump" if b"PostgreSQL database dump" in start or start.startswith(b"COPY ") else ""
    form = next((form for form, signs in _SIGNS.items() if all(sign in start for sign in signs)), "")
    if form in ("topic", "list"):
        return form if ending == "json" else "lines"
    return form


def _table(names: set[str]) -> str:
    for table, wanted in _TABLES.items():
        if wanted <= names and (table not in ("posts", _ARCHIVE) or names & set(_WRITTEN)):
            return table
    return ""


def _tables(member: Member, form: str) -> Iterator[Row]:
    """The rows of every table in a file."""
    if form in _TABLES:
        yield from (Row(form, record) for record in csv_rows(member))
    elif form == "dump":
        yield from copied(member, ("categories", "posts", "topics", "users"))
    elif form == "explorer":
        yield from _explored(member)
    elif form == "topic":
        yield from _topic(member)
    elif form == "site":
        yield from _categories(first_value(member), member.where)
    else:
        read = json_lines(member) if form == "lines" else records(member, *([form] if form.endswith("posts") else []))
        for record in read:
            yield from _posted(record, {"latest_posts": "regular", "private_posts": "private_message"}.get(form))


def _posted(record: Record, archetype: str | None) -> Iterator[Row]:
    """A post, or a topic with its posts, that stands by itself."""
    value = record.value
    if not isinstance(value, dict):
        raise SourceError(f"{record.where} is no post: export the data again.")
    stream = value.get("post_stream")
    if isinstance(stream, dict):
        yield Row("topics", Record(value, record.where))
        for post in _listed(stream.get("posts")):
            yield Row("posts", Record({**_of_topic(value), **post}, record.where))
    else:
        yield Row("posts", Record({"archetype": archetype, **value} if archetype else value, record.where))


def _topic(member: Member) -> Iterator[Row]:
    """A topic and its posts: ``/t/ID.json``."""
    if member.size < MIB:
        yield from _posted(Record(first_value(member), member.where), None)
        return
    topic = {key: first_value(member, key) for key in ("id", "archetype", "category_id", "visible", "deleted_at")}
    yield Row("topics", Record(topic, member.where))
    for post, where in records_at(member, "post_stream.posts.item"):
        yield Row("posts", Record({**_of_topic(topic), **(post if isinstance(post, dict) else {})}, where))


def _of_topic(topic: Mapping[str, Any]) -> dict[str, Any]:
    """What of a topic holds for its posts."""
    said = {key: topic[key] for key in ("archetype", "category_id", "visible") if topic.get(key) is not None}
    return {**said, "topic_id": topic.get("id"), "topic_deleted_at": topic.get("deleted_at")}


def _explored(member: Member) -> Iterator[Row]:
    """An answer of the Data Explorer: columns, rows, and the users whom it names."""
    relations = first_value(member, "relations")
    for user in _listed(relations.get("user")) if isinstance(relations, dict) else ():
        yield Row("users", Record(user, member.where))
    names = first_value(member, "columns")
    table = _table({name for name in names if isinstance(name, str)}) if isinstance(names, list) else ""
    for values, where in records_at(member, "rows.item"):
        if not isinstance(values, list) or len(values) != len(names or ()):
            raise SourceError(f"{where} has not the fields of its columns: run the query again.")
        yield Row(table, Record(dict(zip(names, values, strict=True)), where))


def _categories(value: object, where: str) -> Iterator[Row]:
    """Every category of ``/categories.json`` or ``/site.json``, those below others included."""
    for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        if isinstance(one, dict) and "read_restricted" in one:
            yield Row("categories", Record(one, where))
        yield from _categories(one, where)


def _listed(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _owner(member: Member, path: str, files: Sequence[tuple[Member, str]], options: DiscourseOptions) -> str | None:
    """Whose archive it is: what its preferences say, else the name of a file around it, else the option."""
    for other, place in files:
        if place == path and other.name.rpartition("/")[2].lower() == "preferences.json":
            value = first_value(other)
            within = [value, *value.values()] if isinstance(value, dict) else []
            for one in within:
                if isinstance(one, dict) and isinstance(one.get("username"), str):
                    return str(one["username"])
    named = _NAMED.search(f"{Path(path).name}/{member.name}".replace("/", "."))
    return named[1] if named else options.username


# Posts


class _Topic(NamedTuple):
    """What is known of a topic."""

    archetype: str
    category: str
    listed: bool
    deleted: bool


@dataclass
class _Known:
    """What the files of a forum say of its topics, categories and people."""

    options: DiscourseOptions
    owner: str | None = None
    """Whose archive is read."""
    _topics: dict[str, _Topic] = field(default_factory=dict)
    _restricted: dict[str, bool] = field(default_factory=dict)
    _users: dict[str, str] = field(default_factory=dict)

    def learn(self, rows: Iterator[Row]) -> None:
        """Take in topics, categories and users."""
        for table, (value, _) in rows:
            number = _text(value, "id")
            if table == "topics" and (archetype := _text(value, "archetype")):
                listed = "visible" not in value or _true(value, "visible")
                self._topics[number] = _Topic(
                    archetype, _text(value, "category_id"), listed, bool(_text(value, "deleted_at"))
                )
            elif table == "categories":
                self._restricted[number] = _true(value, "read_restricted")
            elif table == "users" and (name := _text(value, "username")):
                self._users[number] = name

    def item(self, record: Record) -> ItemRow:
        """A post as an item.

        Raises:
            SourceError: when it does not say which post of which topic it is.
        """
        post, where = record
        place = _PLACE.match(_text(post, "url"))
        topic, number = place.groups() if place else (_text(post, "topic_id"), _text(post, "post_number"))
        if not (topic and number):
            raise SourceError(f"{where} is no post with a topic and a number in it: export the data again.")
        audience = self._audience_in_archive(post) if "is_pm" in post else self._audience(post, topic)
        text, spans = self._read(post, topic)
        known = self._topics.get(topic)
        parent = _text(post, "reply_to_post_number")
        kind = Kind.MESSAGE if audience == Audience.DIRECT else Kind.POST if number == "1" else Kind.COMMENT
        group = _text(post, "category_id") or (known.category if known else "")
        gone = any(_text(post, key) for key in ("deleted_at", "topic_deleted_at")) or _true(post, "user_deleted")
        return ItemRow(
            item=f"{self.options.source}:{topic}/{number}",
            author=self._author(post),
            kind=kind,
            audience=audience,
            created=_created(_text(post, "created_at")),
            text=text,
            spans=spans,
            parent=f"{self.options.source}:{topic}/{parent}" if parent else None,
            thread=f"{self.options.source}:{topic}",
            group=f"{self.options.source}:category/{group}" if group else None,
            deleted=gone or (known is not None and known.deleted),
        )

    def _read(self, post: Mapping[str, Any], topic: str) -> tuple[str, list[Any]]:
        names = Names(self._account, lambda number: self._account(self._users.get(number, "")), topic=topic)
        for key in _WRITTEN:
            if written := _text(post, key):
                return to_plain(Markup.HTML if key.endswith("cooked") else Markup.MARKDOWN, written, names)
        return "", []

    def _author(self, post: Mapping[str, Any]) -> str | None:
        named = _text(post, "username") or self._users.get(_text(post, "user_id"))
        return self._account(named or (self.owner or "" if "is_pm" in post else ""))

    def _account(self, name: str) -> str | None:
        return f"{self.options.namespace}:{name}" if name else None

    def _audience(self, post: Mapping[str, Any], topic: str) -> str | None:
        known = self._topics.get(topic)
        archetype = _text(post, "archetype") or (known.archetype if known else "")
        if archetype == "private_message":
            return Audience.DIRECT
        if _text(post, "post_type") == _WHISPER or _true(post, "hidden"):
            return Audience.GROUP
        category = _text(post, "category_id") or (known.category if known else "")
        restricted = _true(post, "read_restricted") if "read_restricted" in post else self._restricted.get(category)
        if restricted or category in self.options.restricted:
            return Audience.GROUP
        if archetype != "regular":
            return None
        listed = _true(post, "visible") if "visible" in post else known is None or known.listed
        found = Audience.PUBLIC if restricted is False else self.options.default_audience
        return Audience.UNLISTED if found == Audience.PUBLIC and not listed else found

    def _audience_in_archive(self, post: Mapping[str, Any]) -> str | None:
        """What an archive tells: whether it is a message, and its category, ``-`` where its own member can't see it."""
        category = _text(post, "categories")
        if _text(post, "is_pm").strip().lower() not in _NO:
            return Audience.DIRECT
        parts = [category, *category.split("|")]
        return (
            Audience.GROUP
            if category == "-" or set(parts) & set(self.options.restricted)
            else self.options.default_audience
        )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _true(record: Mapping[str, Any], key: str) -> bool:
    value = record.get(key)
    return value is True or (isinstance(value, str | int) and str(value) in _TRUE)


def _created(written: str) -> int | None:
    """ISO 8601, or as CSV has it (``2026-03-01 10:00:00 UTC``); None for what is no time."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(written.replace(" UTC", "+00:00"))
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
    return None
