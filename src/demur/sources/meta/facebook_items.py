"""The records of a Facebook export as items: their text without markup, who it names, and their files.

Invariants: a post that was archived or deleted has the id that it had before, so that its last reading wins; what
stands in a group has audience ``group``; a comment belongs to whoever the record names as its author. Titles such as
"Ann shared a link" are the platform's words and never text; camera data and upload addresses never leave the record;
the name of a tagged person is a tag span wherever it stands in the text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from demur.sources.archive import Member
from demur.sources.base import ItemRow, Media
from demur.sources.jsonstream import first_value, records, records_at
from demur.sources.meta.common import (
    AUDIENCE,
    COMMENT,
    FRIENDS,
    GROUP,
    ONLY_ME,
    PUBLIC,
    TEXT,
    Ids,
    Owner,
    base_name,
    checked,
    entries,
    field,
    joined,
    labelled,
    media_file,
    objects,
    post_kind,
    repaired,
    seconds,
)
from demur.sources.meta.messages import named
from demur.sources.text import Phrases, Span
from demur.terms import Audience, Kind, Role

_MENTION: Final = re.compile(r"@\[(\d+):\d*:((?:[^\]\\]|\\.)+)\]")
"""How an export writes a mention: ``@[id:type:name]``."""

_POSTS: Final = "(?:posts|photos_and_videos)/"
COMMENTS: Final = r"(?:comments(?:_and_reactions)?|groups)/(?:your_)?(?:group_)?comments(?:_in_groups)?(?:_\d+)?\.json"
"""Comments, also those in groups, which say so."""


def attached(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Everything attached to a record, in order."""
    return [one for part in objects(value, "attachments", where) for one in objects(part, "data", where)]


def files_of(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The photos and videos of a record, wherever its layout keeps them."""
    inner = [media for one in attached(value, where) if (media := field(one, "media", dict, where))]
    own = [value] if isinstance(value.get("uri"), str) else []
    listed = objects(value, "media", where) if isinstance(value.get("media"), list) else []
    notes = [media for note in notes_of(value, where) for media in objects(note, "media", where)]
    return [*inner, *own, *listed, *notes]


def media_of(files: Iterable[Mapping[str, Any]], tagged: Sequence[str], where: str) -> list[Media]:
    """Files as media: path and type only, nothing of what the camera or the upload recorded."""
    return [media_file(uri, tagged) for one in files if (uri := field(one, "uri", str, where))]


def notes_of(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The notes attached to a record, and the record itself where it is one."""
    attachments = [note for one in attached(value, where) if (note := field(one, "note", dict, where))]
    return [*attachments, *([value] if isinstance(value.get("text"), str) else [])]


def written(value: Mapping[str, Any], files: Iterable[Mapping[str, Any]], where: str) -> str | None:
    """Everything the author wrote into one record: post, descriptions, note, poll; markup still in it."""
    posts = [field(one, "post", str, where) for one in objects(value, "data", where)]
    notes = [field(note, key, str, where) for note in notes_of(value, where) for key in ("title", "text")]
    described = [field(one, "description", str, where) for one in files]
    polls = [poll for one in attached(value, where) if (poll := field(one, "poll", dict, where))]
    asked = [text for poll in polls for text in _poll(poll, where)]
    return joined(*posts, labelled(entries(value), TEXT), *notes, *described, *asked)


def _poll(poll: Mapping[str, Any], where: str) -> list[str | None]:
    options = objects(poll, "options", where)
    return [field(poll, "question", str, where), *(field(one, "option", str, where) for one in options)]


def tagged_names(value: Mapping[str, Any], where: str) -> list[str]:
    """The names of the people a record is tagged with."""
    lists = [value, *(note for note in notes_of(value, where) if note is not value)]
    tags = [tag for one in lists for tag in objects(one, "tags", where)]
    return list(dict.fromkeys(name for tag in tags if (name := field(tag, "name", str, where))))


def unmarked(text: str | None, names: Sequence[str]) -> tuple[str | None, list[Span]]:
    """Plain text with a mention span for each ``@[id:type:name]`` and a tag span for each tagged name."""
    if text is None:
        return None, []
    pieces, spans, done, length = [], [], 0, 0
    for hit in _MENTION.finditer(text):
        name = re.sub(r"\\(.)", r"\1", hit[2])
        before = text[done : hit.start()]
        start = length + len(before)
        spans.append(Span(start, start + len(name), Role.MENTION, f"facebook:{hit[1]}"))
        pieces += [before, name]
        done, length = hit.end(), start + len(name)
    plain = "".join([*pieces, text[done:]])
    return plain, _with_tags(plain, spans, names)


def _with_tags(text: str, spans: list[Span], names: Sequence[str]) -> list[Span]:
    """The spans and those of the names, longer names first, none overlapping another."""
    if not names:
        return spans
    taken = bytearray(len(text))
    for span in spans:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
    found, end = [], 0
    for start, here in Phrases(names, around=r"\w").found(text):
        if start >= end:
            end = start + len(here[0])
            found.append((start, end, here[0]))
    free = [(start, end, name) for start, end, name in found if not any(taken[start:end])]
    return sorted([*spans, *(Span(start, end, Role.TAG, f"facebook-name:{name}") for start, end, name in free)])


class Context(NamedTuple):
    """What one export, and the controller, say about all of its items."""

    owner: Owner
    ids: Ids
    audiences: Mapping[str, str | None]
    """The options of ``[sources.facebook]``."""


class Section(NamedTuple):
    """One kind of file; ``audience`` is the name of an option, an :class:`Audience`, or null if unknown."""

    pattern: str
    kind: Kind | None = None
    """None: the record decides, see :func:`demur.sources.meta.common.post_kind`."""
    audience: str | None = "posts_audience"
    gone: bool = False


SECTIONS: Final = (
    Section(_POSTS + r"your_posts\w*\.json"),
    Section(_POSTS + r"your_uncategorized_photos\.json"),
    Section(_POSTS + r"your_(?:uncategorized_)?videos\.json"),
    Section(r"(?:posts/|notes/|other_activity/)?(?:your_)?notes\.json", Kind.POST),
    Section(_POSTS + r"posts_on_other_pages_and_profiles\.json", audience=None),
    Section(
        r"groups/(?:group_posts_and_comments|your_posts_in_groups|your_group_posts)(?:_\d+)?\.json",
        Kind.GROUP_POST,
        Audience.GROUP,
    ),
    Section(r"pages/(?:.*/)?(?:your_)?(?:page_)?posts\w*\.json", Kind.PAGE_POST, "pages_audience"),
    Section(r"stories/(?:your_|archived_)stories\.json", Kind.STORY, Audience.DIRECT),
    Section(_POSTS + r"(?:archive|drafts?)\.json", audience=Audience.DIRECT),
    Section(_POSTS + r"(?:trash|recently_deleted)\w*\.json", gone=True),
)
"""In reading order: archived and deleted last, because a later row of the same id wins."""


def section_rows(member: Member, section: Section, context: Context) -> Iterator[ItemRow]:
    """Every post, photo, note or story of one file, and the comments below their photos."""
    if section.gone or section.audience == Audience.DIRECT:
        context.ids.restart()
    for record in records(member):
        value = checked(record)
        if value:
            yield from _post_rows(value, record.where, section, context)


def album_rows(member: Member, context: Context) -> Iterator[ItemRow]:
    """The description of an album, where it has one, and its photos."""
    name, description = (repaired(first_value(member, key)) for key in ("name", "description"))
    if isinstance(description, str) and description:
        yield ItemRow(
            item=context.ids.of("album", name),
            author=context.owner.account,
            kind=Kind.CAPTION,
            audience=context.audiences["posts_audience"],
            created=seconds({"time": first_value(member, "last_modified_timestamp")}, "time", member.where),
            text=description,
        )
    for record in records_at(member, "photos.item"):
        yield from _post_rows(checked(record), record.where, Section(""), context)


def _post_rows(value: dict[str, Any], where: str, section: Section, context: Context) -> Iterator[ItemRow]:
    files = files_of(value, where)
    row = _post_row(value, files, where, section, context)
    yield row
    for file in files:
        for comment in objects(file, "comments", where):
            yield _below(row, file, _comment_row(comment, comment, where, context), context)


def _below(row: ItemRow, file: Mapping[str, Any], comment: ItemRow, context: Context) -> ItemRow:
    """A comment on a photo: whoever sees the photo sees it; an album and a post may both list it."""
    below = comment._replace(
        item=context.ids.of("below", base_name(file.get("uri")), comment.created, comment.author),
        audience=row.audience,
        parent=row.item,
        thread=row.item,
        deleted=row.deleted,
    )
    return below._replace(text=None, spans=()) if row.deleted else below


def _post_row(
    value: dict[str, Any], files: list[dict[str, Any]], where: str, section: Section, context: Context
) -> ItemRow:
    names = tagged_names(value, where)
    text, spans = (None, []) if section.gone else unmarked(written(value, files, where), names)
    media = media_of(files, [f"facebook-name:{name}" for name in names], where)
    created = _created([value, *notes_of(value, where), *files], where)
    return ItemRow(
        item=_post_id(value, created, media[0].uri if media else None, context),
        author=context.owner.account,
        kind=section.kind or post_kind(text, media),
        audience=_audience(value, section.audience, context),
        created=created,
        text=text,
        spans=spans,
        group=_group(labelled(entries(value), GROUP), context),
        media=[] if section.gone else media,
        deleted=section.gone,
    )


def _post_id(value: Mapping[str, Any], created: int | None, uri: str | None, context: Context) -> str:
    """The platform's own id where there is one, else when, and the name of the first file."""
    native = value.get("fbid")
    if native:
        return context.ids.of("fbid", native)
    name = base_name(uri)
    return context.ids.of("post", created, name) if name else context.ids.numbered("post", created)


def _created(parts: list[dict[str, Any]], where: str) -> int | None:
    """The first time that is known, in microseconds."""
    keys = ("timestamp", "created_timestamp", "creation_timestamp")
    times = (seconds(part, key, where) for part in parts for key in keys)
    return next((time for time in times if time is not None), None)


def _audience(value: Mapping[str, Any], audience: str | None, context: Context) -> str | None:
    """What a label of the record says, else what its section says, else what the controller says."""
    if audience in {Audience.DIRECT, Audience.GROUP}:
        return audience
    said = labelled(entries(value), AUDIENCE)
    if said is None:
        return context.audiences[audience] if audience else None
    word = said.strip().casefold()
    known = ((PUBLIC, Audience.PUBLIC), (FRIENDS, Audience.FOLLOWERS), (ONLY_ME, Audience.DIRECT))
    return next((meaning for words, meaning in known if word in words), None)


def _group(name: str | None, context: Context) -> str | None:
    return None if name is None else context.ids.shared("group", name)


def comment_rows(member: Member, context: Context) -> Iterator[ItemRow]:
    """Every comment of one file."""
    for record in records(member):
        value, where = checked(record), record.where
        if value:
            data = [field(one, "comment", dict, where) for one in objects(value, "data", where)]
            yield _comment_row(value, next(filter(None, data), {}), where, context)


def _comment_row(value: dict[str, Any], comment: dict[str, Any], where: str, context: Context) -> ItemRow:
    """A comment; ``title`` says under whose post it stands, and stays out, because it only names people."""
    found, ids = entries(value), context.ids
    author = field(comment, "author", str, where)
    said = joined(field(comment, "comment", str, where), labelled(found, COMMENT), labelled(found, TEXT))
    text, spans = unmarked(said, tagged_names(value, where))
    created = _created([comment, value], where)
    group = field(comment, "group", str, where) or labelled(found, GROUP)
    return ItemRow(
        item=ids.of("fbid", value["fbid"]) if value.get("fbid") else ids.numbered("comment", created, author),
        author=named(author, "facebook", context.owner) if author else context.owner.account,
        kind=Kind.COMMENT,
        audience=Audience.GROUP if group else _audience(value, "comments_audience", context),
        created=created,
        text=text,
        spans=spans,
        group=_group(group, context),
        media=media_of(files_of(value, where), (), where),
    )
