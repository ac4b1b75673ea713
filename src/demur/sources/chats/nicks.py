"""Who a line of IRC speaks to: the nicks of a set of logs, and where a line names one of them.

Invariants: a nick is compared without case; a span covers one nick and nothing else of the line, save an ``@`` that
stands before it; a line never opens with the nick of somebody who spoke that is not marked, because there a nick
stands for the person addressed, unless it is a word, too. Marking one word too many costs a word; marking one too few
leaves a person in the corpus.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, Self

from demur.people.finding.senses import Sense, sense_of
from demur.sources.text import Span
from demur.terms import Role
from demur.words.folding import fold_name

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
_AT: Final = re.compile(rf"@(?<![\w@./:]@)[{_LETTERS}]+")
_COLONED: Final = re.compile(r":(?=\s|$)")
_LAST_TOKEN: Final = re.compile(rf"(?<![@./:{_LETTERS}])[{_LETTERS}]+\Z")
_TRIGGER: Final = re.compile(rf"!\S[^|>]*[|>]\s*([{_LETTERS}]+)\s*$")  # a bot told to explain something to someone

_LATELY: Final = 20
"""Lines for which somebody who said something is likely to be answered."""
_REMEMBERED: Final = 65_536
_WORDS: Final = Sense.COMMON | Sense.TERM | Sense.OPENER | Sense.GREETING


class Talking:
    """Who said something lately in a log."""

    def __init__(self) -> None:
        self._lines = 0
        self._last: dict[str, int] = {}

    def heard(self, nick: str) -> Self:
        """Take note of a line of somebody's."""
        self._lines += 1
        self._last[nick.casefold()] = self._lines
        return self

    def __contains__(self, nick: str) -> bool:
        return self._lines - self._last.get(nick, -_LATELY) < _LATELY


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

    def mentions(self, text: str, talking: "Talking | None" = None) -> list[Span]:
        """The mentions in one line, in order, not overlapping.

        ``talking`` are those who said something lately: a nick that is a word of some language opens a line, or a list
        of nicks, without a colon only where another mark follows and its bearer is among them. Where they are not
        known, every nick counts.

        A known nick counts where it opens the line, follows one that does (``ann, bob: hi``), stands before a
        colon or behind an ``@``; of somebody who never spoke, it opens a line only with a mark behind it, because
        among those who only come and go nearly every word is a nick. A nick nobody of these logs bears counts
        only where it opens the line and a colon follows, or where a bot is told to address it
        (``!factoid | ann``).
        """
        spans, position = self._opening(text, talking)
        if "@" in text or ":" in text:
            spans.extend(self._elsewhere(text, position))
        if "!" in text and (trigger := _TRIGGER.search(text, position)):
            spans = [span for span in spans if span.end <= trigger.start(1)]
            spans.append(_mention(text, *trigger.span(1)))
        return spans

    def _opening(self, text: str, talking: "Talking | None") -> tuple[list[Span], int]:
        """The nicks that open a line, one or a list of them, and where the rest of it begins."""
        lead = _LEAD.match(text)
        position = lead.end() if lead else 0
        found = self._known_at(text, position)
        if found is None:
            found = _stranger_at(text, position)
        elif not self._addressed(text, found, talking):
            found = None
        if found is None:
            return [], 0
        start = found[0] - (text[found[0] - 1 : found[0]] == "@")
        spans = [_mention(text, start, found[1])]
        while join := _JOIN.match(text, found[1]):
            found = self._listed_at(text, join.end(), talking, colon=":" in join[0])
            if found is None:
                break
            spans.append(_mention(text, *found))
        return spans, spans[-1].end

    def _addressed(self, text: str, found: tuple[int, int], talking: "Talking | None") -> bool:
        """Whether a known nick that opens a line is somebody who is spoken to, and not a word."""
        nick = text[slice(*found)].replace(" ", "").casefold()
        if _COLON.match(text, found[1]) is not None:
            return True
        marked = _LISTED.match(text, found[1]) is not None
        if talking is not None and is_word(nick):
            return marked and nick in talking
        return marked or (self._unmarked and nick in self._speakers)

    def _listed_at(self, text: str, position: int, talking: "Talking | None", *, colon: bool) -> tuple[int, int] | None:
        """A further nick of the list that opens a line; behind a colon only a known one."""
        found = self._known_at(text, position)
        if found is not None:
            marked = _LISTED.match(text, found[1]) is not None
            return found if marked and self._addressed(text, found, talking) else None
        return None if colon else _stranger_at(text, position)

    def _elsewhere(self, text: str, position: int) -> Iterator[Span]:
        for start, end in sorted([*_ats(text, position), *_before_colons(text, position)]):
            at = text[start] == "@"
            found = self._known_at(text, start + at)
            if found is not None and (at or found[1] == end):
                yield _mention(text, start if at and found[0] == start + 1 else found[0], found[1])

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


def _ats(text: str, position: int) -> Iterator[tuple[int, int]]:
    """Where words behind an ``@`` stand, that with it."""
    return (match.span() for match in _AT.finditer(text, position)) if "@" in text else iter(())


def _before_colons(text: str, position: int) -> Iterator[tuple[int, int]]:
    """Where the words stand that a colon ends; each part between colons is looked at once."""
    for colon in _COLONED.finditer(text, position):
        if word := _LAST_TOKEN.search(text, position, colon.start()):
            yield word.span()
        position = colon.end()


def _stranger_at(text: str, position: int) -> tuple[int, int] | None:
    """Where a nick that nobody of the logs bears begins and ends: a word fit to be one, and a colon."""
    match = _RFC_2812.match(text, position)
    return match.span() if match and _COLON.match(text, match.end()) else None


def _mention(text: str, start: int, end: int) -> Span:
    nick = text[start:end].lstrip("@").replace(" ", "")
    return Span(start, end, Role.MENTION, f"{NAMESPACE}:{nick}")


@lru_cache(maxsize=_REMEMBERED)
def is_word(nick: str) -> bool:
    """Whether a nick, without case, is a letter or a word of some language, and nobody's given name."""
    found = sense_of(fold_name(nick))
    return len(nick) == 1 or (bool(found & _WORDS) and not found & Sense.GIVEN)
