"""The direct messages of Instagram and Facebook, which share one layout since 2021.

Invariants: every message is one item with audience ``direct``, so that the door counts each and lets none in;
an unsent message is an item that the source says is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from demur.sources.archive import Archive, Member
from demur.sources.base import ItemRow
from demur.sources.jsonstream import Record, records
from demur.sources.meta.common import Ids, Owner, checked, field, joined, media_file, objects
from demur.sources.text import Span, microseconds
from demur.terms import Audience, Kind, Role

PATTERN: Final = r"messages/[^/]+/[^/]+/message_\d+\.json"
_FILES: Final = ("photos", "videos", "gifs", "audio_files", "files")


def message_files(archive: Archive) -> list[Member]:
    """The files of every folder of messages: inbox, archived, filtered, requests, end-to-end encrypted."""
    return archive.find(PATTERN)


def message_rows(member: Member, platform: str, owner: Owner, ids: Ids) -> Iterator[ItemRow]:
    """Every message of one ``message_N.json``."""
    thread = member.name.split("/")[-2]
    for record in records(member, "messages"):
        yield _row(record, thread, platform, owner, ids)


def _row(record: Record, thread: str, platform: str, owner: Owner, ids: Ids) -> ItemRow:
    message, where = checked(record), record.where
    sender = field(message, "sender_name", str, where)
    milliseconds = field(message, "timestamp_ms", int, where)
    gone = message.get("is_unsent") is True
    text, spans = _text(message, platform, where)
    return ItemRow(
        item=ids.numbered("message", thread, milliseconds, sender),
        author=named(sender, platform, owner),
        kind=Kind.MESSAGE,
        audience=Audience.DIRECT,
        created=None if milliseconds is None else microseconds(milliseconds / 1000, where),
        text=None if gone else text,
        spans=() if gone else spans,
        thread=ids.of("thread", thread),
        media=() if gone else [media_file(uri) for uri in _uris(message, where)],
        deleted=gone,
    )


def named(name: str | None, platform: str, owner: Owner) -> str | None:
    """The account of somebody whom an export calls by name only: the owner's, or one in a namespace of names.

    An account ``facebook-name:<name>`` matches only a member whose name was linked to them as such.
    """
    if name is not None and name == owner.name and owner.account is not None:
        return owner.account
    return None if name is None else f"{platform}-name:{name}"


def _text(message: Mapping[str, Any], platform: str, where: str) -> tuple[str | None, Sequence[Span]]:
    """What was written, and below it what was shared, marked as somebody else's."""
    written = field(message, "content", str, where)
    share = field(message, "share", dict, where) or {}
    shared = field(share, "share_text", str, where)
    if not shared:
        return written, ()
    whole = joined(written, shared) or shared
    owner = field(share, "original_content_owner", str, where)
    account = None if owner is None else _shared_from(owner, platform)
    return whole, [Span(len(whole) - len(shared), len(whole), Role.RESHARE, account)]


def _shared_from(owner: str, platform: str) -> str:
    return f"instagram:{owner}" if platform == "instagram" else f"{platform}-name:{owner}"


def _uris(message: Mapping[str, Any], where: str) -> Iterator[str]:
    files = [one for kind in _FILES for one in objects(message, kind, where)]
    sticker = field(message, "sticker", dict, where)
    for one in [*files, *([sticker] if sticker else [])]:
        uri = field(one, "uri", str, where)
        if uri:
            yield uri
