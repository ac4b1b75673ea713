"""Logs of IRC channels, a line a message: ``[HH:MM] <nick> text``, as Ubuntu's public logs have it.

Invariants: every line that somebody wrote to the channel (message, action, notice) is one item, whatever it
says; lines that the server or the client wrote (``===``, ``***``, anything without a time and a nick) are no
content; the text of an item never repeats the nick of its author. The logs are read twice, first for the nicks,
so that memory holds the nicks and a batch of items, whatever the size of the logs.

A nick is compared without case; a span covers one nick and nothing else of the line, save an ``@`` that stands before
it; a line never opens with the nick of somebody who spoke that is not marked, because there a nick stands for the
person addressed. Marking one word too many costs a word; marking one too few leaves a person in the corpus.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from demur.errors import SourceError
from demur.sources.base import ItemRow, Options, batches
from demur.sources.logs import Log, blocks, find_logs
from demur.sources.text import Span, clean
from demur.terms import Audience, Kind, Role

NAMESPACE: Final = "irc"

_LETTERS: Final = r"\w\[\]\\`^{|}-"  # of a nick: RFC 2812, 2.3.1, and what today's networks add to it
_TOKEN: Final = re.compile(rf"[{_LETTERS}]+")
_SPLIT_TOKEN: Final = re.compile(rf"[{_LETTERS}]+\] [{_LETTERS}]+")  # some loggers set a blank behind ``]``
_RFC_2812: Final = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]+")
_LONGEST: Final = 512
"""Characters of a word that may be a nick: no network's nicks have more than 64, whatever stands around them."""
_ORNAMENTS: Final = "-_|^`\\[]{}"  # letters of a nick that also stand around one: [ann] ann- `ann`
_LEAD: Final = re.compile(r"[\s<(\"'*>&+~=@]*")
_JOIN: Final = re.compile(r"\s*(?:[:,;/&+]|\band\b)\s*")
_LISTED: Final = re.compile(r"\s*[:,;/&+>]")
_COLON: Final = re.compile(r"\s?:(?!/)")
_ELSEWHERE: Final = re.compile(rf"(?<![\w@./:])@[{_LETTERS}]+|(?<![@./:{_LETTERS}])[{_LETTERS}]+(?=:(?:\s|$))")
_TRIGGER: Final = re.compile(rf"!\S[^|>]*[|>]\s*([{_LETTERS}]+)\s*$")  # a bot told to explain something to someone

_SPOKEN: Final = (
    r"\[(?P<time>\d\d:\d\d(?::\d\d)?)\] {1,2}"
    r"(?:<[ @+%&~]?(?P<said>[^>\n]*)>"
    r"|\* (?P<acted>\S+)"
    r"|\((?P<elsewhere>[^\s/]+)/[#&][^\s)]+\)"  # from a client's other window
    r"|-(?P<noticed>[^\s:]+?)(?P<to>:[#&]\S+?)?-(?= ))"
)
_MESSAGE: Final = re.compile(_SPOKEN + " ?(?P<text>.*)")
_SPEAKER: Final = re.compile("^" + _SPOKEN, re.MULTILINE)
_COME_AND_GONE: Final = re.compile(
    r"^=== (?P<nick>\S[^\[\n]*?(?:\[\S*\] ?\S*)??)"
    r"(?:  ?\[[^\]\n]*\] +has (?:joined|left|quit)(?: (?P<channel>[#&]\S+))?| is now known as (?P<new>\S+))",
    re.MULTILINE,
)
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_FORMATTING: Final = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?|[\x02\x0f\x11\x16\x1d-\x1f]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Nicks:
    """The nicks of a set of logs, without case."""

    def __init__(self, speakers: Iterable[str] = (), *, unmarked: bool = True) -> None:
        """Know ``speakers``; ``unmarked``: one of them who opens a line counts without ``:`` or ``,``, too."""
        self._known: set[str] = set()
        self._speakers: set[str] = set()
        self._unmarked = unmarked
        self.add(speakers, spoke=True)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, nick: str) -> bool:
        return nick.casefold() in self._known

    def add(self, nicks: Iterable[str], *, spoke: bool) -> None:
        """Know these as well; ``spoke`` tells those who speak from those who only come and go."""
        folded = {nick.casefold() for nick in nicks}
        self._known |= folded
        if spoke:
            self._speakers |= folded

    def mentions(self, text: str) -> list[Span]:
        """The mentions in one line, in order, not overlapping.

        A known nick counts where it opens the line, follows one that does (``ann, bob: hi``), stands before a
        colon or behind an ``@``; of somebody who never spoke, it opens a line only with a mark behind it, because
        among those who only come and go nearly every word is a nick. A nick nobody of these logs bears counts
        only where it opens the line and a colon follows, or where a bot is told to address it
        (``!factoid | ann``).
        """
        spans, position = self._opening(text)
        if "@" in text or ":" in text:
            spans.extend(self._elsewhere(text, position))
        if "!" in text and (trigger := _TRIGGER.search(text, position)):
            spans = [span for span in spans if span.end <= trigger.start(1)]
            spans.append(_mention(text, *trigger.span(1)))
        return spans

    def _opening(self, text: str) -> tuple[list[Span], int]:
        """The nicks that open a line, one or a list of them, and where the rest of it begins."""
        lead = _LEAD.match(text)
        position = lead.end() if lead else 0
        found = self._known_at(text, position)
        if found is None:
            found = _stranger_at(text, position)
        elif not _LISTED.match(text, found[1]) and not self._counts_bare(text[slice(*found)]):
            found = None
        if found is None:
            return [], 0
        start = found[0] - (text[found[0] - 1 : found[0]] == "@")
        spans = [_mention(text, start, found[1])]
        while join := _JOIN.match(text, found[1]):
            found = self._listed_at(text, join.end(), colon=":" in join[0])
            if found is None:
                break
            spans.append(_mention(text, *found))
        return spans, spans[-1].end

    def _counts_bare(self, nick: str) -> bool:
        return self._unmarked and nick.replace(" ", "").casefold() in self._speakers

    def _listed_at(self, text: str, position: int, *, colon: bool) -> tuple[int, int] | None:
        """A further nick of the list that opens a line; behind a colon only a known one."""
        found = self._known_at(text, position)
        if found is not None:
            return found if _LISTED.match(text, found[1]) else None
        return None if colon else _stranger_at(text, position)

    def _elsewhere(self, text: str, position: int) -> Iterator[Span]:
        for match in _ELSEWHERE.finditer(text, position):
            at = match[0].startswith("@")
            found = self._known_at(text, match.start() + at)
            if found is not None and (at or found[1] == match.end()):
                yield _mention(text, match.start() if at and found[0] == match.start() + 1 else found[0], found[1])

    def _known_at(self, text: str, position: int) -> tuple[int, int] | None:
        """Where a known nick begins and ends, if the word at ``position`` is one, with or without ornaments."""
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        token, end = match[0], match.end()
        if token.casefold() in self._known:
            return position, end
        if len(token) > _LONGEST or (token[0] not in _ORNAMENTS and token[-1] not in _ORNAMENTS):
            return None
        if (split := _SPLIT_TOKEN.match(text, position)) and split[0].replace(" ", "") in self:
            return split.span()
        start = position
        while start < end and text[start] in _ORNAMENTS and text[start:end] not in self:
            start += 1
        for begin in (position, start):
            for stop in range(end, begin, -1):
                if text[begin:stop] in self:
                    return begin, stop
                if text[stop - 1] not in _ORNAMENTS:
                    break
        return None


def _stranger_at(text: str, position: int) -> tuple[int, int] | None:
    """Where a nick that nobody of the logs bears begins and ends: a word fit to be one, and a colon."""
    match = _RFC_2812.match(text, position)
    return match.span() if match and _COLON.match(text, match.end()) else None


def _mention(text: str, start: int, end: int) -> Span:
    nick = text[start:end].lstrip("@").replace(" ", "")
    return Span(start, end, Role.MENTION, f"{NAMESPACE}:{nick}")


class IrcOptions(Options):
    """``[sources.irc]`` of ``demur.toml``."""

    channel: str | None = None
    """The channel, for instance ``#ubuntu``; otherwise the only one that a log says people joined."""
    audience: Literal["public", "unlisted", "followers", "group", "direct"] = "public"
    """Who could read the channel. A notice to one person is ``direct`` whatever this says."""
    language: str | None = None
    """The language of the channel, BCP 47."""
    timezone: str = "UTC"
    """The time zone of the logs' clock, a name of the IANA database."""
    unmarked: bool = True
    """Whether the nick of a speaker that opens a line is a mention without ``:`` or ``,`` behind it, too."""


class IrcSource:
    """The adapter of IRC logs: files, or folders of ``*.log`` and ``*.txt`` files."""

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read logs as batches of items; their date is the ``YYYY-MM-DD`` in the name of the file.

        Raises:
            SourceError: when a log can't be read, none holds a message, or two have the same name.
        """
        parsed = IrcOptions.parse(NAMESPACE, options)
        return batches(_rows(find_logs(paths), parsed, _zone(parsed.timezone)))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceError(
            f"demur.toml, [sources.irc]: {name!r} is no time zone: write a name like Europe/Berlin."
        ) from None


def _rows(logs: Sequence[Log], options: IrcOptions, zone: tzinfo) -> Iterator[ItemRow]:
    nicks = Nicks(unmarked=options.unmarked)
    spoken = [log for log in logs if _survey(log, nicks)]
    if not spoken:
        named = ", ".join(str(log.path) for log in logs[:3])
        raise SourceError(f"{named}: no line reads `[HH:MM] <nick> text`: give logs of that form.")
    for log in spoken:
        reader = _Reader(log, nicks, options, _Clock(log.name, zone))
        yield from reader.rows()


def _survey(log: Log, nicks: Nicks) -> bool:
    """Learn the nicks of a log and its channel; whether anybody speaks in it."""
    spoken = False
    channels: set[str] = set()
    for block in blocks(log.path):
        speakers = _SPEAKER.findall(block)
        spoken = spoken or bool(speakers)
        named = {_nick(said or acted or elsewhere or noticed) for _, said, acted, elsewhere, noticed, _ in speakers}
        nicks.add(named, spoke=True)
        for match in _COME_AND_GONE.finditer(block):
            nicks.add((_nick(nick) for nick in match.group("nick", "new") if nick), spoke=False)
            channels.update([match["channel"].casefold()] if match["channel"] else [])
    if len(channels) == 1:
        log.channel = channels.pop()
    return spoken


def _nick(written: str) -> str:
    """A nick as its bearer writes it: some loggers set a blank behind a ``]``."""
    return written.replace(" ", "") if " " in written else written


@dataclass
class _Reader:
    """Reads the items of one log."""

    log: Log
    nicks: Nicks
    options: IrcOptions
    clock: "_Clock"

    def rows(self) -> Iterator[ItemRow]:
        number = 0
        for block in blocks(self.log.path):
            for line in block.split("\n"):
                number += 1
                if match := _MESSAGE.match(line):
                    yield self._item(number, match)

    def _item(self, number: int, match: re.Match[str]) -> ItemRow:
        clock, said, acted, elsewhere, noticed, to, text = match.groups()
        private = noticed is not None and to is None
        nick = _nick(said or acted or elsewhere or noticed)
        if not text.isprintable():
            text = clean(_FORMATTING.sub("", text))[0].rstrip("\n")
        channel = (to or "")[1:] or self.options.channel or self.log.channel
        return ItemRow(
            item=f"{NAMESPACE}:{self.log.name}/{number}",
            author=f"{NAMESPACE}:{nick}" if nick else None,
            kind=Kind.MESSAGE if private else Kind.POST,
            audience=Audience.DIRECT if private else self.options.audience,
            created=self.clock.at(clock),
            language=self.options.language,
            text=text,
            spans=self.nicks.mentions(text),
            group=f"{NAMESPACE}:{channel}" if channel and not private else None,
        )


class _Clock:
    """The times of day in one log, as microseconds since 1970-01-01 UTC."""

    def __init__(self, name: str, zone: tzinfo) -> None:
        self._known: dict[str, int | None] = {}
        self._zone = zone
        self._day: date | None = None
        if match := _DATE.search(name):
            with contextlib.suppress(ValueError):  # no day of the calendar: its items have no date
                self._day = date(*map(int, match.groups()))

    def at(self, clock: str) -> int | None:
        """The time ``HH:MM`` or ``HH:MM:SS``; None where the day is unknown or no clock shows it."""
        if clock not in self._known:
            self._known[clock] = self._read(clock)
        return self._known[clock]

    def _read(self, clock: str) -> int | None:
        if self._day is None:
            return None
        try:
            moment = datetime.combine(self._day, time.fromisoformat(clock), self._zone)
            return (moment - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            return None
