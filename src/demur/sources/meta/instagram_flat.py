"""Instagram's layout of 2020: a few JSON files side by side, in right UTF-8 and with ISO 8601 times.

Invariants: these strings are not repaired, because they are not broken; the files that ``media.json`` lists as
``direct`` belong to messages of ``messages.json``, which are counted there, once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from demur.sources.archive import Archive, Member
from demur.sources.base import ItemRow
from demur.sources.jsonstream import Record, first_value, records, records_at
from demur.sources.meta.common import Entry, field, handles, iso_time, joined, media_file, post_kind
from demur.sources.meta.instagram_items import Context, photo_id
from demur.sources.text import Span
from demur.terms import Audience, Kind, Role

PROFILE: Final = r"profile\.json"
_MEDIA: Final = r"media\.json"
_MESSAGES: Final = r"messages\.json"
_ALBUMS: Final = {"photos": None, "videos": None, "stories": Kind.STORY, "profile": Kind.PHOTO}
"""The lists of ``media.json`` that are content, and their kind where the list alone decides it."""


def files(archive: Archive) -> list[Member]:
    """The content files of this layout (comments are found for every layout alike)."""
    return [*archive.find(_MEDIA), *archive.find(_MESSAGES)]


def profile(member: Member) -> list[Entry]:
    """``profile.json`` with the labels that later layouts use."""
    value = first_value(member)
    if not isinstance(value, dict) or not isinstance(value.get("username"), str):
        return []
    private = value.get("private_account")
    said = {"username": value["username"], "name": value.get("name"), "bio": value.get("biography")}
    if isinstance(private, bool):
        said["private account"] = str(private)
    return [Entry(label, text) for label, text in said.items() if isinstance(text, str) and text]


def rows(found: Sequence[Member], context: Context) -> Iterator[ItemRow]:
    """Every item of ``media.json`` and ``messages.json``."""
    for member in found:
        if member.name.endswith("media.json"):
            for album, kind in _ALBUMS.items():
                for record in records(member, album):
                    yield _media_row(record, album, kind, context)
        else:
            for record in records_at(member, "item.conversation.item"):
                yield _message_row(record, context)


def _media_row(record: Record, album: str, kind: Kind | None, context: Context) -> ItemRow:
    where = record.where
    value = _object(record)
    text, uri = field(value, "caption", str, where), field(value, "path", str, where)
    created = iso_time(value.get("taken_at"), where)
    media = [media_file(uri)] if uri else []
    return ItemRow(
        item=photo_id(context.ids, created, uri),
        author=context.owner.account,
        kind=kind or post_kind(text, media),
        audience=_audience(value, album, context),
        created=created,
        text=text,
        spans=handles(text, "instagram") if text else (),
        media=media,
    )


def _audience(value: Mapping[str, Any], album: str, context: Context) -> str | None:
    """A profile photo is public, also of a private account; a former one is seen by nobody else."""
    if album == "profile":
        return Audience.PUBLIC if value.get("is_active_profile") is not False else Audience.DIRECT
    return context.account_audience


def _message_row(record: Record, context: Context) -> ItemRow:
    where = record.where
    value = _object(record)
    sender = field(value, "sender", str, where)
    created = iso_time(value.get("created_at"), where)
    text, spans = _message_text(value, where)
    return ItemRow(
        item=context.ids.numbered("message", created, sender),
        author=None if sender is None else f"instagram:{sender}",
        kind=Kind.MESSAGE,
        audience=Audience.DIRECT,
        created=created,
        text=text,
        spans=spans,
    )


def _message_text(value: Mapping[str, Any], where: str) -> tuple[str | None, Sequence[Span]]:
    """What was written, and below it the caption of what was shared, marked as its owner's."""
    written = field(value, "text", str, where)
    shared = field(value, "media_share_caption", str, where)
    if not shared:
        return written, handles(written, "instagram") if written else ()
    whole = joined(written, shared) or shared
    owner = field(value, "media_owner", str, where)
    account = None if owner is None else f"instagram:{owner}"
    return whole, [Span(len(whole) - len(shared), len(whole), Role.RESHARE, account)]


def _object(record: Record) -> Mapping[str, Any]:
    return field({"record": record.value}, "record", dict, record.where) or {}
