"""A Slack workspace's export: its lists of conversations and people, and a file for each conversation and day.

Slack documents it under *How to read Slack data exports*; messages are those of its API (``message`` events), text is
*mrkdwn*. Invariants: a conversation is as private as the most private list that names it, and one that no list names
has an unknown audience; only ``channels.json`` lists conversations that may be public, and only the controller can say
that anybody may join the workspace; memory holds the lists and one message, whatever the size of the export.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Archive, Member
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.chats.common import Writer, checked, field, file, identifier, needed, objects, talk
from demur.sources.jsonstream import records
from demur.sources.limits import MIB
from demur.sources.sniffing import Glimpse
from demur.sources.text import microseconds
from demur.terms import Audience, Kind, Role

_DAYS: Final = r"[^/]+/\d{4}-\d\d-\d\d\.json"
_LISTS: Final = (
    ("channels", Audience.PUBLIC),
    ("groups", Audience.GROUP),
    ("mpims", Audience.DIRECT),
    ("dms", Audience.DIRECT),
)
"""The lists of conversations, each more private than the one before; ``public`` means: if the controller says so."""
_STAMP: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)
_ANGLED: Final = re.compile(r"<([^<>\n]+)>")
_WRITTEN: Final = frozenset(
    {
        None,
        "bot_message",
        "document_mention",
        "file_comment",
        "file_share",
        "me_message",
        "reply_broadcast",
        "thread_broadcast",
    }
)
"""Subtypes of messages that somebody, or somebody's program, wrote."""
_LOGGED: Final = re.compile(
    r"(?:channel|group|im|mpim|bot|app|joiner|reminder|pinned|unpinned|huddle|sh_room|tabbed|canvas|list|file"
    r"|external|conversation|guest|workflow|assistant)_\w+|ekm_access_denied|message_replied|hidden_by_limit"
)
"""Subtypes of lines that Slack wrote about what happened."""


class SlackOptions(Options):
    """``[sources.slack]`` of ``demur.toml``."""

    channels_audience: Literal["public", "unlisted", "followers", "group"] = "group"
    """Who can read the channels that every member of the workspace can join; ``public`` if anybody can join it."""


class SlackSource:
    """The adapter of Slack's workspace exports."""

    reads: ClassVar[str] = "a workspace's export of Slack: the zip, or its folder"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether days of channels stand beside the list of its people."""
        return seen.has(_DAYS, r"users\.json") and seen.has(r"channels\.json")

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read exports, each a zip or a folder, as batches of items.

        Raises:
            SourceError: when an export is broken, or is none of Slack.
        """
        parsed = SlackOptions.parse("slack", options)
        meter.expect(Path(path).stat().st_size if Path(path).is_file() else MIB for path in paths)
        return batches(row for path in paths for row in _export(path, parsed))


def _export(path: str, options: SlackOptions) -> Iterator[ItemRow]:
    with Archive([path]) as archive:
        days = archive.find(_DAYS)
        if not days:
            raise SourceError(
                f"{path}: there is no file like general/2026-03-01.json: give the JSON export of a Slack workspace."
            )
        meter.weigh(Path(path).stat().st_size if Path(path).is_file() else MIB, sum(day.size for day in days))
        people = _people(archive)
        conversations = _conversations(archive, options)
        for day in days:
            folder = unicodedata.normalize("NFC", day.name.split("/")[-2])  # zips of macOS hold names in NFD
            reader = _Reader(conversations.get(folder) or Conversation(folder), people)
            for record in records(day):
                yield from reader.rows(checked(record), record.where)


@dataclass(frozen=True)
class Conversation:
    """A channel, a private channel or a direct conversation."""

    id: str
    audience: str | None = None
    """Null where no list names it."""
    private: bool = False


def _conversations(archive: Archive, options: SlackOptions) -> dict[str, Conversation]:
    """Every conversation by the name of its folder, which is its name, or its id where it has none.

    Raises:
        SourceError: where two exports lie in one folder: whose channel is whose could not be told.
    """
    found: dict[str, Conversation] = {}
    for name, audience in _LISTS:
        for record in _listed(archive, rf"{name}\.json"):
            entry = checked(record)
            given = needed(entry, "id", record.where)
            private = audience is not Audience.PUBLIC or entry.get("is_private") is True
            widest = Audience.GROUP if audience is Audience.PUBLIC else audience
            one = Conversation(given, widest if private else options.channels_audience, private)
            found.update({unicodedata.normalize("NFC", key): one for key in (given, identifier(entry, "name")) if key})
    return found


def _listed(archive: Archive, pattern: str) -> Iterator[Any]:
    members: list[Member] = archive.find(pattern)
    if len(members) > 1:
        raise SourceError(f"{archive.label} holds the exports of {len(members)} workspaces: import each by itself.")
    for member in members:
        yield from records(member)


def _people(archive: Archive) -> dict[str, str]:
    """What Slack shows people as, by their ids."""
    people: dict[str, str] = {}
    for record in _listed(archive, r"(?:org_)?users\.json"):
        user = checked(record)
        profile = field(user, "profile", dict, record.where) or {}
        names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
        shown = next((name for name in names if isinstance(name, str) and name), None)
        if shown is not None:
            people[needed(user, "id", record.where)] = shown
    return people


@dataclass
class _Reader:
    """Reads the messages of one conversation."""

    conversation: Conversation
    people: Mapping[str, str]

    def rows(self, message: Mapping[str, Any], where: str) -> Iterator[ItemRow]:
        """The item that a record brings, edits or takes back; none for what Slack wrote."""
        subtype = identifier(message, "subtype")
        if subtype == "message_changed":
            yield from self.rows(field(message, "message", dict, where) or {}, where)
        elif subtype == "message_deleted":
            before = field(message, "previous_message", dict, where) or {}
            yield self._gone({**before, "ts": message.get("deleted_ts") or before.get("ts")}, where)
        elif subtype == "tombstone":
            yield self._gone(message, where)
        elif subtype in _WRITTEN or not _LOGGED.fullmatch(subtype or ""):
            yield self._item(message, where, known=subtype in _WRITTEN)

    def _gone(self, message: Mapping[str, Any], where: str) -> ItemRow:
        user = identifier(message, "user")
        author = None if user in {None, "USLACKBOT"} else f"slack:{user}"
        stamp = needed(message, "ts", where)
        return self._row(stamp, author, message, where)._replace(deleted=True)

    def _row(self, stamp: str, author: str | None, message: Mapping[str, Any], where: str) -> ItemRow:
        """What is known of a message besides what it says."""
        root = identifier(message, "thread_ts")
        answers = root is not None and root != stamp
        own, created = Kind.COMMENT if answers else Kind.POST, _time(stamp, where)
        return ItemRow(
            item=self._id(stamp),
            author=author,
            kind=Kind.MESSAGE if self.conversation.private else own,
            audience=self.conversation.audience,
            created=created,
            parent=self._id(root) if root is not None and answers else None,
            thread=self._id(root) if root is not None else talk(f"slack:{self.conversation.id}", created),
            group=f"slack:{self.conversation.id}",
        )

    def _item(self, message: Mapping[str, Any], where: str, *, known: bool) -> ItemRow:
        comment = field(message, "comment", dict, where) or {}
        ids = (identifier(message, "user"), identifier(comment, "user"), identifier(message, "bot_id"))
        given = next((one for one in ids if one), None)
        said = self._text(message, comment, where)
        row = self._row(needed(message, "ts", where), f"slack:{given}" if given else None, message, where)
        return row._replace(
            kind=row.kind if known else None,
            text=said.text,
            spans=said.spans,
            media=list(_files(message, where)),
        )

    def _text(self, message: Mapping[str, Any], comment: Mapping[str, Any], where: str) -> Writer:
        """What was written, and below it each message that it shares, marked as somebody else's."""
        writer = Writer()
        self._write(field(comment, "comment", str, where) or field(message, "text", str, where) or "", writer)
        role = Role.QUOTE if writer.length else Role.RESHARE
        for share in objects(message, "attachments", where):
            if share.get("is_share") is True or share.get("is_msg_unfurl") is True:
                self._share(share, writer, role, where)
        return writer

    def _share(self, share: Mapping[str, Any], writer: Writer, role: Role, where: str) -> None:
        """A shared message; one that names no author passes on no text."""
        author, name = identifier(share, "author_id"), identifier(share, "author_name")
        account = f"slack:{author}" if author else f"slack-name:{name}" if name else None
        text = field(share, "text", str, where)
        if text and account:
            writer.paragraph()
            start = writer.length
            self._write(text, writer)
            writer.mark(start, role, account)
        else:
            writer.mark(writer.length, role, account)

    def _write(self, mrkdwn: str, writer: Writer) -> None:
        """Slack's markup as plain text: ``<@U1>`` is a mention, ``<https://town.example|here>`` reads ``here``."""
        if "<" not in mrkdwn:
            writer.add(_plain(mrkdwn))
            return
        done = 0
        for match in _ANGLED.finditer(mrkdwn):
            writer.add(_plain(mrkdwn[done : match.start()]))
            done = match.end()
            target, _, label = match[1].partition("|")
            if target.startswith("@"):
                shown = self.people.get(target[1:]) or label.lstrip("@") or target[1:]
                writer.add(f"@{_plain(shown)}", Role.MENTION, f"slack:{target[1:]}")
            else:
                writer.add(_plain(_shown(target, label)))
        writer.add(_plain(mrkdwn[done:]))

    def _id(self, stamp: str) -> str:
        return f"slack:{self.conversation.id}/{stamp}"


def _files(message: Mapping[str, Any], where: str) -> Iterator[Media]:
    """The files of a message that were not taken away since."""
    single = field(message, "file", dict, where)
    for one in [*objects(message, "files", where), *([single] if single else [])]:
        uri = identifier(one, "url_private") or identifier(one, "permalink")
        if uri and identifier(one, "mode") not in {"tombstone", "hidden_by_limit"}:
            yield file(uri, identifier(one, "name"), identifier(one, "mimetype"), identifier(one, "alt_txt"))


def _plain(text: str) -> str:
    """Text without the three escapes that Slack knows."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if "&" in text else text


def _shown(target: str, label: str) -> str:
    """What Slack shows for a link, a channel, or a command such as ``<!here>``."""
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target


def _time(stamp: str, where: str) -> int:
    """A timestamp of Slack, seconds with six decimals, as microseconds.

    Raises:
        SourceError: when it is none.
    """
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise SourceError(f"{where}: 'ts' is no time like 1772000000.000100: export the workspace again.")
    return microseconds(match[1], where) + int((match[2] or "0").ljust(6, "0"))
