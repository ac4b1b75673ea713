"""Logs of IRC channels, a line a message, in the forms that clients write (:mod:`demur.sources.chats.ircforms`).

Invariants: every line that somebody wrote to the channel (message, action, notice) is one item, whatever it
says; lines that the server or the client wrote (``===``, ``***``, anything without a time and a nick) are no
content; the text of an item never repeats the nick of its author. The logs are read twice, first for the nicks,
so that memory holds the nicks and a batch of items, whatever the size of the logs.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import ClassVar, Final, Literal, NamedTuple

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import ItemRow, Options, batches
from demur.sources.chats.common import talk, zone
from demur.sources.chats.ircforms import GROUPS, Form, form_of, month
from demur.sources.chats.logs import Log, blocks, find_logs
from demur.sources.chats.nicks import NAMESPACE, Nicks, Talking
from demur.sources.sniffing import Glimpse
from demur.sources.text import clean
from demur.terms import Audience, Kind

_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_FORMATTING: Final = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?|[\x02\x0f\x11\x16\x1d-\x1f]")
_APART: Final = re.compile(r"(?<=\d) (?=[+-]|Z)")
"""What stands between a time and its zone."""
_CHANNEL: Final = re.compile(r"(?:^|[/._])([#&][^\s/]+?)(?:[._-]\d{4}-\d\d-\d\d)?$")
"""The channel in the name of a log, as clients call it: ``libera/#garden``, ``irc.libera.#garden``."""
_SECONDS: Final = 86_400
"""Times that are remembered: as many as a day has."""
_HALF_A_YEAR: Final = 6
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
    encoding: str = "windows-1252"
    """What lines are in that are not UTF-8."""
    unmarked: bool = True
    """Whether the nick of a speaker that opens a line is a mention without ``:`` or ``,`` behind it, too."""


class IrcSource:
    """The adapter of IRC logs: files, or folders of ``*.log`` and ``*.txt`` files."""

    reads: ClassVar[str] = "logs of IRC channels: .log and .txt files, or a folder of them"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether somebody speaks in the first log."""
        start = seen.start(r"[^/]*\.(?:log|txt)").decode("utf-8", "replace")
        return seen.unpacked and form_of(start) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read logs as batches of items; their date is what they say, else the ``YYYY-MM-DD`` in their name.

        Raises:
            SourceError: when a log can't be read, none holds a message, or two have the same name.
        """
        parsed = IrcOptions.parse(NAMESPACE, options)
        return batches(_rows(find_logs(paths), parsed, zone(parsed.timezone, NAMESPACE)))


class _Heard(NamedTuple):
    """A log in which somebody speaks."""

    log: Log
    form: Form

    def is_private(self, nicks: Nicks) -> bool:
        """Whether it is of a conversation with one person: clients call such a log by the nick of that person."""
        stem = self.log.name.rpartition("/")[2]
        return self.log.channel is None and (stem in nicks or stem.rpartition(".")[2] in nicks)


def _rows(logs: Sequence[Log], options: IrcOptions, zone: tzinfo) -> Iterator[ItemRow]:
    nicks = Nicks(unmarked=options.unmarked)
    spoken = [heard for log in logs if (heard := _survey(log, nicks, options.encoding))]
    if not spoken:
        named = ", ".join(str(log.path) for log in logs[:3])
        raise SourceError(
            f"{named}: no line reads `[HH:MM] <nick> text`, or as irssi, WeeChat, XChat or HexChat write: "
            "give logs of these forms."
        )
    if len(spoken) < len(logs):
        meter.tell(f"In {len(logs) - len(spoken):,} of {len(logs):,} files nobody speaks: they were passed over.")
    for heard in spoken:
        reader = _Reader(heard.log, heard.form, nicks, options, _Clock(heard.log.name, zone), heard.is_private(nicks))
        yield from reader.rows()


def _survey(log: Log, nicks: Nicks, encoding: str) -> _Heard | None:
    """Learn the nicks of a log, its form and its channel; None where nobody speaks in it."""
    form: Form | None = None
    channels: set[str] = set()
    spoke: set[str] = set()
    for block in blocks(log.path, encoding):
        form = form or form_of(block)
        if form is None:
            continue
        spoke.update(_nick(match) for match in form.speaker.finditer(block))
        for match in form.moves.finditer(block):
            nicks.add((nick.replace(" ", "") for nick in match.group("nick", "new") if nick), spoke=False)
            channels.update([match["channel"].casefold()] if match["channel"] else [])
    nicks.add(spoke, spoke=True)
    named = _CHANNEL.search(log.name)
    if len(channels) == 1 or (not channels and named):
        log.channel = channels.pop() if channels else named and named[1].casefold()
    return _Heard(log, form) if form else None


def _nick(match: re.Match[str]) -> str:
    """Who speaks, as its bearer writes the nick: some loggers set a blank behind a ``]``."""
    written: str = match["said"] or match["acted"] or match["elsewhere"] or match["noticed"] or ""
    if not written.isprintable():
        written = _FORMATTING.sub("", written).lstrip("@+%&~!")
    return written.replace(" ", "") if " " in written else written


@dataclass
class _Reader:
    """Reads the items of one log."""

    log: Log
    form: Form
    nicks: Nicks
    options: IrcOptions
    clock: "_Clock"
    private: bool
    """Whether everything in it is direct."""
    talking: Talking = field(default_factory=Talking)
    """Who said something lately."""

    def rows(self) -> Iterator[ItemRow]:
        number = 0
        for block in blocks(self.log.path, self.options.encoding):
            for line in block.split("\n"):
                number += 1
                if match := self.form.message.match(line):
                    yield self._item(number, match)
                elif match := self.form.day.match(line):
                    self.clock.turn(*match.group("year", "month", "day"))

    def _item(self, number: int, match: re.Match[str]) -> ItemRow:
        clock, _, _, _, noticed, to, text = match.group(*GROUPS)
        private = self.private or (noticed is not None and to is None)
        nick = _nick(match)
        if not text.isprintable():
            text = clean(_FORMATTING.sub("", text))[0].rstrip("\n")
        channel = to or self.options.channel or self.log.channel
        created = self.clock.at(clock)
        return ItemRow(
            item=f"{NAMESPACE}:{self.log.name}/{number}",
            author=f"{NAMESPACE}:{nick}" if nick else None,
            kind=Kind.MESSAGE if private else Kind.POST,
            audience=Audience.DIRECT if private else self.options.audience,
            created=created,
            language=self.options.language,
            text=text,
            spans=self.nicks.mentions(text, self.talking.heard(nick)),
            thread=talk(f"{NAMESPACE}:{channel or self.log.name}", created),
            group=f"{NAMESPACE}:{channel}" if channel and not private else None,
        )


class _Clock:
    """The times in one log, as microseconds since 1970-01-01 UTC."""

    def __init__(self, name: str, zone: tzinfo) -> None:
        self._known: dict[str, int | None] = {}
        self._zone = zone
        self._day: date | None = None
        self._year: int | None = None
        self._month = 0
        if match := _DATE.search(name):
            with contextlib.suppress(ValueError):  # no day of the calendar: its items have no date
                self._day = date(*map(int, match.groups()))
                self._year = self._day.year

    def turn(self, year: str, name: str, day: str) -> None:
        """A line says that another day has come; unknown, where it names no day of the calendar."""
        self._known.clear()
        self._year, self._month, self._day = int(year), month(name) or 0, None
        with contextlib.suppress(ValueError):
            self._day = date(self._year, self._month, int(day))

    def at(self, clock: str) -> int | None:
        """The time ``HH:MM``, ``HH:MM:SS``, or one with its day; None where the day is unknown or no clock shows it."""
        if clock not in self._known:
            if len(self._known) > _SECONDS:
                self._known.clear()
            self._known[clock] = self._read(clock)
        return self._known[clock]

    def _read(self, clock: str) -> int | None:
        *before, hours = clock.rsplit(" ", 1)
        try:
            if clock[4:5] == "-":
                moment = datetime.fromisoformat(_APART.sub("", clock))
                moment = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
                return (moment - _EPOCH) // timedelta(microseconds=1)
            day = self._dated(before[0]) if before else self._day
            if day is None:
                return None
            moment = datetime.combine(day, time.fromisoformat(hours), self._zone)
            return (moment - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            return None

    def _dated(self, written: str) -> date | None:
        """The day of ``Jun 18``, where the year is known: a new one begins after December."""
        number = month(written[:3])
        if number is None or self._year is None:
            return None
        if number < self._month - _HALF_A_YEAR:
            self._year += 1
            self._known.clear()
        self._month = number
        return date(self._year, number, int(written[4:]))
