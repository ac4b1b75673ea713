"""What Telegram Desktop exports as JSON: ``result.json`` of one chat, or of a whole account.

The format is what Telegram Desktop writes (``export_output_json.cpp`` in its source). Invariants: only chats that the
export calls public are public, and a chat of a type that is not known has an unknown audience; a forwarded text belongs
to whom it is from, and one that is from nobody known is not passed on; memory holds one message and, of an account, the
type and the id of each chat.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, ClassVar, Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.attached import Attached
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.chats.common import (
    Writer,
    checked,
    field,
    file,
    identifier,
    iso_time,
    needed,
    objects,
    talk,
    zone,
)
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record, first_value, heads, records_at
from demur.sources.sniffing import Glimpse
from demur.sources.text import microseconds
from demur.terms import Audience, Kind, Role

_PEEK: Final = 1 << 16
_SINGLE: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:name|type|id|messages)"\s*:')
_LISTS: Final = ("chats.list.item", "left_chats.list.item")
_TYPES: Final = {
    "public_channel": (Kind.POST, Audience.PUBLIC),
    "public_supergroup": (Kind.POST, Audience.PUBLIC),
    "private_channel": (Kind.MESSAGE, Audience.GROUP),
    "private_supergroup": (Kind.MESSAGE, Audience.GROUP),
    "private_group": (Kind.MESSAGE, Audience.GROUP),
    "personal_chat": (Kind.MESSAGE, Audience.DIRECT),
    "bot_chat": (Kind.MESSAGE, Audience.DIRECT),
    "saved_messages": (Kind.MESSAGE, Audience.DIRECT),
    "replies": (Kind.MESSAGE, Audience.DIRECT),
    "verification_codes": (Kind.MESSAGE, Audience.DIRECT),
}
_LOGGED: Final = frozenset({"service", "unsupported"})
_USER: Final = re.compile(r"telegram:user(\d+)", re.ASCII)
_LINK: Final = re.compile(
    r"tg://user\?id=(?P<id>\d+)|(?:https?://)?(?:t|telegram)\.me/(?P<name>[A-Za-z]\w{3,31})/?", re.ASCII
)
_MISSING: Final = "("
"""How the words begin that stand for a file which was not exported, as in ``(File not included. ...)``."""


class TelegramOptions(Options):
    """``[sources.telegram]`` of ``demur.toml``."""

    timezone: str = "UTC"
    """Of the computer that exported, a name of the IANA database: old exports have its times, without an offset."""


class TelegramSource:
    """The adapter of Telegram Desktop's exports."""

    reads: ClassVar[str] = "an export of Telegram Desktop, as JSON: result.json, or its folder"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether a file has messages as Telegram Desktop writes them."""
        start = seen.start(r".*" if seen.alone else r"result\.json")
        return b'"from_id"' in start or (b'"messages"' in start and b'"date_unixtime"' in start)

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read exports, each a JSON file, or a folder or zip with a ``result.json``, as batches of items.

        Raises:
            SourceError: when an export is broken, or is none of Telegram Desktop.
        """
        parsed = TelegramOptions.parse("telegram", options)
        return batches(_rows(paths, zone(parsed.timezone, "telegram")), Spellings())

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> Attached:  # noqa: ARG002  # the protocol's
        """The files of the exports; see :class:`demur.sources.base.Pictured`."""
        return Attached(paths)


class Spellings(Mapping[str, Sequence[str]]):
    """Exports write ``user123`` for the account whose id is 123: both name it."""

    def __getitem__(self, account: str) -> Sequence[str]:
        if match := _USER.fullmatch(account):
            return [f"telegram:{match[1]}"]
        raise KeyError(account)

    def __iter__(self) -> Iterator[str]:
        """None can be listed: whoever is named is known."""
        return iter(())

    def __len__(self) -> int:
        return 1


def _rows(paths: Sequence[str], where: tzinfo) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = list(members_at(paths, r"result\.json", stack))
        if not members:
            raise SourceError(f"{', '.join(paths)}: there is no result.json: export from Telegram Desktop as JSON.")
        single = [_is_single(member) for member in members]
        meter.expect(member.size for member in members)
        for member, alone in zip(members, single, strict=True):
            for reader, record in _chat(member, where) if alone else _account(member, where):
                yield from reader.rows(checked(record), record.where)


def _is_single(member: Member) -> bool:
    """Whether a file is the export of one chat, which begins with the chat's name, type or id."""
    with member.open() as opened:
        return _SINGLE.match(opened.peek(_PEEK)) is not None


def _chat(member: Member, where: tzinfo) -> Iterator[tuple["_Reader", Record]]:
    head = {key: first_value(member, key) for key in ("type", "id")}
    reader = _Reader.of(head, member.where, where)
    for record in records_at(member, "messages.item"):
        yield reader, record


def _account(member: Member, where: tzinfo) -> Iterator[tuple["_Reader", Record]]:
    """The messages of every chat of an account, with the reader of each chat.

    The file is read twice: a chat's messages come by themselves, so what it is has to be known before.
    """
    found = list(heads(member, _LISTS, ("type", "id"), "messages"))
    lists = {prefix: records_at(member, f"{prefix}.messages.item", weighed=True) for prefix in _LISTS}
    for prefix, head in found:
        reader = _Reader.of(head.values, member.where, where)
        for _ in range(head.records):
            yield reader, next(lists[prefix])
    if not found:
        raise SourceError(f"{member.where} holds no chat: export from Telegram Desktop as JSON, with messages.")


@dataclass(frozen=True)
class _Reader:
    """Reads the messages of one chat."""

    chat: str
    kind: Kind | None
    audience: Audience | None
    zone: tzinfo

    @classmethod
    def of(cls, head: Mapping[str, Any], where: str, zone: tzinfo) -> "_Reader":
        """The reader of a chat whose type and id are known; a type that demur does not know leaves both open."""
        kind, audience = _TYPES.get(identifier(head, "type") or "", (None, None))
        return cls(needed(head, "id", where), kind, audience, zone)

    def rows(self, message: Mapping[str, Any], where: str) -> Iterator[ItemRow]:
        """The item that a record is; none for what Telegram wrote about what happened."""
        if identifier(message, "type") not in _LOGGED:
            yield self._item(message, where)

    def _item(self, message: Mapping[str, Any], where: str) -> ItemRow:
        parent = identifier(message, "reply_to_message_id")
        writer = Writer()
        passed_on = _write(message, writer, where)
        written = identifier(message, "type") in {"message", None}
        kind = Kind.COMMENT if parent is not None and self.kind is Kind.POST else self.kind
        created = self._time(message, where)
        return ItemRow(
            item=f"telegram:{self.chat}/{needed(message, 'id', where)}",
            author=_author(message),
            kind=kind if written else None,
            audience=self.audience,
            created=created,
            text=writer.text,
            spans=writer.spans,
            parent=None if parent is None else f"telegram:{_peer(message) or self.chat}/{parent}",
            thread=talk(f"telegram:{self.chat}", created),
            group=f"telegram:{self.chat}",
            media=list(_files(message)) if passed_on else (),
        )

    def _time(self, message: Mapping[str, Any], where: str) -> int | None:
        seconds = identifier(message, "date_unixtime")
        if seconds is not None:
            return microseconds(seconds, where)
        return iso_time(field(message, "date", str, where), where, self.zone)


def _author(message: Mapping[str, Any]) -> str | None:
    """Who wrote a message: in a channel whoever signed it, else the channel."""
    signed = identifier(message, "author")
    return f"telegram-name:{signed}" if signed else _account_of(message, "from")


def _account_of(message: Mapping[str, Any], key: str) -> str | None:
    """The account in ``key_id``, as ``user123``, or of whom only the name in ``key`` is known."""
    given, name = message.get(f"{key}_id"), identifier(message, key)
    if isinstance(given, int) and not isinstance(given, bool):
        return f"telegram:user{given}"  # as exports of 2020 write it
    return f"telegram:{given}" if isinstance(given, str) and given else f"telegram-name:{name}" if name else None


def _peer(message: Mapping[str, Any]) -> str | None:
    """The other chat in which the message stands that this one answers."""
    peer = identifier(message, "reply_to_peer_id")
    return peer and re.sub(r"^(?:channel|chat|user)", "", peer)


def _write(message: Mapping[str, Any], writer: Writer, where: str) -> bool:
    """Write what a message says; whether it may be passed on: not what is forwarded from nobody known."""
    if "forwarded_from" not in message and "forwarded_from_id" not in message:
        _say(message, writer, where)
        return True
    account = _account_of(message, "forwarded_from")
    if account is not None:
        _say(message, writer, where)
    writer.mark(0, Role.RESHARE, account)
    return account is not None


def _say(message: Mapping[str, Any], writer: Writer, where: str) -> None:
    text = message.get("text")
    if isinstance(text, str):
        writer.add(text)
    else:
        for part in field(message, "text", list, where) or ():
            _part(part, writer)
    poll = field(message, "poll", dict, where)
    if poll is None:
        return
    for words in (identifier(poll, "question"), *(identifier(one, "text") for one in objects(poll, "answers", where))):
        if words:
            writer.paragraph()
            writer.add(words)


def _part(part: object, writer: Writer) -> None:
    """A part of a text: plain, or an entity whose type says what it is."""
    if not isinstance(part, dict):
        writer.add(part if isinstance(part, str) else "")
        return
    text = identifier(part, "text") or ""
    kind = identifier(part, "type")
    if kind == "mention":
        writer.add(text, Role.MENTION, f"telegram:{text.removeprefix('@')}")
    elif kind == "mention_name":
        user = identifier(part, "user_id")
        writer.add(text, Role.MENTION, user and f"telegram:user{user.removeprefix('user')}")
    elif kind in {"link", "text_link"} and (link := _LINK.fullmatch(identifier(part, "href") or text)):
        writer.add(text, Role.MENTION, f"telegram:{link['name'] or 'user' + link['id']}")
    elif kind == "blockquote":
        writer.add(text, Role.QUOTE)
    else:
        writer.add(text)


def _files(message: Mapping[str, Any]) -> Iterator[Media]:
    photo, other = identifier(message, "photo"), identifier(message, "file")
    if photo and not photo.startswith(_MISSING):
        yield file(photo)
    if other and not other.startswith(_MISSING):
        yield file(other, identifier(message, "file_name"), identifier(message, "mime_type"))
