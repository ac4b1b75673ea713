r"""Chats that WhatsApp exports as text: ``_chat.txt`` in a zip, or ``WhatsApp Chat with ann.txt``.

WhatsApp describes the export in its help and the form nowhere: it differs by phone, language and year. What is read
here is ``[27.03.22, 21:41:35] Ann: text`` of iPhones and ``27/03/2022, 21:41 - Ann: text`` of Android, with the dates
and the words that their languages bring. Invariants: every message is direct, a group's too; a date whose day and month
can't be told apart is unknown unless the controller says which comes first; memory holds one message.
"""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar, Final, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.attached import Attached
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.chats.common import Writer, file, zone
from demur.sources.exports import members_at
from demur.sources.limits import MAX_STRING, MIB
from demur.sources.sniffing import Glimpse
from demur.terms import Audience, Kind, Role

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
"""Characters that only say in which direction a text runs."""
_UNMARKED: Final = dict.fromkeys(map(ord, _MARKS))
_M: Final = f"[{_MARKS}]{{0,4}}"
_HEAD: Final = re.compile(
    rf"{_M}\[?{_M}(?P<stamp>(?P<a>\d{{1,4}}){_M}(?P<sep>[./-]|年|(?P<korean>년)){_M}\s?(?P<b>\d{{1,2}}){_M}(?:[./-]|月|월){_M}\s?"
    rf"(?P<c>\d{{1,4}})(?:{_M}[日일.])?{_M}[,،]?\s{{0,2}}(?:(?!오)[^\W\d]{{1,4}}\.?\s(?:las\s)?)?"
    rf"(?P<before>上午|下午|凌晨|早上|中午|晚上|午前|午後|오전|오후)?\s?{_M}"
    rf"(?P<h>\d{{1,2}})[:.](?P<m>\d\d)(?:[:.](?P<s>\d\d))?(?:\s?{_M}(?P<after>[AaPp]\.?\s?[Mm]\.?|[صم])(?!\w))?)"
    rf"{_M}(?:\]|\s[-\u2013\u2014]|(?(korean),|(?!)))(?:\s|$)"
)
_NAMED: Final = re.compile(r"(?P<name>[^:\n]{1,100}):(?: |$)")
_LATE: Final = frozenset({"下午", "中午", "晚上", "午後", "오후", "م"})
_LOOKED_AT: Final = 20
_HALF_DAY: Final = 12
_BUDDHIST: Final = 2400
"""Years beyond are counted from the Buddha's, 543 years earlier."""
_PHONE: Final = re.compile(r"\+?[\d\s().\u2011-]{7,25}")
_MENTION: Final = re.compile("@(?:\u2068(?P<name>[^\u2069\n]{1,100})\u2069|(?P<phone>\\d{7,15})(?!\\d))")
_ATTACHED: Final = re.compile(r"\s?\u200e?<[^<>:\n]{1,40}: (?P<ios>[^<>/\n]{1,200}\.\w{1,5})>")
_FILE: Final = re.compile(
    r"(?:\u200e(?P<any>[^\n]{1,200}\.\w{1,5})|(?P<named>[\w-]+-WA\d+\.\w{1,5})) \([^()\n]+\)(?:\n|$)"
)
_EDITED: Final = re.compile(r"(?:\u200e<[^<>\n]{5,80}>|<This message was edited>)$")
_NOTE: Final = 100
"""Characters at the end of a message in which such a note is looked for, and more than one about a deletion has."""
_OMITTED: Final = re.compile(r"<[^<>\n]{1,40}\s[^<>\n]{1,40}>")
"""What stands for a file that was not exported, in any language: ``<Media omitted>``."""
_DELETED: Final = frozenset(
    {
        "ce message a été supprimé",
        "det här meddelandet togs bort",
        "diese nachricht wurde gelöscht",
        "dit bericht is verwijderd",
        "du hast diese nachricht gelöscht",
        "eliminaste este mensaje",
        "esta mensagem foi apagada",
        "este mensaje fue eliminado",
        "hai eliminato questo messaggio",
        "mensagem apagada",
        "questo messaggio è stato eliminato",
        "se eliminó este mensaje",
        "ta wiadomość została usunięta",
        "this message was deleted",
        "u hebt dit bericht verwijderd",
        "vous avez supprimé ce message",
        "você apagou esta mensagem",
        "you deleted this message",
    }
)


class WhatsappOptions(Options):
    """``[sources.whatsapp]`` of ``demur.toml``."""

    timezone: str = "UTC"
    """Of the phone that exported, a name of the IANA database."""
    date_order: Literal["dmy", "mdy"] | None = None
    """Whether the day or the month comes first, where no date of a chat tells."""


class WhatsappSource:
    """The adapter of WhatsApp's exported chats."""

    reads: ClassVar[str] = "chats that WhatsApp exports as text: .txt files, or the zips they are in"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether the first lines are messages as WhatsApp writes them."""
        lines = seen.start(r"[^/]+\.txt").decode("utf-8", "replace").splitlines()[:_LOOKED_AT]
        return any(_HEAD.match(line) for line in lines)

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read chats, each a text file, or a folder or zip with some, as batches of items.

        Raises:
            SourceError: when a file is broken, or none is a chat of WhatsApp.
        """
        parsed = WhatsappOptions.parse("whatsapp", options)
        return batches(_rows(paths, parsed, zone(parsed.timezone, "whatsapp")))

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> Attached:  # noqa: ARG002  # the protocol's
        """The files that lie beside the chats; see :class:`demur.sources.base.Pictured`."""
        return Attached(paths)


def _rows(paths: Sequence[str], options: WhatsappOptions, where: tzinfo) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        found = [(path, member) for path in paths for member in members_at([path], r"[^/]+\.txt", stack)]
        meter.expect(member.size for _, member in found)
        chats = [(_chat(path, member), member) for path, member in found if _begins(member)]
        if not chats:
            raise SourceError(
                f"{', '.join(paths)}: no text begins like `[27.03.22, 21:41:35] Ann: text` "
                "or `27/03/2022, 21:41 - Ann: text`: give a chat that WhatsApp exported."
            )
        for name, member in chats:
            clock = _Clock(where, _order(member) or options.date_order)
            yield from _Reader(name, clock).rows(member)


def _lines(member: Member) -> Iterator[str]:
    """The lines of a text in UTF-8, without line feeds.

    Raises:
        SourceError: for a line that is too long to be one.
    """
    with io.TextIOWrapper(member.open(), "utf-8-sig", "replace") as text:
        for line in iter(partial(text.readline, MAX_STRING + 1), ""):
            if len(line) > MAX_STRING:
                raise SourceError(f"{member.where} has a line of more than {MAX_STRING // MIB} MiB: it is no chat.")
            yield line.removesuffix("\n")


def _begins(member: Member) -> bool:
    """Whether one of the first lines of a text is a chat's."""
    return any(_HEAD.match(line) for line, _ in zip(_lines(member), range(20), strict=False))


def _chat(path: str, member: Member) -> str:
    """The name of a chat: that of its file, or of the zip or folder of a ``_chat.txt``."""
    folder, _, name = member.name.rpartition("/")
    stem = name.removesuffix(".txt")
    if stem == "_chat":
        stem = folder.rpartition("/")[2] or Path(path).name.removesuffix(".zip")
    return re.sub(r"\s?\(\d+\)$", "", stem)


def _order(member: Member) -> Literal["dmy", "mdy"] | None:
    """Which comes first in dates like 03/04/22, told by the first one that can be only one of both."""
    for line in _lines(member):
        head = _HEAD.match(line)
        if head and head["sep"] == "/" and len(head["a"]) <= 2:  # noqa: PLR2004  # a year has four digits
            first, second = int(head["a"]), int(head["b"])
            if first != second and max(first, second) > _HALF_DAY:
                return "dmy" if first > second else "mdy"
    return None


@dataclass(frozen=True)
class _Clock:
    """Reads the times of one chat."""

    zone: tzinfo
    order: Literal["dmy", "mdy"] | None

    def at(self, head: re.Match[str]) -> int | None:
        """Microseconds since 1970-01-01 UTC; null where day and month can't be told apart, or no clock shows it."""
        written, later, last, sign, minute, seconds = head.group("a", "b", "c", "sep", "m", "s")
        first, second, third = int(written), int(later), int(last)
        if len(written) == 4:  # noqa: PLR2004  # a year
            year, month, day = first, second, third
        elif sign == "/" and self.order is None and first != second:
            return None
        else:
            monthly = sign == "/" and self.order == "mdy"
            year, month, day = (third, first, second) if monthly else (third, second, first)
        year += 2000 if year < 100 else -543 if year > _BUDDHIST else 0  # noqa: PLR2004  # two digits
        try:
            moment = datetime(year, month, day, _hour(head), int(minute), int(seconds or 0), tzinfo=self.zone)
            return (moment - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError):
            return None


def _hour(head: re.Match[str]) -> int:
    hour, half = int(head["h"]), head["before"] or head["after"]
    if half is None or hour > _HALF_DAY:
        return hour
    return hour % _HALF_DAY + (_HALF_DAY if half in _LATE or half[0] in "pP" else 0)


@dataclass
class _Message:
    """A message of which more lines may follow."""

    row: ItemRow
    lines: list[str]
    size: int


class _Reader:
    """Reads the messages of one chat."""

    def __init__(self, chat: str, clock: _Clock) -> None:
        self._chat = chat
        self._thread = _id(chat)
        self._clock = clock
        self._stamp = ""
        self._same: dict[str | None, int] = {}  # messages of each author with that stamp

    def rows(self, member: Member) -> Iterator[ItemRow]:
        """Every message; a line that begins like none belongs to the one before it."""
        open_: _Message | None = None
        for line in _lines(member):
            head = _HEAD.match(line)
            if head is None:
                if open_ is not None:
                    self._continue(open_, line, member)
                continue
            if open_ is not None:
                yield _finished(open_)
            named = _NAMED.match(line, head.end())
            open_ = (
                None if named is None else _Message(self._row(head, named["name"]), [line[named.end() :]], len(line))
            )
        if open_ is not None:
            yield _finished(open_)

    def _continue(self, message: _Message, line: str, member: Member) -> None:
        message.lines.append(line)
        message.size += len(line) + 1
        if message.size > MAX_STRING:
            raise SourceError(f"{member.where} has a message of more than {MAX_STRING // MIB} MiB: leave it out.")

    def _row(self, head: re.Match[str], name: str) -> ItemRow:
        author = _account(name)
        if head["stamp"] != self._stamp:
            self._stamp, self._same = head["stamp"], {}
        count = self._same[author] = self._same.get(author, 0) + 1
        return ItemRow(
            item=_id(self._chat, self._stamp, author or "", str(count)),
            author=author,
            kind=Kind.MESSAGE,
            audience=Audience.DIRECT,
            created=self._clock.at(head),
            thread=self._thread,
        )


def _id(*facts: str) -> str:
    digest = hashlib.blake2b("\x1f".join(facts).encode("utf-8", "replace"), digest_size=16)
    return f"whatsapp:{digest.hexdigest()}"


@lru_cache(4096)
def _account(name: str) -> str | None:
    """The account of whom the phone calls so: a number, or a name in its contacts."""
    plain = name.translate(_UNMARKED).strip().removeprefix("~").strip()
    if _PHONE.fullmatch(plain):
        return f"whatsapp:{''.join(filter(str.isdecimal, plain))}"
    return f"whatsapp-name:{plain}" if plain else None


def _finished(message: _Message) -> ItemRow:
    """The item of a message whose lines are all there."""
    text = "\n".join(message.lines)
    if len(text) < _NOTE and text.strip(_MARKS + " .").casefold() in _DELETED:
        return message.row._replace(deleted=True)
    if "<" not in text and "(" not in text and "\u200e" not in text:
        return _said(message.row, text, [])
    files = [match["ios"] for match in _ATTACHED.finditer(text)]
    text = _ATTACHED.sub("", text)
    if first := _FILE.match(text):
        files.append(first["any"] or first["named"])
        text = text[first.end() :]
    if note := _EDITED.search(text, max(0, len(text) - _NOTE)):
        text = text[: note.start()].rstrip()
    media: list[Media] = [file(name) for name in files]
    if text.startswith("\u200e") or _OMITTED.fullmatch(text):  # the words of WhatsApp, in any language
        return message.row._replace(media=media)
    return _said(message.row, text, media)


def _said(row: ItemRow, text: str, media: list[Media]) -> ItemRow:
    """The item with what was written, and whom it mentions."""
    if "@" not in text:
        return row._replace(text=text, media=media)
    writer = Writer()
    done = 0
    for match in _MENTION.finditer(text):
        writer.add(text[done : match.start()])
        named = _account(match["name"] or match["phone"])
        writer.add("@" + (match["name"] or match["phone"]), Role.MENTION, named)
        done = match.end()
    writer.add(text[done:])
    return row._replace(text=writer.text, spans=writer.spans, media=media)
