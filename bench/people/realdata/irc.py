"""153 days of a support channel, the bearer of every nick an objector (irc-disentanglement, CC BY 4.0).

Each day's log is a thread, each line that somebody wrote an item. Somebody is *around* on a day when they write on it,
the day before or the day after. Truths: a line that opens with ``nick:`` or ``nick,`` of somebody around names them
(``opening``; with a comma not where the nick is a common word, which is left unjudged there); elsewhere in a line, what
a reader labelled in 300 lines (``labels/irc.csv``). Only these lines are judged for masks that are false.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from _real import Line, irc_lines
from people.cases import Person, Post, Truth
from people.realdata.scoring import DataSet, Mask, Place

LABELS: Final = Path(__file__).parents[1] / "labels" / "irc.csv"
TOKEN: Final = re.compile(r"[\w\[\]\\`^{|}-]+")
_OPENER: Final = re.compile(r"[\s<(\"'*>&+~=@]*([\w\[\]\\`^{|}-]+)([:,]?)(?=\s|$)")
_COMMON_DAYS: Final = 20
_COMMON_AUTHORS: Final = 40
_ADDRESSED: Final = 0.04
"""A word is no common one when it stands before a colon at a line's opening this often, of all it stands anywhere."""


@dataclass
class _Use:
    """How a token that is written in lower case is used."""

    days: set[str] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)
    times: int = 0
    addressed: int = 0

    @property
    def is_common(self) -> bool:
        spread = len(self.days) >= _COMMON_DAYS and len(self.authors) >= _COMMON_AUTHORS
        return spread and self.addressed < _ADDRESSED * self.times


@dataclass(frozen=True)
class Mark:
    """A labelled place in a line, or a line labelled as holding none (``label`` ``none``)."""

    place: Place
    label: str
    stratum: str


class Channel:
    """The logs, and what is known of their lines."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = list(lines)

    @cached_property
    def nicks(self) -> dict[str, tuple[str, ...]]:
        """Each nick without case, with the ways in which its bearer wrote it, the most frequent first."""
        written: dict[str, Counter[str]] = defaultdict(Counter)
        for line in self.lines:
            written[fold(line.nick)][line.nick.replace(" ", "")] += 1
        return {nick: tuple(form for form, _ in forms.most_common()) for nick, forms in written.items() if nick}

    @cached_property
    def around(self) -> dict[str, frozenset[str]]:
        """Who is around, by file."""
        wrote: dict[date, set[str]] = defaultdict(set)
        for line in self.lines:
            wrote[_day(line.file)].add(fold(line.nick))
        near = {day: [wrote.get(day + timedelta(days=shift), set()) for shift in (-1, 0, 1)] for day in wrote}
        return {file: frozenset().union(*near[_day(file)]) for file in {line.file for line in self.lines}}

    @cached_property
    def common(self) -> frozenset[str]:
        """Words that many people write in lower case on many days, and that address nobody."""
        uses: dict[str, _Use] = defaultdict(_Use)
        for line in self.lines:
            author = fold(line.nick)
            for match in TOKEN.finditer(line.text):
                token = match[0]
                if token == token.casefold():
                    use = uses[token]
                    use.days.add(line.file)
                    use.authors.add(author)
                    use.times += 1
                    use.addressed += match.start() == 0 and line.text[match.end() : match.end() + 1] == ":"
        return frozenset(token for token, use in uses.items() if use.is_common)

    @cached_property
    def data(self) -> DataSet:
        """All of it as posts, with the truths."""
        known = marks()
        posts, unjudged = [], {}
        for line in self.lines:
            item = item_of(line.file, line.number)
            post, doubt = self._post(line, item, known.get((line.file, line.number), ()))
            posts.append(post)
            if doubt:
                unjudged[item] = tuple(doubt)
        people = [Person(account(nick), (), forms) for nick, forms in self.nicks.items()]
        judged = frozenset(item_of(*place) for place in known)
        return DataSet("irc", people, posts, unjudged=unjudged, judged=judged)

    def _post(self, line: Line, item: str, known: Sequence[Mark]) -> tuple[Post, list[Place]]:
        truths = [
            Truth(*mark.place, account(line.text[slice(*mark.place)]), f"elsewhere, {mark.stratum}")
            for mark in known
            if mark.label == "person"
        ]
        doubt = [mark.place for mark in known if mark.label == "unsure"]
        if opener := _OPENER.match(line.text):
            if self._opens(line, opener):
                truths.insert(0, Truth(*opener.span(1), account(opener[1]), "opening"))
            else:
                doubt.append(opener.span(1))
        return Post(item, line.file, account(line.nick), line.text, "en", truths=tuple(truths)), doubt

    def _opens(self, line: Line, opener: re.Match[str]) -> bool:
        if not opener[2]:
            return False
        nick = fold(opener[1])
        return nick in self.around[line.file] and (opener[2] == ":" or nick not in self.common)


@cache
def whole() -> Channel:
    """All the logs, read once.

    Raises:
        FileNotFoundError: when the logs are not at hand.
    """
    return Channel(irc_lines())


def fold(nick: str) -> str:
    """A nick as it is compared: some loggers set a blank into it."""
    return nick.replace(" ", "").casefold()


def account(nick: str) -> str:
    """The account of whoever bears a nick."""
    return f"irc:{fold(nick)}"


def item_of(file: str, line: int) -> str:
    """The item that a line is."""
    return f"irc:{file}#{line}"


def marks() -> dict[tuple[str, int], list[Mark]]:
    """What a reader labelled, by file and line."""
    found: dict[tuple[str, int], list[Mark]] = defaultdict(list)
    with LABELS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            place = int(row["start"]), int(row["end"])
            found[row["file"], int(row["line"])].append(Mark(place, row["label"], row["stratum"]))
    return dict(found)


def strata() -> dict[str, str]:
    """The stratum of each labelled line, by item."""
    return {item_of(*place): known[0].stratum for place, known in marks().items()}


def on_common_words(masks: Iterable[Mask], data: DataSet, common: frozenset[str]) -> Iterator[Mask]:
    """The masks over a common word in lower case that no truth says is a person."""
    texts: Mapping[str, Post] = {post.item: post for post in data.posts}
    for mask in masks:
        post = texts[mask.item]
        known = any(truth.start < mask.end and mask.start < truth.end for truth in post.truths)
        if not known and post.text[mask.start : mask.end].strip("@") in common:
            yield mask


def _day(file: str) -> date:
    return date.fromisoformat(file[:10])
