"""Logs of IRC channels, a line a message: ``[HH:MM] <nick> text``, as Ubuntu's public logs have it.

Invariants: every line that somebody wrote to the channel (message, action, notice) is one item, whatever it
says; lines that the server or the client wrote (``===``, ``***``, anything without a time and a nick) are no
content; the text of an item never repeats the nick of its author. The logs are read twice, first for the nicks,
so that memory holds the nicks and a batch of items, whatever the size of the logs.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import ItemRow, Options, batches
from demur.sources.logs import Log, blocks, find_logs
from demur.sources.nicks import NAMESPACE, Nicks
from demur.sources.text import clean
from demur.terms import Audience, Kind

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
    if len(spoken) < len(logs):
        meter.tell(f"In {len(logs) - len(spoken):,} of {len(logs):,} files nobody speaks: they were passed over.")
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
