"""Notes that Misskey exports for an account: ``notes-2026-03-01-10-00-00.json``, and those of its forks.

``ExportNotesProcessorService.ts`` of Misskey writes the file: a list of the account's notes, which says nothing of
whose they are. Firefish adds ``files``; Sharkey's archive of an account (``ExportAccountDataProcessorService.ts``) has
the notes under ``notes`` in ``notes.json``, and ``user.json`` beside it. Notes of Misskey's API are read as well.

Invariants: a note's author is whom it or its archive names, else whom the options name, else nobody; a note that was
kept to its server is never public; whoever a handle names has a mention; a renote passes on nothing but what its file
shows of somebody it names. Each file is read note by note, so that memory does not grow with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, Final, NamedTuple

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.as2.values import NAMESPACE, handle, host_at, host_of, objects, published, string, values
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record, first_value, records
from demur.sources.markup import mfm
from demur.sources.markup.names import Names
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Reason, Role

_NOTES: Final = r"notes[^/]*\.json(?:\.(?:gz|bz2|zst))?"
_USER: Final = r"user\.json"
_IS_USER: Final = re.compile(rf"(?:.*/)?{_USER}", re.IGNORECASE)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PEEK: Final = 1 << 16
_SIGNS: Final = (b'"visibility"', b'"renoteId"', b'"replyId"', b'"localOnly"')
_AUDIENCES: Final[Mapping[str, Audience]] = {
    "public": Audience.PUBLIC,
    "home": Audience.UNLISTED,
    "followers": Audience.FOLLOWERS,
    "specified": Audience.DIRECT,
    "hidden": Audience.DIRECT,  # of old forks: only the author sees it
}
_OPEN: Final = frozenset((Audience.PUBLIC, Audience.UNLISTED))


class MisskeyOptions(Options):
    """``[sources.misskey]`` of ``demur.toml``."""

    account: str | None = None
    """Whose notes they are, ``@ann@town.example``, where the export does not say: no ``notes-*.json`` does."""
    host: str | None = None
    """The server of notes whose author is known without one, as those of its API are; else that of ``account``."""


class MisskeySource:
    """The adapter of Misskey's exported notes."""

    reads: ClassVar[str] = "notes of Misskey and its forks: notes-*.json, Sharkey's account archive, notes of the API"
    stated: ClassVar[Mapping[str, str]] = {Reason.UNKNOWN_AUTHOR: 'account = "@name@server"'}

    def sniff(self, seen: Glimpse) -> bool:
        """Whether the first file has notes as Misskey writes them."""
        start = seen.start(r".*" if seen.alone else _NOTES)
        return all(sign in start for sign in _SIGNS)

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or holds no notes.
        """
        parsed = MisskeyOptions.parse("misskey", options)
        account = parsed.account and handle(parsed.account)
        if parsed.account and account is None:
            raise SourceError(
                "demur.toml, [sources.misskey]: 'account' is no handle: write one like @ann@town.example."
            )
        return batches(_rows(paths, _Owner(account, (parsed.host or host_of(account)).lower())))


class _Owner(NamedTuple):
    """Whose notes they are."""

    account: str | None
    host: str
    """Of the server that wrote them; empty if unknown."""


def _rows(paths: Sequence[str], stated: _Owner) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = members_at(paths, f"{_NOTES}|{_USER}", stack)
        users = {_folder(each): each for each in members if _IS_USER.fullmatch(each.name)}
        notes = [each for each in members if not _IS_USER.fullmatch(each.name)]
        if not notes:
            raise SourceError(f"{', '.join(paths)}: there is no notes-*.json: give the notes that Misskey exports.")
        meter.expect(each.size for each in notes)
        for member in notes:
            reader = _Reader(_owner(users.get(_folder(member)), stated))
            for record in records(member, "notes"):
                yield reader.item(record)


def _folder(member: Member) -> str:
    return member.name.rpartition("/")[0]


def _owner(user: Member | None, stated: _Owner) -> _Owner:
    """Whose archive it is, by the ``user.json`` beside its notes; else whose the options say."""
    if user is None:
        return stated
    host = string(first_value(user, "host")).lower()
    person = next((record.value for record in records(user, "user")), None)
    name = string(person.get("username")) if isinstance(person, dict) else ""
    account = handle(f"{name}@{host}")
    if account is None:
        raise SourceError(f"{user.where} names no account and server: export the account again.")
    return _Owner(account, host)


class _Reader:
    """Reads the notes of one file."""

    def __init__(self, owner: _Owner) -> None:
        self._owner = owner
        self._names = Names(self._named)

    def item(self, record: Record) -> ItemRow:
        """A note as an item.

        Raises:
            SourceError: for what is no note.
        """
        note, where = record
        if not isinstance(note, dict) or not _ID.fullmatch(string(note.get("id"))) or "visibility" not in note:
            raise SourceError(f"{where} is no note of Misskey: give the notes-*.json that it exports.")
        text, spans = self._text(note)
        audience = _audience(note)
        answered, renoted = self._id(note.get("replyId")), self._id(note.get("renoteId"))
        passes_on = renoted is not None and not _says(note)
        return ItemRow(
            item=str(self._id(note["id"])),
            author=self._author(note) or self._owner.account,
            kind=_kind(note, answers=answered is not None),
            audience=audience,
            created=published({"published": note.get("createdAt")}),
            text=text,
            spans=spans,
            parent=renoted if passes_on else answered,
            group=self._id(note.get("channelId"), "channels"),
            media=_media(note),
            deleted=bool(note.get("deletedAt")),
        )

    def _text(self, note: Mapping[str, Any]) -> tuple[str, list[Span]]:
        """The warning, the words and the choices of a note, and below them what it shows of the note it passes on."""
        text, spans = self._own(note)
        renoted = note.get("renote")
        if note.get("renoteId") is None and not isinstance(renoted, dict):
            return text, spans
        role = Role.QUOTE if _says(note) else Role.RESHARE
        shown = renoted if isinstance(renoted, dict) else {}
        wrote = self._author(shown)
        if wrote is None:
            return text, [*spans, Span(len(text), len(text), role, None)]
        words, inner = self._own(shown)
        return _joined([(text, spans), (words, [Span(0, len(words), role, wrote), *inner])])

    def _own(self, note: Mapping[str, Any]) -> tuple[str, list[Span]]:
        parts = (string(note.get("cw")), string(note.get("text")), "\n".join(_choices(note)))
        return _joined([mfm.to_plain(part, self._names) for part in parts if part])

    def _author(self, note: Mapping[str, Any]) -> str | None:
        """Whom a note of the API names as its author."""
        user = note.get("user")
        if not isinstance(user, dict) or not string(user.get("username")):
            return None
        return handle(f"{user['username']}@{string(user.get('host')) or self._host(note)}")

    def _host(self, note: Mapping[str, Any]) -> str:
        return self._owner.host or host_at(string(note.get("url")) or string(note.get("uri"))) or ""

    def _named(self, name: str) -> str | None:
        return handle(name if "@" in name else f"{name}@{self._owner.host}")

    def _id(self, given: object, kind: str = "notes") -> str | None:
        """The id of a note or channel: its address at the server, as other software knows it."""
        if not isinstance(given, str) or not given:
            return None
        return f"{NAMESPACE}:https://{self._owner.host}/{kind}/{given}" if self._owner.host else f"misskey:{given}"


def _joined(parts: Sequence[tuple[str, list[Span]]]) -> tuple[str, list[Span]]:
    """Texts as paragraphs of one, their spans moved along."""
    text, spans = "", list[Span]()
    for more, own in parts:
        text += "\n\n" if text and more else ""
        spans += [span._replace(start=span.start + len(text), end=span.end + len(text)) for span in own]
        text += more
    return text, spans


def _says(note: Mapping[str, Any]) -> bool:
    """Whether a note has something of its own, so that a renote in it is quoted."""
    return any(note.get(key) for key in ("text", "cw", "fileIds", "files", "poll"))


def _audience(note: Mapping[str, Any]) -> Audience | None:
    """Who can read a note; None for a word that is not known. What stays on its server is of its members."""
    audience = _AUDIENCES.get(string(note.get("visibility")))
    return Audience.GROUP if audience in _OPEN and note.get("localOnly") is not False else audience


def _kind(note: Mapping[str, Any], *, answers: bool) -> Kind:
    if note["visibility"] == "specified":
        return Kind.MESSAGE
    return Kind.COMMENT if answers else Kind.POST


def _choices(note: Mapping[str, Any]) -> Iterator[str]:
    """The choices of a poll: words in an export, objects in the API."""
    poll = note.get("poll")
    for one in values(poll.get("choices")) if isinstance(poll, dict) else ():
        if choice := string(one.get("text")) if isinstance(one, dict) else string(one):
            yield choice


def _media(note: Mapping[str, Any]) -> list[Media]:
    found = ((string(one.get("url")), one) for one in objects(note.get("files")))
    return [
        Media(url, string(one.get("type")) or None, string(one.get("comment")) or None) for url, one in found if url
    ]
