"""The records of a Facebook export as items.

Invariants: a post that was archived or deleted has the id that it had before, so that its last reading wins;
what stands in a group has audience ``group``; a comment belongs to whoever the record names as its author.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from demur.sources.archive import Member
from demur.sources.base import ItemRow
from demur.sources.jsonstream import first_value, records, records_at
from demur.sources.meta.common import (
    Ids,
    Owner,
    base_name,
    checked,
    entries,
    field,
    joined,
    labelled,
    objects,
    post_kind,
    repaired,
    seconds,
)
from demur.sources.meta.facebook_text import files_of, media_of, notes_of, tagged_names, unmarked, written
from demur.sources.meta.labels import AUDIENCE, COMMENT, FRIENDS, GROUP, ONLY_ME, PUBLIC, TEXT
from demur.sources.meta.messages import named
from demur.terms import Audience, Kind


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


_POSTS: Final = "(?:posts|photos_and_videos)/"

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

COMMENTS: Final = r"(?:comments(?:_and_reactions)?|groups)/(?:your_)?(?:group_)?comments(?:_in_groups)?(?:_\d+)?\.json"
"""Comments, also those in groups, which say so."""


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
