"""The records of an Instagram export as items, in the layouts since 2021.

Invariants: a post that was archived or deleted has the id that it had before, so that its last reading wins;
the text of an item is what its author wrote and nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from demur.sources.archive import Member
from demur.sources.base import ItemRow, Media
from demur.sources.jsonstream import Record, records
from demur.sources.meta.common import (
    Entry,
    Ids,
    Owner,
    base_name,
    checked,
    entries,
    field,
    handles,
    iso_time,
    joined,
    labelled,
    media_file,
    objects,
    post_kind,
    seconds,
    tell_unknown,
)
from demur.sources.meta.labels import COMMENT, MEDIA_OWNER, TEXT
from demur.terms import Audience, Kind

COMMENTS: Final = r"(?:comments/)?(?:post_|reels_)?comments(?:_\d+)?\.json"


class Context(NamedTuple):
    """What one export says about all of its items."""

    owner: Owner
    ids: Ids
    account_audience: str | None
    comments_audience: str | None


class Section(NamedTuple):
    """One kind of file in ``content/`` (or ``media/``, since 2023)."""

    pattern: str
    kind: Kind | None = None
    """None: the record decides, see :func:`demur.sources.meta.common.post_kind`."""
    audience: str | None = "account"
    """``account``: whoever may see the account; otherwise an :class:`Audience`, null if unknown."""
    gone: bool = False


_FOLDER: Final = "(?:content|media)/"

SECTIONS: Final = (
    Section(_FOLDER + r"posts(?:_\d+)?\.json"),
    Section(_FOLDER + r"igtv_videos(?:_\d+)?\.json"),
    Section(_FOLDER + r"stories(?:_\d+)?\.json", Kind.STORY),
    Section(_FOLDER + r"reels(?:_\d+)?\.json", Kind.REEL),
    Section(_FOLDER + r"profile_photos(?:_\d+)?\.json", Kind.PHOTO, Audience.PUBLIC),
    Section(_FOLDER + r"other_content(?:_\d+)?\.json", audience=None),
    Section(_FOLDER + r"\w*drafts?(?:_\d+)?\.json", audience=Audience.DIRECT),
    Section(_FOLDER + r"archived_\w+\.json", audience=Audience.DIRECT),
    Section(_FOLDER + r"recently_deleted_\w+\.json", gone=True),
)
"""In reading order: archived and deleted last, because a later row of the same id wins."""


def photo_id(ids: Ids, created: int | None, uri: str | None) -> str:
    """The id of a post: when, and the name of its first file; neither changes when its caption does."""
    return ids.of("media", created, base_name(uri)) if uri else ids.numbered("media", created)


def profile_row(biography: str, context: Context) -> ItemRow:
    """The biography, which everybody sees, also of a private account."""
    account = context.owner.account
    return ItemRow(
        item=context.ids.of("profile", account),
        author=account,
        kind=Kind.PROFILE,
        audience=Audience.PUBLIC,
        text=biography,
        spans=handles(biography, "instagram"),
    )


def section_rows(member: Member, section: Section, context: Context) -> Iterator[ItemRow]:
    """Every post, story, reel or photo of one file."""
    if section.gone or section.audience == Audience.DIRECT:
        context.ids.restart()
    for record in records(member):
        value = checked(record)
        if value:
            yield _section_row(value, record.where, section, context)


def _section_row(value: dict[str, Any], where: str, section: Section, context: Context) -> ItemRow:
    files = objects(value, "media", where) or ([value] if "uri" in value else [])
    uris = [uri for one in files if (uri := field(one, "uri", str, where))]
    media = [media_file(uri) for uri in uris]
    created = _created(value, files, where)
    text = None if section.gone else _caption(value, files, where)
    return ItemRow(
        item=photo_id(context.ids, created, uris[0] if uris else field(value, "fbid", str, where)),
        author=context.owner.account,
        kind=section.kind or post_kind(text, media),
        audience=context.account_audience if section.audience == "account" else section.audience,
        created=created,
        text=text,
        spans=handles(text, "instagram") if text else (),
        media=[] if section.gone else media,
        deleted=section.gone,
    )


def _caption(value: dict[str, Any], files: list[dict[str, Any]], where: str) -> str | None:
    """A carousel's caption is its own title, a single post's that of its file, since 2025 a labelled value."""
    titles = [field(one, "title", str, where) for one in [value, *files]]
    return joined(*titles, labelled(entries(value), TEXT))


def _created(value: dict[str, Any], files: list[dict[str, Any]], where: str) -> int | None:
    """The first time that is known, in microseconds."""
    times = (seconds(one, key, where) for one in (*files, value) for key in ("creation_timestamp", "timestamp"))
    return next((time for time in times if time is not None), None)


def comment_rows(member: Member, context: Context) -> Iterator[ItemRow]:
    """Every comment of one file, in any layout."""
    for record in records(member):
        comment = _flat(record) if isinstance(record.value, list) else _labelled(record)
        if comment is not None:
            yield _comment_row(comment, context)


class _Comment(NamedTuple):
    created: int | None
    text: str | None
    media_owner: str | None
    media: Sequence[Media] = ()


def _flat(record: Record) -> _Comment | None:
    """``[iso_time, text, owner]``, of 2020."""
    parts = [part if isinstance(part, str) and part else None for part in [*record.value, None, None, None][:3]]
    return _Comment(iso_time(parts[0], record.where), parts[1], parts[2])


def _labelled(record: Record) -> _Comment | None:
    value, where = checked(record), record.where
    found = entries(value)
    if not found:
        return None
    moments = [value.get("timestamp"), *(entry.moment for entry in found)]
    created = next((seconds({"t": moment}, "t", where) for moment in moments if moment), None)
    text, owner = _said(found, where.rpartition(", record")[0], by_order="string_map_data" in value)
    uris = (field(one, "uri", str, where) for one in objects(value, "media_list_data", where))
    return _Comment(created, text, owner, [media_file(uri) for uri in uris if uri])


def _said(found: Sequence[Entry], where: str, *, by_order: bool) -> tuple[str | None, str | None]:
    """The comment and the media's owner, by their labels; in an unknown language by the order of 2021 to 2024."""
    text, owner = labelled(found, COMMENT), labelled(found, MEDIA_OWNER)
    if by_order and text is None and owner is None:
        values = [entry.value for entry in found if entry.value]
        if len(values) == 2:  # noqa: PLR2004  # the comment stands before the owner in every export seen
            text, owner = values
    if text is None and owner is None:
        tell_unknown(found, "a comment", where)
    return text, owner


def _comment_row(comment: _Comment, context: Context) -> ItemRow:
    return ItemRow(
        item=context.ids.numbered("comment", comment.created, comment.media_owner),
        author=context.owner.account,
        kind=Kind.COMMENT,
        audience=_comment_audience(comment, context),
        created=comment.created,
        text=comment.text,
        spans=handles(comment.text, "instagram") if comment.text else (),
        media=comment.media,
    )


def _comment_audience(comment: _Comment, context: Context) -> str | None:
    """Under the owner's own post it is the account's; under another's only the controller may know."""
    own = comment.media_owner is not None and context.owner.account == f"instagram:{comment.media_owner.casefold()}"
    return context.account_audience if own else context.comments_audience
