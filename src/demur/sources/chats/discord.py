"""Channels of Discord as DiscordChatExporter writes them as JSON, a file for each channel or part of one.

The format is what ``JsonMessageWriter`` of that tool writes. Invariants: no export says who could read a channel of a
server, so that it is public only where the controller names it, and direct conversations and private threads never
are; a forwarded text, whose author no export names, is not passed on; memory holds one message and people's names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.chats.common import Writer, checked, field, file, identifier, iso_time, needed, objects, talk
from demur.sources.exports import LooseFile, members_at
from demur.sources.jsonstream import first_value, records_at
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Role

_PEEK: Final = 1 << 16
_GUILD: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"guild"\s*:')
_LOGGED: Final = frozenset(
    {
        "Call",
        "ChannelIconChange",
        "ChannelNameChange",
        "ChannelPinnedMessage",
        "GuildMemberJoin",
        "RecipientAdd",
        "RecipientRemove",
        "ThreadCreated",
    }
)
"""Types of messages that Discord wrote; the tool writes others of that kind as numbers, from 1 to 18."""
_LAST_LOGGED: Final = 18
_THREADS: Final = frozenset({"GuildPublicThread", "GuildNewsThread"})
_RAW: Final = re.compile(r"<@!?(\d+)>", re.ASCII)
_UNIQUE: Final = re.compile(r"[a-z0-9_.]{2,32}")
"""A user name since 2023, which nobody else has; other names are told apart by four digits behind ``#``."""
_LONGEST: Final = 100
"""Characters of a name that is looked for in a text; Discord's have at most 32."""


class DiscordOptions(Options):
    """``[sources.discord]`` of ``demur.toml``."""

    public_channels: Sequence[str] = ()
    """The channels that anybody can read, by id or name; their public threads are public, too."""


class DiscordSource:
    """The adapter of DiscordChatExporter's JSON."""

    reads: ClassVar[str] = "channels of Discord, as JSON of DiscordChatExporter: files, or a folder of them"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether a file begins as DiscordChatExporter writes it."""
        return _GUILD.match(seen.start(r"[^/]+\.json")) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read JSON files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or none is DiscordChatExporter's.
        """
        parsed = DiscordOptions.parse("discord", options)
        alike: dict[str, list[str]] = {}
        return batches(_rows(paths, frozenset(parsed.public_channels), alike), alike)


def _rows(paths: Sequence[str], public: frozenset[str], alike: dict[str, list[str]]) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = [member for member in members_at(paths, r"[^/]+\.json", stack) if _is_channel(member)]
        if not members:
            raise SourceError(f"{', '.join(paths)}: no file is of DiscordChatExporter: export with its format Json.")
        meter.expect(member.size for member in members)
        for member in members:
            reader = _Reader.of(member, public, alike)
            for record in records_at(member, "messages.item"):
                yield from reader.rows(checked(record), record.where)


def _is_channel(member: Member) -> bool:
    """Whether a file begins as the tool's do; one that was given by itself is read in any case."""
    with member.open() as opened:
        return _GUILD.match(opened.peek(_PEEK)) is not None or isinstance(member, LooseFile)


@dataclass(frozen=True)
class _Reader:
    """Reads the messages of one channel."""

    channel: str
    kind: Kind | None
    audience: Audience | None
    alike: dict[str, list[str]]

    @classmethod
    def of(cls, member: Member, public: frozenset[str], alike: dict[str, list[str]]) -> "_Reader":
        """The reader of a file.

        Raises:
            SourceError: where the file doesn't say which channel it is of.
        """
        head = first_value(member, "channel")
        if not isinstance(head, dict):
            raise SourceError(f"{member.where} has no 'channel': export with DiscordChatExporter, in its format Json.")
        channel, kind = needed(head, "id", member.where), identifier(head, "type") or ""
        names = [channel, identifier(head, "name")]
        if kind in _THREADS:
            names += [identifier(head, "categoryId"), identifier(head, "category")]
        return cls(channel, *_audience(kind, named=not public.isdisjoint(names)), alike)

    def rows(self, message: Mapping[str, Any], where: str) -> Iterator[ItemRow]:
        """The item that a record is; none for what Discord wrote."""
        kind = identifier(message, "type") or "Default"
        number = int(kind) if len(kind) < 4 and kind.isdecimal() else 0  # noqa: PLR2004  # three digits will do
        if kind not in _LOGGED and not 0 < number <= _LAST_LOGGED:
            yield self._item(message, where)

    def _item(self, message: Mapping[str, Any], where: str) -> ItemRow:
        given = needed(message, "id", where)
        reference = field(message, "reference", dict, where) or {}
        forwarded = field(message, "forwardedMessage", dict, where) is not None
        parent = None if forwarded or identifier(reference, "type") == "Forward" else identifier(reference, "messageId")
        people = [self._known(person) for person in objects(message, "mentions", where)]
        text, spans = _text(field(message, "content", str, where) or "", people)
        if forwarded:
            spans.append(Span(len(text), len(text), Role.RESHARE, None))
        created = iso_time(field(message, "timestamp", str, where), where)
        return ItemRow(
            item=f"discord:{given}",
            author=self._known(field(message, "author", dict, where) or {})[0],
            kind=Kind.COMMENT if parent and self.kind is Kind.POST else self.kind,
            audience=self.audience,
            created=created,
            text=text,
            spans=spans,
            parent=f"discord:{parent}" if parent else None,
            thread=talk(f"discord:{self.channel}", created),
            group=f"discord:{self.channel}",
            media=list(_files(message, where)),
        )

    def _known(self, person: Mapping[str, Any]) -> tuple[str | None, list[str]]:
        """A person's account and the names they are shown by; the account is learnt to be that of the unique name."""
        given, name = identifier(person, "id"), identifier(person, "name")
        if given is None:
            return None, []
        account = f"discord:{given}"
        if name and account not in self.alike and person.get("isBot") is not True:
            digits = (identifier(person, "discriminator") or "0").strip("0")
            if digits or _UNIQUE.fullmatch(name):
                self.alike[account] = [f"discord:{name}#{digits.zfill(4)}" if digits else f"discord:{name}"]
        return account, [shown for shown in (identifier(person, "nickname"), name) if shown]


def _audience(kind: str, *, named: bool) -> tuple[Kind | None, Audience | None]:
    """What the messages of a type of channel are, and who reads them; ``named`` as one that anybody can read."""
    if kind.startswith("Direct"):
        return Kind.MESSAGE, Audience.DIRECT
    if kind == "GuildPrivateThread":
        return Kind.MESSAGE, Audience.GROUP
    if kind.startswith("Guild"):
        return Kind.POST, Audience.PUBLIC if named else Audience.GROUP
    return None, None


def _text(content: str, people: Sequence[tuple[str | None, list[str]]]) -> tuple[str, list[Span]]:
    """A text with a mention span for each person it mentions, an empty one for whom it does not show."""
    writer = Writer()
    shown = {account: names[0] for account, names in people if account and names}
    names = {f"@{name}"[:_LONGEST]: account for account, known in reversed(people) for name in reversed(known)}
    lengths = sorted({len(name) for name in names}, reverse=True)
    done = 0
    for match in _RAW.finditer(content):
        _named(content[done : match.start()], writer, names, lengths)
        account = f"discord:{match[1]}"
        writer.add(f"@{shown.get(account, match[1])}", Role.MENTION, account)
        done = match.end()
    _named(content[done:], writer, names, lengths)
    found = {span.account for span in writer.spans}
    return writer.text, writer.spans + [
        Span(0, 0, Role.MENTION, account) for account, _ in people if account and account not in found
    ]


def _named(text: str, writer: Writer, names: Mapping[str, str | None], lengths: Sequence[int]) -> None:
    """Add a text in which the tool wrote each mention as an ``@`` and the name that Discord shows."""
    done = at = 0
    while lengths and (at := text.find("@", at)) >= 0:
        name = next((text[at : at + length] for length in lengths if text[at : at + length] in names), None)
        if name is not None:
            writer.add(text[done:at])
            writer.add(name, Role.MENTION, names[name])
            done = at + len(name)
        at = max(at + 1, done)
    writer.add(text[done:])


def _files(message: Mapping[str, Any], where: str) -> Iterator[Media]:
    for one in objects(message, "attachments", where):
        if uri := identifier(one, "url"):
            yield file(uri, identifier(one, "fileName"))
