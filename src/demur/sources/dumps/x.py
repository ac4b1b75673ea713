"""An archive of X, formerly Twitter: ``data/tweets.js`` and its neighbours, in a zip or the folder it was unpacked to.

The archive's own README.txt documents its files, and the object of a tweet is that of the API, version 1.1: entities
are placed by code points of ``full_text``, in which ``&``, ``<`` and ``>`` are escaped.

Invariants: what its owner posted and passed on is told apart: a retweet is a reshare of whom it names; everybody whom
a tweet names or answers has a span; deleted tweets and earlier versions of an edited one are items that are gone;
direct messages are read as what they are. Each file is read record by record, so that memory does not grow with it.
"""

import bisect
import contextlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record, records
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Reason, Role

NAMESPACE: Final = "x"

_TWEETS: Final = r"(?:deleted-|community-)?tweets?(?:-part\d+)?\.js"
_NOTES: Final = r"(?:deleted-)?note-tweets?(?:-part\d+)?\.js"
_MESSAGES: Final = r"direct-messages?(?:-group)?(?:-part\d+)?\.js"
_ACCOUNT: Final = r"account\.js"
_PROTECTED: Final = r"protected-history\.js"
_POSTED: Final = f"{_TWEETS}|{_NOTES}|{_MESSAGES}"
_READ: Final = f"{_POSTED}|{_ACCOUNT}|{_PROTECTED}"

_IS_POSTED: Final = re.compile(rf"(?:.*/)?(?:{_POSTED})", re.IGNORECASE)

_ASSIGNED: Final = re.compile(rb"\s*window\.YTD\.\w+\.part\d+\s*=\s*")
_ESCAPES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ESCAPE: Final = re.compile("|".join(_ESCAPES))
_RETWEET: Final = re.compile(r"RT @(\w{1,20})(?=[:\s])")
_QUOTED: Final = re.compile(r"[\"\u201c]@(\w{1,20}):? [^\"\u201c\u201d]+[\"\u201d]?")
_STATUS: Final = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(\w{1,20})/status/\d+", re.IGNORECASE)
_NAME: Final = re.compile(r"\w{1,20}")
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class XOptions(Options):
    """``[sources.x]`` of ``demur.toml``."""

    username: str | None = None
    """Whose archive it is, where ``account.js`` does not say."""
    protected: bool | None = None
    """Whether the accounts are protected, so that only followers see what they post, where an archive does not say.

    An archive says it of the last six months only. Where neither says it, nobody knows who could read the tweets, and
    they are not used.
    """


class XSource:
    """The adapter of X's account archives."""

    reads: ClassVar[str] = "an account's archive of X (Twitter): the zip, or the folder, with data/tweets.js"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: "protected = true, or false where everybody could read what the account posted",
        Reason.UNKNOWN_AUTHOR: 'username = "name"',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether there are tweets as the archive has them."""
        return _ASSIGNED.match(seen.start(f"{_TWEETS}|{_NOTES}")) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read archives as batches of items.

        Raises:
            SourceError: when an archive is broken, or is none of X.
        """
        parsed = XOptions.parse(NAMESPACE, options)
        return batches(row for path in paths for row in _archive(path, parsed))


class _Script(Member):
    """A file of the archive: JSON that is assigned to a variable."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self.name = member.name

    @property
    def where(self) -> str:
        return self._member.where

    def open(self) -> io.BufferedReader:
        file = self._member.open()
        if assigned := _ASSIGNED.match(file.peek(1 << 10)):
            file.read(assigned.end())
        return file


class _Owner(NamedTuple):
    """Whose archive it is."""

    account: str | None
    id: str
    """The number of the account."""
    audience: Audience | None
    """Who can read what it posts."""


def _archive(path: str, options: XOptions) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = members_at([path], _READ, stack)
        posted = [each for each in members if _IS_POSTED.fullmatch(each.name)]
        if not posted:
            raise SourceError(f"{path}: there is no tweets.js: give the archive that X lets you download.")
        meter.expect(each.size for each in posted)
        owner = _owner(members, options)
        for member in posted:
            for record in _objects(member):
                yield from _rows(record, owner, member.name.rpartition("/")[2].lower())


def _objects(member: Member) -> Iterator[Record]:
    """The records of a file, each the one object that stands in it."""
    for record in records(_Script(member)):
        if not isinstance(record.value, dict):
            raise SourceError(f"{record.where} is no object: download the archive again.")
        inner = next(iter(record.value.values()), None) if len(record.value) == 1 else record.value
        if not isinstance(inner, dict):
            raise SourceError(f"{record.where} holds nothing of X: download the archive again.")
        yield Record(inner, record.where)


def _owner(members: Sequence[Member], options: XOptions) -> _Owner:
    """Whose archive it is, and who reads it: what the account was set to last, else what the options say."""
    account: Mapping[str, Any] = {}
    protected = options.protected
    last = ""
    for member in members:
        if member.name.lower().endswith("account.js"):
            account = next((record.value for record in _objects(member)), {})
        elif member.name.lower().endswith("protected-history.js"):
            for change, _ in _objects(member):
                if (at := _string(change, "protectedAt")) >= last:
                    last, protected = at, not _string(change, "action").lower().startswith("unprotect")
    audience = None if protected is None else Audience.FOLLOWERS if protected else Audience.PUBLIC
    return _Owner(
        _account(_string(account, "username") or options.username or ""), _string(account, "accountId"), audience
    )


def _rows(record: Record, owner: _Owner, file: str) -> Iterator[ItemRow]:
    value = record.value
    if file.startswith("direct-message"):
        yield from _messages(value, owner)
        return
    number = _string(value, "id_str") or _string(value, "id") or _string(value, "noteTweetId")
    if not number:
        raise SourceError(f"{record.where} is a tweet without an id: download the archive again.")
    if "note" in file:
        yield _note(value, number, owner, deleted=file.startswith("deleted"))
    else:
        audience = Audience.GROUP if file.startswith("community") else owner.audience
        yield _tweet(value, number, owner._replace(audience=audience), deleted=file.startswith("deleted"))


# Tweets


def _tweet(tweet: Mapping[str, Any], number: str, owner: _Owner, *, deleted: bool) -> ItemRow:
    parent = _string(tweet, "in_reply_to_status_id_str") or _string(tweet, "in_reply_to_status_id")
    text, spans = _text(tweet)
    return ItemRow(
        item=f"{NAMESPACE}:{number}",
        author=owner.account,
        kind=Kind.COMMENT if parent else Kind.POST,
        audience=owner.audience,
        created=_created(_string(tweet, "created_at")),
        language=_language(_string(tweet, "lang")),
        text=text,
        spans=spans,
        parent=f"{NAMESPACE}:{parent}" if parent else None,
        media=_media(tweet),
        deleted=deleted or "deleted_at" in tweet or _is_earlier(tweet, number),
    )


def _text(tweet: Mapping[str, Any]) -> tuple[str, list[Span]]:
    """The text of a tweet without escapes, and whom it names, quotes and passes on."""
    raw = _string(tweet, "full_text") or _string(tweet, "text")
    text = _ESCAPE.sub(lambda escape: _ESCAPES[escape[0]], raw) if "&" in raw else raw
    at = _Places(raw if "&" in raw else "")
    spans = [*_mentions(tweet, text, at), *_quotes(tweet, text, at)]
    if passed_on := _RETWEET.match(text):
        spans.append(Span(0, len(text), Role.RESHARE, _account(passed_on[1])))
    answered = _account(_string(tweet, "in_reply_to_screen_name"))
    if answered and answered.lower() not in {(span.account or "").lower() for span in spans}:
        spans.append(Span(0, 0, Role.MENTION, answered))
    return text, sorted(spans, key=lambda span: (span.start, -span.end))


def _mentions(tweet: Mapping[str, Any], text: str, at: "_Places") -> Iterator[Span]:
    """The people whom the entities name: where their name stands, else as an empty span."""
    for entity in _entities(tweet, "user_mentions"):
        name = _string(entity, "screen_name")
        if account := _account(name):
            start, end = at.of(entity.get("indices"))
            shown = text[start:end].lower() == f"@{name}".lower()
            yield Span(start, end, Role.MENTION, account) if shown else Span(0, 0, Role.MENTION, account)


def _quotes(tweet: Mapping[str, Any], text: str, at: "_Places") -> Iterator[Span]:
    """What is quoted: the address of somebody's tweet, or words behind their name, as people quoted by hand."""
    for entity in _entities(tweet, "urls"):
        if quoted := _STATUS.match(_string(entity, "expanded_url")):
            yield Span(*at.of(entity.get("indices")), Role.QUOTE, _account(quoted[1]))
    for match in _QUOTED.finditer(text):
        yield Span(*match.span(), Role.QUOTE, _account(match[1]))


class _Places:
    """Where code points of an escaped text stand without the escapes."""

    def __init__(self, raw: str) -> None:
        self._ends: list[int] = []
        self._removed = [0]
        for match in _ESCAPE.finditer(raw):
            self._ends.append(match.end())
            self._removed.append(self._removed[-1] + len(match[0]) - 1)

    def of(self, indices: object) -> tuple[int, int]:
        """The two places of an entity; nowhere where it does not say them."""
        try:
            start, end = (int(each) for each in indices)  # type: ignore[attr-defined]  # whatever stands there
        except (TypeError, ValueError, OverflowError):
            return 0, 0
        return (self._at(start), self._at(end)) if 0 <= start <= end else (0, 0)

    def _at(self, place: int) -> int:
        return place - self._removed[bisect.bisect_right(self._ends, place)]


def _is_earlier(tweet: Mapping[str, Any], number: str) -> bool:
    """Whether the tweet was edited since: each version is a tweet of its own, with a higher number."""
    info = tweet.get("edit_info")
    for each in info.values() if isinstance(info, dict) else ():
        control = each.get("editControlInitial", each) if isinstance(each, dict) else {}
        versions = control.get("editTweetIds") if isinstance(control, dict) else None
        known = [one for one in versions if isinstance(one, str)] if isinstance(versions, list) else []
        if number in known and max(known, key=lambda one: (len(one), one)) != number:
            return True
    return False


def _note(note: Mapping[str, Any], number: str, owner: _Owner, *, deleted: bool) -> ItemRow:
    """A long tweet, whose first words stand in a tweet of their own as well; nothing links the two."""
    core = note.get("core")
    core = core if isinstance(core, dict) else {}
    text = _string(core, "text")
    names = (_string(one, "screenName") or _string(one, "screen_name") for one in _listed(core, "mentions"))
    mentions = [span for name in dict.fromkeys(names) for span in _named(name, text)]
    quotes = [Span(*match.span(), Role.QUOTE, _account(match[1])) for match in _QUOTED.finditer(text)]
    return ItemRow(
        item=f"{NAMESPACE}:note/{number}",
        author=owner.account,
        kind=Kind.POST,
        audience=owner.audience,
        created=_created(_string(note, "createdAt")),
        text=text,
        spans=[*mentions, *quotes],
        deleted=deleted,
    )


def _named(name: str, text: str) -> Iterator[Span]:
    """Where a text names somebody; an empty span where it does not show them."""
    if account := _account(name):
        found = list(re.finditer(rf"@{re.escape(name)}\b", text, re.IGNORECASE))
        yield from (Span(*match.span(), Role.MENTION, account) for match in found)
        if not found:
            yield Span(0, 0, Role.MENTION, account)


def _messages(conversation: Mapping[str, Any], owner: _Owner) -> Iterator[ItemRow]:
    """Direct messages: their senders are known by number only, but for the owner."""
    thread = f"{NAMESPACE}:dm/{_string(conversation, 'conversationId')}"
    for listed in _listed(conversation, "messages"):
        message = listed.get("messageCreate")
        if isinstance(message, dict):
            sender = _string(message, "senderId")
            yield ItemRow(
                item=f"{NAMESPACE}:dm/{_string(message, 'id')}",
                author=owner.account if sender and sender == owner.id else None,
                kind=Kind.MESSAGE,
                audience=Audience.DIRECT,
                created=_created(_string(message, "createdAt")),
                text=_string(message, "text"),
                thread=thread,
            )


# Values


def _string(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _listed(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = record.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _entities(tweet: Mapping[str, Any], kind: str, of: str = "entities") -> list[Mapping[str, Any]]:
    entities = tweet.get(of)
    return _listed(entities, kind) if isinstance(entities, dict) else []


def _media(tweet: Mapping[str, Any]) -> list[Media]:
    found = _entities(tweet, "media", "extended_entities") or _entities(tweet, "media")
    kinds = {"photo": "image/jpeg", "video": "video/mp4", "animated_gif": "video/mp4"}
    return [
        Media(uri, kinds.get(_string(one, "type")), _string(one, "ext_alt_text") or None)
        for one in found
        if (uri := _string(one, "media_url_https") or _string(one, "media_url"))
    ]


def _account(name: str) -> str | None:
    return f"{NAMESPACE}:{name}" if _NAME.fullmatch(name) else None


def _language(written: str) -> str | None:
    """What X took the language to be; its codes for none of any (``und``, ``qme``, ``zxx``) say nothing."""
    return None if not written or written == "und" or written.startswith(("q", "zxx")) else written


def _created(written: str) -> int | None:
    """``Thu May 14 01:38:56 +0000 2020`` or ISO 8601; None for what is no time."""
    with contextlib.suppress(ValueError, OverflowError):
        if written[:1].isdigit():
            moment = datetime.fromisoformat(written)
        else:
            _, month, day, clock, zone, year = written.split()
            number = _MONTHS.index(month) // 3 + 1
            moment = datetime.fromisoformat(f"{int(year):04}-{number:02}-{int(day):02}T{clock}{zone}")
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
    return None
